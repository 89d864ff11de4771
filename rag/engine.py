"""`Engine`: index, search and ask one notes folder. The one object that front ends hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answering.answer import Drafted, Reading, answer
from rag.answering.grounding import Citation, Sentence
from rag.config import Caution
from rag.errors import IndexBusy, NoIndex, QuestionError, RagError, StorageError
from rag.indexing.build import IndexProgress, no_notes, plan, update
from rag.indexing.filtering import Filters, chunks_of, find_notes, known_fields
from rag.indexing.home import Home, find_home, index_folder, remember_home, writing
from rag.indexing.linking import notes_named
from rag.indexing.local import DATABASE, LocalIndex
from rag.indexing.store import Store, damage_errors
from rag.retrieval.evidence import Evidence, find_evidence
from rag.retrieval.followup import search_both
from rag.retrieval.intent import Asked, understand
from rag.retrieval.listing import Listed, list_notes
from rag.retrieval.nothing import check_fields, nothing_left
from rag.retrieval.query import Turn, search_terms
from rag.retrieval.search import Found, Passage
from rag.retrieval.spelling import Respelled, Spelled, respell

if TYPE_CHECKING:
    from rag.answering.generation import Generator
    from rag.indexing.embeddings import ModelFolder, OnnxEmbedder, TorchEmbedder
    from rag.indexing.lexical import Words
    from rag.indexing.library import Library

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
    respelled: tuple[Respelled, ...] = ()


Event = Retrieved | Reading | Sentence | Answered


@dataclass(frozen=True, slots=True)
class LookUp:
    """A question understood, and what the notes have for it: passages, or a list of notes."""

    asked: Asked
    found: Found | None
    listed: Listed | None


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
    caution: Caution
    settings: Any  # with these, `index_job` builds the same engine in a spawned process
    index_job: Callable[..., Iterator[IndexProgress]]


class Engine:
    """One notes folder and its models. Loads nothing until it is needed."""

    def __init__(self, notes_folder: Path, parts: Parts, started: float | None = None) -> None:
        self.notes_folder = notes_folder
        self.parts = parts
        self.started = started  # time.perf_counter() at the start of the process, if it counts
        self.spelled: Spelled | None = None  # where words are known beside this folder's own
        self._index: LocalIndex | None = None
        self._embedder: OnnxEmbedder | TorchEmbedder | None = None
        self._generator: Generator | None = None
        self._analyzer: Words | None = None
        self._loading = threading.Lock()
        self._loader: threading.Thread | None = None

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
        try:
            index = LocalIndex(folder)
        except NoIndex:  # of an older format
            return True
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
        self,
        question: str,
        k: int | None = None,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        today: date | None = None,
    ) -> tuple[Passage, ...]:
        """The passages for a question, best first. Raises QuestionError, IndexFault.

        `filters` are added to those that the question names; `today` is the day of asking.
        """
        return self.explain(question, k, history, filters, today).passages

    def explain(
        self,
        question: str,
        k: int | None = None,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        today: date | None = None,
    ) -> Found:
        """The same, with the number of candidates and the time of each stage."""
        found = self._look_up(question, history, k, filters, today, lists=False).found
        assert found is not None
        return found

    def _look_up(
        self,
        question: str,
        history: Sequence[Turn],
        k: int | None,
        filters: Filters | None,
        today: date | None,
        lists: bool = True,
        before_search: Callable[[], object] | None = None,
    ) -> LookUp:
        """What the notes have for a question: passages or, if `lists`, the list it asks for."""
        asked, allowed, notes = self._understand(question, filters, today, follows=bool(history))
        if lists and asked.listing is not None:
            listed = self._list(asked)
            if not (asked.listing.question and listed.notes):
                return LookUp(asked, None, listed)
            allowed, notes = self._chunks_in(listed.notes[0].path), 1
        if not asked.query:
            raise QuestionError(
                "There is nothing to search for but filters.",
                "Add words, or list these notes with: rag ask",
            )
        if before_search is not None:
            before_search()
        found = self._search(asked.query, history, k or self.parts.k, allowed)
        return LookUp(asked, replace(found, notes=notes), None)

    def _understand(
        self,
        question: str,
        filters: Filters | None,
        today: date | None,
        timed: bool = True,
        follows: bool = False,
    ) -> tuple[Asked, list[int] | None, int | None]:
        """The question understood, the ids of the chunks that its filters leave, and of how many
        notes; None without filters."""
        today = today or date.today()
        with damage_errors():
            keys = known_fields(self._store) if ":" in question else ()
            asked = understand(question, keys, today, filters, timed, follows)
            listing = asked.listing
            if listing and not (listing.sure or notes_named(self._store, listing.links_to)):
                asked = replace(asked, listing=None)
            if not asked.filters:
                return asked, None, None
            self._open_index().check(self.parts.identity().fingerprint)
            store = self._store
            check_fields(store, asked.filters)
            notes = find_notes(store, asked.filters)
            if notes:
                return asked, chunks_of(store, notes), len(notes)
            if asked.certain:
                raise nothing_left(store, asked.filters)
        return self._understand(question, filters, today, timed=False)

    def _search(
        self, question: str, history: Sequence[Turn], k: int, allowed: Sequence[int] | None
    ) -> Found:
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
        with damage_errors(), index.store.snapshot():
            started = time.perf_counter()
            count_tokens = self._open_embedder().count_tokens
            question, respelled = respell(
                question, self.spelled or index, self.analyze, count_tokens
            )
            stages = {"spelling": time.perf_counter() - started}
            found = search_both(
                question,
                history,
                lambda text, k, others: self._search_one(text, k, others, allowed),
                k,
            )
        return replace(found, respelled=respelled, seconds={**stages, **found.seconds})

    def _search_one(
        self, text: str, k: int, others: Sequence[int], allowed: Sequence[int] | None
    ) -> Found:
        """The passages for one reading of a question; `others` are scored beside them."""
        from rag.retrieval.names import named_passages, spoken
        from rag.retrieval.search import search

        index = self._open_index()
        named = [*named_passages(index, text), *others]
        if allowed is not None:
            named = [each for each in named if each in set(allowed)]
        query = spoken(text)
        return search(
            index,
            self._open_embedder(),
            self.analyze,
            self._terms(query),
            query,
            k,
            named=named,
            allowed=allowed,
        )

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: Cancel | None = None,
        k: int | None = None,
        filters: Filters | None = None,
        today: date | None = None,
        quote: bool = False,
    ) -> Iterator[Event]:
        """Answer a question: what was found, then sentences as they are grounded, then all.

        A question about notes rather than in them is answered with a list, at once and alone.
        With `quote` the notes' own sentences answer, and no model is loaded.
        `filters` are added to those that the question names; `today` is the day of asking.
        Raises RagError; Cancelled within a quarter of a second of `cancel()` turning true.
        """
        started = self.started if self.started is not None else time.perf_counter()
        self.started = None  # only a process's first question waits for the process
        seen = self._look_up(
            question,
            history,
            k,
            filters,
            today,
            before_search=None if quote else self.load_generator_behind,
        )
        if seen.found is None:
            assert seen.listed is not None
            yield self._answered_by(seen.listed, seen.asked, started)
            return
        query, passages = seen.found.query, seen.found.passages
        evidence = find_evidence(query, passages, self._open_embedder())
        timings = {"first_evidence_s": time.perf_counter() - started}
        yield Retrieved(passages, evidence, query, seen.found.respelled)
        if self._loader is not None:
            self._loader.join()
        for step in answer(
            seen.asked.text,
            self._terms(query),
            passages,
            evidence,
            history,
            None if quote else self.open_generator,
            self.analyze,
            cancel,
            self.parts.caution,
        ):
            if isinstance(step, Drafted):
                model = "" if quote else self.parts.generator_name
                yield self._answered(seen, step, timings, started, model)
                return
            if isinstance(step, Sentence):
                timings.setdefault("first_sentence_s", time.perf_counter() - started)
            yield step

    def _list(self, asked: Asked) -> Listed:
        assert asked.listing is not None
        with damage_errors():
            index = self._open_index()
            index.check(self.parts.identity().fingerprint)
            with index.store.snapshot():
                return list_notes(index, asked.listing, asked.filters, self.analyze)

    def _answered_by(self, listed: Listed, asked: Asked, started: float) -> Answered:
        timings = {"total_s": time.perf_counter() - started}
        found = bool(listed.notes)
        passages = listed.passages
        return Answered(
            asked.typed, listed.text, found, (), passages, timings, "", 0.0, asked.query, listed
        )

    def _chunks_in(self, path: str) -> list[int]:
        notes = [note for note in find_notes(self._store, Filters()) if note.path == path]
        return chunks_of(self._store, notes)

    def _answered(
        self, seen: LookUp, draft: Drafted, timings: dict[str, float], started: float, model: str
    ) -> Answered:
        assert seen.found is not None
        if draft.first_token is not None:
            timings["first_token_s"] = draft.first_token - started
        timings["total_s"] = time.perf_counter() - started
        citations = dict.fromkeys(each for one in draft.sentences for each in one.citations)
        return Answered(
            seen.asked.typed,
            draft.text,
            draft.answered,
            tuple(citations),
            seen.found.passages,
            timings,
            model,
            draft.tokens_per_s,
            seen.found.query,
            confidence=draft.confidence,
            respelled=seen.found.respelled,
        )

    def passages_of(self, notes: Collection[str]) -> dict[str, list[str]]:
        """The texts of all indexed passages of some notes, by path. Raises NoIndex."""
        texts: dict[str, list[str]] = {note: [] for note in notes}
        with damage_errors():
            for each in self._open_index().store.all_passages():
                if each.path in texts:
                    texts[each.path].append(each.text)
        return texts

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
        self._loader = threading.Thread(target=self._quietly_load_generator, daemon=True)
        self._loader.start()
        return self._loader

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
            from rag.indexing.lexical import Words

            self._analyzer = Words()
        return self._analyzer(text)

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

    @property
    def _store(self) -> Store:
        return self._open_index().store

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
            others, examples = index.store.other_scripts(3)
        if others and self.parts.identity().knows_other_scripts:
            others, examples = 0, ()
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
            others,
            examples,
        )

    def statuses(self) -> list[Status]:
        """The status of each notes folder. Raises NoIndex."""
        return [self.status()]

    @property
    def folders(self) -> list[Path]:
        """The notes folders that are asked: one here, more in `rag.several`."""
        return [self.notes_folder]

    def place(self, path: str) -> tuple[Path, str]:
        """The notes folder that the note at `path`, as passages name it, lies in, and its path
        there."""
        return self.notes_folder, path

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
