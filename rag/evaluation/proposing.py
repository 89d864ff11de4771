"""Questions proposed from notes by rule, each with its answer in the text at its lines, there to be
edited by hand: few that a person would ask, not many."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest

from rag.evaluation.layout import from_layout
from rag.evaluation.matching import holds
from rag.evaluation.proposal import Proposal
from rag.evaluation.prose import from_sentences
from rag.evaluation.subjects import Subjects
from rag.reading.documents import Document

_HEADINGS = 1 / 3  # most of what is chosen: they are all alike


def propose(document: Document) -> list[Proposal]:
    """All that a note gives; none that two rows of it answer."""
    subjects = Subjects(document)
    found: dict[str, Proposal] = {}
    for each in (*from_sentences(document, subjects), *from_layout(document, subjects)):
        before = found.setdefault(each.question.casefold(), each)
        if before is not each and each.kind in ("cell", "item"):  # two rows of one name
            found[each.question.casefold()] = replace(each, answer="")
    return [each for each in found.values() if each.answer]


def distinct(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Those that one note answers: where several do, no passage is the right one."""
    asked = Counter(each.question.casefold() for each in proposals)
    return [each for each in proposals if asked[each.question.casefold()] == 1]


def checked(proposals: Iterable[Proposal], text: str) -> list[Proposal]:
    """Those whose answer stands in the note's `text` at its lines, and not in the question."""
    lines = text.split("\n")
    return [
        each
        for each in proposals
        if holds("\n".join(lines[each.first - 1 : each.last]), [each.answer])
        and not holds(each.question, [each.answer])
    ]


def choose(by_note: Sequence[Sequence[Proposal]], count: int, seed: int = 0) -> list[Proposal]:
    """`count` of them, of as many kinds and from as many notes as can be, the same for the same
    seed; of headings a third at most, of `count` and of all."""
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    everything = distinct([each for note in by_note for each in note])
    kinds = sorted({each.kind for each in everything})
    turns = [
        list(_by_turns([each for each in everything if each.kind == kind], draw)) for kind in kinds
    ]
    chosen: list[Proposal] = []
    notes: Counter[str] = Counter()
    lines: set[tuple[str, int]] = set()
    headings = max(1, int(_HEADINGS * min(count, len(everything))))
    while any(turns) and len(chosen) < count:
        for kind, waiting in zip(kinds, turns, strict=True):
            if not waiting or len(chosen) == count:
                continue
            # Of equals the first.
            each = min(waiting, key=lambda one: ((one.note, one.first) in lines, notes[one.note]))
            waiting.remove(each)
            if kind == "heading":
                if not headings:
                    waiting.clear()
                    continue
                headings -= 1
            chosen.append(each)
            notes[each.note] += 1
            lines.add((each.note, each.first))
    return chosen


def _by_turns(proposals: Sequence[Proposal], draw: random.Random) -> Iterable[Proposal]:
    """One of each note after the other, drawn."""
    by_note: dict[str, list[Proposal]] = {}
    for each in proposals:
        by_note.setdefault(each.note, []).append(each)
    notes = [draw.sample(each, len(each)) for each in by_note.values()]
    draw.shuffle(notes)
    return [each for turn in zip_longest(*notes) for each in turn if each is not None]
