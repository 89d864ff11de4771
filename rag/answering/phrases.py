"""Short answers, the taught model's and the reader's, as they stand word for word in the notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.counts import counted, counts_another, number_of
from rag.answering.grounding import Sentence, Support, cite, marked, own_words
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.expected import expected, fits, repeats
from rag.retrieval.pointing import Answering
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
# Of 278 questions of fact about articles that neither model was taught on, token F1 was 0.69 with
# these, 0.62 by the reader alone, 0.55 by the language model alone. Weights from 0.5 to 1 and a
# margin from 0 to 1.5 gave 0.67 to 0.69; two candidates of the reader gave 0.67.
_TRUST, _NEARLY, _MOST = 0.75, 1.0, 6


def find_phrase(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence], question: str = ""
) -> Sentence | None:
    """`said` as a cited sentence, None where no sentence that the model `read` holds it, or where
    it is not what the question asks for: a time, a number, a name.

    Of several that do, one of a passage that the model cites comes first, then the one nearest to
    the question: a mark that points elsewhere is put right, and none is invented.
    """
    cited = {int(number) for number in _MARK.findall(said)}
    near = sorted(read, key=lambda each: each.n not in cited)
    return _phrase_of(_MARK.sub(" ", said), near, passages, read, question)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may answer, the reader's log-odds that it does, and the phrase as a cited
    sentence."""

    phrase: str
    odds: float
    sentence: Sentence


def candidates(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence], question: str
) -> list[Candidate]:
    """What the reader points at in the sentences that were `read`, best first, and what the
    language model `said` if the reader has an opinion of it; under the same conditions."""
    written = _cleaned(_MARK.sub(" ", said)).casefold()
    spans = sorted(
        ((each.odds, n, each) for n, each in _pointed(passages)), key=lambda span: -span[0]
    )
    found: dict[str, Candidate] = {}
    for odds, n, span in spans:
        text = passages[n - 1].text[span.start : span.end]
        phrase = _cleaned(text)
        if phrase in found or (len(found) >= _MOST and phrase.casefold() != written):
            continue
        inside = [each for each in read if each.n == n and each.start <= span.start < each.end]
        if sentence := _phrase_of(text, inside, passages, read, question):
            found[phrase] = Candidate(phrase, odds, sentence)
    return list(found.values())


def _pointed(passages: Sequence[Passage]) -> Iterator[tuple[int, Answering]]:
    """All places that the reader points at, each with the number of its passage."""
    for n, passage in enumerate(passages, 1):
        if answer := passage.answering:
            yield n, answer
            yield from ((n, each) for each in answer.others)


def chosen(found: Sequence[Candidate], likelihood: Callable[[str], float]) -> Sentence | None:
    """Of candidates, best first, the likeliest by reader and language model together: a product of
    experts (Hinton 2002, Neural Computation 14:8). `likelihood` is the log-probability of a phrase
    as the language model's answer, never positive: what cannot win is not asked for.

    Of those that are nearly as likely and hold the likeliest, the longest.
    """
    total: dict[Candidate, float] = {}
    for each in found:
        if total and each.odds < max(total.values()) - _NEARLY:
            break
        total[each] = each.odds + _TRUST * likelihood(each.phrase)
    if not total:
        return None
    best = max(total, key=lambda each: total[each])
    near = [each for each in total if total[each] >= total[best] - _NEARLY]
    return max(
        (each for each in near if best.phrase in each.phrase), key=lambda each: len(each.phrase)
    ).sentence


def _phrase_of(
    text: str,
    near: Sequence[Evidence],
    passages: Sequence[Passage],
    read: Sequence[Evidence],
    question: str,
) -> Sentence | None:
    """A phrase as the first of the sentences `near` that hold it bears it out."""
    phrase = _cleaned(text)
    if not phrase or repeats(phrase, question):
        return None
    pattern = _as_words(phrase)
    best = next((each for each in near if pattern.search(_said(each.text))), None)
    if best is None or not fits(phrase, expected(question)):
        return None
    if (thing := counted(question)) and counts_another(phrase, thing, best):
        phrase, best = number_of(thing, read) or (phrase, best)
    if _PLACE_OR_TIME.search(question):
        phrase = _with_preposition(phrase, best)
    support: Support = "supported" if best.cosine >= _NEAR or best.share >= _SHARED else "weak"
    return Sentence(marked(phrase, best.n), (cite(best, passages),), support)


def _cleaned(text: str) -> str:
    return _said(text).strip(_EDGES)


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
