"""Whether the notes hold an answer at all: by what was found, and by what a reader made of it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rag.config import Caution
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.pointing import likeliest

# Two logistic regressions on 500 answerable and 300 to 342 unanswerable questions about three
# articles that neither training nor scoring sees, and 250 whose note was left out of the search
# (bench/adapter/calibrate.py).
# By what was found: the cosine of the nearest sentence, and the most that one of the three best
# sentences holds of the question's words, weighed by their rarity. Below 0.09 one or two of 100
# answerable are refused, and 46 whose note is left out.
_COSINE, _SHARE, _BIAS = 7.61, 1.94, -5.60
REFUSE_BELOW = 0.09
_SENTENCES = 3
# Where a reader has read what was found: the same two, and its log-odds that a passage answers;
# fitted as well on 705 questions of fact about five vaults of a person's notes, which are not in
# the project, and the example notes. Of 100 answerable, unanswerable and left-out questions about
# the articles are refused: careful 13, 56, 91; balanced 9, 46, 83; generous 4, 24, 60.
_READ_COSINE, _READ_SHARE, _READ_ODDS, _READ_BIAS = 5.52, 0.51, 0.36, -2.23
_LEAST_ODDS = -4.0  # "It has 340 million parameters" may be -8 where another sentence names BERT
THRESHOLDS: dict[Caution, float] = {"careful": 0.50, "balanced": 0.38, "generous": 0.24}

# Letters and digits in one word, of three or more; no "20th", no "15kg".
_CODE = re.compile(
    r"(?<![\w-])(?=[\w-]*[^\W\d_])(?=[\w-]*\d)"
    r"(?!\d+\w?(?:st|nd|rd|th|s|am|pm|k|kg|g|mg|ml|l|cm|mm|m|km|kw|kwh|gb|mb|tb|h|min|d|x|p|c|f)\b)"
    r"[\w-]{3,}",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class Signals:
    """What tells whether an answer is there: the cosine of the nearest sentence, the most that one
    of the best sentences holds of the question's words, and the best log-odds of a reader that a
    passage answers, None where none has read."""

    cosine: float
    share: float
    odds: float | None = None


def lacks_codes(question: str, passages: Sequence[Passage]) -> bool:
    """Whether a question names what is called by letters and digits, and no passage does: "error
    E24" beside errors E18 and E10. Of 5,263 answerable SQuAD questions it holds for none, of 2,917
    unanswerable ones for 4."""
    codes = {_bare(each[0]) for each in _CODE.finditer(question)}
    if not codes:
        return False
    told = _bare(
        "\n".join(
            part for each in passages for part in (each.path, each.title, *each.headings, each.text)
        )
    )
    return any(code not in told for code in codes)


def _bare(text: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())  # CO₂ is CO2


def signals_of(evidence: Sequence[Evidence], passages: Sequence[Passage] = ()) -> Signals:
    """The signals of the passages and sentences found for a question, best first."""
    return Signals(
        max((each.cosine for each in evidence), default=0.0),
        max((each.share for each in evidence[:_SENTENCES]), default=0.0),
        likeliest(passages),
    )


def answerable(signals: Signals) -> float:
    """The probability that the notes hold an answer, by likeness alone."""
    return _logistic(_COSINE * signals.cosine + _SHARE * signals.share + _BIAS)


def confidence(signals: Signals) -> float:
    """The probability that the notes hold an answer, by all that is known."""
    if signals.odds is None:
        return answerable(signals)
    return _logistic(
        _READ_COSINE * signals.cosine
        + _READ_SHARE * signals.share
        + _READ_ODDS * max(_LEAST_ODDS, signals.odds)
        + _READ_BIAS
    )


def _logistic(total: float) -> float:
    return 1 / (1 + math.exp(-total))
