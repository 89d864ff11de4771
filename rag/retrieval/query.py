"""What a person typed into a question that can be searched: checked, and standing alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.errors import QuestionError

# A question longer than this is a pasted page. Its beginning and end are kept: people put what
# they want before or after what they paste.
MAX_QUESTION = 2000
_REFERS_BACK = re.compile(
    r"\b(it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|"
    r"there|one|ones|both|former|latter|same|else|another|others?)\b",
    re.IGNORECASE,
)
_CONTINUES = re.compile(
    r"^\s*(and|or|but|so|then|also|what about|how about|why|how so|"
    r"when|where|who|which one|more|go on|tell me more|for example)\b",
    re.IGNORECASE,
)
_QUESTION_WORDS = frozenset(
    "what which who whom whose when where why how did does do done is are was were be been am "
    "can could would should will shall may might must have has had many much me my i you your we "
    "our us tell say about give list explain describe compare please note notes and or but so "
    "then also it its itself they them their theirs he him his she her hers this that these "
    "those there one ones both former latter same else another other others more go on example "
    "the a an of in on for to from by with as at if not no".split()
)
# Marks of Arabic and of the scripts of India stand within words, though \w does not hold them.
_MARKS = "\u064b-\u065f\u0900-\u0903\u093a-\u0963\u0981-\u0dff"
_WORD = re.compile(rf"\w[\w{_MARKS}'’-]*")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of the conversation, as it was typed and as it was searched."""

    question: str
    answer: str
    query: str


def check_question(text: str) -> str:
    """The question, white space and accents in order. Raises QuestionError for an empty one."""
    question = " ".join(unicodedata.normalize("NFC", text).split())
    if not question:
        raise QuestionError("The question is empty.", 'Ask one: rag ask "What is …?"')
    if not any(character.isalnum() for character in question):
        raise QuestionError(
            f"There is no word in the question {question[:40]!r}.",
            'Ask in words: rag ask "What is …?"',
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
        if word not in _QUESTION_WORDS
    ]


def search_terms(text: str, analyze: Callable[[str], list[str]]) -> list[str]:
    """The words to search for, as the word index knows them: those that carry meaning, or all
    where none does."""
    return analyze(" ".join(content_words(text))) or analyze(text)


def stand_alone(question: str, history: Sequence[Turn]) -> str:
    """The question as it would be asked without the conversation before it.

    A rule, so that no model is waited for: a question that points back (a pronoun, "and …", or
    hardly a word of its own) is searched together with what the last one was about.
    """
    if not history:
        return question
    own = content_words(question)
    points_back = bool(_REFERS_BACK.search(question)) or bool(_CONTINUES.search(question))
    if len(own) >= 5 or not (points_back or len(own) <= 1):
        return question
    topic = _topic(history[-1].query, own)
    return f"{question} ({topic})" if topic else question


def _topic(query: str, own: Sequence[str]) -> str:
    """The words of an earlier query that say what it was about, without today's own."""
    seen = set(own)
    words = []
    for match in _WORD.finditer(query):
        word = match.group()
        if word.casefold() not in _QUESTION_WORDS and word.casefold() not in seen:
            seen.add(word.casefold())
            words.append(word)
    return " ".join(words[:12])
