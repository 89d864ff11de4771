"""Candidates in a better order: a second model reads each together with the question.

Such a model is slow, so it has a budget: candidates are read best first, in batches, until the
budget is spent; those that it did not come to keep their order behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from rag.reading.links import plain
from rag.retrieval.found import Found, Passage, Reranked

CANDIDATES = 32  # passages that it is offered
_FIRST_BATCH, _BATCH = 2, 16  # the first one shows how long a passage takes
# Half of either: near 0 or 1 the model is sure and decides; where it finds all of them alike, the
# search does.
_WEIGHT = 0.5


class Reranker(Protocol):
    """Judges passages by reading them with the question."""

    @property
    def name(self) -> str: ...
    def load(self) -> None: ...
    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How relevant each text is, from 0 to 1."""
        ...


def rerank(
    found: Found,
    k: int,
    reranker: Reranker,
    budget: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Found:
    """The `k` best of what was found, as the reranker orders them in `budget` seconds.

    Passages keep the scores of the search, given out in the new order: what reads them next knows
    their scale. Loading the model is not counted. Raises ModelError.
    """
    started = clock()
    reranker.load()
    loaded = clock()
    judged: list[float] = []
    for batch in _batches(found.passages, lambda: budget - (clock() - loaded), clock):
        judged += reranker.score(found.query, [_read(each) for each in batch])
    spent = clock() - loaded
    passages = _in_order(found.passages, judged)
    done = Reranked(reranker.name, len(judged), len(passages), spent, budget)
    stages = {**found.seconds, "rerank_load": loaded - started, "rerank": spent}
    return replace(found, passages=passages[:k], seconds=stages, reranked=done)


def _batches(
    passages: Sequence[Passage], left: Callable[[], float], clock: Callable[[], float]
) -> Iterator[Sequence[Passage]]:
    """Passages in order, as many at a time as the time left is likely to be enough for."""
    at, size = 0, _FIRST_BATCH
    while at < len(passages) and size > 0:
        started = clock()
        yield passages[at : at + size]
        each = (clock() - started) / len(passages[at : at + size])
        at += size
        size = min(_BATCH, int(left() / max(each, 1e-9)))


def _read(passage: Passage) -> str:
    """What the model reads: the passage behind its note's title and its headings."""
    heads = " › ".join(dict.fromkeys((passage.title, *passage.headings)))
    return f"{heads}: {plain(passage.text)}"


def _in_order(passages: Sequence[Passage], judged: Sequence[float]) -> tuple[Passage, ...]:
    """Those that were judged by both scores together, then the rest as it was."""
    both = [
        (1 - _WEIGHT) * passage.score + _WEIGHT * score
        for passage, score in zip(passages, judged, strict=False)
    ]
    order = sorted(range(len(judged)), key=lambda place: (-both[place], place))
    return tuple(
        replace(
            passages[place],
            score=passages[rank].score,
            reasons=replace(passages[place].reasons, found_at=place + 1, judged=judged[place]),
        )
        for rank, place in enumerate(order)
    ) + tuple(passages[len(judged) :])
