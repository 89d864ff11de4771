"""The sentences of the candidates against the question: how near by meaning, and by words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.reading.links import plain
from rag.reading.sentences import sentence_spans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Titled(Protocol):
    """A passage under the title of its note."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SentenceScore:
    """The sentence `text[start:end]` of a passage, on its line `line`, counted from 0.

    `cosine` is None where the index holds no vector of it. `share` is the share of the
    question's words that sentence and title hold, rare words counting for more. `alone` is the
    cosine to a question made to stand alone, where that says more of whether it is answered.
    """

    start: int
    end: int
    line: int
    cosine: float | None
    share: float
    alone: float | None = None


def score_sentences(
    passage: Titled,
    coarse: NDArray[np.int8] | None,
    query: NDArray[np.float32],
    rarity: Mapping[str, float],
    analyze: Callable[[str], list[str]],
) -> tuple[SentenceScore, ...]:
    """All sentences of a passage, in order.

    `coarse` are their directions, shape (sentences, dimension); `rarity` weighs the words of
    the question.
    """
    from rag.indexing.embeddings import directions

    spans = list(sentence_spans(passage.text))
    cosines: Sequence[float | None] = [None] * len(spans)
    if coarse is not None and len(coarse) == len(spans):
        cosines = (directions(coarse) @ query).tolist()
    named = set(analyze(passage.title))
    return tuple(
        SentenceScore(
            span.start,
            span.end,
            span.line,
            cosine,
            word_share(rarity, named.union(analyze(plain(passage.text[span.start : span.end])))),
        )
        for span, cosine in zip(spans, cosines, strict=True)
    )


def word_share(rarity: Mapping[str, float], held: Collection[str]) -> float:
    """The share of the words weighed by `rarity` that `held` holds, from 0 to 1."""
    total = sum(rarity.values())
    return sum(weight for word, weight in rarity.items() if word in held) / total if total else 0.0
