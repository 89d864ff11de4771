"""Time in a question: "what did I write last week", "notes since March", "in 2024".

A rule finds the words and takes them out; what is left is asked of the notes of that time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from rag.errors import QuestionError
from rag.indexing.filtering import Span
from rag.reading.dates import parse_date
from rag.retrieval.times import MONTH_NAMES, read_time

# A day with its year. What is written in digits alone may be the number of something else.
_DAY = re.compile(
    r"\b(?:on|since|after|before|until|till|by|from|between|and|to) (?P<digits>\d{4}-\d{2}-\d{2})"
    r"(?![\w-])|\b(?P<named>(?:[12]?\d|3[01])(?:st|nd|rd|th)?(?: of)? "
    rf"(?:{MONTH_NAMES}),? [12]\d{{3}}|(?:{MONTH_NAMES}) (?:[12]?\d|3[01])(?:st|nd|rd|th)?,? "
    r"[12]\d{3})\b",
    re.IGNORECASE,
)
_LONGEST = 7  # words: "the 5th of February 2024 at 13:20"
_SEARCHED_WORDS = 80  # of a question; a pasted page is no question about time


@dataclass(frozen=True, slots=True)
class TimeWords:
    """Time that a question names: about the last change of notes if `changed`, else their day.

    `words` were taken out of the question and `rest` is left. Not `certain` where the words may
    as well belong to what is asked, as in "what do my notes say of AI in 2012"; `writing` tells
    whether notes or writing them are asked about.
    """

    span: Span
    changed: bool
    certain: bool
    words: str
    rest: str
    writing: bool = True


_NOTE = re.compile(r"\b(?:notes?|journals?|diar(?:y|ies)|entr(?:y|ies))\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:i|we|my|our|me|us)\b", re.IGNORECASE)
_CHANGE = r"(?:change[ds]?|edit(?:ed)?|update[ds]?|modif(?:y|ied)|touch(?:ed)?|revised?)"
_WRITE = (
    r"(?:wr[io]te|written|note(?: down|d)?|jot(?:ted)?|record(?:ed)?|log(?:ged)?|add(?:ed)?|"
    + (r"capture[ds]?|saved?|create[ds]?)")
)
_WROTE = re.compile(
    rf"\b(?:i|we)(?:[’']ve| have| had)?(?: \w+ly| last| just)? (?:{_WRITE}|{_CHANGE})\b",
    re.IGNORECASE,
)
_DID = re.compile(r"\b(?:did|have|had) (?:i|we)\b|\b(?:i|we)[’']ve\b", re.IGNORECASE)
_CHANGED = re.compile(
    rf"\b(?:i|we)(?:[’']ve| have| had)?(?: \w+ly| last| just)? {_CHANGE}\b"
    rf"|\bnotes? (?:\w+ ){{0,3}}{_CHANGE}\b|^what(?: has|[’']s)? changed\b",
    re.IGNORECASE,
)
_NEWS = re.compile(r"^what(?:[’']s| is| has)?(?: been)? (?:new|changed|added)\b", re.IGNORECASE)
# On a day or last month, which a diary tells; not in 1066, nor to anything in particular.
_HAPPENED = re.compile(r"what (?:all )?(?:happened|went on|was going on)\W*", re.IGNORECASE)
_ASKS = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|"
    r"should|will|would|has|have|had)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|`[^`]*`")
_IN = frozenset("in on from during of for within over at".split())
_EDGES: dict[str, Callable[[Span], Span]] = {
    "since": lambda span: Span(span.first, None),
    "after": lambda span: Span(_next(span.last), None),
    "until": lambda span: Span(None, span.last),
    "till": lambda span: Span(None, span.last),
    "before": lambda span: Span(None, _previous(span.first)),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A span and the characters that name it, its preposition included; `kind` as `read_time` has
    it."""

    span: Span
    kind: str
    start: int
    end: int


def check_days(question: str) -> None:
    """Raises QuestionError for a day that does not exist: "on 30 February 2025"."""
    for match in _DAY.finditer(_QUOTED.sub("", question)):
        day = match["digits"] or match["named"]
        if parse_date(day) is None:
            raise QuestionError(
                f"{day!r} is not a date that exists.",
                "Name another day; words that are no date go in quotes.",
            )


def find_time(question: str, today: date) -> TimeWords | None:
    """The time by which a question narrows down the notes, if it does.

    Absolute dates do so only where the question is about notes or writing them: "who won in
    2022?" asks for something that the notes tell, whenever they were written.
    """
    found = first_time(question, today)
    if found is None:
        return None
    rest = tidy(f"{question[: found.start]} {question[found.end :]}")
    words = question[found.start : found.end]
    alone = not any(character.isalnum() for character in rest)
    wrote = bool(_WROTE.search(question)) or bool(_NEWS.search(rest)) or alone
    about_notes = bool(_NOTE.search(question))
    happened = bool(_HAPPENED.fullmatch(rest))
    if found.kind == "relative":
        keywords = not _ASKS.search(question) and not rest.startswith(words)
        mine = wrote or about_notes or keywords or happened or _FIRST_PERSON.search(question)
        if not mine:
            return None
        certain = True
    elif not (
        wrote or about_notes or _DID.search(question) or (happened and _is_short(found.span))
    ):
        return None
    else:
        certain = wrote
    changed = bool(_CHANGED.search(question))
    return TimeWords(found.span, changed, certain, words, rest, wrote or about_notes)


def _is_short(span: Span) -> bool:
    """Whether a span is at most a month: what happened in a year, books tell."""
    return (
        span.first is not None
        and span.last is not None
        and span.last - span.first <= timedelta(days=31)
    )


def first_time(question: str, today: date) -> Found | None:
    """The first stretch of words that names a time."""
    blanked = _QUOTED.sub(lambda match: "\0" * len(match[0]), question)
    words = [
        (match.start(1), match.end(1), match[1])
        for match in re.finditer(r"(?<![^\s(])\(?([^\s()?!]*[^\s()?!.,;:])", blanked)
    ][:_SEARCHED_WORDS]
    for at in range(len(words)):
        found = _longest(blanked, words, at, today)
        if found is None:
            continue
        end, span, kind = found
        before = words[at - 1][2].casefold() if at else ""
        start = words[at - 1][0] if before in (*_EDGES, *_IN, "between") else words[at][0]
        if before in ("from", "between") and end + 1 < len(words):
            joint = words[end + 1][2].casefold() if end + 1 < len(words) else ""
            other = _longest(blanked, words, end + 2, today)
            if joint in ("and", "to", "until", "till", "through") and other:
                first = _with_year_of(blanked, words, at, end, other, today) or span
                last = words[other[0]][1]
                return Found(Span(first.first, other[1].last), kind, start, last)
        if before in _EDGES:
            return Found(_EDGES[before](span), kind, start, words[end][1])
        onward = words[end + 1][2].casefold() if end + 1 < len(words) else ""
        if onward == "of" and kind == "relative":  # "the last day of term" is the term's
            continue
        if before == "from" and onward in ("on", "onward", "onwards"):
            return Found(Span(span.first, None), kind, start, words[end + 1][1])
        if kind != "bare" or before in _IN or len(words) == end + 1 - at:
            return Found(span, kind, start, words[end][1])
    return None


def _longest(
    text: str, words: list[tuple[int, int, str]], at: int, today: date
) -> tuple[int, Span, str] | None:
    """The longest run of words from `at` on that names a time: its last word, span and kind."""
    for end in range(min(at + _LONGEST, len(words)) - 1, at - 1, -1):
        found = read_time(text[words[at][0] : words[end][1]], today)
        if found and found[1] != "short":
            return end, *found
    return None


def _with_year_of(
    text: str,
    words: list[tuple[int, int, str]],
    at: int,
    end: int,
    other: tuple[int, Span, str],
    today: date,
) -> Span | None:
    """The first side of "between March and May 2023" read with the year of the second."""
    if other[2] != "absolute" or other[1].first is None:
        return None
    found = read_time(f"{text[words[at][0] : words[end][1]]} {other[1].first.year}", today)
    return found[0] if found else None


def _next(day: date | None) -> date | None:
    return day + timedelta(days=1) if day and day < date.max else day


def _previous(day: date | None) -> date | None:
    return day - timedelta(days=1) if day and day > date.min else day


def tidy(text: str) -> str:
    """What is left of a question, without the gaps of what was taken out."""
    text = re.sub(r"\s+([?!.,;:])", r"\1", " ".join(text.split()))
    return text.strip(" ,;")
