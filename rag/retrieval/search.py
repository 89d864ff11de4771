"""A query into ranked passages: by meaning and by words, their scores fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rag.indexing.embeddings import Embedder
    from rag.indexing.local import PassageIndex

# Picked on all answerable SQuAD questions of the open half; see bench/RESULTS.md.
DEPTH = 200  # candidates from each side
MEANING_WEIGHT = 0.7
# A best BM25 score below this is a chance word in common, and is not stretched to a full match.
_FULL_MATCH = 10.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found. `meaning` is a cosine, `words` a BM25 score; None where that
    side did not find it. `first` and `last` are lines, counted from 1 and inclusive."""

    id: int
    path: str
    title: str
    headings: tuple[str, ...]
    first: int
    last: int
    text: str
    score: float
    meaning: float | None
    words: float | None

    @property
    def source(self) -> Literal["both", "meaning", "words"]:
        """Which side found it."""
        if self.meaning is None:
            return "words"
        return "meaning" if self.words is None else "both"


def search(
    index: PassageIndex,
    embedder: Embedder,
    terms: Sequence[str],
    query: str,
    k: int,
    depth: int = DEPTH,
    weight: float = MEANING_WEIGHT,
    allowed: Sequence[int] | None = None,
) -> tuple[Passage, ...]:
    """The `k` best passages for `query`, best first. `terms` are its analyzed words.

    With `allowed`, chunk ids ascending, nothing else is searched.
    """
    vector = embedder.embed_query(query)
    meaning = dict(index.search_meaning(vector, depth, allowed))
    words = dict(index.search_words(terms, depth, allowed))
    # A passage that only its words found has a cosine all the same.
    cosines = dict(meaning)
    for chunk, other in index.vectors([each for each in words if each not in meaning]).items():
        cosines[chunk] = float(other @ vector)
    scores = fuse(cosines, words, weight)
    ranked = sorted(scores, key=lambda chunk: (-scores[chunk], chunk))
    stored = index.passages(ranked[: 2 * k])
    found = [stored[chunk] for chunk in ranked if chunk in stored][:k]
    return tuple(
        Passage(
            each.id,
            each.path,
            each.title,
            each.headings,
            each.first,
            each.last,
            each.text,
            scores[each.id],
            meaning.get(each.id),
            words.get(each.id),
        )
        for each in found
    )


def fuse(cosines: dict[int, float], words: dict[int, float], weight: float) -> dict[int, float]:
    """One score a candidate: its cosine and its BM25 as a share of the best, weighted.

    Scores, not ranks: a passage that matches far better than the next keeps its lead.
    """
    top = max([_FULL_MATCH, *words.values()])
    return {
        chunk: weight * cosines[chunk] + (1 - weight) * words.get(chunk, 0.0) / top
        for chunk in cosines
    }
