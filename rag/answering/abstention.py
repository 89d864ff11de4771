"""Whether the notes hold an answer at all, told from what was found before a model reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

# A logistic regression on two signals: the cosine of the nearest sentence, and the share of the
# question's words in the best of three passages. Fitted on the example questions and 200 SQuAD
# questions against their notes, and against notes that lack theirs. At this threshold it refuses
# 2 of 100 SQuAD questions and 10 of 100 example questions that the notes answer, 80 of 100 whose
# note is missing, 92 to 100 of 100 asked of another collection: all counted on the questions
# that it was fitted on, so less is to be expected elsewhere. Questions that the right note
# nearly answers pass: only reading tells those.
_COSINE, _SHARE, _BIAS = 13.8, 6.2, -10.2
REFUSE_BELOW = 0.25
_PASSAGES = 3


def answerable(
    terms: Sequence[str],
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    analyze: Callable[[str], list[str]],
) -> float:
    """The probability that `passages` hold an answer to a question of these terms."""
    if not evidence:
        return 0.0
    wanted = set(terms)
    shares = [
        len(wanted & set(analyze(_all_words(passage)))) / max(1, len(wanted))
        for passage in passages[:_PASSAGES]
    ]
    cosine = max(each.cosine for each in evidence)
    return 1 / (1 + math.exp(-(_COSINE * cosine + _SHARE * max(shares) + _BIAS)))


def _all_words(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.headings, plain(passage.text)))
