"""Tells when notes change on disk, while the program is open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.watching import note_changes


class Watcher:
    """Calls `changed` from a thread of its own, and `watching` with whether it watches."""

    def __init__(
        self,
        folders: Sequence[Path],
        suffixes: tuple[str, ...],
        changed: Callable[[], object],
        watching: Callable[[bool], object],
    ) -> None:
        self._folders, self._suffixes = folders, suffixes
        self._changed = changed
        self._watching = watching
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; does not wait."""
        self._stop.set()

    def _run(self) -> None:
        for changed in note_changes(self._folders, self._stop, self._watching, self._suffixes):
            if changed and not self._stop.is_set():
                self._changed()
