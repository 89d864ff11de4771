"""Whether the notes hold an answer at all: by what was found, then by the model's verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.config import Caution
from rag.retrieval.evidence import Evidence

# Two logistic regressions, fitted by bench/adapter/calibrate.py on 330 answerable and 342
# unanswerable questions about three articles that neither training nor scoring sees, and 98 whose
# note was left out of the search. Before a model is asked: the cosine of the nearest sentence, and
# the most that one of the three best sentences holds of the question's words, weighed by their
# rarity. Below 0.09 one or two of 100 answerable are refused, and 46 whose note is
# left out.
_COSINE, _SHARE, _BIAS = 7.61, 1.94, -5.60
REFUSE_BELOW = 0.09
_SENTENCES = 3
_LEAST = 1e-4  # a probability nearer to 0 or 1 than this tells no more
# After the taught model has read: the same two and its verdict, which adds little. Refused of 100
# answerable, unanswerable and left-out questions: careful 10, 36, 95; balanced 5, 20, 78; generous
# 1, 7, 57.
_HEAD_COSINE, _HEAD_SHARE, _HEAD_VERDICT, _HEAD_BIAS = 7.44, 1.37, -0.23, -5.48
THRESHOLDS: dict[Caution, float] = {"careful": 0.215, "balanced": 0.145, "generous": 0.08}


@dataclass(frozen=True, slots=True)
class Signals:
    """What tells whether an answer is there: the cosine of the nearest sentence, the most that one
    of the best sentences holds of the question's words, and the probability that the taught model
    gives to its refusal."""

    cosine: float
    share: float
    refusal: float = 0.0


def signals_of(evidence: Sequence[Evidence]) -> Signals:
    """The signals of the sentences found for a question, best first, before a model is asked."""
    return Signals(
        max((each.cosine for each in evidence), default=0.0),
        max((each.share for each in evidence[:_SENTENCES]), default=0.0),
    )


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
