"""Near misses: questions that sound as if the notes answered them, and that they do not.

One thing of a question that the notes answer is changed to what stands in no note: a year, a name,
or what is asked about its subject. Rajpurkar et al. 2018 (table 2) name the entity swap among the
ways in which people write such questions.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.evaluation.proposal import Proposal

_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_NAME = re.compile(
    r"(?<=\s)[A-Z][\w'’&-]+(?:\s(?:(?:of|the|de|von)\s)?(?:[A-Z]\.\s?)*[A-Z][\w'’&-]*)*(?:\s\d+\b)?"
)
_MODEL = re.compile(r"(?P<name>.*\D)(?P<number>\d{1,2})")
_NAMES = """Lindqvist Halvorsen Varnholt Tamsworth Brennick Okonjo Pellerin Osterbrook Quillanby
Marwick Drumlevy Corvellan Ashgrove Fennimore Kestrelby Zabrowski Tolvanen Hethersett Rivoire
Castellan""".split()
_LETTERS = "QVX ZKR WJT XBQ VZH JQN KWX".split()
# What may be asked about a thing that has a name, and the word of it that no note holds.
_ASKED = (
    ("patent", "Who holds the patent on {}?"),
    ("magazine", "Which magazine reviewed {}?"),
    ("trademark", "Who owns the trademark of {}?"),
)
_COLUMNS = "price weight colour color warranty supplier insurer sponsor barcode".split()
_CELL = re.compile(r"What is the (?P<column>[^?]+?) (?P<of>of|for) (?P<row>[^?]+)\?")
_TRIED = ("when", "who", "where", "amount", "item", "cell", "definition", "link")


class _Known:
    """All that stands in the notes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded = text.casefold()

    def hold(self, part: str) -> bool:
        """Whether a word stands in a note, be it as a part of one."""
        return part.casefold() in self._folded

    def small(self, word: str) -> bool:
        """Whether the notes write a word with a small letter anywhere."""
        return bool(re.search(rf"\b{re.escape(word.lower())}\b", self._text))

    def name(self, phrase: str) -> bool:
        """Whether a phrase that begins with a capital does so because it is a name."""
        return not (phrase[1:].islower() and self.small(phrase))


def near_misses(
    proposals: Iterable[Proposal], texts: Iterable[str], count: int, seed: int = 0
) -> list[Proposal]:
    """Up to `count` questions without an answer in any of the notes' `texts`, from as many notes
    and of as many sorts as can be."""
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    notes = _Known("\n".join(texts))
    asked = [each for each in proposals if each.kind in _TRIED]
    questions = {each.question.casefold() for each in asked}
    draw.shuffle(asked)
    used: dict[str, int] = {}
    found: list[Proposal] = []
    while asked and len(found) < count:
        # The sort and the note that were had least come first.
        asked.sort(key=lambda each: used.get(each.note, 0) + 2 * used.get(each.kind, 0))
        base = asked.pop(0)
        missed = _changed(base, notes, draw)
        if missed is None or missed.question.casefold() in questions:
            continue
        found.append(missed)
        questions.add(missed.question.casefold())
        for each in (base.note, base.kind):
            used[each] = used.get(each, 0) + 1
    return found


def _changed(base: Proposal, notes: _Known, draw: random.Random) -> Proposal | None:
    for change in (_year, _name, _cell, _asked):
        if changed := change(base, notes, draw):
            question, why = changed
            return replace(base, question=question, answer="", kind="unanswerable", why=why)
    return None


_Changed = tuple[str, str] | None  # the question, and why the notes do not answer it


def _year(base: Proposal, notes: _Known, draw: random.Random) -> _Changed:
    year = _YEAR.search(base.question)
    if not year:
        return None
    others = [str(int(year[0]) + by) for by in (-31, -12, -7, -4, -3, 3, 4, 7, 12, 31)]
    return _swapped(base.question, year, [each for each in others if each <= "2030"], notes, draw)


def _name(base: Proposal, notes: _Known, draw: random.Random) -> _Changed:
    found = [each for each in _NAME.finditer(base.question) if notes.name(each[0])]
    if not found or "my notes" in base.question:
        return None
    name = max(found, key=lambda each: len(each[0]))
    if base.kind == "definition" and " " not in name[0]:
        return None  # "What is Castellan?" sounds like none of the notes
    *before, last = name[0].split()
    if model := _MODEL.fullmatch(name[0]):
        others = [f"{model['name']}{int(model['number']) + by}" for by in (2, 3, 4, 5)]
    elif last.isupper() and not before:
        others = _LETTERS
    elif not before:
        others = _NAMES
    elif "of" in before:
        start = " ".join(before[: before.index("of") + 1])
        others = [f"{start} {each}" for each in _NAMES]
    elif notes.small(last) or base.question[: name.start()].endswith("the "):  # a bridge
        others = [f"{each} {last}" for each in _NAMES]
    else:
        others = [" ".join([*before, each]) for each in _NAMES]
    return _swapped(base.question, name, others, notes, draw)


def _cell(base: Proposal, notes: _Known, _: random.Random) -> _Changed:
    """Another column, which the table does not have."""
    cell = _CELL.fullmatch(base.question)
    if base.kind not in ("cell", "item") or not cell:
        return None
    column = next((each for each in _COLUMNS if not notes.hold(each)), "")
    if not column:
        return None
    question = f"What is the {column} {cell['of']} {cell['row']}?"
    return question, f"asks for “{column}” in place of “{cell['column']}”: “{column}” is in no note"


def _asked(base: Proposal, notes: _Known, draw: random.Random) -> _Changed:
    """Something else about what a note defines."""
    if base.kind != "definition" or not re.search(r"[A-Z]", base.about):
        return None
    if not notes.name(base.about):
        return None
    others = [(word, form) for word, form in _ASKED if not notes.hold(word)]
    if not others:
        return None
    word, form = draw.choice(others)
    return form.format(base.about), f"“{word}” is in no note, nor a longer word of it"


def _swapped(
    question: str, out: re.Match[str], others: Sequence[str], notes: _Known, draw: random.Random
) -> _Changed:
    """The question with one of the `others` that stand in no note, whole or by its new word."""
    absent = [each for each in others if not any(map(notes.hold, _new(each, out[0])))]
    if not absent:
        return None
    other = draw.choice(absent)
    new = " ".join(_new(other, out[0]))
    changed = f"{question[: out.start()]}{other}{question[out.end() :]}"
    return changed, f"asks for “{other}” in place of “{out[0]}”: “{new}” is in no note"


def _new(other: str, before: str) -> list[str]:
    return [each for each in other.split() if each not in before.split()]
