"""An answer against its passages: each sentence cited, with its support, or left out.

Quotes are verbatim by construction: they are cut from the passage, never taken from the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

Support = Literal["supported", "weak", "unsupported"]
REFUSAL = "Your notes do not say."
# Share of a sentence's words that one sentence of the notes holds. Set by bench/answers.py.
_SUPPORTED = 0.6
_WEAK = 0.4
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MARK = re.compile(r"\s*\[\d{1,2}\](?:\s*,?\s*\[\d{1,2}\])*")
_NO_ANSWER = re.compile(
    r"\b(?:do(?:es)? not|don't|doesn't|cannot|can't|no information|not (?:mentioned|specified|"
    r"provided|stated))\b.*\b(?:mention|say|specif\w+|provide\w*|contain|state|determin\w+|"
    r"answer|information|notes?|passage|text)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim sentence of passage `n`, its lines counted from 1 and inclusive."""

    n: int
    path: str
    first: int
    last: int
    headings: tuple[str, ...]
    quote: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer, with its `[n]` marks, and what bears it out."""

    text: str
    citations: tuple[Citation, ...]
    support: Support


def ground(
    sentence: str, passages: Sequence[Passage], candidates: Sequence[Evidence],
    analyze: Callable[[str], list[str]],
) -> Sentence:
    """Find the sentence of the notes that bears out a sentence of the answer.

    `candidates` are sentences of the passages that the model read, nearest to the question
    first. A number that the cited passage does not hold makes the sentence unsupported.
    """
    text = _MARK.sub("", sentence).strip()
    words = set(analyze(text))
    if not words or not candidates or _NO_ANSWER.search(text):
        return Sentence(text, (), "unsupported")
    shares = [len(words & set(analyze(each.text))) / len(words) for each in candidates]
    best = max(range(len(candidates)), key=lambda i: (round(shares[i], 1), -i))
    support = _support(shares[best], text, candidates[best], passages)
    if support == "unsupported":
        return Sentence(text, (), support)
    citation = cite(candidates[best], passages)
    return Sentence(_marked(text, citation.n), (citation,), support)


def quote(evidence: Evidence, passages: Sequence[Passage], plain_text: str) -> Sentence:
    """A sentence of the notes as the answer itself."""
    citation = cite(evidence, passages)
    return Sentence(_marked(plain_text, citation.n), (citation,), "supported")


def cite(evidence: Evidence, passages: Sequence[Passage]) -> Citation:
    passage = passages[evidence.n - 1]
    return Citation(evidence.n, passage.path, evidence.first, evidence.last, passage.headings,
                    evidence.text)


def _support(share: float, text: str, evidence: Evidence, passages: Sequence[Passage]) -> Support:
    held = set(_NUMBER.findall(passages[evidence.n - 1].text))
    if not set(_NUMBER.findall(text)) <= held:
        return "unsupported"
    if share >= _SUPPORTED:
        return "supported"
    return "weak" if share >= _WEAK else "unsupported"


def _marked(text: str, n: int) -> str:
    """`text` with its mark before the final full stop's space: "It is. [1]" reads as prose."""
    return f"{text} [{n}]"
