"""Mend a damaged index: what cannot be trusted is dropped, so that the next update brings it back
from the notes. Nothing here is precious: the notes are, and they are not touched."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from rag.errors import IndexDamaged, IndexFault
from rag.indexing.local import DATABASE, REWRITTEN, LocalIndex
from rag.indexing.seal import broken_files
from rag.indexing.store import Store
from rag.indexing.sums import vector_sum
from rag.reading.texts import FOLDER, Texts

_FILES = ("", "-wal", "-shm", "-journal")


def mend(folder: Path) -> str:
    """Drop what is damaged, keep what is sound, and say what was found; "" for nothing.

    The caller holds the index's lock and brings the index up to date afterwards. Raises
    IndexMismatch for an index of a newer version, StorageError.
    """
    try:
        with closing(LocalIndex(folder, write=True)) as index:
            index.store.verify()
            return _mend_rows(index)
    except IndexDamaged:
        kept = _renew(folder)
    return (
        "The index was damaged and was built again from your notes"
        f"{f', with the {kept:,} vectors that were sound' if kept else ''}."
    )


def start_anew(folder: Path) -> None:
    """Make way for a new index where the old one cannot be used: damaged, or of a newer rag."""
    try:
        with closing(LocalIndex(folder, write=True)) as index:
            index.store.verify()
    except IndexDamaged:
        _renew(folder)
    except IndexFault:
        _discard(folder)


def _mend_rows(index: LocalIndex) -> str:
    harm = index.store.find_harm()
    broken = broken_files(index.folder, index.store)
    texts = Texts(index.folder / FOLDER).damaged()
    for file in texts:  # converted again when it is needed
        file.unlink(missing_ok=True)
    if harm:
        # Together: a vector that outlived its notes would be used for them again.
        with index.store.transaction():
            index.store.drop_vectors(harm.vectors)
            index.store.remove_notes(sorted(harm.notes))
            # No digest may say that nothing changed before these notes are read again.
            index.store.put(generation=index.generation + 1, listing="")
    if broken:
        for part in {name.partition("/")[0] for name in broken}:
            shutil.rmtree(index.folder / part, ignore_errors=True)
    if not (harm or broken or texts):
        return ""
    if not harm:
        return REWRITTEN
    count = len(harm.notes)
    notes = "1 note was" if count == 1 else f"{count:,} notes were"
    return f"A part of the index was damaged; {notes} read again."


def _renew(folder: Path) -> int:
    """A new database in place of a damaged one, with the vectors that can still be trusted."""
    file = folder / DATABASE
    old = folder / f"{DATABASE}.damaged"
    for suffix in _FILES:
        with suppress(FileNotFoundError):
            (folder / f"{DATABASE}{suffix}").replace(folder / f"{old.name}{suffix}")
    kept = 0
    try:
        with closing(Store(file, write=True)) as store:
            for part in _sound_vectors(old):
                with store.transaction():
                    kept += store.copy_vectors(part)
    finally:
        for suffix in _FILES:
            (folder / f"{old.name}{suffix}").unlink(missing_ok=True)
    _forget_derived(folder)
    return kept


def _sound_vectors(file: Path, at_once: int = 500) -> Iterator[list[tuple[bytes, bytes, bytes]]]:
    """Rows of the table of vectors whose checksums are right, as far as they can be read."""
    part: list[tuple[bytes, bytes, bytes]] = []
    with closing(sqlite3.connect(file)) as db, suppress(sqlite3.DatabaseError):
        for digest, vector, sentences, known in db.execute(
            "SELECT v.hash, v.vector, v.sentences, s.vector FROM vectors v"
            " JOIN chunks c ON c.vector = v.hash JOIN sums s ON s.chunk = c.id"
        ):
            if known == vector_sum(vector, sentences):
                part.append((digest, vector, sentences))
            if len(part) >= at_once:
                yield part
                part = []
    yield part


def _discard(folder: Path) -> None:
    for suffix in _FILES:
        (folder / f"{DATABASE}{suffix}").unlink(missing_ok=True)
    _forget_derived(folder)


def _forget_derived(folder: Path) -> None:
    for part in ("words", "vectors"):
        shutil.rmtree(folder / part, ignore_errors=True)
