"""What a person typed into a question that can be searched: checked, and its words chosen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from rag.errors import QuestionError

# A question longer than this is a pasted page. Its beginning and end are kept: people put what
# they want before or after what they paste.
MAX_QUESTION = 2000
_QUESTION_WORDS = frozenset(
    "what which who whom whose when where why how did does do done is are was were be been am "
    "can could would should will shall may might must have has had many much me my i you your we "
    "our us tell say about give list explain describe compare please note notes and or but so "
    "then also whats it its itself they them their theirs he him his she her hers this that these "
    "those there one ones both former latter same else another other others more go on example "
    "the a an of in on for to from by with as at if not no".split()
)
# Marks of Arabic and of the scripts of India stand within words, though \w does not hold them.
_MARKS = "\u064b-\u065f\u0900-\u0903\u093a-\u0963\u0981-\u0dff"
_WORD = re.compile(rf"\w[\w{_MARKS}'’-]*")
_LETTERS = re.compile(r"[^\W_]+")
_CONTRACTED = re.compile(r"['’]\w*$")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of the conversation, as it was typed and as it was searched."""

    question: str
    answer: str
    query: str


def check_question(text: str) -> str:
    """The question, white space and accents in order. Raises QuestionError for an empty one."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # a shell may hand over other bytes
    question = " ".join(unicodedata.normalize("NFC", text).split())
    if not question:
        raise QuestionError("The question is empty.", 'Ask in words: "What is …?"')
    if not any(character.isalnum() for character in question):
        raise QuestionError(
            f"There is no word in the question {question[:40]!r}.",
            'Ask in words: "What is …?"',
        )
    if len(question) > MAX_QUESTION:
        half = MAX_QUESTION // 2
        question = f"{question[:half].rsplit(' ', 1)[0]} … {question[-half:].split(' ', 1)[-1]}"
    return question


def content_words(text: str) -> list[str]:
    """The words of a text that say what it is about, in lower case."""
    return [
        word
        for word in (match.group().casefold() for match in _WORD.finditer(text))
        if _CONTRACTED.sub("", word) not in _QUESTION_WORDS
    ]


def search_terms(text: str, analyze: Callable[[str], list[str]]) -> list[str]:
    """The words to search for, as the word index knows them: those that carry meaning, or all
    where none does."""
    return analyze(" ".join(content_words(text))) or analyze(text)


def spaced(text: str) -> str:
    """The words of a text in small letters, with a blank around each: what one text says of
    another is found whole."""
    return f" {' '.join(_LETTERS.findall(text.casefold()))} "
