"""Evidence for both sides of a comparison: each is searched for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answering.quotes import Sides
from rag.retrieval.evidence import SentenceEmbedder, find_evidence
from rag.retrieval.found import Evidence, Passage

_PASSAGES = 3  # of each side


def find_sides(
    names: tuple[str, ...],
    passages: Sequence[Passage],
    search: Callable[[str], Sequence[Passage]],
    embedder: SentenceEmbedder,
) -> tuple[tuple[Passage, ...], Sides]:
    """`passages` with those that only a side found behind them, and the evidence for each side,
    numbered by them. `search` gives the passages for a text, best first."""
    everything = {each.id: each for each in passages}
    found: list[tuple[tuple[Passage, ...], tuple[Evidence, ...]]] = []
    for side in names:
        own = tuple(search(side))[:_PASSAGES]
        everything |= {each.id: each for each in own if each.id not in everything}
        found.append((own, find_evidence(side, own, embedder)))
    numbers = {chunk: n for n, chunk in enumerate(everything, 1)}
    evidence = tuple(
        tuple(replace(each, n=numbers[own[each.n - 1].id]) for each in own_evidence)
        for own, own_evidence in found
    )
    return tuple(everything.values()), Sides(names, evidence)
