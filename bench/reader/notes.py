"""Training pairs of short notes: `notes.py OUT [--count N] [--seed N]`

People ask their notes about a boiler, a teacher, a booking, and their notes are lines of a few
words. `notes.toml` lists what is kept of which kind of thing, and in which words it is said and
asked for. A pair is as in `pairs.py`; the text is a note of one thing (lines with labels, some
whole sentences), or a list of several things, a line or a row each. Not answered are questions
about what the note leaves out, about another thing than those it has, and about another of the
same sort ("history teacher" beside the maths teacher, 2023 beside 2024).
"""

from __future__ import annotations

import argparse
import json
import random
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LABELS = Path(__file__).with_suffix(".toml")
_ANSWERED = 0.5  # of the pairs
_SENTENCE = 0.35  # of what is said in a line of its own words, not "Label: value"
_MANY = 0.35  # of the notes that are of several things
_MOST_LINES = 5
_MONTHS = "January February March April May June July August September October November December"
_TITLES = ("Notes", "Misc", "Inbox", "Household", "Family", "2025", "Lists", "Log", "Todo")


@dataclass(frozen=True, slots=True)
class Label:
    """Something that is kept of a kind of thing: how a line says it, `tells` it in a sentence, and
    how it is asked for; `among` are the names that keep it apart from others of its sort."""

    kind: str
    says: tuple[str, ...]
    tells: tuple[str, ...]
    asks: tuple[str, ...]
    value: str
    among: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Fact:
    """A thing, what is kept of it and which of its sort, and the value."""

    of: str
    label: Label
    which: str
    value: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    writer = Writer(random.Random(options.seed))
    with options.out.open("w", encoding="utf-8") as out:
        for _ in range(options.count):
            out.write(json.dumps(writer.pair(), ensure_ascii=False) + "\n")


class Writer:
    """Writes pairs by chance."""

    def __init__(self, chance: random.Random) -> None:
        read: Any = tomllib.loads(_LABELS.read_text(encoding="utf-8"))
        self._chance = chance
        self._pools: dict[str, list[str]] = read["pools"]
        self._labels = [
            Label(
                each["kind"],
                tuple(each["says"]),
                tuple(each["tells"]),
                tuple(each["asks"]),
                each["value"],
                tuple(each.get("among", ("",))),
            )
            for each in read["label"]
        ]

    def pair(self) -> dict[str, Any]:
        """A question, a title, a text, and where it answers; -1 where it does not."""
        chance = self._chance
        asked = self._fact(chance.choice(self._labels))
        answered = chance.random() < _ANSWERED
        if chance.random() < _MANY:
            title, facts = self._of_several(asked, answered)
            text, place = self._list(facts, asked)
        else:
            title, facts = self._of_one(asked, answered)
            text, place = self._note(facts, asked)
        question = _filled(chance.choice(asked.label.asks), asked)
        start, end = place if answered else (-1, -1)
        return {
            "question": self._typed(question),
            "title": title,
            "text": text,
            "start": start,
            "end": end,
        }

    def _typed(self, question: str) -> str:
        return question.rstrip("?") if self._chance.random() < 0.3 else question

    def _of_one(self, asked: Fact, answered: bool) -> tuple[str, list[Fact]]:
        """The facts of a note about one thing. Without the one asked for there is another of its
        sort, where there is one, or the thing is another."""
        chance = self._chance
        of = asked.of
        kept = [each for each in self._labels if each.kind == asked.label.kind]
        chance.shuffle(kept)
        others = [each for each in kept if each is not asked.label][: chance.randrange(_MOST_LINES)]
        facts = [self._fact(label, of) for label in others]
        if answered:
            facts.append(asked)
        elif chance.random() < 0.3:  # all that is asked for, of another thing
            of = self._other(asked)
            facts = [self._fact(label, of) for label in (*others, asked.label)]
        if len(asked.label.among) > 1 and (not answered or chance.random() < 0.6):
            facts += self._of_its_sort(asked, of)
        if not facts:
            facts = [self._fact(label, of) for label in kept if label is not asked.label][:1]
        chance.shuffle(facts)
        return _as_title(of), facts

    def _of_several(self, asked: Fact, answered: bool) -> tuple[str, list[Fact]]:
        """The facts of a list: of other things, and of the one asked for or something else of
        it."""
        chance = self._chance
        others = {self._other(asked) for _ in range(chance.randrange(1, _MOST_LINES))}
        facts = [self._fact(asked.label, of, asked.which) for of in sorted(others)]
        if answered:
            facts.append(asked)
        elif chance.random() < 0.4:
            kept = [x for x in self._labels if x.kind == asked.label.kind and x != asked.label]
            facts.append(self._fact(chance.choice(kept), asked.of))
        chance.shuffle(facts)
        return chance.choice(_TITLES), facts

    def _of_its_sort(self, asked: Fact, of: str) -> Iterator[Fact]:
        names = [each for each in asked.label.among if each != asked.which]
        self._chance.shuffle(names)
        for which in names[: self._chance.randrange(1, 4)]:
            yield self._fact(asked.label, of, which)

    def _fact(self, label: Label, of: str = "", which: str = "") -> Fact:
        chance = self._chance
        of = of or chance.choice(self._pools[label.kind])
        which = which or chance.choice(label.among)
        return Fact(of, label, which, self._value(label.value))

    def _other(self, asked: Fact) -> str:
        return self._chance.choice([x for x in self._pools[asked.label.kind] if x != asked.of])

    def _value(self, name: str) -> str:
        if name in self._pools:
            return self._chance.choice(self._pools[name])
        return _MADE[name](self._chance)

    def _note(self, facts: Sequence[Fact], asked: Fact) -> tuple[str, tuple[int, int]]:
        """A line for each fact, and where the one asked for has its value."""
        chance = self._chance
        mark = chance.choice(("", "- ", "- ", "* ", "- **"))
        lines, values = [], []
        for each in facts:
            if chance.random() < _SENTENCE:
                lines.append(_filled(chance.choice(each.label.tells), each))
            else:
                said = _filled(chance.choice(each.label.says), each)
                close = "**" if mark.endswith("**") else ""
                lines.append(f"{mark}{_capital(said)}:{close} {each.value}")
            values.append(each is asked)
        return self._placed(lines, values, asked)

    def _list(self, facts: Sequence[Fact], asked: Fact) -> tuple[str, tuple[int, int]]:
        """A line or a row for each thing."""
        chance = self._chance
        form = chance.choice(("- {of}: {said} {v}", "{Kind}: {of}; {Said}: {v}", "- {of} – {v}"))
        said = {id(each.label): chance.choice(each.label.says) for each in facts}
        lines = []
        for each in facts:
            one = _filled(said[id(each.label)], each)
            filled = form.format(
                of=each.of,
                said=one,
                Said=_capital(one),
                Kind=_capital(each.label.kind.replace("_", " ")),
                v=each.value,
            )
            bare = "{said}" not in form.lower() and each.label is not asked.label
            lines.append(f"- {each.of}: {one} {each.value}" if bare else filled)
        if "said" not in form.lower():
            head = f"{_capital(_filled(chance.choice(asked.label.says), asked))}:"
            lines = [head, *lines]
            facts = [Fact("", asked.label, "", ""), *facts]
        return self._placed(lines, [each is asked for each in facts], asked)

    def _placed(
        self, lines: Sequence[str], values: Sequence[bool], asked: Fact
    ) -> tuple[str, tuple[int, int]]:
        text, place = "", (-1, -1)
        for line, own in zip(lines, values, strict=True):
            at = line.rfind(asked.value) if own else -1
            if at >= 0:
                place = (len(text) + at, len(text) + at + len(asked.value))
            text += f"{line}\n"
        return text.rstrip("\n"), place


def _filled(template: str, fact: Fact) -> str:
    return template.format(of=fact.of, v=fact.value, p=fact.which)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _as_title(of: str) -> str:
    return _capital(of.removeprefix("the "))


def _date(chance: random.Random) -> str:
    day, month, year = chance.randrange(1, 29), chance.randrange(12), chance.randrange(2015, 2027)
    name = _MONTHS.split()[month]
    return chance.choice(
        (
            f"{day} {name} {year}",
            f"{year}-{month + 1:02}-{day:02}",
            f"{day} {name[:3]}",
            f"{day}.{month + 1}.{year}",
            f"{name} {year}",
            f"{name} {day}",
        )
    )


def _code(chance: random.Random) -> str:
    some = "".join(chance.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=chance.randrange(2, 4)))
    number = chance.randrange(1000, 9_999_999)
    return chance.choice((f"{some}-{number}", f"{some}{number}", f"{number}", f"{number}/{some}"))


def _unit(least: int, most: int, *units: str) -> Callable[[random.Random], str]:
    def made(chance: random.Random) -> str:
        return f"{chance.randrange(least, most)}{chance.choice(units)}"

    return made


def _phone(chance: random.Random) -> str:
    area, first, last = (chance.randrange(100, most) for most in (999, 999, 9999))
    return f"0{area} {first} {last}"


def _email(chance: random.Random) -> str:
    name = "".join(chance.choices("abcdefghiklmnoprstuvw", k=chance.randrange(3, 7)))
    return f"{name}@{chance.choice(('mail', 'post', 'office'))}.example"


def _money(chance: random.Random) -> str:
    amount = chance.choice((f"{chance.randrange(5, 2500)}", f"{chance.randrange(5, 99)}.50"))
    return chance.choice((f"£{amount}", f"€{amount}", f"{amount} €", f"${amount}", f"{amount} kr"))


def _clock(chance: random.Random) -> str:
    return f"{chance.randrange(6, 23)}:{chance.choice(('00', '05', '20', '30', '45', '50'))}"


_MADE: dict[str, Callable[[random.Random], str]] = {
    "date": _date,
    "code": _code,
    "phone": _phone,
    "email": _email,
    "money": _money,
    "clock": _clock,
    "size": _unit(3, 60, "", " cm", " L", "½"),
    "room": _unit(1, 40, "B", "A", " in the annexe", " upstairs"),
    "pressure": _unit(1, 60, " bar", " psi", ".5 bar"),
    "heat": _unit(150, 250, " °C", "°C", "°", " fan"),
    "time": _unit(5, 90, " min", " minutes", " mins"),
    "count": _unit(2, 24, "", " people", " pieces", " slices"),
    "amount": _unit(5, 900, " g", "g", " ml", " tbsp"),
    "weight": _unit(2, 40, " kg", "kg", ".3 kg"),
    "dose": _unit(1, 600, " mg", "mg", " drops", " µg"),
    "percent": _unit(20, 100, "%", " %", " points"),
    "reading": _unit(4, 180, "", "/80", "/75", " mmol/l"),
    "number": _unit(1, 500, "", " ms", " days", " px"),
    "stars": _unit(1, 5, " stars", "/5", " of 5"),
}


if __name__ == "__main__":
    main()
