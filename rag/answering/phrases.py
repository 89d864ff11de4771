"""Short answers, the taught model's and the reader's, as they stand word for word in the notes."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.answering.counts import (
    TWO_UNITS,
    counted,
    counts_another,
    measures,
    number_of,
    with_unit,
)
from rag.answering.grounding import cite, marked, own_words
from rag.answering.steps import Sentence, Support
from rag.config import Caution
from rag.reading.links import blanked, plain
from rag.retrieval.expected import expected, fits, repeats
from rag.retrieval.found import Answering, Evidence, Passage

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
# these, 0.62 by the reader alone, 0.55 by the language model alone. Weights of the language model
# from 0.5 to 1 and margins from 0 to 1.5 gave 0.67 to 0.69; two candidates of the reader gave 0.67;
# without the sentence's likeness it was 0.68. _UNNAMED is taken from the odds of what the reader
# does not point at: 3 to 5 gave the same.
_UNNAMED = 4.0
# Taken from the odds of a candidate that lacks a number of the question where others do not. Of 360
# questions, names taken in the same way made three answers false and one right.
_LACKING = 1.5
_TRUST, _COSINE, _NEARLY, _MOST = 0.75, 4.0, 1.0, 6
# Of 135 questions about such articles, a third of them unanswerable, 69 of 100 phrases with as much
# are right (85 where the notes hold an answer), 31 of those with less (55). Whether the notes hold
# one at all it does not tell better than `rag.answering.abstention`.
# (Counted from 0.5 of one reading; of three, the log-odds are 1 to 1.5 less. Of 155 answers about
# two vaults 5 of 9 between -1 and 0 are right, 43 of 53 from 2 on.)
_SURE = -1.0
# Neither believes in it: of the same 155 eight have less, and none of them is right.
_HOPELESS = -8.0
# Where the sentence and the names of its note and section lack a name or a number of the question,
# a phrase is refused below this. Of the same questions 5 of 100 answerable ones are refused for it
# (a third of these answers were right) and 14 of 100 unanswerable ones.
DOUBTED: dict[Caution, float] = {"careful": 0.0, "balanced": -1.0, "generous": -math.inf}
_ADDRESS = re.compile(r"[^\s<>()\[\]]+@[^\s<>()\[\]]+|https?://[^\s<>()\[\]]+")
_NO_TIME = re.compile(r"\d{1,3}|[$€£¥]\d[\d.,]*|\d[\d.,]* ?[$€£¥]")
_ASKS_TITLE = re.compile(
    r"\b(?:which|what) (?:[\w-]+ )?(?:paper|book|novel|song|album|film|movie|poem|play|show|series|"
    r"article|essay|painting|picture|game|report|thesis|speech|opera|symphony)\b",
    re.IGNORECASE,
)


def find_phrase(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence], question: str = ""
) -> Sentence | None:
    """`said` as a cited sentence, None where no sentence that the model `read` holds it, or where
    it is not what the question asks for: a time, a number, a name.

    Of several that do, one of a passage that the model cites comes first, then the one nearest to
    the question: a mark that points elsewhere is put right, and none is invented.
    """
    written = _written(said, passages, read, question)
    return written.sentence if written else None


def _written(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence], question: str
) -> Candidate | None:
    cited = {int(number) for number in _MARK.findall(said)}
    near = sorted(read, key=lambda each: each.n not in cited)
    return _candidate(_MARK.sub(" ", said), near, passages, read, question)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may answer, as it stands in passage `n` and as a cited sentence, and how likely
    it answers by the reader and by what its sentence has to do with the question, in log-odds but
    for a constant."""

    phrase: str
    n: int
    odds: float
    sentence: Sentence


def candidates(
    said: str, passages: Sequence[Passage], read: Sequence[Evidence], question: str
) -> list[Candidate]:
    """What the reader points at in the sentences that were `read`, best first, and among it what
    the language model `said`; under the same conditions. Nothing where no reader has read."""
    written = _written(said, passages, read, question)
    found: dict[str, Candidate] = {}
    held: Counter[tuple[int, int]] = Counter()  # by the sentence that they stand in
    for n, span in sorted(_pointed(passages), key=lambda each: -each[1].odds):
        text = _pointed_at(passages[n - 1].text, span, read, n)
        phrase = _cleaned(text)
        inside = [each for each in read if each.n == n and each.start <= span.start < each.end]
        place = (n, inside[0].start if inside else -1)
        is_written = written is not None and phrase == written.phrase
        if phrase in found or (held[place] >= _MOST and not is_written):
            continue
        if candidate := _candidate(text, inside, passages, read, question, span.odds):
            found[phrase] = candidate
            held[place] += 1
    if written and written.phrase not in found:
        answering = passages[written.n - 1].answering
        if answering:  # the reader thinks less of it than of all places that it points at
            last = (answering, *answering.others)[-1]
            least = min(last.odds, answering.odds - _UNNAMED)
            found[written.phrase] = replace(written, odds=written.odds + least)
    return sorted(found.values(), key=lambda each: -each.odds)


def _pointed_at(text: str, span: Answering, read: Sequence[Evidence], n: int) -> str:
    """What stands at a place of a text as people read it; as it is written where the marks that
    the reader was spared are part of it, as in a password."""
    shown = blanked(text)[span.start : span.end]
    phrase = _cleaned(shown)
    holds = _as_words(phrase).search if phrase else None
    if holds and any(holds(_said(each.text)) for each in read if each.n == n):
        return shown
    return text[span.start : span.end]


def _pointed(passages: Sequence[Passage]) -> list[tuple[int, Answering]]:
    """All places that the reader points at, each with the number of its passage."""
    return [
        (n, place)
        for n, passage in enumerate(passages, 1)
        if (best := passage.answering)
        for place in (best, *best.others)
    ]


class Doubtful(Exception):
    """The likeliest phrase is hardly likely, and its sentence lacks a name of the question."""


def chosen(
    found: Sequence[Candidate],
    likelihood: Callable[[str], float],
    lacks_names: Callable[[Candidate], bool] = lambda _: False,
    doubted: float = -math.inf,
    lacks_numbers: Callable[[Candidate], bool] = lambda _: False,
    lacks_owner: Callable[[Candidate], bool] = lambda _: False,
    is_of_another: Callable[[Candidate], bool] = lambda _: False,
) -> Sentence | None:
    """Of candidates, best first, the likeliest by reader and language model together: a product of
    experts (Hinton 2002, Neural Computation 14:8). `likelihood` is the log-probability of a phrase
    as the language model's answer, never positive: what cannot win is not asked for.

    Of those that are nearly as likely and hold the likeliest, the longest. It is supported where
    both together are sure of it, else weakly: a sentence may hold a phrase and not answer by it.
    One that `lacks_numbers` counts as so much less likely where others do not: a log has a line for
    each day. One that `is_of_another` note or year is none. Raises Doubtful where all are, for one
    that is hardly likely at all, for one that `lacks_names` and is less likely than `doubted`, and
    for one that `lacks_owner`.
    """
    of_this = [each for each in found if not is_of_another(each)]
    if found and not of_this:
        raise Doubtful
    found = of_this
    lacking = {each for each in found if lacks_numbers(each)}
    if len(lacking) < len(found):
        less = (replace(each, odds=each.odds - _LACKING * (each in lacking)) for each in found)
        found = sorted(less, key=lambda each: -each.odds)
    total: dict[Candidate, float] = {}
    for each in found:
        if total and each.odds < max(total.values()) - _NEARLY:
            break
        total[each] = each.odds + _TRUST * likelihood(each.phrase)
    if not total:
        return None
    best = max(total, key=lambda each: total[each])
    if total[best] < _HOPELESS:
        raise Doubtful
    if total[best] < doubted and lacks_names(best):
        raise Doubtful
    if lacks_owner(best):
        raise Doubtful
    near = [each for each in total if total[each] >= total[best] - _NEARLY]
    longest = max(
        (each for each in near if best.phrase in each.phrase), key=lambda each: len(each.phrase)
    )
    sure = total[best] >= _SURE
    return longest.sentence if sure else replace(longest.sentence, support="weak")


def _candidate(
    text: str,
    near: Sequence[Evidence],
    passages: Sequence[Passage],
    read: Sequence[Evidence],
    question: str,
    odds: float = 0.0,
) -> Candidate | None:
    """A phrase as the first of the sentences `near` that hold it bears it out."""
    phrase = written = _cleaned(text)
    if not phrase or repeats(phrase, question):
        return None
    pattern = _as_words(phrase)
    best = next((each for each in near if pattern.search(_said(each.text))), None)
    wanted = expected(question)
    if best is None or not fits(phrase, wanted):
        return None
    if wanted == "time" and _NO_TIME.fullmatch(phrase) and not _at_that(pattern, best):
        return None
    # "3" may be a price; the "3" of "on 3 May" is none.
    if wanted == "price" and not fits(_going_on(pattern, best), wanted):
        return None
    thing = counted(question)
    if thing and any(measures(each, question) for each in (phrase, _with_next(pattern, best))):
        return None
    if thing and counts_another(phrase, thing, best):
        phrase, best = number_of(thing, read) or (phrase, best)
    if not thing:
        phrase = with_unit(phrase, best)
    for whole in (_ADDRESS, TWO_UNITS):
        phrase = _undivided(phrase, best, whole)
    if _ASKS_TITLE.search(question):
        phrase = _whole_title(phrase, best)
    if _PLACE_OR_TIME.search(question):
        phrase = _with_preposition(phrase, best)
    support: Support = "supported" if best.cosine >= _NEAR or best.share >= _SHARED else "weak"
    sentence = Sentence(marked(phrase, best.n), (cite(best, passages),), support)
    return Candidate(written, best.n, odds + _COSINE * best.cosine + best.share, sentence)


def _at_that(pattern: re.Pattern[str], evidence: Evidence) -> bool:
    """Whether a bare number tells a time: "at 6", not "in bed 2"."""
    before = r"\b(?:at|by|from|until|till|before|after|around|about|on the|age of|aged|to) "
    return re.search(before + pattern.pattern, _said(evidence.text), re.IGNORECASE) is not None


def _with_next(pattern: re.Pattern[str], evidence: Evidence) -> str:
    """A phrase with the word behind it, as its sentence has it."""
    found = re.search(rf"{pattern.pattern}(?:\s?\S+)?", _said(evidence.text), re.IGNORECASE)
    return found[0].rstrip(_EDGES) if found else ""


def _going_on(pattern: re.Pattern[str], evidence: Evidence) -> str:
    """The same, with the word before it: "for 3 euros"."""
    before = re.compile(rf"(?:\S+ )?{pattern.pattern}")
    return _with_next(before, evidence)


def _cleaned(text: str) -> str:
    return _said(text).strip(_EDGES)


def _with_preposition(phrase: str, evidence: Evidence) -> str:
    """ "behind the shed" for "the shed" where the sentence says so: without it a place or a time
    can be false."""
    found = re.search(_BEFORE + _as_words(phrase).pattern, _said(evidence.text), re.IGNORECASE)
    return found[0] if found else phrase


def _undivided(phrase: str, evidence: Evidence, whole: re.Pattern[str]) -> str:
    """A phrase that stands only in an address, or in "7 lb 11 oz", with all of it: half of one
    leads elsewhere."""
    said = _said(evidence.text)
    if _as_words(phrase).search(whole.sub(" ", said)):
        return phrase
    found = (each[0].rstrip(_EDGES) for each in whole.finditer(said))
    return next((each for each in found if _as_words(phrase).search(each)), phrase)


def _whole_title(phrase: str, evidence: Evidence) -> str:
    """A phrase that ends in the midst of a title with the rest: "Attention Is All You Need"."""
    if not phrase.split()[-1][0].isupper():
        return phrase
    going_on = rf"{_as_words(phrase).pattern}(?-i:(?: [A-Z][\w’'-]*)*)"
    found = re.search(going_on, _said(evidence.text), re.IGNORECASE)
    return found[0] if found else phrase


def _said(text: str) -> str:
    """A sentence of a note as the prompt shows it."""
    return own_words(" ".join(plain(text).split()))


def _as_words(phrase: str) -> re.Pattern[str]:
    """What finds `phrase` as whole words, in any case."""
    before = r"(?<!\w)" if phrase[0].isalnum() else ""
    after = r"(?!\w)" if phrase[-1].isalnum() else ""
    return re.compile(before + re.escape(phrase) + after, re.IGNORECASE)
