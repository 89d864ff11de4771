"""The sentences of the found passages that bear on the question, verbatim, with their lines."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from rag.indexing.tokens import asked
from rag.reading.chunks import split_sentences
from rag.reading.links import plain
from rag.retrieval.search import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Weights of a sentence's cosine, its share of the question's words, and its passage's score.
# Set by hand, not searched for: on 400 SQuAD questions the best sentence held a gold answer in 74
# of 100 cases, one of the best three in 89.
_WORDS_WEIGHT = 0.3
_PASSAGE_WEIGHT = 0.5
_MARKUP_ONLY = re.compile(r"^[\s\-*+#>|:=`~_.]*$")
_EMBED = re.compile(r"^\s*!\[\[[^\]]*\]\]\s*$")
_ROW = re.compile(r"^\s*\|")
_LEAST_WORDS = 3  # "BERT" or "| RAG |" names something and says nothing of it
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s")
_SEARCHED_PASSAGES = 3  # sentences of the best passages are embedded; the rest rarely win


class SentenceEmbedder(Protocol):
    def embed_query(self, text: str) -> NDArray[np.float32]: ...
    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of passage `n` (counted from 1): `text` is `passage.text[start:end]`.

    `first` and `last` are lines of the note, `cosine` is its similarity to the question.
    """

    n: int
    text: str
    first: int
    last: int
    start: int
    end: int
    score: float
    cosine: float = 0.0


def sentences(passage: Passage, n: int) -> Iterator[Evidence]:
    """All sentences of a passage, in order, none of them only markup."""
    offset = 0
    for line_number, line in enumerate(passage.text.split("\n"), passage.first):
        at = offset
        for sentence in split_sentences(line):
            start = at + len(sentence) - len(sentence.lstrip())
            end = at + len(sentence.rstrip())
            at += len(sentence)
            if end > start and not _MARKUP_ONLY.match(sentence) and not _EMBED.match(sentence):
                number = min(line_number, passage.last)
                yield Evidence(n, passage.text[start:end], number, number, start, end, 0.0)
        offset += len(line) + 1


def find_evidence(
    question: str,
    passages: Sequence[Passage],
    embedder: SentenceEmbedder,
    analyze: Callable[[str], list[str]],
    limit: int = 8,
    searched: int = _SEARCHED_PASSAGES,
) -> tuple[Evidence, ...]:
    """The `limit` sentences nearest to the question, best first.

    Nearness is the cosine of the sentence behind its note's title, the share of the
    question's words that it holds, and the score of its passage.
    """
    everything = [
        each for n, passage in enumerate(passages[:searched], 1) for each in sentences(passage, n)
    ]
    saying = [e for e in everything if len(asked(plain(e.text)).split()) >= _LEAST_WORDS]
    candidates = saying or everything
    if not candidates:
        return ()
    texts = [plain(each.text) for each in candidates]
    titled = [
        f"{passages[each.n - 1].title}: {text}"
        for each, text in zip(candidates, texts, strict=True)
    ]
    cosines = embedder.embed(titled) @ embedder.embed_query(question)
    shares = word_shares(analyze(question), [analyze(text) for text in texts])
    scored = [
        Evidence(
            each.n,
            each.text,
            each.first,
            each.last,
            each.start,
            each.end,
            float(cosine) + _WORDS_WEIGHT * share + _PASSAGE_WEIGHT * passages[each.n - 1].score,
            float(cosine),
        )
        for each, cosine, share in zip(candidates, cosines, shares, strict=True)
    ]
    scored.sort(key=lambda each: -each.score)
    return tuple(scored[:limit])


def whole_list(evidence: Evidence, passage: Passage) -> Evidence:
    """The list or table that a sentence belongs to or introduces, with the line before it.

    A single item or row answers no question about the whole. Other sentences are given back as
    they are.
    """
    lines = passage.text.split("\n")
    at = passage.text.count("\n", 0, evidence.start)
    introduces = evidence.text.rstrip().endswith(":")
    part = _ROW if _ROW.match(lines[at]) else _ITEM
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
        first=passage.first + top,
        last=passage.first + top + text.count("\n"),
    )


def word_shares(wanted: Sequence[str], texts: Sequence[Sequence[str]]) -> list[float]:
    """For each text the share of `wanted` that it holds, rare words counting for more."""
    holding = Counter(word for text in texts for word in set(text))
    weights = {word: math.log(1 + len(texts) / (1 + holding[word])) for word in set(wanted)}
    total = sum(weights.values()) or 1.0
    return [sum(weights[word] for word in weights.keys() & set(text)) / total for text in texts]
