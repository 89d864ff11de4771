"""The shapes of answers, of searches, and of the steps on the way to them."""

from __future__ import annotations

from typing import Literal, NotRequired

# Not Python's own: pydantic, which makes JSON Schema of these, cannot read that of Python 3.11.
from typing_extensions import TypedDict


class PlaceJson(TypedDict, total=False):
    """Only for notes that have pages, slides or cells: `place` is "p. 3", "slide 2", "cell 4"."""

    page: int
    place: str


class CitationJson(TypedDict):
    """A verbatim quote of passage `n`; `lines` are its first and last, from 1 and inclusive."""

    n: int
    path: str
    lines: list[int]
    heading: str
    quote: str
    page: NotRequired[int]
    place: NotRequired[str]


# By a call, since a field is called "from": which side found the passage.
PassageJson = TypedDict(
    "PassageJson",
    {
        "n": int,
        "path": str,
        "lines": list[int],
        "title": str,
        "heading": str,
        "text": str,
        "score": float,
        "from": Literal["both", "meaning", "words"],
        "meaning": float | None,
        "words": float | None,
        "page": NotRequired[int],
        "place": NotRequired[str],
    },
)


class ListedNoteJson(TypedDict):
    """A note of a list, or a task in one; `line` and `text` are where it says what is asked for."""

    path: str
    title: str
    date: str
    line: NotRequired[int]
    text: NotRequired[str]


class RespelledJson(TypedDict):
    """A word of the question that no note holds, and the nearest one, which was searched, too."""

    typed: str
    searched: str


class SentenceJson(TypedDict):
    """A sentence of an answer, how far the notes bear it out, and the passages that it cites."""

    text: str
    support: Literal["supported", "weak", "unsupported"]
    citations: list[int]


class AnswerJson(TypedDict):
    """A whole answer. `notes` is there where the question asked for a list of notes or tasks."""

    question: str
    answer: str
    answered: bool
    sentences: list[SentenceJson]
    citations: list[CitationJson]
    passages: list[PassageJson]
    timings: dict[str, float]
    model: str
    respelled: list[RespelledJson]
    thoughts: NotRequired[str]
    notes: NotRequired[list[ListedNoteJson]]


class SearchJson(TypedDict):
    """The passages for a question, best first."""

    question: str
    passages: list[PassageJson]
    respelled: list[RespelledJson]


class ErrorJson(TypedDict):
    """What went wrong, and what mends it."""

    error: str
    remedy: str


class ExplainedPassageJson(PassageJson):
    """A passage with its reasons: ranks from 1, cosine of its nearest sentence, share of the
    question's words in its best one, the words that it holds, other places that say the same.

    With a reranker, its rank before and how relevant the reranker found it, from 0 to 1, null
    where it did not come to it. `boost` was added to the score of the search."""

    meaning_rank: int | None
    words_rank: int | None
    nearest_sentence: float | None
    words_in_best_sentence: float
    terms: list[str]
    boost: float
    also: list[str]
    rank_before_reranking: int | None
    reranker_score: float | None
    reader_log_odds: float | None


class RerankedJson(TypedDict):
    """How far the reranker came: `scored` of `offered` passages; `seconds` of its `budget`."""

    model: str
    scored: int
    offered: int
    seconds: float
    budget: float


class ExplainedJson(TypedDict):
    """A search explained; `searched_notes` is how many notes filters left, null without."""

    question: str
    query: str
    respelled: list[RespelledJson]
    candidates: int
    searched_notes: int | None
    reranked: RerankedJson | None
    seconds: dict[str, float]
    passages: list[ExplainedPassageJson]


class EvidenceJson(TypedDict):
    """A sentence of passage `n` that bears on the question."""

    n: int
    lines: list[int]
    quote: str


class RetrievedEventJson(TypedDict):
    """What was found, before the model has read anything; `query` is what was searched."""

    event: Literal["retrieved"]
    query: str
    passages: list[PassageJson]
    evidence: list[EvidenceJson]


class ReadingEventJson(TypedDict):
    """How much of the prompt the model has read."""

    event: Literal["reading"]
    tokens_done: int
    tokens_total: int


class ThinkingEventJson(TypedDict):
    """What a reasoning model says to itself; no part of the answer, and never cited."""

    event: Literal["thinking"]
    text: str


class SentenceEventJson(TypedDict):
    """A sentence of the answer, once it is known how far the notes bear it out."""

    event: Literal["sentence"]
    text: str
    support: Literal["supported", "weak", "unsupported"]
    citations: list[CitationJson]


class AnswerEventJson(AnswerJson):
    """The whole answer; the last event."""

    event: Literal["answer"]


class ErrorEventJson(ErrorJson):
    """What went wrong; the last event."""

    event: Literal["error"]
