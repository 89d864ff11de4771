"""Where the index of a notes folder lives: in the user's data folder, under an id that follows
the notes folder when it is moved or renamed, so that a synced vault stays clean.

`folders.json` lists, for each id, the path last seen and the folder's device and inode number.
A folder is found by its path, unless another one lies there now; failing that, by its inode, if it
lies no more at the old path. Numbers are used again when a folder is deleted, so that its notes
have the last word.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from rag.errors import IndexBusy, RagError, storage_errors
from rag.indexing.private import private_folder, write_whole

_REGISTRY = "folders.json"


@dataclass(frozen=True, slots=True)
class Home:
    """One indexed notes folder. `used` is when it was last indexed, in epoch seconds; `path` is
    empty when another folder took its place and it has not been seen since."""

    id: str
    path: str
    device: int
    inode: int
    used: float


def index_folder(data_dir: Path, home: Home) -> Path:
    """The folder that holds the index."""
    return data_dir / "indexes" / home.id


def find_home(data_dir: Path, notes: Path) -> Home | None:
    """The home of a notes folder, None when it was never indexed."""
    homes = _read(data_dir)
    by_path = next((home for home in homes if home.path == str(notes)), None)
    place = _place(notes)
    if place is None:
        return by_path
    if by_path and not _replaced(data_dir, by_path, notes, place):
        return by_path
    for home in homes:
        moved = (home.device, home.inode) == place != _place(home.path)
        if moved and _shares_notes(data_dir, home, notes, if_empty=False):
            return replace(home, path=str(notes))
    return None


def remember_home(data_dir: Path, notes: Path) -> Home:
    """The home of a notes folder, made if need be, and recorded as the one used last."""
    stat = notes.stat()
    with storage_errors(data_dir):
        private_folder(data_dir)
        with _locked(data_dir / "folders.lock", wait=True):
            found = find_home(data_dir, notes)
            name = found.id if found else f"{notes.name[:32] or 'notes'}-{os.urandom(4).hex()}"
            home = Home(name, str(notes), stat.st_dev, stat.st_ino, time.time())
            others = [
                replace(each, path="") if each.path == home.path else each
                for each in _read(data_dir)
                if each.id != home.id
            ]
            entries = [asdict(each) for each in (*others, home)]
            tree = {"sum": _sum(entries), "folders": entries}
            write_whole(data_dir / _REGISTRY, json.dumps(tree, indent=1))
    return home


def last_used(data_dir: Path) -> Path | None:
    """The notes folder that was indexed last, there or gone: what was indexed of one on an
    unplugged disk is asked, not another folder in its place. None where neither it nor its index
    is left of any."""
    for home in sorted(_read(data_dir), key=lambda each: -each.used):
        kept = home.path and (index_folder(data_dir, home) / "index.db").is_file()
        if kept or os.path.isdir(home.path):
            return Path(home.path)
    return None


def last_seen(data_dir: Path) -> str:
    """Where the notes folder was that was indexed last, whether or not it is still there; ""
    where none was."""
    homes = sorted(_read(data_dir), key=lambda each: -each.used)
    return homes[0].path if homes else ""


def known_folders(data_dir: Path) -> list[Path]:
    """The notes folders that were indexed and are still there, the last one first."""
    homes = sorted(_read(data_dir), key=lambda each: -each.used)
    return [Path(home.path) for home in homes if os.path.isdir(home.path)]


def known_ids(data_dir: Path) -> frozenset[str]:
    """The ids of all notes folders that were indexed."""
    return frozenset(home.id for home in _read(data_dir))


def unseen_indexes(data_dir: Path) -> list[tuple[str, Path]]:
    """Indexes of folders that are not where they were: the path last seen, empty where another
    folder lies there now, and where the index lies."""
    found = [(home.path, index_folder(data_dir, home)) for home in _read(data_dir)]
    return [each for each in found if not os.path.isdir(each[0]) and each[1].is_dir()]


def holds_home(folder: Path) -> bool:
    """Whether a folder is the home folder or one above it: seldom what was meant by "notes"."""
    home = Path(os.path.realpath(Path.home()))
    return folder == home or folder in home.parents


def _place(folder: Path | str) -> tuple[int, int] | None:
    """Device and inode number, None where nothing can be seen."""
    try:
        stat = os.stat(folder)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _replaced(data_dir: Path, home: Home, notes: Path, place: tuple[int, int]) -> bool:
    """Whether another folder took the place of the one that was indexed there: on the same disk,
    with notes, of which none was indexed. An empty one is more likely where a disk was mounted, and
    one with the same notes was synced or restored."""
    if home.device != place[0] or home.inode == place[1]:
        return False
    return not _shares_notes(data_dir, home, notes, if_empty=True)


def _shares_notes(data_dir: Path, home: Home, notes: Path, if_empty: bool) -> bool:
    """Whether a folder holds one of the notes of an index, by name or by content; `if_empty` for a
    folder without notes, True where the index holds none or cannot be read."""
    from rag.indexing.store import Store
    from rag.reading.notes import hash_note
    from rag.reading.scanning import scan

    try:
        with closing(Store(index_folder(data_dir, home) / "index.db")) as store:
            states = store.note_states()
        files = scan(notes).files
    except (RagError, OSError, sqlite3.DatabaseError):
        return True
    if not (states and files):
        return if_empty or not states
    if any(file.path in states for file in files):
        return True
    known = {state.hash for state in states.values()}
    return any(hash_note(notes, file.path) in known for file in files)


def _read(data_dir: Path) -> list[Home]:
    """The registry; in place of a damaged one, what the indexes themselves say."""
    file = data_dir / _REGISTRY
    try:
        tree = json.loads(file.read_text(encoding="utf-8", errors="surrogateescape"))
        entries = tree["folders"] if isinstance(tree, dict) else tree  # a list before 0.2
        homes = [Home(**entry) for entry in entries]
        if not isinstance(tree, dict) or tree["sum"] == _sum(entries):
            return homes
    except FileNotFoundError:
        if not (data_dir / "indexes").is_dir():
            return []
    except (OSError, ValueError, TypeError, KeyError):
        pass
    found = [home for home in map(_from_index, data_dir.glob("indexes/*/index.db")) if home]
    return sorted(found, key=lambda each: -each.used)  # of two that were at one path, the later


def _sum(entries: list[dict[str, Any]]) -> int:
    return zlib.crc32(json.dumps(entries, sort_keys=True).encode())


def _from_index(database: Path) -> Home | None:
    """What an index knows of its notes folder; None where it cannot be read."""
    from rag.indexing.store import Store

    try:
        with closing(Store(database)) as store:
            path, used = store.get("notes_folder"), float(store.get("indexed_at", "0"))
        stat = os.stat(path)
        return Home(database.parent.name, path, stat.st_dev, stat.st_ino, used)
    except (RagError, OSError, ValueError, sqlite3.DatabaseError):
        return None


@contextmanager
def writing(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold the right to write an index. The kernel gives it back when a process dies.

    Raises IndexBusy when another process holds it and `wait` is False.
    """
    with storage_errors(folder):
        private_folder(folder)
        lock = _locked(folder / "write.lock", wait)
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@contextmanager
def _locked(file: Path, wait: bool) -> Iterator[None]:
    handle: IO[str] = file.open("a")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise IndexBusy(
                "Another rag is bringing this index up to date.",
                "Questions go on with --no-refresh. To wait for it: rag index --wait",
            ) from None
        yield
    finally:
        handle.close()
