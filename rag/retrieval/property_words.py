"""Which properties of notes a question asks for, told by rule: "which books am I reading?", "who
has a birthday in July?", "which recipes have a rating over 4?". Whether there are such notes, their
fields tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from rag.indexing.filtering import Span
from rag.retrieval.extremes import Extreme, find_extreme
from rag.retrieval.query import content_words
from rag.retrieval.when import When, find_when

_I = re.IGNORECASE
_FORM = re.compile(
    r"^(?:please )?(?:(?:which|what|how many|are there|do (?:i|we) have|have (?:i|we)(?: got)?|"
    r"(?P<list>(?:list|show|find|give)(?: me)?))(?: (?:all|any|every|of|the|my|our))*) "
    r"(?!(?:is|are|was|were|do|does|did|has|have|had|can|could|should|would|will)\b)"
    r"(?P<rest>.+)$",
    _I,
)
_WHO = re.compile(r"^(?:who|whose) (?P<rest>.+)$", _I)
_NOTES = re.compile(r"^(?:notes?|entry|entries|pages?)\b", _I)
# What one should do, or somebody else did, or that is not, no field tells.
_OTHERWISE = re.compile(
    r"\b(?:not|no|never|without|except|but|neither|nor|or|than|other|else|should|must|can|could|"
    r"will|would|(?-i:may)|might|shall|he|she|they|you|him|his|her|them|their|your)\b|n[’']t\b",
    _I,
)
# Not "who works with me".
_HAS = re.compile(
    r"\b(?:has|have|having)\b|(?<!work )(?<!works )(?<!live )(?<!lives )\bwith (?!me\b|us\b)", _I
)
_ALL = re.compile(r"\b(?:do (?:i|we) have|are there)$", _I)
_PAST = re.compile(r"\b(?:did|was|were|have (?:i|we))\b", _I)
_OVERDUE = re.compile(r"\b(?:overdue|past due|late$)", _I)
# Who did it is what such a field holds, not a note that has it.
_ASKS_VALUE = re.compile(
    r"\b(?:attend\w*|join\w*|wrote|written|author\w*|direct\w*|present|came|met)\b", _I
)
_LIGHT = frozenset(
    "am been got currently still now already ever yet anything everyone anyone people person "
    "persons thing things tagged marked".split()
)
_NUMBER = r"(?P<n>\d[\d.,]*)"
_BOUNDS = (
    (">=", rf"at least {_NUMBER}"),
    ("<=", rf"(?:at most|up to) {_NUMBER}"),
    (">", rf"(?:more than|greater than|higher than|better than|over|above) {_NUMBER}"),
    ("<", rf"(?:less than|fewer than|lower than|under|below) {_NUMBER}"),
    (">=", rf"{_NUMBER} (?:\w+ )?(?:or|and) (?:more|higher|above|better|up)"),
    ("<=", rf"{_NUMBER} (?:\w+ )?(?:or|and) (?:less|fewer|lower|below)"),
)
_DIGITS = re.compile(r"(?<![\w.,])\d[\d.,]*(?![\w-])")
_LONGEST = 200  # characters; more is no question of a few properties
_POSSESSIVE = re.compile(r"[’']s?$")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")


@dataclass(frozen=True, slots=True)
class Bound:
    """A number that a field is compared with; `words` as they were asked."""

    sign: str
    number: float
    words: str


@dataclass(frozen=True, slots=True)
class Properties:
    """What notes are to be and to have. `noun` says what they are, "" where any may be meant; each
    of `words` is to be the name of a field, its value, or another thing that a note is. With `has`
    that a note has such a field may be enough, with `all` that it is such a thing. With `who` a
    field has to be named. `past` tells whether it is asked of what was, `asked` is the whole text.
    With `extreme` only the notes that come first in its order are asked for.
    """

    noun: str
    words: tuple[str, ...]
    bounds: tuple[Bound, ...] = ()
    when: When | None = None
    has: bool = False
    all: bool = False
    who: bool = False
    past: bool = False
    overdue: bool = False
    asked: str = ""
    extreme: Extreme | None = None


def find_properties(question: str, today: date) -> Properties | None:
    """The properties that a question may ask for; None where it asks for something else."""
    text = " ".join(question.split()).rstrip("?!. ")
    if len(text) > _LONGEST:
        return None
    extreme, text = find_extreme(text) or (None, text)
    who = _WHO.match(text)
    match = who or _FORM.match(text)
    if match is None or (who and _ASKS_VALUE.search(text)):
        return None
    bounds, rest = _bounds(match["rest"])
    if _OTHERWISE.search(rest):
        return None
    when, overdue = find_when(rest, today), _OVERDUE.search(rest) is not None
    if overdue:
        rest = _OVERDUE.sub("due", rest)
        when = When(Span(None, today - timedelta(days=1)), None, True, "overdue", rest)
    elif when is not None:
        rest = when.rest
    numbers = [
        Bound("=", value, each)
        for each in _DIGITS.findall(rest)
        if (value := number_of(each)) is not None
    ]
    if len(numbers) < len(_DIGITS.findall(rest)):
        return None
    words = _words(_DIGITS.sub(" ", rest))
    noun = ""
    if not who and not _NOTES.match(rest):
        if not words or words[0] != rest.split()[0].casefold().strip("'’-_,"):
            return None
        noun, *words = words
    words = [_POSSESSIVE.sub("", word) for word in words if word not in _LIGHT]
    listed = extreme is not None or (not who and bool(match["list"] or _ALL.search(rest)))
    if not (words or when or numbers or bounds or listed):
        return None
    return Properties(
        noun,
        tuple(words),
        (*bounds, *numbers),
        when,
        bool(_HAS.search(text)),
        listed,
        who is not None,
        _PAST.search(text) is not None,
        overdue,
        text.casefold(),
        extreme,
    )


def _words(text: str) -> list[str]:
    """The words that say something, and "done", which elsewhere says nothing."""
    kept = re.sub(r"\bdone\b", "done_", text, flags=_I)
    return [word for each in content_words(kept) if (word := each.strip("'’-_"))]


def number_of(text: str) -> float | None:
    """A number as people write it: "1,200", "4.5", "4,5"; None for "1.2.3"."""
    text = text.strip(".,")
    digits = re.sub("[.,]", "", text) if _THOUSANDS.fullmatch(text) else text.replace(",", ".")
    try:
        return float(digits) if len(digits) < 20 else None
    except ValueError:
        return None


def _bounds(text: str) -> tuple[tuple[Bound, ...], str]:
    """A comparison with a number, and what is left of the text."""
    for sign, pattern in _BOUNDS:
        match = re.search(rf"\b(?:is |are |of |in )?(?P<said>{pattern})(?!\w)", text, _I)
        if match and (value := number_of(match["n"])) is not None:
            rest = f"{text[: match.start()]} {text[match.end() :]}"
            return (Bound(sign, value, match["said"]),), " ".join(rest.split())
    return (), text
