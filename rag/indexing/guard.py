"""Before notes are removed from the index: a vault that lost most of them is more likely unplugged,
or half synced, than tidied, so the reader is asked first. One whose notes were replaced is neither:
as many files as before show that its disk is there."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rag.errors import NotesMissing
from rag.indexing.rows import NoteState
from rag.reading.notes import hash_note
from rag.reading.scanning import NoteFile

COMMAND = "rag index --remove-missing"


def missing_notes(
    folder: Path,
    states: Mapping[str, NoteState],
    gone: Collection[str],
    new: Sequence[NoteFile],
) -> frozenset[str]:
    """The paths that are not to be removed unasked: of a folder that lacks over half of the notes
    that were indexed, and holds fewer than half as many now, `new` ones among them; else none.

    A note that only moved is not missing, and an empty file is no note.
    """
    indexed = len(states)
    filled = [file for file in new if file.size]
    if 2 * len(gone) <= indexed or 2 * (indexed - len(gone) + len(filled)) >= indexed:
        return frozenset()
    moved = {hash_note(folder, file.path) for file in filled}
    missing = frozenset(
        path
        for path in gone
        # One that is there still, and is no longer wanted, is not missing.
        if states[path].hash not in moved and not os.path.isfile(folder / path)
    )
    return missing if 2 * len(missing) > indexed else frozenset()


def notes_missing(
    folder: Path, missing: int, indexed: int, emptied: bool, added: int = 0
) -> NotesMissing:
    """What to say of a folder that lacks `missing` of the notes that were indexed from it, or is
    `emptied` of all, and of which `added` notes were taken in all the same."""
    what = (
        f"{folder} holds no notes now, though {indexed:,} {'was' if indexed == 1 else 'were'} "
        "indexed from it"
        if emptied
        else f"{missing:,} of the {indexed:,} notes indexed from {folder} are not there now"
    )
    kept = "What is new was added, and nothing" if added else "Nothing"
    return NotesMissing(
        f"{what}; is a disk not mounted? {kept} was removed from the index.",
        f"If they are gone for good: {COMMAND}",
        missing,
        indexed,
    )
