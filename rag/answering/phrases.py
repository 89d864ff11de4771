"""A short answer of the taught model, found again word for word in the notes that it read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.grounding import Sentence, Support, cite, marked, own_words
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

_MARK = re.compile(r"\[(\d{1,2})\]")
_EDGES = " \t\n\"'“”‘’.,;:"
# A sentence that has less to do with the question than this bears a phrase out only weakly.
_NEAR, _SHARED = 0.35, 0.2


def find_phrase(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence]
) -> Sentence | None:
    """`said` as a cited sentence, None where no sentence that the model `read` holds it.

    Of several that do, one of a passage that the model cites comes first, then the one nearest to
    the question: a mark that points elsewhere is put right, and none is invented.
    """
    cited = {int(number) for number in _MARK.findall(said)}
    phrase = own_words(" ".join(_MARK.sub(" ", said).split())).strip(_EDGES)
    if not phrase:
        return None
    pattern = _as_words(phrase)
    holding = [each for each in read if pattern.search(_said(each.text))]
    if not holding:
        return None
    best = min(holding, key=lambda each: (each.n not in cited, read.index(each)))
    support: Support = "supported" if best.cosine >= _NEAR or best.share >= _SHARED else "weak"
    return Sentence(marked(phrase, best.n), (cite(best, passages),), support)


def _said(text: str) -> str:
    """A sentence of a note as the prompt shows it."""
    return own_words(" ".join(plain(text).split()))


def _as_words(phrase: str) -> re.Pattern[str]:
    """What finds `phrase` as whole words, in any case."""
    before = r"(?<!\w)" if phrase[0].isalnum() else ""
    after = r"(?!\w)" if phrase[-1].isalnum() else ""
    return re.compile(before + re.escape(phrase) + after, re.IGNORECASE)
