"""What stands around the evidence in its section, for a model that can read more than it.

The taught model was taught single sentences. Another one understands "It was green." or an item of
a list only with the lines around: the rest of the section, up to a budget. Citations still name
the lines of the passage alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.indexing.rows import StoredPassage
from rag.reading.sentences import sentence_spans
from rag.retrieval.found import Passage

BUDGET = 600  # characters of a passage with all that is shown around it; about 150 tokens
_REACH = 2  # passages before and after that are looked at

Neighbours = Callable[[Passage], Sequence[StoredPassage]]
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Section:
    """A passage among its neighbours: the passage begins at `start` of `text`."""

    text: str
    start: int


def near_ids(passage: Passage) -> list[int]:
    """The ids that the passages beside a passage have, if they are of the same note."""
    at = passage.id
    return [n for n in range(max(1, at - _REACH), at + _REACH + 1) if n != at]


def section_of(passage: Passage, near: Sequence[StoredPassage]) -> Section:
    """The passage with those of `near` that stand in the same note under the same heading."""
    same = [each for each in near if (each.path, each.headings) == (passage.path, passage.headings)]
    before = "".join(f"{each.text}\n" for each in same if each.last < passage.first)
    after = "".join(f"\n{each.text}" for each in same if each.first > passage.last)
    return Section(before + passage.text + after, len(before))


def widen(section: Section, spans: Spans, budget: int = BUDGET) -> list[tuple[int, int]]:
    """Spans of a passage as spans of its section, with the sentences around them.

    The nearest come first, of equals the one before, as it says what "it" is, while all of them
    together stay within `budget` characters.
    """
    kept = [(start + section.start, end + section.start) for start, end in spans]
    others = [
        (each.start, each.end)
        for each in sentence_spans(section.text)
        if all(each.end <= start or each.start >= end for start, end in kept)
    ]
    others.sort(key=lambda each: (_distance(each, kept), each))
    left = budget - sum(end - start for start, end in kept)
    for start, end in others:
        left -= end - start
        if left < 0:
            break
        kept.append((start, end))
    return sorted(kept)


def _distance(span: tuple[int, int], kept: Spans) -> int:
    """Characters between a span and the nearest of others."""
    return min(max(start - span[1], span[0] - end) for start, end in kept)
