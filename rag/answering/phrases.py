"""A short answer of the taught model, found again word for word in the notes that it read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.counts import counted, counts_another, number_of
from rag.answering.dates import asks_when, tells_when
from rag.answering.grounding import Sentence, Support, cite, marked, own_words
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

_MARK = re.compile(r"\[(\d{1,2})\]")
_EDGES = " \t\n\"'“”‘’.,;:"
_PLACE_OR_TIME = re.compile(r"\b(?:where|when)\b", re.IGNORECASE)
# Of 539 SQuAD questions for a place or a time on articles that were trained on, gold answers hold
# these where they stand before the phrase in 8 cases, and not in 5; "in", "at", "on", "from" and
# "since" they mostly leave out (34 against 267).
_BEFORE = (
    r"\b(?:behind|under|underneath|near|between|after|before|over|above|below|beneath|beside|"
    r"inside|outside|along|around|across|during|throughout|among|opposite)\s+"
)
# A sentence that has less to do with the question than this bears a phrase out only weakly.
_NEAR, _SHARED = 0.35, 0.2


def find_phrase(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence], question: str = ""
) -> Sentence | None:
    """`said` as a cited sentence, None where no sentence that the model `read` holds it, or where
    it is no time and the question asks for one.

    Of several that do, one of a passage that the model cites comes first, then the one nearest to
    the question: a mark that points elsewhere is put right, and none is invented.
    """
    cited = {int(number) for number in _MARK.findall(said)}
    phrase = own_words(" ".join(_MARK.sub(" ", said).split())).strip(_EDGES)
    if not phrase:
        return None
    pattern = _as_words(phrase)
    holding = [each for each in read if pattern.search(_said(each.text))]
    if not holding or (asks_when(question) and not tells_when(phrase)):
        return None
    best = min(holding, key=lambda each: (each.n not in cited, read.index(each)))
    if (thing := counted(question)) and counts_another(phrase, thing, best):
        phrase, best = number_of(thing, read) or (phrase, best)
    if _PLACE_OR_TIME.search(question):
        phrase = _with_preposition(phrase, best)
    support: Support = "supported" if best.cosine >= _NEAR or best.share >= _SHARED else "weak"
    return Sentence(marked(phrase, best.n), (cite(best, passages),), support)


def _with_preposition(phrase: str, evidence: Evidence) -> str:
    """ "behind the shed" for "the shed" where the sentence says so: without it a place or a time
    can be false."""
    found = re.search(_BEFORE + _as_words(phrase).pattern, _said(evidence.text), re.IGNORECASE)
    return found[0] if found else phrase


def _said(text: str) -> str:
    """A sentence of a note as the prompt shows it."""
    return own_words(" ".join(plain(text).split()))


def _as_words(phrase: str) -> re.Pattern[str]:
    """What finds `phrase` as whole words, in any case."""
    before = r"(?<!\w)" if phrase[0].isalnum() else ""
    after = r"(?!\w)" if phrase[-1].isalnum() else ""
    return re.compile(before + re.escape(phrase) + after, re.IGNORECASE)
