"""Tells when notes change on disk, while the program is open."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

SUFFIXES = (".md", ".markdown", ".txt")
QUIET_MS = 1500  # an editor that saves, or a sync that writes a hundred files, is one change
LOOK_AGAIN_S = 5.0  # for a folder that is not there


class Watcher:
    """Calls `changed` from a thread of its own, and `watching` with whether it watches."""

    def __init__(
        self, folder: Path, changed: Callable[[], object], watching: Callable[[bool], object]
    ) -> None:
        self._folder = folder
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
        while not self._stop.is_set():
            try:
                self._watch()
            except OSError:  # the folder is gone, or the kernel's watches are used up
                self._tell(False)
            self._stop.wait(LOOK_AGAIN_S)

    def _watch(self) -> None:
        from watchfiles import Change, watch

        def is_note(_change: Change, path: str) -> bool:
            inside = os.path.relpath(path, self._folder)
            hidden = any(part.startswith(".") for part in inside.split(os.sep))
            return not hidden and (inside.lower().endswith(SUFFIXES) or "." not in inside)

        changes = watch(
            self._folder,
            watch_filter=is_note,
            debounce=QUIET_MS,
            step=200,
            stop_event=self._stop,
            yield_on_timeout=True,
            rust_timeout=2000,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        self._tell(self._folder.is_dir())
        for found in changes:
            if not self._folder.is_dir():
                raise FileNotFoundError(self._folder)
            if found and not self._stop.is_set():
                self._changed()

    def _tell(self, watching: bool) -> None:
        if not self._stop.is_set():
            self._watching(watching)
