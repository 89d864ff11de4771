"""A question of a conversation, searched as it was typed and as it reads after what came before.

No model is waited for, and no rule says whether the topic changed: passages and sentences are
scored for both readings, and the scores are added. A new topic matches its own words far better
than the old ones add; a question that says little of its own ("and when?") is settled by what
came before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from rag.retrieval.expected import MONTHS
from rag.retrieval.found import Found, Passage
from rag.retrieval.query import Turn, content_words
from rag.retrieval.sentences import SentenceScore
from rag.retrieval.substitution import asked_otherwise, substituted
from rag.retrieval.when import find_when

# Weight of the second reading. Picked with the next two on the dev conversations of
# bench/followups.py, and on 300 SQuAD questions asked after one about another note: from 1 on,
# new topics are dragged back; below 0.5, old ones are lost.
CONTEXT_WEIGHT = 0.75
_SAYS_ENOUGH = 5  # a question with as many content words and no pronoun is searched alone
_SAYS_SOMETHING = 3  # and one with as many that its own words found leans on nothing
_SENTENCE = 4  # words: "what day?" is none
_ALL = 0.999  # of the weight of a question's words
_MOST_NAMES = 3  # of the last answer

_MOST_BEFORE = 40  # words of the question before
_MOST_TOPIC = 12  # words; more of them drown the question's own
_CANDIDATES = 32  # passages of each reading
_PRONOUN = re.compile(
    r"\b(it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\W*(?:who|whom|whose|what|which|when|where|why|how|explain|define|describe)\b"
    r"(?!(?:[’']s)? (?:about|else)\b)",
    re.IGNORECASE,
)
# What points back without a pronoun.
_BACK = re.compile(
    r"\b(?:ones?|same|such|former|latter|others?|another|else|first|second|third|last|next|previous|"
    r"above|there|then|too|also|instead|different|exactly)\b",
    re.IGNORECASE,
)
_ASIDE = r"\b(?:with|by|in|at|on|to|for|from|of|than|the|my|our|this|that|an?)\s+"
_DAY = re.compile(rf"(?:{MONTHS}|\w+day)s?", re.IGNORECASE)
_WORD = re.compile(r"\w[\w'’-]*")
_AGAIN = re.compile(
    r"\W*(?:(?:and )?(?:what|how) about|and|or|but)\b[\s,]*(?P<rest>.+)", re.IGNORECASE
)
_EDGE = re.compile(r"(?:in|on|during|since|until|till|before|after|by)\b ?", re.IGNORECASE)
_BESIDE = re.compile(
    r"(?:on )?the (?:day (?:before(?: that)?|(?P<after>after(?: that)?))|previous day|"
    r"(?P<next>(?:next|following) day))",
    re.IGNORECASE,
)
_BARE = 10  # characters: "why?"
_SHORT = 300  # characters; nobody goes on from more with a day
_FAR = 20  # turns that one goes back through to the question that was whole
_LETTER = re.compile(r"[^\W_]")
_BY_ITSELF = re.compile(r"(?:this|last|next|past|yesterday|today|tomorrow)\b", re.IGNORECASE)


def continued(question: str, history: Sequence[Turn], today: date) -> tuple[str, Sequence[Turn]]:
    """A question that only names other days than the one before ("and in December?"), or another
    thing ("and Jonas's?"), as that one of these, which needs no history; any other with its
    history, as they are."""
    match = _AGAIN.fullmatch(question.strip()) if len(question) <= _SHORT else None
    if not history or (match is None and len(question) > _BARE):
        return question, history
    *earlier, last = history[-_FAR:]
    if other := asked_otherwise(last.question, match["rest"] if match else question):
        return other, earlier if _PRONOUN.search(other) else ()
    if match is None:
        return question, history
    before, told = continued(last.question, earlier, today)  # itself "and in May?", maybe
    if len(before) > _SHORT or _AGAIN.fullmatch(before):  # that one goes on from something, too
        return question, history
    if meant := _of_other_days(before, match["rest"], today):
        return meant, ()
    meant = substituted(before, match["rest"])
    if meant is None:
        return question, history
    return meant, told if _PRONOUN.search(meant) else ()


def _of_other_days(before: str, rest: str, today: date) -> str | None:
    """The question `before` of the days that `rest` names, and nothing else; None otherwise."""
    meant = find_when(before, today)
    if meant is None or meant.words not in before:
        return None
    if (next_to := _BESIDE.fullmatch(rest.strip().rstrip("?!. "))) and meant.span.first:
        step = timedelta(days=1 if next_to["after"] or next_to["next"] else -1)
        with suppress(OverflowError):  # the calendar ends there
            return before.replace(meant.words, f"on {meant.span.first + step}", 1)
    named = find_when(rest, today)
    if named is None or _LETTER.search(named.rest):
        return None
    words = named.words
    if not (_EDGE.match(words) or _BY_ITSELF.match(words)) and (edge := _EDGE.match(meant.words)):
        words = f"{'on ' if words.casefold().endswith('day') else edge[0]}{words}"
    return before.replace(meant.words, words, 1)


def stands_alone(question: str, history: Sequence[Turn]) -> bool:
    """Whether a question needs nothing of what came before: it says enough, or is a whole sentence
    about a name that was not yet spoken of."""
    own = content_words(question)
    if not history or not own or _PRONOUN.search(question):
        return not history
    if len(own) >= _SAYS_ENOUGH:
        return True
    if not _WHOLE.match(question) or _BACK.search(question):
        return False
    before = f"{history[-1].query} {history[-1].answer}".casefold()
    names = [word for word in _WORD.findall(question)[1:] if _is_name(word) and len(word) > 1]
    new = [
        name for name in names if name.casefold() not in before and not _in_passing(name, question)
    ]
    return bool(new) and len(own) > len(names)


def spoke_for_itself(question: str, query: str) -> bool:
    """Whether a question that its own words found, the `query`, leans on nothing before it."""
    leans = _PRONOUN.search(question) or _AGAIN.fullmatch(question) or _BACK.search(question)
    says = len(content_words(question)) >= _SAYS_SOMETHING or _is_whole(question)
    return query == question and not leans and says


def _is_whole(question: str) -> bool:
    """Whether a question asks in a whole sentence about what it names itself."""
    leans = _PRONOUN.search(question) or _BACK.search(question) or len(question.split()) < _SENTENCE
    return bool(_WHOLE.match(question) and content_words(question) and not leans)


def _may_mean(question: str, typed: Sequence[Passage], read: Sequence[Passage]) -> bool:
    """Whether "the skeleton" may be that of what was spoken of: a sentence of the passage that the
    conversation leads to holds all words of the question."""
    if not read or not re.search(r"\bthe\b", question, re.IGNORECASE):
        return False
    sentences = (one for each in typed if each.id == read[0].id for one in each.sentences)
    return any(each.share > _ALL for each in sentences)


def _in_passing(name: str, question: str) -> bool:
    """Whether a name only goes with what is asked about: "with PayPal", "the PIN", "in July"."""
    aside = rf"{_ASIDE}{re.escape(name)}\b"
    return bool(_DAY.fullmatch(name) or re.search(aside, question, re.IGNORECASE))


def stand_alone(question: str, history: Sequence[Turn]) -> str:
    """The question with what the conversation was about, or as it is where it stands alone."""
    if stands_alone(question, history):
        return question
    own = content_words(question)
    if not own:  # "and when?" goes on with the very question before it
        return f"{question} ({' '.join(history[-1].query.split()[:_MOST_BEFORE])})"
    topic = _topic(history[-1], own, bool(_PRONOUN.search(question)))
    return f"{question} ({topic})" if topic else question


def search_both(
    question: str,
    history: Sequence[Turn],
    search: Callable[[str, int, Sequence[int]], Found],
    k: int,
) -> Found:
    """The `k` best passages for `question` after `history`.

    `search` finds those of one text, and scores some others, given by id, beside them. The query
    of what is found is the reading that suits the best passage.
    """
    query = stand_alone(question, history)
    if query == question:
        return search(question, k, ())
    count = max(k, _CANDIDATES)
    read = search(query, count, ())
    typed = search(question, 2 * count, [each.id for each in read.passages])
    both = {each.id: each for each in (*typed.passages, *read.passages)}
    as_typed, as_read = _scores(typed.passages, both), _scores(read.passages, both)
    sentences = {each.id: each.sentences for each in typed.passages}
    best = sorted(both, key=lambda each: (-_mean(as_typed[each], as_read[each]), each))[:k]
    whole = _is_whole(question) and not _may_mean(question, typed.passages, read.passages)
    if whole or (best and as_typed[best[0]] >= as_read[best[0]]):
        query = question
    return Found(
        tuple(
            replace(
                both[each],
                score=_mean(as_typed[each], as_read[each]),
                # A whole question is answered by its own words, wherever the passage came from:
                # "Who is my physio?" after the dentist.
                sentences=sentences.get(each) or both[each].sentences
                if whole
                else _both_sentences(
                    sentences.get(each, ()), both[each].sentences, not content_words(question)
                ),
            )
            for each in best
        ),
        len(both),
        {stage: spent + read.seconds[stage] for stage, spent in typed.seconds.items()},
        query,
    )


def _both_sentences(
    typed: Sequence[SentenceScore], read: Sequence[SentenceScore], says_nothing: bool
) -> tuple[SentenceScore, ...]:
    """Sentences by both readings: by the second alone, what answered the last question would be
    nearest again. A passage that one reading alone found has that one's scores.

    A question that `says_nothing` of its own ("and when?") is near to no sentence as it was typed:
    whether the notes answer it, the second reading tells.
    """
    if len(typed) != len(read):
        return tuple(read)
    return tuple(
        replace(
            second,
            cosine=None
            if first.cosine is None or second.cosine is None
            else _mean(first.cosine, second.cosine),
            share=_mean(first.share, second.share),
            alone=second.cosine if says_nothing else None,
        )
        for first, second in zip(typed, read, strict=True)
    )


def _mean(as_typed: float, as_read: float) -> float:
    return (as_typed + CONTEXT_WEIGHT * as_read) / (1 + CONTEXT_WEIGHT)


def _scores(found: Sequence[Passage], ids: Iterable[int]) -> dict[int, float]:
    """The score of each id; one that was not found scores no more than the last that was."""
    least = found[-1].score if found else 0.0
    return dict.fromkeys(ids, least) | {each.id: each.score for each in found}


def _topic(last: Turn, own: Sequence[str], pronoun: bool) -> str:
    """What the last question was about, without today's own words, and whom its answer names.

    A pronoun stands for a thing: then the names of the question are enough, if it has any.
    """
    asked = list(_words(last.query, own))
    names = [word for word in asked if _is_name(word)] if pronoun else []
    topic = (names or asked)[:_MOST_TOPIC]
    seen = [*own, *(word.casefold() for word in topic)]
    answered = [word for word in _words(last.answer, seen) if _is_name(word)]
    return " ".join([*topic, *answered[:_MOST_NAMES]])


def _is_name(word: str) -> bool:
    return word != word.lower()


def _words(text: str, seen: Sequence[str]) -> Iterator[str]:
    """The content words of a text as they are written, each once, without those seen before."""
    known = set(seen)
    for match in _WORD.finditer(text):
        word = match.group()
        if word.casefold() not in known and content_words(word):
            known.add(word.casefold())
            yield word
