"""How a note meets a question for properties: every word of it is accounted for, by what the note
is, by the name of one of its fields or by what stands in it; and numbers and days are as asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from rag.indexing.filtering import FoundNote
from rag.reading.dates import parse_date
from rag.retrieval.property_words import Bound, Properties, number_of
from rag.retrieval.times import parse_span

# Verbs and nouns for what a field of another name holds.
VERBS = {
    word: frozenset(keys.split())
    for words, keys in (
        ("attend attended attending join joined meet met", "attendees participants present people"),
        ("write wrote written", "author authors writer"),
        ("direct directed", "director directors"),
        ("own owns owned owning", "owner"),
        ("work works worked working", "company employer organisation organization org workplace"),
        ("live lives lived living based", "city town location address place country"),
        ("born", "birthday birthdate dob"),
        ("rated rate stars star score", "rating score stars grade"),
        ("take takes ready minutes", "minutes time duration"),
        ("due", "deadline"),
        ("finish finished complete completed", "finished completed done"),
        ("cost costs", "price cost"),
    )
    for word in words.split()
}
# That such a field is there at all says that it was done; of others a value has to be asked for.
_DOINGS = frozenset("finish finished complete completed start started rate rated".split())
YEARLY = frozenset("birthday born birthdate dob anniversary".split())
_DONE = frozenset("done finished completed complete closed cancelled canceled archived".split())
# Of "read in 2024", no other date of a book tells.
_ENDS = frozenset("finished completed read done watched ended".split())
_BEGINS = frozenset("started start acquired bought added purchased published released".split())
# A value that holds one of these is another than what it goes on with: "to read", "not active".
_TURNS = frozenset(
    "to not no never want wants wish un non almost half partly someday maybe".split()
)
_LONGEST = 6  # words of a value; more is a text, in which a word tells nothing
NUMBERS = {
    word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
_RANGE = re.compile(r"(?P<first>\d[\d.,]*)(?: ?[-–] ?(?P<last>\d[\d.,]*))?")
_MEASURE = re.compile(r"(?P<before>[$€£¥₹]?)\s?(?P<n>-?\d[\d.,]*)(?P<after>\s?[^\d\s]*|/\d+)")
_PART_OF_YEAR = re.compile(r"[12]\d{3}(?:[-/.]\d{1,2})?")
_WORD = re.compile(r"\w+(?:[’'.-]\w+)*")
_EMPTY = frozenset(("", "false", "no", "none", "n/a"))


@dataclass(frozen=True, slots=True)
class PropertyNote:
    """A note by what it is and what its fields hold; `written` is the day that its writer gave it,
    "" where none did."""

    found: FoundNote
    labels: frozenset[str]
    fields: dict[str, list[str]]
    written: str


@dataclass(slots=True)
class Met:
    """How a note meets a question: what each field holds of it, which fields are named alone, what
    else it is, and whether its day is of those that are asked for."""

    met: dict[str, list[str]] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    dated: bool = False


_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}


def forms(word: str) -> frozenset[str]:
    """A word and what it may be the plural of."""
    word = word.casefold()
    forms = {word, _IRREGULAR.get(word, word)}
    if word.endswith("ies"):
        forms.add(f"{word[:-3]}y")
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("s") and not word.endswith("ss"):
        forms.add(word[:-1])
    return frozenset(forms)


def meets(
    wanted: Properties, note: PropertyNote, stems: Callable[[str], frozenset[str]]
) -> tuple[Met | None, bool]:
    """How a note meets a question, None where a word of it is not accounted for; and whether the
    numbers and days are as they were asked for, too."""
    if wanted.noun and not forms(wanted.noun) & note.labels:
        return None, False
    match = Met()
    named: list[tuple[str, set[str]]] = []
    bounds = list(wanted.bounds)
    for word in wanted.words:
        holding = {
            key: said
            for key, values in note.fields.items()
            if (said := _found(values, word, wanted.asked, stems))
        }
        keys = set(field_keys(note, word, stems))
        if holding:
            for key, said in holding.items():
                match.met.setdefault(key, []).append(said)
        elif keys:
            named.append((word, keys))
        elif forms(word) & note.labels:
            match.labels.append(word)
        elif word in NUMBERS:
            bounds.append(Bound("=", NUMBERS[word], word))
        else:
            return None, False
    sought = set().union(*(keys for _, keys in named))
    if (wanted.who or bounds) and not sought:
        return None, False
    try:
        whole = _add_numbers(match, note, sought, bounds)
        whole = _add_days(match, wanted, note, sought) and whole
    except _CannotTell:
        return None, False
    if wanted.overdue and any(value.casefold() in _DONE for value in note.fields.get("status", ())):
        whole = False
    asked = bool(bounds or wanted.when)
    for word, keys in named:
        telling = [key for key in sorted(keys) if any(map(tells, note.fields[key]))]
        if keys & match.met.keys():
            continue
        enough = wanted.has or (word in _DOINGS and not (match.met or asked or wanted.who))
        if not telling or not (enough or asked):
            return None, False
        match.alone += telling[:1]
    return match, whole and bool(
        match.met or match.alone or match.labels or match.dated or wanted.all
    )


class _CannotTell(Exception):
    """A field that is compared holds no such thing as it is compared with."""


def _found(
    values: Iterable[str], word: str, asked: str, stems: Callable[[str], frozenset[str]]
) -> str:
    """A word as it stands in a value, "" where it does not or the value says something else. What
    is no name has to be asked for as a whole: "to read" is not "read"."""
    for value in values:
        words = _WORD.findall(value)
        if len(words) > _LONGEST:
            continue
        others = {each.casefold() for each in words} - {*_WORD.findall(asked)}
        for each in map(str, words):
            said = each.casefold()
            same = said == word or (
                len(words) == 1
                and stems(said) == stems(word)
                and said.endswith("ing") == word.endswith("ing")
            )
            name = any(map(str.isupper, each))
            if same and not others & _TURNS and (name or not others - {said}):
                return each
    return ""


def _names(word: str, key: str, stems: Callable[[str], frozenset[str]]) -> bool:
    """Whether a word is the name of a field, a form of it, or asks for it. "Reading" is none of
    "read": what is being read is not read."""
    if key in VERBS.get(word, ()) or word in re.split(r"[\s_-]+", key):
        return True
    return (
        bool(stems(word))
        and stems(word) == stems(key)
        and not (word.endswith("ing") and not key.endswith("ing"))
    )


def field_keys(note: PropertyNote, word: str, stems: Callable[[str], frozenset[str]]) -> list[str]:
    """The fields of a note that a word names."""
    return [key for key in note.fields if _names(word, key, stems)]


def tells(value: str) -> bool:
    """Whether something stands in a field."""
    return value.strip().casefold() not in _EMPTY


def _add_numbers(match: Met, note: PropertyNote, sought: set[str], bounds: Sequence[Bound]) -> bool:
    """Whether the named fields hold the numbers that are asked for; which do is added. Raises
    _CannotTell where they hold none at all."""
    held = {
        key: [number for value in note.fields[key] if (number := _range(value)) is not None]
        for key in sought
    }
    if bounds and not any(held.values()):
        raise _CannotTell
    for bound in bounds:
        holding = [
            key for key, numbers in held.items() if any(_compare(each, bound) for each in numbers)
        ]
        if not holding:
            return False
        for key in holding:
            match.met.setdefault(key, []).append(bound.words)
    return True


def _range(value: str) -> tuple[float, float] | None:
    """The first number of a value, twice: 4 of "4/5", 320 of "320 pages"; or from where to where it
    goes: "2–4 players". None of a date."""
    found = _RANGE.search(value)
    if found is None or parse_date(value):
        return None
    first, last = number_of(found["first"]), number_of(found["last"] or found["first"])
    return None if first is None or last is None else (first, max(first, last))


def in_unit(value: str) -> tuple[float, str] | None:
    """A value that is a number and its unit: (4, "/5") of "4/5"; None of anything else."""
    found = _MEASURE.fullmatch(value.strip())
    number = number_of(found["n"]) if found else None
    if found is None or number is None:
        return None
    return number, f"{found['before']}{found['after']}".strip().casefold()


def _compare(own: tuple[float, float], bound: Bound) -> bool:
    least, most = own
    return {
        "=": least <= bound.number <= most, ">": most > bound.number, ">=": most >= bound.number,
        "<": least < bound.number, "<=": least <= bound.number,
    }[bound.sign]  # fmt: skip


def _add_days(match: Met, wanted: Properties, note: PropertyNote, sought: set[str]) -> bool:
    """Whether a field, one that is named if any of these holds days, or else the note itself is of
    the days that are asked for; which is, is added. Raises _CannotTell where nothing of it has a
    day."""
    when = wanted.when
    if when is None:
        return True
    held = {key: days for key, values in note.fields.items() if (days := days_of(values))}
    if chosen := sought & held.keys():
        held = {key: held[key] for key in chosen}
    else:
        held = {key: held[key] for key in ending_keys(note, match) if key in held}
    for key, days in sorted(held.items()):
        recurs = key in YEARLY
        if any(when.holds(*each, ahead=not wanted.past, recurs=recurs) for each in days):
            match.met.setdefault(key, []).append(when.words)
            return True
    day = date.fromisoformat(note.written) if note.written else None
    if not held and (day is None or wanted.who or wanted.overdue):
        raise _CannotTell
    if chosen or day is None or wanted.who or wanted.overdue:
        return False
    match.dated = when.holds(day, day, ahead=not wanted.past)
    return match.dated


def ending_keys(note: PropertyNote, match: Met) -> list[str]:
    """The fields whose days a note is of where none is named: of what was read when it was, and
    never when it was bought or published."""
    ends = [key for key in note.fields if match.met and key in _ENDS and days_of(note.fields[key])]
    return ends or [key for key in note.fields if key not in _BEGINS]


def days_of(values: Iterable[str]) -> list[tuple[date, date]]:
    """The days that values name: a day, a month or a year each."""
    days = []
    for value in values:
        if day := parse_date(value):
            days.append((day, day))
        elif _PART_OF_YEAR.fullmatch(value) and (span := parse_span(value, date.today())):
            assert span.first is not None
            assert span.last is not None
            days.append((span.first, span.last))
    return days
