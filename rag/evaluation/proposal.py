"""A proposed question, and the sentences that questions are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rag.reading.blocks import Block
from rag.reading.links import plain
from rag.reading.sentences import sentence_spans

Kind: TypeAlias = Literal[
    "definition", "who", "when", "where", "amount", "cell", "item", "link", "heading", "model",
    "unanswerable",
]  # fmt: skip
_FEWEST, _MOST = 5, 40  # words of a sentence that is an answer, or that holds one


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question with its answer, verbatim in lines `first` to `last` of `note`.

    `about` is what it asks about, the words that a near miss may change. An "unanswerable" one has
    no answer: `note` is the one that the question sounds like, `why` says what was changed.
    """

    question: str
    answer: str
    note: str
    first: int
    last: int
    kind: Kind
    about: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands in a note, on which lines."""

    text: str
    first: int
    last: int


def sentences(block: Block) -> Iterator[Sentence]:
    """The whole sentences of a paragraph that are neither scraps nor pages."""
    if block.kind != "paragraph":
        return
    for span in sentence_spans(block.text):
        text = block.text[span.start : span.end]
        if not _FEWEST <= len(text.split()) <= _MOST or not text.rstrip().endswith((".", "!")):
            continue
        first = min(block.first + block.text.count("\n", 0, span.start), block.last)
        yield Sentence(text, first, min(first + text.rstrip().count("\n"), block.last))


def even(text: str) -> str:
    """Markdown as one line, without marks."""
    return " ".join(plain(text).split())
