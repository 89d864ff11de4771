"""Forget notes: their text leaves every file of the index, and they are left out from then on.

What is kept is a hash of each path, so that the note is not indexed again while its file is there:
in SQLite and in a file beside it, so that a damaged index forgets nothing of that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import replace

from rag.errors import RagError
from rag.indexing.local import ERASING, Changes, LocalIndex
from rag.indexing.private import write_whole
from rag.reading.scanning import Scan

_FILE = "forgotten"


def without(found: Scan, forgotten: Collection[str]) -> Scan:
    """A scan without the notes that the reader wants forgotten."""
    if not forgotten:
        return found
    return replace(
        found, files=tuple(each for each in found.files if mark(each.path) not in forgotten)
    )


def forgotten_notes(index: LocalIndex) -> frozenset[str]:
    """The marks of the notes that are left out."""
    try:
        beside = (index.folder / _FILE).read_text(encoding="ascii", errors="replace").split()
    except OSError:
        beside = []
    return frozenset(json.loads(index.store.get("forgotten", "[]"))).union(beside)


def _write_marks(index: LocalIndex, marks: Collection[str]) -> None:
    with index.store.transaction():  # first: a digest must not agree with what is half done
        index.store.put(listing="")
    write_whole(index.folder / _FILE, "".join(f"{each}\n" for each in sorted(marks)))
    with index.store.transaction():
        index.store.put(forgotten=json.dumps(sorted(marks)))


def mark(path: str) -> str:
    """What is kept of a forgotten note's path."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def notes_below(path: str, known: Iterable[str]) -> list[str]:
    """The notes of `known` that `path` names: a note, or a folder for all that lie below."""
    folder = f"{path.rstrip('/')}/"
    return sorted(each for each in known if each == path or each.startswith(folder))


def forget(index: LocalIndex, paths: Collection[str]) -> int:
    """Remove notes from the index, leave them out from now on, and leave no text of them in any
    of its files; how many were indexed. The caller holds the index's lock."""
    states = index.note_states()
    ids = [states[path].id for path in paths if path in states]
    skipped = {path: entry for path, entry in index.known_skips().items() if path not in paths}
    _write_marks(index, forgotten_notes(index) | {mark(path) for path in paths})
    changes = Changes(ids, ())
    unused = index.store.vectors_in(ids)
    meta: dict[str, object] = {"skipped": json.dumps(skipped, ensure_ascii=False), ERASING: "due"}
    index.apply(changes, meta, derive=False)
    with index.store.transaction():
        index.store.drop_unused_vectors(unused)
    index.erase(whole=True)
    return len(ids)


def remember(index: LocalIndex, paths: Collection[str]) -> int:
    """Let notes be indexed again; how many of them were forgotten."""
    forgotten = forgotten_notes(index)
    named = forgotten & {mark(path) for path in paths}
    if not named:
        raise RagError("No such note was forgotten.", "Give its path as `rag forget` was given it.")
    _write_marks(index, forgotten - named)
    return len(named)
