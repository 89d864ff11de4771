"""`Engine`: index, search and ask one notes folder. The one object that front ends hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answering.answer import Drafted, Reading, answer
from rag.answering.grounding import Citation, Sentence
from rag.errors import IndexBusy, NoIndex, RagError, StorageError
from rag.indexing.build import IndexProgress, no_notes, plan, update
from rag.indexing.home import Home, find_home, index_folder, remember_home, writing
from rag.indexing.local import DATABASE, LocalIndex
from rag.indexing.store import damage_errors
from rag.retrieval.evidence import Evidence, find_evidence
from rag.retrieval.query import Turn, check_question, search_terms, stand_alone
from rag.retrieval.search import Passage

if TYPE_CHECKING:
    from rag.answering.generation import Generator
    from rag.indexing.embeddings import ModelFolder, OnnxEmbedder, TorchEmbedder
    from rag.indexing.library import Library

Cancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found, before the model has read anything. `query` is what was searched."""

    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The whole answer. `timings` are seconds since the question, or the process, started."""

    question: str
    answer: str
    answered: bool
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    timings: Mapping[str, float]
    model: str
    tokens_per_s: float
    query: str


Event = Retrieved | Reading | Sentence | Answered


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


@dataclass(frozen=True, slots=True)
class Parts:
    """What `rag.wiring` chose: models by name, and functions that open them when needed."""

    embedder_name: str
    generator_name: str
    identity: Callable[[], ModelFolder]  # of the embedder; reads no weights
    open_embedder: Callable[[], OnnxEmbedder | TorchEmbedder]
    open_generator: Callable[[], Generator]
    k: int
    data_dir: Path
    cache_dir: Path
    config_file: Path | None
    settings: Any  # with these, `index_job` builds the same engine in a spawned process
    index_job: Callable[..., Iterator[IndexProgress]]


class Engine:
    """One notes folder and its models. Loads nothing until it is needed."""

    def __init__(self, notes_folder: Path, parts: Parts, started: float | None = None) -> None:
        self.notes_folder = notes_folder
        self.parts = parts
        self.started = started  # time.perf_counter() at the start of the process, if it counts
        self._index: LocalIndex | None = None
        self._embedder: OnnxEmbedder | TorchEmbedder | None = None
        self._generator: Generator | None = None
        self._analyzer: Any = None
        self._loading = threading.Lock()

    # Indexing

    def index(
        self, rebuild: bool = False, cancel: Cancel | None = None, wait: bool = False
    ) -> Iterator[IndexProgress]:
        """Bring the index up to date. Raises RagError; whatever happens, the last complete
        generation stays."""
        from rag.reading.notes import scan

        if self._home() is None or not self.notes_folder.is_dir():
            found = scan(self.notes_folder)  # a folder that is not there gets no home
            if not found.files:
                raise no_notes(self.notes_folder, found)
        with ExitStack() as stack:
            stack.enter_context(damage_errors())
            home = remember_home(self.parts.data_dir, self.notes_folder)
            folder = index_folder(self.parts.data_dir, home)
            stack.enter_context(writing(folder, wait))
            if rebuild:
                _set_aside_damaged(folder)
            index = LocalIndex(folder, write=True)
            stack.callback(index.close)
            identity = self.parts.identity()
            meta = {"embedder": self.parts.embedder_name, "dimension": identity.dimension}
            yield from update(
                self.notes_folder,
                index,
                self._open_embedder,
                identity.fingerprint,
                meta,
                rebuild,
                cancel,
            )

    def index_in_process(
        self, cancel: Cancel | None = None, rebuild: bool = False
    ) -> Iterator[IndexProgress]:
        """The same in a spawned process of low priority, so that a screen stays smooth."""
        from rag.indexing.worker import run_in_process

        yield from run_in_process(
            self.parts.index_job, (self.parts.settings, self.notes_folder, rebuild), cancel
        )

    def changed(self) -> bool:
        """Whether notes changed since they were indexed, or the index is in need of repair."""
        home = self._home()
        folder = index_folder(self.parts.data_dir, home) if home else None
        if folder is None or not (folder / DATABASE).is_file():
            return True
        index = LocalIndex(folder)
        try:
            with damage_errors():
                if not index.complete or index.rules_changed():
                    return True
                todo = plan(
                    self.notes_folder,
                    index.note_states(),
                    int(index.store.get("scanned_ns", "0")),
                    known=index.known_skips(),
                )
                return not todo.empty or index.derived_lags
        finally:
            index.close()

    def refresh(self, cancel: Cancel | None = None) -> Iterator[IndexProgress]:
        """Bring the index up to date if notes changed; ask the old one where it cannot be.

        Raises what stands in the way only when there is no index to ask.
        """
        try:
            if self.changed():
                yield from self.index(cancel=cancel)
        except (IndexBusy, StorageError):
            if not self.has_index():
                raise

    def has_index(self) -> bool:
        """Whether there is a complete index to ask."""
        try:
            with damage_errors():
                return self._open_index().complete
        except NoIndex:
            return False

    # Asking

    def search(
        self, question: str, k: int | None = None, history: Sequence[Turn] = ()
    ) -> tuple[Passage, ...]:
        """The passages for a question, best first. Raises QuestionError, IndexFault."""
        return self._search(stand_alone(check_question(question), history), k or self.parts.k)

    def _search(self, query: str, k: int) -> tuple[Passage, ...]:
        from rag.retrieval.search import search

        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
        with damage_errors(), index.store.snapshot():
            return search(index, self._open_embedder(), self._terms(query), query, k)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: Cancel | None = None,
        k: int | None = None,
    ) -> Iterator[Event]:
        """Answer a question: what was found, then sentences as they are grounded, then all.

        Raises RagError; Cancelled within a quarter of a second of `cancel()` turning true.
        """
        started = self.started if self.started is not None else time.perf_counter()
        self.started = None  # only a process's first question waits for the process
        question = check_question(question)
        query = stand_alone(question, history)
        loader = self.load_generator_behind()
        passages = self._search(query, k or self.parts.k)
        evidence = find_evidence(query, passages, self._open_embedder(), self._terms)
        timings = {"first_evidence_s": time.perf_counter() - started}
        yield Retrieved(passages, evidence, query)
        loader.join()
        for step in answer(
            question,
            self._terms(query),
            passages,
            evidence,
            history,
            self.open_generator,
            self.analyze,
            cancel,
        ):
            if isinstance(step, Drafted):
                yield self._answered(question, query, passages, step, timings, started)
                return
            if isinstance(step, Sentence):
                timings.setdefault("first_sentence_s", time.perf_counter() - started)
            yield step

    def _answered(
        self,
        question: str,
        query: str,
        passages: tuple[Passage, ...],
        draft: Drafted,
        timings: dict[str, float],
        started: float,
    ) -> Answered:
        if draft.first_token is not None:
            timings["first_token_s"] = draft.first_token - started
        timings["total_s"] = time.perf_counter() - started
        citations = dict.fromkeys(each for one in draft.sentences for each in one.citations)
        return Answered(
            question,
            draft.text,
            draft.answered,
            tuple(citations),
            passages,
            timings,
            self.parts.generator_name,
            draft.tokens_per_s,
            query,
        )

    # Models

    def warm_up(self) -> None:
        """Load both models now. Raises ModelError."""
        loader = threading.Thread(target=self._quietly_load_generator, daemon=True)
        loader.start()
        embedder = self._open_embedder()
        embedder.load()
        loader.join()
        self.open_generator()

    def load_generator_behind(self) -> threading.Thread:
        """Start loading the language model while the search runs."""
        loader = threading.Thread(target=self._quietly_load_generator, daemon=True)
        loader.start()
        return loader

    def _quietly_load_generator(self) -> None:
        with suppress(RagError):  # raised again where the model is needed
            self.open_generator()

    def open_generator(self) -> Generator:
        """The language model, loaded. Raises ModelError."""
        with self._loading:
            if self._generator is None:
                generator = self.parts.open_generator()
                generator.load()
                self._generator = generator
            return self._generator

    def use_generator(self, name: str, opener: Callable[[], Generator]) -> None:
        """Load another language model and answer with it from now on; the old one is freed.

        Raises ModelError when it cannot be loaded: the old one then stays.
        """
        new = opener()
        new.load()
        with self._loading:
            old, self._generator = self._generator, new
            self.parts = replace(self.parts, generator_name=name, open_generator=opener)
        if old is not None:
            old.close()

    def share_models(self, other: Engine) -> None:
        """Use the models that `other` has loaded: for another folder with the same settings."""
        self._embedder, self._analyzer = other._embedder, other._analyzer
        self._generator = other._generator
        self.parts = replace(
            self.parts,
            generator_name=other.parts.generator_name,
            open_generator=other.parts.open_generator,
        )

    def _open_embedder(self) -> OnnxEmbedder | TorchEmbedder:
        if self._embedder is None:
            self._embedder = self.parts.open_embedder()
        return self._embedder

    def _terms(self, text: str) -> list[str]:
        return search_terms(text, self.analyze)

    def analyze(self, text: str) -> list[str]:
        """The words of a text as the word index knows them."""
        if self._analyzer is None:
            from rag.indexing.lexical import analyzer

            self._analyzer = analyzer()
        return list(self._analyzer.analyze(text))

    # State

    def _home(self) -> Home | None:
        return find_home(self.parts.data_dir, self.notes_folder)

    def _open_index(self) -> LocalIndex:
        if self._index is None:
            home = self._home()
            if home is None:
                raise NoIndex(f"{self.notes_folder} has not been indexed yet.", "Run: rag index")
            self._index = LocalIndex(index_folder(self.parts.data_dir, home))
        return self._index

    def library(self) -> Library:
        """The notes by name, through a connection of its own. Raises NoIndex."""
        from rag.indexing.library import Library

        home = self._home()
        if home is None:
            raise NoIndex(f"{self.notes_folder} has not been indexed yet.", "Run: rag index")
        return Library(index_folder(self.parts.data_dir, home))

    def status(self) -> Status:
        """Counts, sizes and places. Raises NoIndex."""
        index = self._open_index()
        with damage_errors():
            notes, chunks = index.store.counts()
            indexed_at = index.store.get("indexed_at")
        size = sum(file.stat().st_size for file in index.folder.rglob("*") if file.is_file())
        return Status(
            self.notes_folder,
            notes,
            chunks,
            size,
            float(indexed_at) if indexed_at else None,
            index.store.get("embedder", self.parts.embedder_name),
            self.parts.generator_name,
            index.folder,
            self.parts.cache_dir,
            self.parts.config_file,
        )

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None


def _set_aside_damaged(folder: Path) -> None:
    """A database that cannot be opened makes way for a new one; it is kept beside it."""
    try:
        if (folder / DATABASE).exists():
            index = LocalIndex(folder)
            try:
                index.store.verify()
            finally:
                index.close()
    except RagError:
        for suffix in ("", "-wal", "-shm"):
            file = folder / f"{DATABASE}{suffix}"
            if file.exists():
                file.replace(file.with_name(f"{file.name}.damaged"))
