"""Mistyped words of a question: those that no note holds, but nearly."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.reading.naming import without_accents
from rag.reading.scripts import UNSPACED

_LEAST_LETTERS = 5  # shorter words have a neighbour too often
_LONG = 9  # letters from which two slips are forgiven
_MOST_WORDS = 8  # of a question that are looked up: more of them are another language
# What stands in quotes or in a link is meant as it is written.
_LITERAL = re.compile(r"\[\[[^\]]*\]\]|\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|`[^`]*`")
_WORD = re.compile(rf"(?<!\w)[^\W\d_]{{{_LEAST_LETTERS},}}(?!\w)")
_NO_SPACES = re.compile(f"[{UNSPACED}\uac00-\ud7a3]")


class Spelled(Protocol):
    """What knows the words of the notes: analyzed terms that are held, and spellings."""

    def held_words(self, terms: Collection[str]) -> set[str]: ...
    def nearest_word(self, word: str, distance: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Respelled:
    """A word that no note holds, as it was typed, and the nearest that some note holds."""

    typed: str
    searched: str

    def __str__(self) -> str:
        return f"“{self.typed}” is in no note; also searched “{self.searched}”."


def respell(
    question: str,
    index: Spelled,
    analyze: Callable[[str], list[str]],
    count_tokens: Callable[[Sequence[str]], list[int]],
) -> tuple[str, tuple[Respelled, ...]]:
    """The question with its mistyped words as the notes spell them, and what was changed.

    `count_tokens` is the embedder's: a word that it knows as one token is no slip, whether or
    not a note holds it.
    """
    words = {word: analyze(word) for word in _words(question)}
    held = index.held_words({term for terms in words.values() for term in terms})
    # A word without terms is too common to be looked for; one that is held in part is no slip.
    odd = [word for word, terms in words.items() if terms and held.isdisjoint(terms)]
    if not odd:
        return question, ()
    none, *tokens = count_tokens(["", *odd])
    odd = [word for word, count in zip(odd, tokens, strict=True) if count > none + 1]
    changed = [
        Respelled(word, near) for word in odd[:_MOST_WORDS] if (near := _nearest(index, word))
    ]
    for each in changed:
        question = re.sub(rf"(?<!\w){re.escape(each.typed)}(?!\w)", each.searched, question)
    return question, tuple(changed)


def _words(question: str) -> Iterator[str]:
    """The words that may be slips."""
    literal = [match.span() for match in _LITERAL.finditer(question)]
    for match in _WORD.finditer(question):
        quoted = any(start <= match.start() < end for start, end in literal)
        if not quoted and not _NO_SPACES.search(match.group()):
            yield match.group()


def _nearest(index: Spelled, word: str) -> str:
    """The nearest word of the notes, in the case of `word`."""
    folded = without_accents(word.casefold())
    for distance in (1, 2) if len(word) >= _LONG else (1,):
        if near := index.nearest_word(folded, distance):
            if word.isupper():
                return near.upper()
            return near.capitalize() if word[0].isupper() else near
    return ""
