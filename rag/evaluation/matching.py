"""Whether a text says what a gold answer says: SQuAD's normalisation and what rests on it."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from rag.reading.links import plain
from rag.retrieval.query import content_words

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_JOINED: Mapping[int, str | None] = {ord(mark): None for mark in string.punctuation}
_PARTED: Mapping[int, str | None] = {ord(mark): " " for mark in string.punctuation}
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_PHRASE = 5  # words: a longer answer is a sentence, and is told by its content words
_BORNE_OUT = 0.8  # share of the content words of a sentence that a passage must hold


def normalise(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no articles, single spaces."""
    return _normalised(text, _JOINED)


def unmarked(answer: str) -> str:
    """An answer without its citation marks."""
    return _MARK.sub("", answer).strip()


def holds(text: str, answers: Iterable[str]) -> bool:
    """Whether a gold answer stands in a text of notes, as whole words.

    SQuAD's normalisation glues "principle.[1] It" to one word. So a mark may part words, too,
    and Markdown is read as written and as a person reads it.
    """
    return any(form in _forms(text) for answer in answers for form in _answer_forms(answer))


def exact(said: str, golds: Iterable[str]) -> bool:
    """SQuAD's exact match against any gold answer."""
    return any(normalise(said) == normalise(gold) for gold in golds)


def token_f1(said: str, golds: Sequence[str]) -> float:
    """SQuAD's token F1 against the best gold answer."""
    return max(_f1(normalise(said).split(), normalise(gold).split()) for gold in golds)


def bears_out(text: str, said: str) -> bool:
    """Whether a passage holds an answer: a phrase word for word, of more most content words."""
    if len(normalise(said).split()) <= _PHRASE:
        return holds(text, [said])
    wanted = set(content_words(_normalised(said, _PARTED)))
    held = set(_forms(text).split())
    return bool(wanted) and len(wanted & held) >= _BORNE_OUT * len(wanted)


def _f1(said: list[str], gold: list[str]) -> float:
    if not said or not gold:
        return float(said == gold)
    common = sum((Counter(said) & Counter(gold)).values())
    return 2 * common / (len(said) + len(gold))


def _normalised(text: str, punctuation: Mapping[int, str | None]) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(punctuation)).split())


@lru_cache(maxsize=8192)
def _forms(text: str) -> str:
    """The normalised forms of a text, each between spaces."""
    forms = {
        _normalised(each, table) for each in (text, plain(text)) for table in (_JOINED, _PARTED)
    }
    return "\n".join(f" {form} " for form in sorted(forms))


def _answer_forms(answer: str) -> list[str]:
    forms = {_normalised(answer, _JOINED), _normalised(answer, _PARTED)}
    return [f" {form} " for form in sorted(forms) if form]
