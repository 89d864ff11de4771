"""Notes kept ready behind a server: indexed behind it, asked by many, stopped at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Unpack

from rag.errors import Cancelled, NoIndex, RagError

if TYPE_CHECKING:
    from rag.api import Notes, Within
    from rag.events import Event
    from rag.indexing.progress import IndexProgress
    from rag.results import Passages
    from rag.retrieval.query import Turn

FIRST_WAIT = 20.0  # seconds that a question waits for the first index
LOOK_WAIT = 3.0  # seconds, at the start, that it waits for the look at what has changed since
_SLICE = 0.1  # seconds until a wait that is cancelled ends


class Standby:
    """Indexes the notes when it starts; later questions look for changes first, unless `refresh`
    is False. Where that look takes long, the index before is asked meanwhile."""

    def __init__(self, notes: Notes, refresh: bool = True) -> None:
        self.notes = notes
        self._refresh = refresh
        self._stop = threading.Event()
        self._had_index = False
        self._look_until = 0.0
        self._progress: IndexProgress | None = None
        self._failed: RagError | None = None
        self._first = threading.Thread(target=self._index, daemon=True)

    def __enter__(self) -> Standby:
        # Asked now: an index that is being made cannot be looked into.
        self._had_index = self.notes.has_index()
        self._look_until = time.monotonic() + LOOK_WAIT
        self._first.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what runs. An index that is half made is kept, and gone on with next time."""
        self._stop.set()
        self._first.join()
        self.notes.close()

    def stream(
        self,
        question: str,
        cancel: Callable[[], bool],
        k: int | None = None,
        history: Sequence[Turn] = (),
        strict: bool | None = None,
        **within: Unpack[Within],
    ) -> Iterator[Event]:
        """An answer step by step. Raises RagError; Cancelled also when the server ends."""

        def stopped() -> bool:
            return self._stop.is_set() or cancel()

        self.ready(stopped)
        yield from self.notes.stream(
            question,
            k=k,
            history=history,
            strict=strict,
            refresh=False,
            cancel=stopped,
            **within,
        )

    def search(self, question: str, k: int | None = None, **within: Unpack[Within]) -> Passages:
        """The passages for a question. Raises RagError."""
        self.ready(self._stop.is_set)
        return self.notes.search(question, k=k, refresh=False, **within)

    def ready(self, cancel: Callable[[], bool]) -> None:
        """Bring the index up to date. Raises NoIndex where the first is still being made."""
        until = self._look_until if self._had_index else time.monotonic() + FIRST_WAIT
        while self._first.is_alive() and time.monotonic() < until:
            self._first.join(min(_SLICE, max(0.0, until - time.monotonic())))
            if cancel():
                raise Cancelled
        if self._first.is_alive():
            if self._had_index:
                return
            raise NoIndex(
                f"The notes are being indexed for the first time{self._so_far()}.",
                "Ask again in a moment.",
            )
        error, self._failed = self._failed, None  # the next question tries again
        if error is not None and not self.notes.has_index():
            raise error
        if self._refresh or not self.notes.has_index():
            self.notes.refresh(cancel)

    def _index(self) -> None:
        try:
            if self._refresh or not self.notes.has_index():
                self.notes.refresh(self._stop.is_set, self._follow)
        except Cancelled:
            return
        except RagError as error:
            self._failed = error

    def _follow(self, progress: IndexProgress) -> None:
        self._progress = progress

    def _so_far(self) -> str:
        at = self._progress
        if at is None or not at.chunks_total:
            return ""
        return f": {at.chunks_done:,} of {at.chunks_total:,} passages"
