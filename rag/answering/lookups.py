"""What a rule finds in passages, with no model: a cell, a field, a whole list, part of a note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.answering.cells import find_cell
from rag.answering.items import find_items, find_wanted
from rag.answering.parts import read_part
from rag.answering.steps import Sentence
from rag.retrieval.found import Passage
from rag.retrieval.surroundings import Neighbours


@dataclass(frozen=True, slots=True)
class Whole:
    """What of a note is asked for as a whole: the lists of the note at `listed_in`, all of whose
    passages are there, with `led` those that a line leads to; or a part, by the numbers of its
    passages, counted from 1."""

    listed_in: str = ""
    led: bool = False
    part: tuple[int, ...] = ()


NOTHING_WHOLE = Whole()


def look_up(
    question: str,
    passages: Sequence[Passage],
    neighbours: Neighbours,
    whole_of: Whole,
    analyze: Callable[[str], list[str]],
) -> tuple[Sentence, ...]:
    """What a rule finds, with no model: a cell, a field, whole lists or the part under a heading.
    Raises Empty."""
    if cell := find_cell(question, passages, neighbours, analyze):
        return (cell,)
    if whole_of.part:
        return read_part(question, whole_of.part, passages)
    wanted = find_wanted(question) if whole_of.listed_in else None
    if wanted is None:
        return ()
    return find_items(replace(wanted, led=whole_of.led), whole_of.listed_in, passages, analyze)


def in_one(sentences: Sequence[Sentence]) -> str:
    """Sentences as one text; lists and tables are paragraphs of their own."""
    text = sentences[0].text
    for before, each in pairwise(sentences):
        text += "\n\n" if "\n" in before.text + each.text else " "
        text += each.text
    return text
