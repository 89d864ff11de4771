"""The sentences of a note that say most of what it says, in its own words and order.

Extractive, so that nothing can be made up: a sentence is the more central the nearer it is to the
others of its section and of the note (LexRank, Erkan and Radev 2004, with degree for eigenvector),
nearness to what follows counting for more than to what precedes (PacSum, Zheng and Lapata 2019);
those that repeat one chosen before give way (maximal marginal relevance, Carbonell and Goldstein
1998). Sections share the points by the root of their size (Penrose, Sainte-Laguë), so that a long
note is covered to its end.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.reading.code import next_fence
from rag.reading.links import plain
from rag.reading.sentences import LEANING, sentence_spans, whole_sentence
from rag.retrieval.found import Evidence
from rag.retrieval.whole import Piece

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LEAST_POINTS, MOST_POINTS = 3, 10  # of one note
_BACKWARDS = 0.5  # weight of a sentence's nearness to those before it
_REPEATS = 0.3  # weight of nearness to a point chosen before, beside 1 - that of centrality
_SAME = 0.9  # cosine of two sentences that say the same: the second comes after all others
_FEWEST_AT_ALL, _FEWEST_WORDS, _MOST_WORDS = 2, 5, 60
_HASHED = 1024  # dimensions of the words of a note whose sentences have no vectors
_GOOD_WORDS = 12  # a shorter one says little, and loses in proportion
_LEANS = 0.8  # what is left of the centrality of a sentence that leans on the one before it
_NOT_SAID = re.compile(r"\s*(?:\||```|~~~|<|\[\^|---|!\[|\$\$)|.*\S {3,}\S")
_FIELD = re.compile(r"[a-z][\w-]*:\s")  # of the front matter; "description: …" may be a sentence
_HEADING = re.compile(r"\s*#{1,6}\s")
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A whole sentence of piece `piece`: `text[start:end]` of its passage."""

    piece: int
    start: int
    end: int
    worth: float  # from 0 to 1; a heading, a table row and code can be no point, and have 0
    short: bool  # a point only where the note has hardly any other


def how_many(sentences: int) -> int:
    """How many points sum up a note of so many sentences: three of a short one, at most ten."""
    return min(sentences, MOST_POINTS, max(LEAST_POINTS, round(math.sqrt(sentences))))


def central_points(
    pieces: Sequence[Piece], analyze: Callable[[str], list[str]], count: int | None = None
) -> list[Evidence]:
    """`count` sentences of a note, or as many as its length asks for, in the note's order.

    The `n` of each is the number of its piece, counted from 1.
    """
    units, vectors = _units(pieces, analyze)
    able = [at for at, unit in enumerate(units) if unit.worth and not unit.short]
    all_said = [at for at, unit in enumerate(units) if unit.worth]
    if count is not None and len(all_said) <= count:
        able = all_said  # "Rain all day" of a diary, too
    elif len(able) < LEAST_POINTS:
        able = all_said or list(range(len(units)))
    if not able:
        return []
    sections = _sections(pieces, units, able)
    wanted = min(len(able), how_many(len(able)) if count is None else count)
    note = _centrality(vectors)
    chosen: list[int] = []
    for members, places in zip(
        sections, seats([len(each) for each in sections], wanted), strict=True
    ):
        if places:
            own = _centrality(vectors[members])
            scores = {
                at: units[at].worth * float(own[i] + note[at]) / 2 for i, at in enumerate(members)
            }
            chosen += _choose(scores, vectors, chosen, places)
    return [_evidence(pieces, units[at], float(note[at])) for at in sorted(chosen)]


def seats(sizes: Sequence[int], count: int) -> list[int]:
    """`count` places shared by the roots of `sizes`, none with more than its size.

    The first counts for more: most notes begin with what they are about.
    """
    weights = [math.sqrt(size) + (at == 0) for at, size in enumerate(sizes)]
    given = [0] * len(sizes)
    for _ in range(min(count, sum(sizes))):
        open_ = [at for at, size in enumerate(sizes) if given[at] < size]
        best = max(open_, key=lambda at: (weights[at] / (2 * given[at] + 1), -at))
        given[best] += 1
    return given


def _choose(
    scores: dict[int, float], vectors: Vectors, before: Sequence[int], count: int
) -> list[int]:
    """`count` of the scored sentences: central ones that do not say again what was chosen."""
    top = max(scores.values()) or 1.0
    chosen: list[int] = []
    for _ in range(count):
        taken = [*before, *chosen]
        repeats = (vectors @ vectors[taken].T).max(axis=1) if taken else vectors[:, 0] * 0

        def gain(at: int, repeats: Vectors = repeats) -> tuple[bool, float, int]:
            said = float(repeats[at])
            return said < _SAME, (1 - _REPEATS) * scores[at] / top - _REPEATS * said, -at

        chosen.append(max((at for at in scores if at not in chosen), key=gain))
    return chosen


def _centrality(vectors: Vectors) -> Vectors:
    """For each sentence its mean cosine to those behind it and, for less, to those before it,
    shape (sentences,). Sums of vectors stand for the matrix of all pairs, so that a book fits."""
    import numpy as np

    upto = np.cumsum(vectors, axis=0)
    before = upto - vectors
    behind = upto[-1] - upto
    total = (vectors * (behind + _BACKWARDS * before)).sum(axis=1)
    central: Vectors = np.maximum(total / max(1, len(vectors) - 1), 0.0)
    return central


def _units(
    pieces: Sequence[Piece], analyze: Callable[[str], list[str]]
) -> tuple[list[_Unit], Vectors]:
    """The sentences of a note, hard-wrapped ones put together, and their unit vectors."""
    import numpy as np

    from rag.indexing.embeddings import directions

    units: list[_Unit] = []
    owners: list[int] = []  # of each line's part of a sentence, its unit
    for number, (passage, _) in enumerate(pieces):
        code = _code_lines(passage.text)
        for span in sentence_spans(passage.text):
            start, end = whole_sentence(passage.text, span.start, span.end)
            last = units[-1] if units else None
            if last is None or last.piece != number or last.start != start:
                text = passage.text[start:end]
                said = " ".join(plain(text).split())
                words = _words(said)
                worth = 0.0 if span.line in code else _worth(text, said, words)
                units.append(_Unit(number, start, end, worth, words < _FEWEST_WORDS))
            owners.append(len(units) - 1)
    coarse = [each for _, each in pieces if each is not None]
    if sum(map(len, coarse)) == len(owners) and len(coarse) == len(pieces) and owners:
        parts = directions(np.concatenate(coarse))
        vectors = np.zeros((len(units), parts.shape[1]), dtype=np.float32)
        np.add.at(vectors, owners, parts)
    else:  # a language that the embedder was not taught, say
        texts = [pieces[unit.piece][0].text[unit.start : unit.end] for unit in units]
        vectors = np.array([_word_vector(analyze(plain(text))) for text in texts], np.float32)
    if not units:
        return units, np.zeros((0, 1), np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return units, (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)


def _word_vector(words: Sequence[str]) -> Vectors:
    """How often each word comes, hashed to a vector (Weinberger et al. 2009)."""
    import numpy as np

    vector: Vectors = np.zeros(_HASHED, dtype=np.float32)
    for word in words:
        vector[zlib.crc32(word.encode("utf-8", "replace")) % _HASHED] += 1.0
    return vector


def _worth(text: str, said: str, words: int) -> float:
    """How well a sentence can stand for itself, from 0 for headings, rows, questions, lead-ins;
    `said` is its plain text, of so many words."""
    if _NOT_SAID.match(text) or said.endswith((":", "?", "？", "：")):
        return 0.0
    if _HEADING.match(text) and not said.endswith((".", "!", "。")):
        return 0.0
    if _FIELD.match(text) and words < _GOOD_WORDS:
        return 0.0
    if not _FEWEST_AT_ALL <= words <= _MOST_WORDS:
        return 0.0
    return min(1.0, words / _GOOD_WORDS) * (_LEANS if LEANING.match(said) else 1.0)


def _words(said: str) -> int:
    words = len(said.split())
    # A script without spaces has several letters to a word.
    return words if said.isascii() else max(words, len(_LETTERS.findall(said)) // 4)


def _code_lines(text: str) -> set[int]:
    """The lines of a text, from 0, that stand in fenced code."""
    lines: set[int] = set()
    fence = ""
    for number, line in enumerate(text.split("\n")):
        inside = fence
        fence = next_fence(line, fence)
        if inside or fence:
            lines.add(number)
    return lines


def _sections(
    pieces: Sequence[Piece], units: Sequence[_Unit], able: Sequence[int]
) -> list[list[int]]:
    """The sentences that can be points, by section: the outermost level of headings that has
    more than one."""
    headings = [passage.headings for passage, _ in pieces]
    depth = next(
        (d for d in range(1, max(map(len, headings), default=0) + 1)
         if len({each[:d] for each in headings}) > 1),
        0,
    )  # fmt: skip
    sections: dict[tuple[str, ...], list[int]] = {}
    for at in able:
        sections.setdefault(headings[units[at].piece][:depth], []).append(at)
    return list(sections.values())


def _evidence(pieces: Sequence[Piece], unit: _Unit, score: float) -> Evidence:
    passage = pieces[unit.piece][0]
    text = passage.text[unit.start : unit.end]
    first = min(passage.first + passage.text.count("\n", 0, unit.start), passage.last)
    last = min(first + text.count("\n"), passage.last)
    return Evidence(unit.piece + 1, text, first, last, unit.start, unit.end, score)
