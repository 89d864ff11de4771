"""What an answer comes in: how far it is read, sentences with what bears them out, its end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Support = Literal["supported", "weak", "unsupported"]
DOUBTS = {"weak": " ≈", "unsupported": " (?)"}  # marks of what is not plainly borne out
LEGEND = {
    "weak": "≈ only partly borne out by its source, or not what you asked",
    "unsupported": "(?) not in your notes",
}
_BLOCK = re.compile(r"\s*(?:[-*+]\s|\d+[.)]\s|#{1,6}\s|>|```|\|)")


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim sentence of passage `n`, its lines counted from 1 and inclusive."""

    n: int
    path: str
    first: int
    last: int
    headings: tuple[str, ...]
    quote: str
    place: str = ""  # "p. 3", where the note has pages, slides or cells


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer, with its `[n]` marks, and what bears it out."""

    text: str
    citations: tuple[Citation, ...]
    support: Support


def between(before: str, text: str) -> str:
    """What stands between an answer so far and its next sentence: a space, or an empty line where
    a list, a table or another block begins or ends."""
    if not before or text[:1].isspace():
        return ""
    last = before.rstrip().rpartition("\n")[2]
    return "\n\n" if _BLOCK.match(text) or _BLOCK.match(last) else " "


def joined(sentences: Iterable[Sentence], doubts: bool = False) -> str:
    """The text of an answer; with `doubts`, what is not plainly borne out has its mark."""
    text = ""
    for each in sentences:
        text += between(text, each.text) + each.text + (DOUBTS.get(each.support, "") * doubts)
    return text


def legend(sentences: Iterable[Sentence]) -> str:
    """What the marks of these sentences mean; "" where they have none."""
    seen = {each.support for each in sentences}
    return "   ".join(text for support, text in LEGEND.items() if support in seen)


@dataclass(frozen=True, slots=True)
class Reading:
    """How much of the prompt the model has read, in tokens, or of the notes, in `unit`."""

    tokens_done: int
    tokens_total: int
    unit: str = "tokens"


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of what the model says to itself before it answers; never cited, never checked."""

    text: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """The end of an answer. `text` joins its sentences; `tokens_per_s` is of the decoding, and
    `thoughts` is what the model said to itself. `by_model` is False where a rule or the notes' own
    sentences answer, also in place of what a model said."""

    text: str
    answered: bool
    sentences: tuple[Sentence, ...]
    first_token: float | None  # time.perf_counter() of the model's first token
    tokens_per_s: float
    confidence: float = 1.0  # that the notes hold an answer, from 0 to 1
    thoughts: str = ""
    by_model: bool = False


Step = Reading | Thinking | Sentence | Drafted
