"""What a search finds: passages, why they stand where they do, and what was made of them since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rag.reading.readable import written_place
from rag.retrieval.sentences import SentenceScore
from rag.retrieval.spelling import Respelled


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a passage stands where it does.

    Ranks count from 1, None where that side did not find it. `sentence` is the cosine of the
    nearest sentence, `share` the share of the question's words in the best one, `terms` are
    those that the passage holds. A reranker or a reader adds where the search had put it, from 1, a
    reranker how relevant it found it, from 0 to 1. `boost` was added to the score.
    """

    meaning_rank: int | None = None
    words_rank: int | None = None
    sentence: float | None = None
    share: float = 0.0
    terms: tuple[str, ...] = ()
    found_at: int | None = None
    judged: float | None = None
    boost: float = 0.0


@dataclass(frozen=True, slots=True)
class Answering:
    """Where a passage answers best, `text[start:end]`, and the log-odds that it does; and where
    else it may, best first."""

    start: int
    end: int
    odds: float
    others: tuple[Answering, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found. `first` and `last` are lines, counted from 1 and inclusive.

    `meaning` is a cosine, `words` a BM25 score; None where that side did not find it. `also`
    are other places, "path:line", that say the same. `later` are the cells that begin further down
    in it: (line, "cell 2"), ascending.
    """

    id: int
    path: str
    title: str
    headings: tuple[str, ...]
    first: int
    last: int
    text: str
    score: float
    meaning: float | None
    words: float | None
    sentences: tuple[SentenceScore, ...] = ()
    reasons: Reasons = Reasons()
    also: tuple[str, ...] = ()
    place: str = ""  # "p. 3", where its note has pages, slides or cells
    answering: Answering | None = None  # where it answers, if a reader has read it
    later: tuple[tuple[int, str], ...] = ()

    @property
    def where(self) -> str:
        """Path and lines as a person looks them up; of a PDF or of slides the page."""
        return written_place(self.path, self.first, self.last, self.place)

    def at(self, line: int) -> Passage:
        """The same, its place the one in which `line` stands."""
        labels = (label for first, label in reversed(self.later) if first <= line)
        return replace(self, place=next(labels, self.place))

    @property
    def source(self) -> Literal["both", "meaning", "words"]:
        """Which side found it."""
        if self.meaning is None:
            return "words"
        return "meaning" if self.words is None else "both"


@dataclass(frozen=True, slots=True)
class Reranked:
    """How far the reranker came: `scored` of `offered` passages, in `seconds` of `budget`."""

    model: str
    scored: int
    offered: int
    seconds: float
    budget: float


@dataclass(frozen=True, slots=True)
class Found:
    """The passages of a search, best first; how many candidates there were, the seconds that
    each stage took, what was searched, and how many notes filters left, None without filters.

    `respelled` are mistyped words that were searched as the notes spell them."""

    passages: tuple[Passage, ...]
    candidates: int
    seconds: Mapping[str, float]
    query: str
    notes: int | None = None
    respelled: tuple[Respelled, ...] = ()
    reranked: Reranked | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of passage `n` (counted from 1): `text` is `passage.text[start:end]`.

    `first` and `last` are lines of the note, `cosine` is its similarity to the question; an
    `order` speaks to the model.
    """

    n: int
    text: str
    first: int
    last: int
    start: int
    end: int
    score: float
    cosine: float = 0.0
    share: float = 0.0
    order: bool = False
