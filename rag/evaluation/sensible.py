"""Whether a question that a model wrote about a text is worth keeping."""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.answering.kinds import sides_of
from rag.evaluation.matching import holds
from rag.reading.links import plain
from rag.retrieval.query import content_words

# An answer that begins so speaks of what stands elsewhere.
ELSEWHERE = frozenset("it its this that these those they their he his she her there".split())
POINTS = frozenset(
    "it its they them their he him his she her this these those you your i my we our text passage "
    "paragraph author above below following".split()
)
# Asked for, and seldom said: "In which year …", "What is the name of …".
_ASKED = frozenset("year date day month time name kind type number amount person place".split())
# "What is X?" is answered where X is said to be something, or something to be X.
_WHAT_IS = re.compile(
    r"what(?:['’]s| is| are| was| were) (?:an? |the )?(?P<term>.+?)\?", re.IGNORECASE
)
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_IS = r"(?:is|are|was|were|means?|stands?|refers?)"
_HELD = 0.5  # share of a question's words that the sentence cited for its answer holds
_NEW = 0.5  # share of an answer's words that its question does not give away


def sensible(
    question: str, answer: str, cited: str, around: str, analyze: Callable[[str], list[str]]
) -> bool:
    """Whether a question stands for itself, is about its text, and is answered by `answer`.

    `cited` is what the answer rests on, `around` the whole text with its title and headings.
    The bundled model asks for the difference between a thing and itself, or for what the text
    does not touch; comparisons are none for one phrase, anyhow.
    """
    if sides_of(question) or "difference" in question:
        return False
    words = question.casefold().replace("?", " ").split()
    said = answer.split()
    if POINTS.intersection(words) or not said or said[0].casefold() in ELSEWHERE:
        return False
    asked = {each for each in content_words(question) if each not in _ASKED}
    wanted = set(analyze(" ".join(asked)))
    if not wanted or not wanted <= set(analyze(around)):
        return False
    defined = _WHAT_IS.fullmatch(question)
    if defined and not _defines(cited, defined["term"], answer):
        return False
    told = set(analyze(answer))
    return (
        len(wanted & set(analyze(cited))) >= _HELD * len(wanted)
        and len(told - wanted) >= _NEW * len(told)
        and bool(told - wanted)
    )


def _defines(text: str, term: str, answer: str) -> bool:
    """Whether one sentence of a text says what `term` is, and holds the answer."""
    name = re.escape(" ".join(term.split()))
    after = re.compile(rf"{name}[\w\s()'’*-]{{0,40}}\b{_IS}\b", re.IGNORECASE)
    before = re.compile(rf"\b{_IS} (?:an? |the )?{name}", re.IGNORECASE)
    for each in _BREAK.split(" ".join(plain(text).split())):
        if after.search(each) and (holds(each, [answer]) or holds(answer, [each])):
            return True
        found = before.search(each)
        if found and holds(each[: found.start()], [answer]):
            return True
    return False
