"""An answer against its passages: each sentence cited, with its support, or left out.

Quotes are verbatim by construction: they are cut from the passage, never taken from the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from rag.answering.steps import Citation, Sentence, Support
from rag.reading.links import plain
from rag.reading.marks import ROW
from rag.retrieval.found import Evidence, Passage

# The probability that a passage, the premise, entails a sentence, the hypothesis.
Judge = Callable[[str, str], float]
_ENTAILED, _HALF_ENTAILED = 0.5, 0.2
# A sentence with fewer of its words in question and notes has nothing to do with them.
_RELATED = 1 / 3
_TEMPLATE = re.compile(r"<\|\w*\|?>|\[/?INST\]|</?s>")
# Share of a sentence's words that one sentence of the notes must hold. High, since a small model
# puts true words together to false statements: "Jason Allen, a US-based developer, won" must not
# pass for what the note says.
_SUPPORTED = 0.9
_WEAK = 0.8
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MARK = re.compile(r"\s*\[\d{1,2}\](?:\s*,?\s*\[\d{1,2}\])*")
_ANY_MARK = re.compile(r"\[(\d{1,3})\]")
_LABEL = re.compile(
    r"^\s*(?:(?:the )?answer(?: to (?:this|the) question)?(?: is)?|a)\s*:\s*", re.IGNORECASE
)
_BLOCK_LINE = re.compile(r"\n\s*(?:[-*+•]|\d{1,3}[.)]|\|)|\n\s*\n|\A\s*(?:```|~~~)")
_NO_ANSWER = re.compile(
    r"\b(?:do(?:es)? not|don't|doesn't|cannot|can't|no information|not (?:mentioned|specified|"
    r"provided|stated))\b.*\b(?:mention|say|specif\w+|provide\w*|contain|state|determin\w+|"
    r"answer|information|notes?|passage|text)\b",
    re.IGNORECASE,
)


def ground(
    sentence: str,
    question: Collection[str],
    passages: Sequence[Passage],
    candidates: Sequence[Evidence],
    analyze: Callable[[str], list[str]],
    judge: Judge | None = None,
) -> Sentence:
    """Find the sentence of the notes that bears out a sentence of the answer.

    `question` are the analyzed words of the question, `candidates` the sentences that the model
    read, nearest to the question first. A sentence is unsupported when it says nothing that the
    question does not say itself, or when no one sentence of the notes holds what it says; a mere
    name, which repeats no word of the question, needs one that holds such a word, itself or in its
    headings. With a `judge`, it is unsupported when the passage of the nearest sentence does not
    entail it. One that is no statement about the matter at all has no text.
    """
    text = own_words(_LABEL.sub("", _MARK.sub("", sentence)).strip())
    for title in {passages[each.n - 1].title for each in candidates}:
        text = text.removeprefix(f"{title}: ")  # as the prompt introduces each passage
    if not text.endswith((".", "!", "?", "…", "。", '"', "”", ")")):
        return _NOTHING  # cut off, or no sentence at all
    words, asked = set(analyze(text)), set(question)
    said = words - asked
    if not said or not candidates or _NO_ANSWER.search(text) or _TEMPLATE.search(text):
        return _NOTHING
    held = [set(analyze(plain(each.text))) for each in candidates]
    if len(words & asked.union(*held)) < _RELATED * len(words):
        return _NOTHING
    best = max(range(len(held)), key=lambda i: (len(words & held[i]), bool(asked & held[i]), -i))
    share = len(words & held[best]) / len(words)
    support: Support = "unsupported"
    passage = passages[candidates[best].n - 1]
    if _numbers_held(text, passage):
        if judge is not None:
            support = _graded(judge(_all_of(passage), text), _ENTAILED, _HALF_ENTAILED)
        elif said <= held[best] and (
            not asked or asked & {*words, *held[best], *analyze(_names(passage))}
        ):
            support = _graded(share, _SUPPORTED, _WEAK)
    if support == "unsupported":
        return Sentence(text, (), support)
    citation = cite(candidates[best], passages)
    return Sentence(marked(text, citation.n), (citation,), support)


_NOTHING = Sentence("", (), "unsupported")


def _graded(score: float, supported: float, weak: float) -> Support:
    if score >= supported:
        return "supported"
    return "weak" if score >= weak else "unsupported"


def quote(evidence: Evidence, passages: Sequence[Passage]) -> Sentence:
    """A sentence of the notes as the answer itself."""
    citation = cite(evidence, passages)
    text = evidence.text
    if not _BLOCK_LINE.search(text):  # a sentence, though it may be broken over lines
        text = " ".join(plain(text).split())
    text = own_words(text)
    return Sentence(marked(text, citation.n), (citation,), "supported")


def own_words(text: str) -> str:
    """A note's text in an answer: a "[2]" in it would pass for one of our citations, "(2)" not."""
    return _ANY_MARK.sub(r"(\1)", text)


def cite(evidence: Evidence, passages: Sequence[Passage]) -> Citation:
    passage = passages[evidence.n - 1]
    return Citation(
        evidence.n,
        passage.path,
        evidence.first,
        evidence.last,
        passage.headings,
        evidence.text,
        passage.at(evidence.first).place,
    )


def _numbers_held(text: str, passage: Passage) -> bool:
    return set(_NUMBER.findall(text)) <= set(_NUMBER.findall(_all_of(passage)))


def _names(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.headings))


def _all_of(passage: Passage) -> str:
    return f"{_names(passage)}\n{plain(passage.text)}"


def marked(text: str, n: int) -> str:
    """`text` with its mark before the final full stop's space: "It is. [1]" reads as prose."""
    return f"{text}{before_marks(text)}[{n}]"


def before_marks(text: str) -> str:
    """What stands between a text and its marks: the line below a table would be a row of it."""
    last = text.rpartition("\n")[2]
    return " " if "\n" not in text else "\n\n" if ROW.match(last) else "\n"
