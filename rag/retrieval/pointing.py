"""What a reader makes of the passages found: which of them answer, and where.

The search ranks by likeness to the question; the reader reads: before an answer the best passages,
for a search alone those that are nearly as good as the first.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from rag.reading.rows import AsRead, as_read
from rag.retrieval.expected import expected, fits, repeats
from rag.retrieval.found import Answering, Evidence, Found, Passage, Reasons
from rag.retrieval.orders import is_order

if TYPE_CHECKING:
    from rag.models.reader import Pointed
    from rag.retrieval.sentences import SentenceScore

_PASSAGES = 5  # are read before an answer; each takes some 10 ms on two cores
# What is this near to the first passage may stand before it, and is read. Of 700 questions about
# articles that the reader was not taught on, the first passage holds a gold answer in 90.0 of 100
# (as searched: 87.9), one of the first five in 97.3 (96.9); 1.8 passages are read for a question.
# Margins from 0.05 to 0.2 gave 89.6 to 90.0.
_CLOSE = 0.1
RACE = 10  # passages, of which those are read that are close
# Of the reader's log-odds, beside a passage's or a sentence's score; beyond the bounds they tell no
# more. On the 700 questions above, with weights of 0.01 and 0.03 instead, the first passage held a
# gold answer in 89.7 and 89.3.
_WEIGHT = 0.02
_LEAST, _MOST = -6.0, 6.0
# What follows a sentence goes on about it: "It was a joint effort of …". Of 400 questions about
# articles that the reader was not taught on, the best place that it points at had a token F1 of
# 0.667 (one sentence after: 0.655, two on both sides: 0.656, the whole passage: 0.661).
_AFTER = 2
# Before an answer a passage is read three times: the nearest sentence alone, with those around it,
# and with more until there are so many letters. What a reader of this size makes of a text leans on
# what stands beside the answer; the mean of the three leans less. Of 396 facts in five vaults the
# surest place in five passages was right for 0.60 (read once: 0.56), of 250 questions about
# articles that the reader was not taught on for 0.69 (0.68).
_MORE = 500
_FLOOR = -8.0  # of the log-odds of one reading: beyond it they would be all that counts
# A sentence that speaks of what stands before it is not read alone.
LEANS = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|this|these|those)\b", re.IGNORECASE
)
_LETTER = re.compile(r"\S")


class Reader(Protocol):
    """Reads texts, each with its title, for the answer to a question."""

    def load(self) -> None: ...
    def read(
        self, question: str, texts: Sequence[tuple[str, str]], fits: Callable[[str], bool]
    ) -> list[list[Pointed]]: ...


def settle(found: Found, k: int, reader: Callable[[], Reader | None]) -> Found:
    """The `k` best of what was found, those that are close to the first in order now that they are
    read. Where none is, or without a reader, as it was found. Raises ModelError."""
    first = found.passages[0].score if found.passages else 0.0
    close = sum(first - each.score < _CLOSE for each in found.passages[:RACE])
    opened = reader() if close > 1 else None
    if opened is not None:
        found = point(found.query, found, opened, close, once=True)
    return replace(found, passages=found.passages[:k])


def point(
    question: str, found: Found, reader: Reader, most: int = _PASSAGES, once: bool = False
) -> Found:
    """What was found, the `most` best passages in order now that they are read. Raises ModelError.

    Of each the nearest sentence is read with some around it (`once`), and alone, and with more; but
    for those that speak to the model (see `rag.retrieval.orders`): the question, written into a
    note with an answer of the writer's, is nearest of all. Of Markdown it reads what people do, and
    rows with their columns' names (`rag.reading.rows`). Passages keep the scores of the
    search, given out in the new order: what reads them next knows their scale.
    """
    reader.load()
    started = time.perf_counter()
    passages = found.passages[:most]
    answers = _read(question, passages, reader, once)
    both = [
        each.score + weighed(answer.odds) for each, answer in zip(passages, answers, strict=True)
    ]
    order = sorted(range(len(passages)), key=lambda place: (-both[place], place))
    read = [
        replace(
            passages[place],
            score=passages[rank].score,
            reasons=_read_at(passages[place].reasons, place + 1),
            answering=answers[place],
        )
        for rank, place in enumerate(order)
    ]
    seconds = {**found.seconds, "read": time.perf_counter() - started}
    return replace(found, passages=(*read, *found.passages[most:]), seconds=seconds)


def _read(
    question: str, passages: Sequence[Passage], reader: Reader, once: bool
) -> list[Answering]:
    """Where each passage answers."""
    windows = [
        (n, *window) for n, each in enumerate(passages) for window in _windows(question, each, once)
    ]
    spans = reader.read(
        question, [(passages[n].title, text.text) for n, text, _ in windows], _fitting(question)
    )
    readings: list[list[Answering]] = [[] for _ in passages]
    for (n, text, start), found in zip(windows, spans, strict=True):
        readings[n].append(_answering(found, text, start))
    return [_together(each) for each in readings]


def _together(readings: Sequence[Answering]) -> Answering:
    """Readings of a passage as one: the places of the one that finds it likeliest to answer, with
    the mean of the log-odds of all."""
    best = max(readings, key=lambda each: each.odds)
    mean = sum(max(_FLOOR, each.odds) for each in readings) / len(readings)
    less = best.odds - mean
    others = tuple(replace(each, odds=each.odds - less) for each in best.others)
    return replace(best, odds=mean, others=others)


def _read_at(reasons: Reasons, rank: int) -> Reasons:
    return replace(reasons, found_at=reasons.found_at or rank)


def _answering(spans: Sequence[Pointed], shown: AsRead, start: int) -> Answering:
    """The places in a passage; where all are the names of columns, none of its letters."""
    found = [
        Answering(*place, each.odds)
        for each in spans
        if (place := shown.span(each.start, each.end))
    ]
    best, *others = found or [Answering(start, start, _LEAST)]
    return replace(best, others=tuple(others))


def _fitting(question: str) -> Callable[[str], bool]:
    """Whether a phrase may answer: it is what the question asks for, and not what it says."""
    kind = expected(question)
    return lambda phrase: fits(phrase, kind) and not repeats(phrase, question)


def weighed(odds: float) -> float:
    """What the reader adds to a score."""
    return _WEIGHT * min(_MOST, max(_LEAST, odds))


def pointed_at(sentence: Evidence, passage: Passage) -> float:
    """What the reader adds to the score of a sentence of a passage; nothing if it read none."""
    answer = passage.answering
    if answer is None:
        return 0.0
    inside = sentence.start <= answer.start < sentence.end
    return weighed(answer.odds if inside else _LEAST)


def likeliest(passages: Sequence[Passage]) -> float | None:
    """The best log-odds that a passage answers; None where none was read."""
    odds = [each.answering.odds for each in passages if each.answering is not None]
    return max(odds, default=None)


def _orders(passage: Passage, question: str) -> list[SentenceScore]:
    """The sentences of a passage that speak to the model."""
    return [
        each for each in passage.sentences if is_order(passage.text, each.start, each.end, question)
    ]


def _without(text: str, orders: Sequence[SentenceScore]) -> str:
    """A text with blanks for some sentences, so that all else stands where it stood."""
    for each in orders:
        blank = _LETTER.sub(" ", text[each.start : each.end])
        text = text[: each.start] + blank + text[each.end :]
    return text


def _windows(question: str, passage: Passage, once: bool) -> list[tuple[AsRead, int]]:
    """The parts of a passage that are read, as people read them, and where each begins."""
    orders = _orders(passage, question)
    shown = as_read(_without(passage.text, orders))
    alone, around, more = _spans(passage, orders)
    if once:
        read = [around]
    elif LEANS.search(passage.text, *alone):
        read = [around, more]
    else:
        read = [alone, around, more]
    return [(shown.window(start, end), start) for start, end in dict.fromkeys(read)]


def _spans(passage: Passage, orders: Sequence[SentenceScore]) -> list[tuple[int, int]]:
    """The nearest sentence of a passage that is no order; with the one before it and the two after
    it, as far as there are any; and with more on both sides."""
    sentences = passage.sentences
    if not sentences:
        return [(0, len(passage.text))] * 3
    honest = [n for n, each in enumerate(sentences) if each not in orders]
    best = max(
        honest or range(len(sentences)),
        key=lambda n: (sentences[n].cosine or 0.0) + 0.5 * sentences[n].share,
    )
    first, last = max(0, best - 1), min(best + _AFTER, len(sentences) - 1)
    windows = [(best, best), (first, last)]
    while sentences[last].end - sentences[first].start < _MORE:
        if first == 0 and last == len(sentences) - 1:
            break
        first, last = max(0, first - 1), min(last + 1, len(sentences) - 1)
    return [(sentences[a].start, sentences[b].end) for a, b in (*windows, (first, last))]
