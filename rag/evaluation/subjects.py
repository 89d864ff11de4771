"""What a question can be about: a phrase that says by itself what is meant."""

from __future__ import annotations

import re

from rag.evaluation.proposal import even
from rag.reading.documents import Document
from rag.retrieval.query import content_words

SUBJECT = (
    r"(?P<subject>(?:(?:The|An?|My|Our)\s)?[\w'’&/+.-]*\w(?:\s[\w'’&/+-][\w'’&/+.-]*){0,5}?)"
    r"(?:\s\([^()]{1,40}\))?"
)
_MOST = 6  # words
_SMALL = re.compile(r"\b[a-z][\w'’-]*")
_CAPITAL = re.compile(r"[A-Z]|\w*\d")
_ARTICLE = re.compile(r"(?P<article>the|an?|my|our) ", re.IGNORECASE)
# With such a word a phrase points at what stands elsewhere, or is no noun phrase at all.
_FIRST = frozenset(
    "it this that these those there here he she they we i you who what which when where how why "
    "one another each both all some any his her its their your such no none nobody everything "
    "everyone someone something nothing in on at by for from to of with without within under over "
    "after before during since until while because although though if as than then thus hence so "
    "and or but nor yet among amongst between against through throughout despite unlike like "
    "about above below across along around behind beyond near off onto out up down per via not "
    "also too even just still only ever never always often sometimes usually today now soon later "
    "once again meanwhile instead however therefore moreover furthermore additionally finally "
    "perhaps maybe almost nearly half part most many several few much more less other others "
    "either neither every whether whereas except given according due except back non".split()
)
_ANYWHERE = frozenset(
    "that which who whom whose where when is are was were be been being has have had do does did "
    "can could will would may might must shall should not it they he she them him these those this "
    "next last other another same latter former following previous above below such most more key "
    "main important notable only first second third final result results reason problem answer "
    "from with by as to than into during "
    "idea example goal thing things way ways case because while if but or and".split()
)
_DAYS = frozenset(
    "january february march april may june july august september october november december monday "
    "tuesday wednesday thursday friday saturday sunday spring summer autumn winter".split()
)


class Subjects:
    """The phrases of one note that a question can name."""

    def __init__(self, document: Document) -> None:
        text = " ".join(even(block.text) for block in document.blocks)
        self._small = frozenset(_SMALL.findall(text))
        headings = {each for block in document.blocks for each in block.headings}
        named = " ".join([document.title, *document.aliases, *headings])
        self._own = frozenset(map(_stem, content_words(named)))
        held = frozenset(map(_stem, content_words(text)))
        words = list(map(_stem, content_words(document.title)))
        # The name of a file is a title where the note uses its words.
        given = any(block.headings[:1] == (document.title,) for block in document.blocks)
        self.title = document.title if words and (given or held.issuperset(words)) else ""

    def subject(self, phrase: str) -> str:
        """The phrase as it stands inside a question; "" where it does not say what is meant."""
        article = _ARTICLE.match(phrase)
        rest = phrase[article.end() :] if article else phrase
        words = rest.split()
        folded = [each.casefold() for each in words]
        if not words or len(words) > _MOST or len(rest) < 2 or folded[0] in _FIRST:
            return ""
        if _ANYWHERE.intersection(folded) or (len(words) == 1 and folded[0] in _DAYS):
            return ""
        if not article and len(words) > 1 and folded[0].endswith(("ly", "ed", "ing")):
            return ""
        if not article:
            rest = self._inside(words)
        if not self._says(article["article"].casefold() if article else "", rest):
            return ""
        return f"{article['article'].lower()} {rest}" if article else rest

    def name(self, phrase: str) -> bool:
        """Whether a phrase is one or more names: words with capitals that are always so."""
        words = [each for each in phrase.split() if each not in ("of", "the", "and", "de", "von")]
        return bool(words) and all(
            _CAPITAL.match(each) and each.casefold() not in _FIRST | _DAYS for each in words
        ) and not (len(words) == 1 and self._is_small(words[0]))  # fmt: skip

    def says(self, phrase: str) -> bool:
        """Whether a phrase holds a name, a number or a word of the note's title or headings."""
        words = phrase.split()
        return any(_CAPITAL.match(each) for each in words) or bool(
            self._own.intersection(map(_stem, content_words(phrase)))
        )

    def _is_small(self, word: str) -> bool:
        return word.casefold() in self._small and word[1:].islower()

    def _inside(self, words: list[str]) -> str:
        """A phrase that begins a sentence, with a small letter unless it is a name."""
        first, *more = words
        capitals = bool(more) and all(map(_CAPITAL.match, more))
        if self._is_small(first) and not capitals:
            first = first[0].lower() + first[1:]
        return " ".join([first, *more])

    def _says(self, article: str, rest: str) -> bool:
        if article in ("a", "an", "my", "our"):
            return True
        if article == "the" and " " not in rest and self._is_small(rest):
            return _stem(rest) in self._own  # "the University" is one of many
        if article == "the" or rest == rest.lower():
            return self.says(rest)
        return True


def _stem(word: str) -> str:
    return word.casefold().removesuffix("s")
