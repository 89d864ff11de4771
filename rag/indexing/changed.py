"""Whether a notes folder changed since it was indexed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from rag.errors import IndexDamaged, NoIndex
from rag.indexing.database import damage_errors
from rag.indexing.local import DATABASE, LocalIndex
from rag.reading.listing import RACY_NS, Listing, listing_apart

_LARGE = 10_000  # notes, from which on a process apart is worth its start


def notes_changed(notes_folder: Path, folder: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether notes with one of `suffixes` changed since the index in `folder` was written, or it
    is in need of repair. Raises NotesError for a notes folder that cannot be listed."""
    if not (folder / DATABASE).is_file():
        return True
    try:
        index = LocalIndex(folder)
    except (NoIndex, IndexDamaged):  # of an older format, or to be mended
        return True
    try:
        with closing(index), damage_errors():
            if not index.complete or index.rules_changed() or index.derived_lags:
                return True
            if _listed_the_same(notes_folder, index, suffixes):
                return False
            from rag.indexing.build import plan
            from rag.indexing.forget import forgotten_notes

            return not plan(
                notes_folder,
                index.note_states(),
                int(index.store.get("scanned_ns", "0")),
                known=index.known_skips(),
                suffixes=suffixes,
                forgotten=forgotten_notes(index),
            ).empty
    except IndexDamaged:
        return True


def _listed_the_same(notes_folder: Path, index: LocalIndex, suffixes: tuple[str, ...]) -> bool:
    """Whether a large folder is, file by file, as it was at the last run, seen by one digest: what
    each note was like need not be fetched for that."""
    listed = Listing.read(index.store.get("listing"))
    last_scan = int(index.store.get("scanned_ns", "0"))
    if listed is None or listed.newest_ns > last_scan - RACY_NS:
        return False
    return index.store.note_count() >= _LARGE and listed == listing_apart(notes_folder, suffixes)
