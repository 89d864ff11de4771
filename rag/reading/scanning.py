"""The notes folder: which files are notes."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Set
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from rag.errors import NotesError
from rag.reading.formats import SUFFIXES, format_of
from rag.reading.ignore import RULE_FILES, Ignored
from rag.reading.notes import (
    CIRCULAR,
    EMPTY,
    LARGEST,
    NEEDS,
    OUTSIDE,
    SPECIAL,
    Skipped,
    inside,
    too_large,
    why,
)

_LEFT_OUT = frozenset({"node_modules", "__pycache__"})
_EARLIEST_NS, _LATEST_NS = -(1 << 63), (1 << 63) - 1
_MISNAMED = "has a name that is not valid UTF-8"
_REMEDY = "Name the folder that holds your notes: rag index PATH."


class NoteFile(NamedTuple):
    """A note: `path` relative to the notes folder, "/"-separated; `size` in bytes."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """The notes of a folder, and what was left out; both sorted by path.

    `ignored` counts the files and folders that their owner set aside: see `rag.reading.ignore`.
    """

    files: tuple[NoteFile, ...]
    skipped: tuple[Skipped, ...]
    ignored: int = 0


def scan(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Scan:
    """Find the notes below `folder`, those with one of `suffixes`, following links that stay
    inside it.

    Hidden files and folders, `node_modules`, `__pycache__`, the "X_files" of a saved page "X.html",
    files that are not notes, and what `rag.reading.ignore` leaves out go without a word. Raises
    NotesError when `folder` is missing, not a folder or unreadable.
    """
    try:
        root = os.path.realpath(folder, strict=True)
        if not os.path.isdir(root):
            raise NotesError(f"{folder} is a file, not a folder.", _REMEDY)
        os.scandir(root).close()
    except FileNotFoundError as error:
        raise NotesError(f"There is no folder {folder}.", _REMEDY) from error
    except OSError as error:
        raise NotesError(f"{folder} cannot be listed: {why(error)}.", _REMEDY) from error
    walk = _Walk(root, suffixes)
    walk.folder("", root)
    walk.follow_links()
    walk.tell_unread()
    return Scan(
        tuple(sorted(walk.files, key=itemgetter(0))),
        tuple(sorted(walk.skipped, key=lambda item: item.path)),
        walk.rules.count,
    )


@dataclass(slots=True)
class _Walk:
    """One scan in progress. Links wait until all that needs no link has been found.

    `real_files` and `real_folders` hold absolute paths without links, so that nothing is read
    twice; `links` holds (path shown, absolute path of the link without links above it).
    """

    root: str
    suffixes: tuple[str, ...]
    files: list[NoteFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    real_files: set[str] = field(default_factory=set)
    real_folders: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)  # paths of files that need an extra
    limits: dict[str, tuple[int, bool]] = field(default_factory=dict)  # by suffix
    rules: Ignored = field(init=False)

    def __post_init__(self) -> None:
        self.rules = Ignored(self._skip)

    def folder(self, shown: str, real: str) -> None:
        """Collect the notes in the folder `real` and below, named as lying in `shown`."""
        waiting = [(shown, real)]
        while waiting:
            shown, real = waiting.pop()
            if real in self.real_folders:
                continue
            self.real_folders.add(real)
            prefix = f"{shown}/" if shown else ""
            try:
                entries, with_rules = _entries(real)
                names = {entry.name for entry in entries}
                self.rules.enter(shown, real, with_rules)
                ruled = self.rules.has_any(shown)
                for entry in entries:
                    path = prefix + entry.name
                    if entry.is_symlink():
                        self.links.append((path, entry.path))
                    elif entry.is_dir(follow_symlinks=False):
                        if not _sound(entry.name):
                            self._skip(path, _MISNAMED)
                        elif not (
                            _of_saved_page(entry.name, names)
                            or (ruled and self.rules.leaves_out(shown, path, True))
                        ):
                            waiting.append((path, entry.path))
                    elif entry.name.lower().endswith(self.suffixes) and not (
                        ruled and self.rules.leaves_out(shown, path, False)
                    ):
                        self._file(path, entry.path)
            except OSError as error:
                self._skip(shown, f"cannot be listed: {why(error)}")

    def follow_links(self) -> None:
        """Resolve the links found so far, and those found behind them."""
        while self.links:
            batch, self.links = sorted(self.links), []
            for path, link in batch:
                try:
                    self._follow(path, link)
                except OSError as error:
                    if os.path.splitext(path)[1].lower() in ("", *self.suffixes):
                        self._skip(path, _broken_link(error))

    def _follow(self, path: str, link: str) -> None:
        """Take in what `link` points at. Raises OSError when it points nowhere."""
        real = os.path.realpath(link, strict=True)
        is_folder = os.path.isdir(real)
        if not is_folder and not path.lower().endswith(self.suffixes):
            return
        if not inside(real, self.root):
            self._skip(path, OUTSIDE)
        elif any(
            self.rules.hides(each, is_folder) for each in (path, os.path.relpath(real, self.root))
        ):
            pass
        elif not is_folder:
            self._file(path, real)
        elif inside(link, real):
            self._skip(path, CIRCULAR)
        else:
            self.folder(path, real)

    def tell_unread(self) -> None:
        """One line for all files that need an extra which is not installed."""
        if self.unread:
            first, *others = sorted(self.unread)
            more = f" and {len(others):,} more" if others else ""
            self._skip(f"{first}{more}", NEEDS)

    def _file(self, path: str, real: str) -> None:
        if real in self.real_files:
            return
        try:
            status = os.lstat(real)
        except FileNotFoundError:
            return  # gone since the folder was listed
        except OSError as error:
            self._skip(path, f"cannot be read: {why(error)}")
            return
        self.real_files.add(real)
        largest, available = self._limits(path)
        if not stat.S_ISREG(status.st_mode):
            self._skip(path, SPECIAL)
        elif not _sound(path):
            self._skip(path, _MISNAMED)
        elif status.st_size == 0:
            self._skip(path, EMPTY)
        elif status.st_size > largest:
            self._skip(path, too_large(largest))
        elif not available:
            self.unread.append(path)
        else:
            self.files.append(NoteFile(path, status.st_size, _storable(status.st_mtime_ns)))

    def _limits(self, path: str) -> tuple[int, bool]:
        """How large a file with this suffix may be, and whether what reads it is installed."""
        suffix = path[path.rfind(".") :]
        if suffix not in self.limits:
            known = format_of(suffix)
            self.limits[suffix] = (known.largest, known.available()) if known else (LARGEST, True)
        return self.limits[suffix]

    def _skip(self, path: str, reason: str) -> None:
        shown = os.fsencode(path).decode("utf-8", "replace")
        self.skipped.append(Skipped(shown, reason))


def _storable(nanoseconds: int) -> int:
    """A time as SQLite can hold it: file systems go beyond the year 2262."""
    if _EARLIEST_NS <= nanoseconds <= _LATEST_NS:
        return nanoseconds
    return _LATEST_NS if nanoseconds > 0 else _EARLIEST_NS


def _entries(folder: str) -> tuple[list[os.DirEntry[str]], set[str]]:
    """What lies in a folder and is not hidden, and the names of what holds rules about it."""
    shown: list[os.DirEntry[str]] = []
    with_rules: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                if entry.name in RULE_FILES:
                    with_rules.add(entry.name)
            elif entry.name not in _LEFT_OUT:
                shown.append(entry)
    return shown, with_rules


def _of_saved_page(name: str, beside: Set[str]) -> bool:
    """Whether a browser made the folder `name` for what a page that it saved is made of."""
    page = name.removesuffix("_files")
    return page != name and not beside.isdisjoint((f"{page}.html", f"{page}.htm"))


def _sound(name: str) -> bool:
    """Whether a file name is valid Unicode; Python stands in surrogates for bytes that are not."""
    return name.isascii() or not re.search(r"[\ud800-\udfff]", name)


def _broken_link(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return CIRCULAR
    if isinstance(error, FileNotFoundError):
        return "is a link to something that does not exist"
    return f"is a link that cannot be followed: {why(error)}"
