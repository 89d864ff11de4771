"""The engine's thread: one job at a time, its progress posted as messages.

Textual's thread workers belong to an executor that the interpreter waits for at exit, so
quitting while a model loads would hang. This thread is a daemon: it is told to stop, given
a moment, and left behind.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from textual.message import Message

from rag.engine import Engine
from rag.errors import Cancelled, IndexMismatch, ModelError, NoIndex, NotesError, RagError
from rag.events import Answered
from rag.indexing.progress import IndexProgress
from rag.memory import share_arenas
from rag.pauses import held, take_back
from tui.jobs import Ask, Job, OpenFolder, Refresh, UseModel
from tui.keys import first_key
from tui.messages import (
    EngineChanged,
    EngineSpoke,
    IndexMoved,
    JobEnded,
    Noticed,
    StatusRead,
)

PROGRESS_EVERY_S = 0.1


class EngineWorker:
    """Runs jobs on the engine, one after the other, in a thread of its own."""

    def __init__(
        self,
        engine: Engine,
        post: Callable[[Message], object],
        open_folder: Callable[[Engine, Path], Engine] | None = None,
        use_model: Callable[[Engine, str], None] | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.engine = engine
        self._keys = keys or {}
        self._open_folder = open_folder
        self._use_model = use_model
        self._deliver = post
        self._jobs: queue.SimpleQueue[tuple[Job, threading.Event] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._closed = False
        self.last_traceback = ""
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def start(self, job: Job) -> None:
        """Begin `job`; a `JobEnded` follows, whatever happens."""
        self._stop = threading.Event()
        self._jobs.put((job, self._stop))

    def stop(self) -> None:
        """Ask the job at work to give up."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the job at work, or the last one, was asked to give up."""
        return self._stop.is_set()

    def close(self, patience_s: float) -> bool:
        """Stop, wait a moment, close the engine; False when a job is still at work."""
        self._closed = True
        self.stop()
        self._jobs.put(None)
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        share_arenas()
        while (item := self._jobs.get()) is not None:
            job, stop = item
            error = self._attempt(job, stop)
            for notice in self.engine.take_notices():
                self._post(Noticed(notice))
            self._post(JobEnded(job, error))
        self.engine.close()
        take_back()

    def _attempt(self, job: Job, stop: threading.Event) -> RagError | None:
        """Do the job. This is the edge: whatever is raised becomes a sentence for the reader."""
        try:
            if isinstance(job, Ask):
                self._ask(job, stop)
            elif isinstance(job, Refresh):
                self._refresh(job, stop)
            elif isinstance(job, OpenFolder):
                self._open(job)
            elif isinstance(job, UseModel):
                self._switch(job)
            else:
                self._post_status()
                with held():
                    self.engine.models.warm_up()
        except RagError as error:
            return in_app(error, self._keys)
        except Exception as error:
            self.last_traceback = traceback.format_exc()
            return unforeseen(error)
        return None

    def _ask(self, job: Ask, stop: threading.Event) -> None:
        for event in self.engine.ask(job.question, job.history, stop.is_set):
            self._post(EngineSpoke(job.turn, event))
            if stop.is_set() and not isinstance(event, Answered):
                raise Cancelled

    def _refresh(self, job: Refresh, stop: threading.Event) -> None:
        self._post_status()
        if not (job.force or job.rebuild or self._changed()):
            return
        steps = self.engine.index_in_process(stop.is_set, job.rebuild)
        try:
            last: IndexProgress | None = None
            stage, shown_at = "", 0.0
            for last in steps:
                if last.notice:
                    self._post(Noticed(last.notice))
                now = time.monotonic()
                if last.stage != stage or now - shown_at >= PROGRESS_EVERY_S:
                    self._post(IndexMoved(last))
                    stage, shown_at = last.stage, now
            if stop.is_set() and (last is None or last.stage != "done"):
                raise Cancelled
        finally:
            self._post_status()

    def _open(self, job: OpenFolder) -> None:
        """Another engine with the same models; the old one's index is closed."""
        if self._open_folder is None:
            return
        old, self.engine = self.engine, self._open_folder(self.engine, job.folder)
        old.close()
        self._post(EngineChanged(self.engine))
        self._post_status()

    def _switch(self, job: UseModel) -> None:
        if self._use_model is not None:
            self._use_model(self.engine, job.place)
            self._post_status()

    def _changed(self) -> bool:
        try:
            return self.engine.changed()
        except NoIndex:
            return True

    def _post_status(self) -> None:
        try:
            self._post(StatusRead(self.engine.status()))
        except RagError:
            self._post(StatusRead(None))

    def _post(self, message: Message) -> None:
        if self._closed:
            return
        try:
            self._deliver(message)
        except RuntimeError:  # the event loop ended between the check and the call
            self._closed = True


def in_app(error: RagError, keys: Mapping[str, str]) -> RagError:
    """`error` with the remedy that is at hand here, where it would name a command; `keys` are
    those that the reader set."""
    if isinstance(error, NoIndex):
        return NoIndex(error.message, f"Press {first_key('reindex', keys)} to index them.")
    if isinstance(error, IndexMismatch):
        here = error.remedy.replace("rag index --rebuild", "Ctrl+P, Rebuild the index")
        return IndexMismatch(error.message, here)
    if isinstance(error, NotesError) and "rag index PATH" in error.remedy:
        key = first_key("folders", keys)
        return NotesError(error.message, f"Press {key} to ask another folder.")
    if isinstance(error, ModelError) and "rag models use" in error.remedy:
        return ModelError(error.message, "Choose another: Ctrl+P, Language model.")
    return error


def unforeseen(error: Exception) -> RagError:
    """A sentence for an error that nobody planned for."""
    detail = f"{type(error).__name__}: {error}".strip(" :")
    return RagError(
        f"Something unexpected went wrong ({detail}).",
        "Try again; if it happens again, `rag doctor` may tell why.",
    )
