"""Downloads that were begun and are not complete: how much of each is here, and what to delete.

A small file in the data folder says so from before the first byte until the model is kept, so that
whatever ends a download, its gigabytes are not forgotten.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.errors import ModelError, storage_errors
from rag.models.download import delete, size_text
from rag.models.installed import note_file, write_note

if TYPE_CHECKING:
    from rag.models.source import Offer


@dataclass(frozen=True, slots=True)
class BegunFile:
    """One file: `partial` while it comes, `target` when it is whole, `pointer` its name in the
    hub's cache, "" outside. `ours` unless it was here before the download."""

    target: str
    partial: str
    pointer: str
    ours: bool

    @property
    def here(self) -> int:
        """Bytes that have come."""
        return max(_size(self.target), _size(self.partial))


@dataclass(frozen=True, slots=True)
class Begun:
    """A download. `size` in bytes of all files, 0 where the server does not say; `command` goes
    on with it."""

    name: str
    kind: Literal["embedder", "generator"]
    source: str
    licence: str
    size: int
    command: str
    files: tuple[BegunFile, ...]

    @property
    def here(self) -> int:
        """Bytes that have come."""
        return sum(each.here for each in self.files)

    @property
    def share(self) -> str:
        """How much is here: "1.2 GB of 5.0 GB"."""
        return size_text(self.here) + (f" of {size_text(self.size)}" if self.size else "")

    @property
    def remedy(self) -> str:
        return f"Go on: {self.command}. Delete it: rag models remove {shlex.quote(self.name)}"

    @property
    def left(self) -> bool:
        """Whether it has left anything on the disk."""
        return any(each.ours and each.here for each in self.files)


def all_begun(data_dir: Path) -> list[Begun]:
    """Those that left something on the disk, by name; a note that cannot be understood is left
    out."""
    read = [_read(file) for file in sorted((data_dir / "models").glob("*.begun.json"))]
    found = [each for each in read if each is not None and each.left]
    return sorted(found, key=lambda each: each.name.casefold())


def begin(data_dir: Path, offer: Offer, command: str) -> Begun:
    """Note a download before it is made. Of an earlier version of the same, which cannot go on,
    the files are deleted. Raises ModelError where another download has its name; StorageError."""
    before = _read(note_file(data_dir, offer.name, "begun"))
    if before is not None and before.left and before.source != offer.source:
        raise ModelError(
            f"{before.name} is the name of another download, {before.share} here: {before.source}.",
            f"Give this one a name with --name, or first: rag models remove "
            f"{shlex.quote(before.name)}",
        )
    came = {each.target for each in before.files if each.ours} if before else set()
    files = tuple(
        BegunFile(
            str(each.target),
            str(each.partial),
            str(each.pointer or ""),
            not each.here or str(each.target) in came,
        )
        for each in offer.files
    )
    if before is not None:
        _delete_files(before, {each.target for each in files})
    made = Begun(offer.name, offer.kind, offer.source, offer.licence, offer.size, command, files)
    write_note(note_file(data_dir, offer.name, "begun"), asdict(made))
    return made


def end(data_dir: Path, begun: Begun) -> None:
    """Forget that a download was begun: it is complete, or nothing is left of it."""
    with storage_errors(data_dir):
        note_file(data_dir, begun.name, "begun").unlink(missing_ok=True)


def complete(data_dir: Path, begun: Begun) -> None:
    """Forget that a download was begun, for all of its files are here; and any other that was to
    bring just these files under another name, of which nothing is to come any more."""
    whole = {each.target for each in begun.files}
    for other in all_begun(data_dir):
        if whole.issuperset(each.target for each in other.files):
            end(data_dir, other)
    end(data_dir, begun)


def discard(data_dir: Path, begun: Begun, kept: Collection[str]) -> None:
    """Delete what has come, but for files that belong to models that are `kept`."""
    _delete_files(begun, {os.path.realpath(each) for each in kept})
    end(data_dir, begun)


def _delete_files(begun: Begun, kept: Collection[str]) -> None:
    for each in begun.files:
        if each.ours and each.target not in kept and os.path.realpath(each.target) not in kept:
            for path in filter(None, (each.pointer, each.partial, each.target)):
                delete(Path(path))


def _read(file: Path) -> Begun | None:
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
        files = tuple(BegunFile(**each) for each in tree["files"])
        return Begun(**{**tree, "files": files})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
