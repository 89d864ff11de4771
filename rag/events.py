"""What an engine tells a front end: what was found, how far it is, the answer, its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.steps import Citation, Reading, Sentence, Thinking

if TYPE_CHECKING:
    from rag.retrieval.found import Evidence, Found, Passage
    from rag.retrieval.intent import Asked
    from rag.retrieval.listing import Listed
    from rag.retrieval.spelling import Respelled
    from rag.retrieval.whole import ToSum

Cancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found, before the model has read anything. `query` is what was searched."""

    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    query: str
    respelled: tuple[Respelled, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """The whole answer. `timings` are seconds since the question, or the process, started.

    `listed` is there where notes were asked for: the answer is that list in Markdown, whose `[2]`
    is the second of `passages`, and no `model` wrote it.
    """

    question: str
    answer: str
    answered: bool
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    timings: Mapping[str, float]
    model: str
    tokens_per_s: float
    query: str
    listed: Listed | None = None
    confidence: float = 1.0
    sentences: tuple[Sentence, ...] = ()
    thoughts: str = ""  # what the model said to itself; no part of the answer
    respelled: tuple[Respelled, ...] = ()


Event = Retrieved | Reading | Thinking | Sentence | Answered


@dataclass(frozen=True, slots=True)
class LookUp:
    """A question understood, and what the notes have for it: passages, a list of notes, or whole
    notes to be summed up."""

    asked: Asked
    found: Found | None
    listed: Listed | None
    whole: ToSum | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What `rag status` shows. Times are epoch seconds, sizes bytes."""

    notes_folder: Path
    notes: int
    chunks: int
    index_bytes: int
    indexed_at: float | None
    embedder: str
    generator: str
    index_dir: Path
    cache_dir: Path
    config_file: Path | None
    other_scripts: int = 0  # notes in a script that the embedder was not taught
    other_script_notes: tuple[str, ...] = ()  # a few of them
    next_embedder: str = ""  # what the settings name, where another one wrote the index
    generator_fault: str = ""  # why the language model cannot be opened, and what mends it
