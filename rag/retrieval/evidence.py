"""The sentences of the found passages that bear on the question, verbatim, with their lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from rag.indexing.tokens import asked
from rag.reading.links import plain
from rag.reading.marks import ITEM, ROW
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.orders import PENALTY, is_order
from rag.retrieval.pointing import pointed_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Weights of a sentence's share of the question's words and of its passage's score, beside its
# cosine: of a few tried, on 1,500 SQuAD questions, those whose first sentence held a gold answer
# most often (78 of 100; one of the first five 94).
_WORDS_WEIGHT = 0.5
_PASSAGE_WEIGHT = 1.0
_LEAST_WORDS = 3  # "BERT" or "| RAG |" names something and says nothing of it
_SHORT = re.compile(r"\S+:\s+\S+|\S+\s+\S+[.!]")  # "Penicillin: allergic!" does
# Where the index holds no vectors of sentences, those of the best passages are embedded now.
_EMBEDDED_PASSAGES = 3


class SentenceEmbedder(Protocol):
    def embed_query(self, text: str) -> NDArray[np.float32]: ...
    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def find_evidence(
    question: str, passages: Sequence[Passage], embedder: SentenceEmbedder, limit: int = 8
) -> tuple[Evidence, ...]:
    """The `limit` sentences nearest to the question, best first.

    Nearness is the cosine of the sentence, the share of the question's words that it holds, the
    score of its passage, and whether a reader points into it.
    """
    everything = [each for n, passage in enumerate(passages, 1) for each in _known(passage, n)]
    if not everything:
        everything = _embedded(question, passages[:_EMBEDDED_PASSAGES], embedder)
    everything = [_behind(each, question, passages[each.n - 1]) for each in everything]
    everything = [_read(each, passages[each.n - 1]) for each in everything]
    saying = [each for each in everything if _says(asked(plain(each.text)))]
    return tuple(sorted(saying or everything, key=lambda each: -each.score)[:limit])


def _says(text: str) -> bool:
    """Whether a sentence says something of what it names."""
    return len(text.split()) >= _LEAST_WORDS or bool(_SHORT.fullmatch(text.strip()))


def _behind(evidence: Evidence, question: str, passage: Passage) -> Evidence:
    """A sentence with its score, lowered if it speaks to the model instead of the reader."""
    if not is_order(passage.text, evidence.start, evidence.end, question):
        return evidence
    return replace(evidence, score=evidence.score - PENALTY, order=True)


def _read(evidence: Evidence, passage: Passage) -> Evidence:
    """A sentence with what a reader adds to its score."""
    return replace(evidence, score=evidence.score + pointed_at(evidence, passage))


def _known(passage: Passage, n: int) -> list[Evidence]:
    """The sentences of a passage whose vectors the index holds."""
    return [
        _evidence(passage, n, place, each.cosine)
        for place, each in enumerate(passage.sentences)
        if each.cosine is not None
    ]


def _embedded(
    question: str, passages: Sequence[Passage], embedder: SentenceEmbedder
) -> list[Evidence]:
    """The sentences of passages, each embedded behind its note's title."""
    places = [(n, at) for n, each in enumerate(passages, 1) for at in range(len(each.sentences))]
    if not places:
        return []
    texts = [f"{passages[n - 1].title}: {plain(_text(passages[n - 1], at))}" for n, at in places]
    cosines = (embedder.embed(texts) @ embedder.embed_query(question)).tolist()
    return [
        _evidence(passages[n - 1], n, at, cosine)
        for (n, at), cosine in zip(places, cosines, strict=True)
    ]


def _text(passage: Passage, place: int) -> str:
    return passage.text[passage.sentences[place].start : passage.sentences[place].end]


def _evidence(passage: Passage, n: int, place: int, cosine: float) -> Evidence:
    each = passage.sentences[place]
    line = min(passage.first + each.line, passage.last)
    score = cosine + _WORDS_WEIGHT * each.share + _PASSAGE_WEIGHT * passage.score
    text = _text(passage, place)
    near = cosine if each.alone is None else each.alone
    return Evidence(n, text, line, line, each.start, each.end, score, near, each.share)


def whole_list(evidence: Evidence, passage: Passage) -> Evidence:
    """The list or table that a sentence belongs to or introduces, with the line before it.

    A single item or row answers no question about the whole. Other sentences are given back as
    they are.
    """
    lines = passage.text.split("\n")
    at = passage.text.count("\n", 0, evidence.start)
    introduces = evidence.text.rstrip().endswith(":")
    part = ROW if ROW.match(lines[at]) else ITEM
    if not (part.match(lines[at]) or introduces):
        return evidence
    top, bottom = at, at
    while top > 0 and (part.match(lines[top]) and lines[top - 1].strip()):
        top -= 1
    while bottom + 1 < len(lines) and (
        part.match(lines[bottom + 1])
        or (introduces and bottom == at and not lines[bottom + 1].strip())
    ):
        bottom += 1
    start = sum(len(line) + 1 for line in lines[:top])
    text = "\n".join(lines[top : bottom + 1]).rstrip()
    return replace(
        evidence,
        text=text,
        start=start,
        end=start + len(text),
        first=min(passage.first + top, passage.last),
        last=min(passage.first + top + text.count("\n"), passage.last),
    )
