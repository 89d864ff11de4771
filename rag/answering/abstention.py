"""Whether the notes hold an answer at all, told from what was found before a model reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

# A logistic regression on two signals, fitted on 250 SQuAD questions, each asked once of all
# notes and once of all but its own: the cosine of the nearest sentence, and the share of the
# question's words in the best of three passages. At this threshold it refuses 3 of 100
# questions that the notes answer and 95 of 100 whose note is missing. Questions that the right
# note nearly answers pass: only reading tells those (9 of 100 refused).
_COSINE, _SHARE, _BIAS = 21.4, 7.8, -15.1
REFUSE_BELOW = 0.43
_PASSAGES = 3


def answerable(
    terms: Sequence[str], passages: Sequence[Passage], evidence: Sequence[Evidence],
    analyze: Callable[[str], list[str]],
) -> float:
    """The probability that `passages` hold an answer to a question of these terms."""
    if not evidence:
        return 0.0
    wanted = set(terms)
    shares = [len(wanted & set(analyze(_all_words(passage)))) / max(1, len(wanted))
              for passage in passages[:_PASSAGES]]
    cosine = max(each.cosine for each in evidence)
    return 1 / (1 + math.exp(-(_COSINE * cosine + _SHARE * max(shares) + _BIAS)))


def _all_words(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.headings, plain(passage.text)))
