"""Answered questions into ones that sound alike and are not answered.

People's own unanswerable questions are of a few kinds (Rajpurkar et al. 2018, table 2): a name
swapped, a word's opposite, a negation, a condition that excludes, something the text never says.
Each function here makes one of these by rule, of a question, its text and its answer; "" or None
where the rule finds nothing to change. A few of what they make are answered all the same.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.adapter.near_misses import ASKING, INSIDE, NAME, YEAR
from bench.reader.wordnet import WordNet
from rag.reading.sentences import split_sentences

_WORD = re.compile(r"[a-z]{3,}")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?![\w.,%-])")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|did|does|do|has|have|had|can|could|may|must|will|would|should)\b"
)
_SUFFIXES = ("est", "er", "ing", "ed", "s", "")
_LEAST_SEEN = 3  # times that a word stands in the questions: a strange one gives itself away
_COMMON = frozenset(
    "the what when where which who whom whose why how was were are did does has had have been for "
    "and from with that this than then into many much most more name type kind year people used "
    "one two first last can could would not also its their his her there they".split()
)


@dataclass(frozen=True, slots=True)
class Said:
    """A question, the text that answers it, and where."""

    question: str
    text: str
    start: int
    end: int

    @property
    def answer(self) -> str:
        return self.text[self.start : self.end]

    @property
    def beside(self) -> str:
        """The sentence that holds the answer."""
        first, last = sentence_around(self.text, self.start, self.end)
        return self.text[first:last]


class Changes:
    """Changes of questions and texts; `asked` are all questions, whose words are known."""

    def __init__(self, wordnet: WordNet, asked: Iterable[str], chance: random.Random) -> None:
        self._wordnet, self._chance = wordnet, chance
        seen = Counter(word for each in asked for word in set(_WORD.findall(each.casefold())))
        self._known = {word for word, count in seen.items() if count >= _LEAST_SEEN}

    def question(self, said: Said, others: Sequence[str]) -> str:
        """The question changed so that the text does not answer it; `others` are texts near it,
        whose names can stand for those of the question."""
        kinds: list[Callable[[], str]] = [
            lambda: self._name(said, others),
            lambda: self._name(said, others),
            lambda: self._year(said),
            lambda: self._number(said),
            lambda: self._word(said, self._opposites),
            lambda: self._word(said, self._opposites),
            lambda: self._word(said, self._wordnet.neighbours),
            lambda: self._negated(said),
        ]
        self._chance.shuffle(kinds)
        return next((changed for kind in kinds if (changed := kind())), "")

    def text(self, said: Said, others: Sequence[str]) -> str:
        """The text changed so that it does not answer the question: without the sentence that
        does, or speaking of another name than the question."""
        if self._chance.random() < 0.5 and (changed := self._renamed(said, others)):
            return changed
        return without_answer(said)

    def _names(self, said: Said, others: Sequence[str]) -> list[str]:
        """Names of these texts that are not beside the answer."""
        found = {name for text in (said.text, *others) for name in INSIDE.findall(text)}
        return sorted(
            name
            for name in found
            if len(name) > 2
            and not ASKING.match(name)
            and name not in said.beside
            and name not in said.question
            and name not in said.answer
        )

    def _other(self, name: str, names: Sequence[str]) -> str:
        """One of `names` that shares no word with `name`, of like length where there is one."""
        words = {word.casefold() for word in name.split()}
        apart = [each for each in names if not words & {one.casefold() for one in each.split()}]
        like = [each for each in apart if len(each.split()) == len(name.split())]
        return self._chance.choice(like or apart) if apart else ""

    def _name(self, said: Said, others: Sequence[str]) -> str:
        found = [
            each
            for each in NAME.finditer(said.question)
            if each.start() and len(each[0]) > 2 and not ASKING.match(each[0])
        ]
        if not found:
            return ""
        out = self._chance.choice(found)
        other = self._other(out[0], self._names(said, others))
        return said.question[: out.start()] + other + said.question[out.end() :] if other else ""

    def _renamed(self, said: Said, others: Sequence[str]) -> str:
        """The text with a name that the question holds, too, changed wherever it stands."""
        shared = [
            each[0]
            for each in NAME.finditer(said.question)
            if each.start() and not ASKING.match(each[0]) and each[0] in said.beside
        ]
        if not shared:
            return ""
        name = self._chance.choice(shared)
        other = self._other(name, self._names(said, others))
        return re.sub(rf"\b{re.escape(name)}\b", other, said.text) if other else ""

    def _year(self, said: Said) -> str:
        year = YEAR.search(said.question)
        if not year:
            return ""
        other = str(int(year[0]) + self._chance.choice((-30, -12, -7, -3, -2, 2, 3, 7, 12, 30)))
        return "" if other in said.text else said.question.replace(year[0], other)

    def _number(self, said: Said) -> str:
        number = _NUMBER.search(said.question)
        if not number:
            return ""
        other = str(max(2, int(number[0]) + self._chance.choice((-5, -2, -1, 1, 2, 3, 10))))
        if other == number[0] or other in said.text:
            return ""
        return said.question[: number.start()] + other + said.question[number.end() :]

    def _opposites(self, word: str) -> set[str]:
        return self._wordnet.opposites(word)

    def _word(self, said: Said, others: Callable[[str], set[str]]) -> str:
        """The question with one word for another, in the same form."""
        changed = []
        for each in _WORD.finditer(said.question):
            if each[0] in _COMMON or not _WORD.fullmatch(each[0]):
                continue
            for base, suffix in _bases(each[0]):
                for other in sorted(others(base)):
                    word = _inflected(other.casefold(), suffix)
                    if word in self._known and word not in said.beside and word != each[0]:
                        changed.append((each, word))
                if changed and changed[-1][0] is each:
                    break
        if not changed:
            return ""
        place, word = self._chance.choice(changed)
        return said.question[: place.start()] + word + said.question[place.end() :]

    def _negated(self, said: Said) -> str:
        """The question with a "not" or "never" behind its verb; now and then, for it is easy."""
        found = _AUXILIARY.search(said.question)
        if not found or self._chance.random() < 0.5 or " not " in said.question:
            return ""
        rest = said.question[found.end() :]
        asks_of_verb = re.match(r"(?:\s+\S+){1,3}?\s+(?=[a-z]+\b)", rest)
        word = self._chance.choice(("not", "not", "never"))
        if found[0] in ("did", "does", "do") and asks_of_verb:
            place = found.end() + asks_of_verb.end()
            return f"{said.question[:place]}{word} {said.question[place:]}"
        return f"{said.question[: found.end()]} {word}{rest}"


def _bases(word: str) -> list[tuple[str, str]]:
    """Base forms that a word may have, each with the ending that it lost."""
    found = [(word, "")]
    for suffix in _SUFFIXES[:-1]:
        if word.endswith(suffix) and len(word) > len(suffix) + 2:
            stem = word[: -len(suffix)]
            found.append((stem, suffix))
            if suffix != "s":
                found.append((stem + "e", suffix))
                if stem[-1] == stem[-2]:
                    found.append((stem[:-1], suffix))
    return found


def _inflected(base: str, suffix: str) -> str:
    if suffix and suffix != "s" and base.endswith("e"):
        return base[:-1] + suffix
    return base + suffix


def sentence_around(text: str, start: int, end: int, more: int = 0) -> tuple[int, int]:
    """Where the sentence that holds `text[start:end]` begins and ends, with `more` on each side."""
    places, at = [], 0
    for sentence in split_sentences(text):
        first = text.find(sentence, at)
        if first < 0:
            return 0, len(text)
        at = first + len(sentence)
        places.append((first, at))
    inside = [n for n, (first, last) in enumerate(places) if first < end and last > start]
    if not inside:
        return 0, len(text)
    return (
        places[max(0, inside[0] - more)][0],
        places[min(len(places) - 1, inside[-1] + more)][1],
    )


def without_answer(said: Said) -> str:
    """The text without the sentence that answers; "" where the answer stands in another, too."""
    first, last = sentence_around(said.text, said.start, said.end)
    rest = " ".join((said.text[:first].strip(), said.text[last:].strip())).strip()
    if len(rest) < 60 or said.answer.casefold() in rest.casefold():
        return ""
    return rest


def nearest_sentence(text: str, question: str) -> tuple[int, int]:
    """Where the sentence that holds most of the question's words begins and ends."""
    wanted = set(_WORD.findall(question.casefold())) - _COMMON
    best, places, at = -1, (0, len(text)), 0
    for sentence in split_sentences(text):
        first = text.find(sentence, at)
        if first < 0:
            break
        at = first + len(sentence)
        shared = len(wanted & set(_WORD.findall(sentence.casefold())))
        if shared > best:
            best, places = shared, (first, at)
    return places
