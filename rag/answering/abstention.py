"""Whether the notes hold an answer at all: by what was found, then by the model's verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.config import Caution
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

# Two logistic regressions, fitted by bench/adapter/calibrate.py on 525 questions about notes that
# the model was trained on, in contexts that training did not come to (other contexts of the same
# paragraph it may have seen). Before it is asked: the cosine of the nearest sentence and the share
# of the question's words in the best of three passages. At 0.1 none of the answerable questions was
# refused and 60 of 100 whose note is left out; at 0.2, 2 and 92. The lower bound was taken after
# the higher one had refused plain questions about the example notes, whose titles say little.
_COSINE, _SHARE, _BIAS = 7.2, 1.79, -5.22
REFUSE_BELOW = 0.08
_PASSAGES = 3
_LEAST = 1e-4  # a probability nearer to 0 or 1 than this tells no more
# After the taught model has read: the same two and its verdict. Refused of 100 answerable,
# unanswerable and left-out questions: careful 9, 44, 96; balanced 1 to 2, 12 to 19, 74 to 85. The
# latter is low for the same reason.
_HEAD_COSINE, _HEAD_SHARE, _HEAD_VERDICT, _HEAD_BIAS = 6.03, 0.86, -0.63, -4.54
THRESHOLDS: dict[Caution, float] = {"careful": 0.3, "balanced": 0.12, "generous": 0.04}


@dataclass(frozen=True, slots=True)
class Signals:
    """What tells whether an answer is there: the cosine of the nearest sentence, the share of the
    question's words in the best of three passages, and the probability that the taught model gives
    to its refusal."""

    cosine: float
    share: float
    refusal: float = 0.0


def signals_of(
    terms: Sequence[str],
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    analyze: Callable[[str], list[str]],
) -> Signals:
    """The signals of a question of these terms, before a model is asked."""
    wanted = set(terms)
    shares = [
        len(wanted & set(analyze(_all_words(passage)))) / max(1, len(wanted))
        for passage in passages[:_PASSAGES]
    ]
    cosine = max((each.cosine for each in evidence), default=0.0)
    return Signals(cosine, max(shares, default=0.0))


def answerable(signals: Signals) -> float:
    """The probability that the notes hold an answer, by what was found alone."""
    return 1 / (1 + math.exp(-(_COSINE * signals.cosine + _SHARE * signals.share + _BIAS)))


def confidence(signals: Signals) -> float:
    """The probability that the notes hold an answer, the model's verdict included."""
    total = (
        _HEAD_COSINE * signals.cosine
        + _HEAD_SHARE * signals.share
        + _HEAD_VERDICT * verdict(signals)
        + _HEAD_BIAS
    )
    return 1 / (1 + math.exp(-total))


def verdict(signals: Signals) -> float:
    """The log-odds that the model gives to its refusal, within bounds."""
    odds = (signals.refusal + _LEAST) / (1 - signals.refusal + _LEAST)
    return math.log(odds)


def _all_words(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.headings, plain(passage.text)))
