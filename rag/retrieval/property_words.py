"""Which properties of notes a question asks for, told by rule: "which books am I reading?", "who
has a birthday in July?", "which recipes have a rating over 4?". Whether there are such notes, their
fields tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from rag.retrieval.query import content_words
from rag.retrieval.when import When, find_when

_I = re.IGNORECASE
_FORM = re.compile(
    r"^(?:please )?(?:(?:which|what|how many|(?:list|show|find|give)(?: me)?|"
    r"are there|do (?:i|we) have|have (?:i|we)(?: got)?)(?: (?:all|any|every|of|the|my|our))*) "
    r"(?!(?:is|are|was|were|do|does|did|has|have|had|can|could|should|would|will)\b)"
    r"(?P<rest>.+)$",
    _I,
)
_WHO = re.compile(r"^(?:who|whose) (?P<rest>.+)$", _I)
_NOTES = re.compile(r"^(?:notes?|entry|entries|pages?)\b", _I)
_OTHERWISE = re.compile(
    r"\b(?:not|no|never|without|except|but|neither|nor|or|than|other|else)\b|n[’']t\b", _I
)
_HAS = re.compile(r"\b(?:has|have|with|having)\b", _I)
# Who did it is what such a field holds, not a note that has it.
_ASKS_VALUE = re.compile(
    r"\b(?:attend\w*|join\w*|wrote|written|author\w*|direct\w*|present|came|met)\b", _I
)
_LIGHT = frozenset(
    "am been got currently still now already ever yet anything everyone anyone people person "
    "persons thing things".split()
)
_NUMBER = r"(?P<n>\d+(?:\.\d+)?)"
_BOUNDS = (
    (">=", rf"at least {_NUMBER}"),
    ("<=", rf"(?:at most|up to) {_NUMBER}"),
    (">", rf"(?:more than|greater than|higher than|better than|over|above) {_NUMBER}"),
    ("<", rf"(?:less than|fewer than|lower than|under|below) {_NUMBER}"),
    (">=", rf"{_NUMBER} (?:or|and) (?:more|higher|above|better|up)"),
    ("<=", rf"{_NUMBER} (?:or|and) (?:less|fewer|lower|below)"),
)


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
    that a note has such a field may be enough. With `who` a field has to be named."""

    noun: str
    words: tuple[str, ...]
    bound: Bound | None = None
    when: When | None = None
    has: bool = False
    who: bool = False


def find_properties(question: str, today: date) -> Properties | None:
    """The properties that a question may ask for; None where it asks for something else."""
    text = " ".join(question.split()).rstrip("?!. ")
    who = _WHO.match(text)
    match = who or _FORM.match(text)
    if match is None or (who and _ASKS_VALUE.search(text)):
        return None
    bound, rest = _bound(match["rest"])
    if _OTHERWISE.search(rest):
        return None
    when = find_when(rest, today)
    if when is not None:
        rest = when.rest
    words = [word for each in content_words(rest) if (word := each.strip("'’-_"))]
    noun = ""
    if not who and not _NOTES.match(rest):
        if not words or words[0] != rest.split()[0].casefold().strip("'’-_,"):
            return None
        noun, *words = words
    words = [_POSSESSIVE.sub("", word) for word in words if word not in _LIGHT]
    if not (words or when):
        return None
    has = bool(_HAS.search(text))
    return Properties(noun, tuple(words), bound, when, has, who is not None)


_POSSESSIVE = re.compile(r"[’']s?$")


def _bound(text: str) -> tuple[Bound | None, str]:
    """A comparison with a number, and what is left of the text."""
    for sign, pattern in _BOUNDS:
        if match := re.search(rf"\b(?:is |are |of )?(?P<said>{pattern})\b", text, _I):
            rest = f"{text[: match.start()]} {text[match.end() :]}"
            return Bound(sign, float(match["n"]), match["said"]), " ".join(rest.split())
    return None, text
