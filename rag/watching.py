"""Notes folders watched for changes, and an index that follows them until it is told to stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.indexing.progress import IndexReport
from rag.reading.formats import SUFFIXES

if TYPE_CHECKING:
    from rag.engine import Engine

QUIET_S = 1.5  # an editor that saves, or a sync that writes a hundred files, is one change
LONGEST_S = 30.0  # notes that are never left alone are indexed as they are then
_IDLE_S = 2.0  # between two signs that nothing changed
_RULES = (".gitignore", ".ragignore")
LOOK_AGAIN_S = 5.0  # for a folder that is not there


def note_changes(
    folders: Sequence[Path],
    stop: threading.Event,
    watching: Callable[[bool], object],
    suffixes: tuple[str, ...] = SUFFIXES,
) -> Iterator[bool]:
    """True each time notes have changed and then been left alone for QUIET_S, or have gone on
    changing for LONGEST_S; False every two seconds in which they did not change.

    `watching` is told whether the folders are watched; one that goes away is looked for again, and
    when it is back, its notes may have changed. Ends when `stop` is set.
    """
    missed = False
    while not stop.is_set():
        try:
            yield from _changes(folders, stop, watching, suffixes, missed)
        except OSError:  # a folder is gone, or the kernel's watches are used up
            missed = True
            if not stop.is_set():
                watching(False)
        stop.wait(LOOK_AGAIN_S)


def _changes(
    folders: Sequence[Path],
    stop: threading.Event,
    watching: Callable[[bool], object],
    suffixes: tuple[str, ...],
    missed: bool,
) -> Iterator[bool]:
    from watchfiles import watch

    before = _identities(folders)
    changes = watch(
        *folders,
        watch_filter=lambda _change, path: _is_note(path, folders, suffixes),
        # It takes a file that is written again and again for one that is left alone, so what is
        # quiet is told by the clock, below.
        debounce=400,
        step=200,
        stop_event=stop,
        yield_on_timeout=True,
        rust_timeout=500,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    if not stop.is_set():
        watching(True)
    told = time.monotonic()
    first = last = told if missed else None
    for found in changes:
        if _identities(folders) != before:
            raise FileNotFoundError  # another folder in its place, which nobody watches
        if stop.is_set():
            continue
        now = time.monotonic()
        if found:
            first, last = first or now, now
        if first and last and (now - last >= QUIET_S or now - first >= LONGEST_S):
            first = last = None
            told = now
            yield True
        elif not first and now - told >= _IDLE_S:
            told = now
            yield False


def _identities(folders: Sequence[Path]) -> list[tuple[int, int]]:
    """Device and number of each folder. Raises OSError where one is none: watchfiles itself waits
    in vain at a path that is not there."""
    found = []
    for each in folders:
        with os.scandir(each):
            about = os.stat(each)
        found.append((about.st_dev, about.st_ino))
    return found


def _is_note(path: str, folders: Sequence[Path], suffixes: tuple[str, ...]) -> bool:
    """Whether a change at `path` may be one of the notes: a note, a folder, a file of rules."""
    inside = min((os.path.relpath(path, each) for each in folders), key=len)
    folder, name = os.path.split(inside)
    if any(part.startswith(".") for part in folder.split(os.sep)):
        return False
    if name.startswith("."):
        return name in _RULES
    # A folder says nothing of what changed in it; one that is gone may have been any.
    return name.lower().endswith(suffixes) or not os.path.isfile(path)


def keep_indexed(engine: Engine, stop: threading.Event, tell: Callable[[Told], object]) -> None:
    """Bring the index up to date now and after each change, until `stop` is set.

    `tell` gets the report of each run that changed something, or what stood in the way. Indexing
    has a process of its own, so that this one stays small however much there was to read.
    """
    _update(engine, stop, tell)
    late = True  # what changed before the first watch was set up was seen by neither
    here = True

    def watching(on: bool) -> None:
        nonlocal here, late
        if on != here:
            there = "is there again" if on else "is not there; it is looked for"
            tell(f"The notes folder {there}.")
            late = late or on  # nobody saw what changed meanwhile
        here = on

    for changed in note_changes(engine.folders, stop, watching, engine.parts.suffixes):
        if changed or late:
            late = not _update(engine, stop, tell, quiet=late and not changed)


Told = IndexReport | RagError | str


def _update(
    engine: Engine, stop: threading.Event, tell: Callable[[Told], object], quiet: bool = False
) -> bool:
    """One run; False when something stood in its way, which is not told when `quiet`."""
    try:
        if engine.changed():
            for step in engine.index_in_process(stop.is_set):
                if step.report is not None:
                    tell(step.report)
    except RagError as error:
        if not (quiet or stop.is_set()):
            tell(error)
        return False
    return True


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; a second Ctrl-C ends the process."""
    stop = threading.Event()
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def end(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for each in before:
        signal.signal(each, end)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def log_line(told: Told) -> str:
    """What happened, with the time."""
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(told, IndexReport):
        return f"{now} {told.sentence()} {told.seconds:.1f} s."
    return f"{now} {told}"
