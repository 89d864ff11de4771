"""Before notes are removed from the index: a vault that lost most of them is more likely unplugged
than tidied, so the reader is asked first."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from rag.errors import NotesMissing
from rag.indexing.rows import NoteState

COMMAND = "rag index --remove-missing"


def check_missing(
    folder: Path,
    states: Mapping[str, NoteState],
    gone: Collection[str],
    new_hashes: Callable[[], Collection[str]],
) -> None:
    """Raise NotesMissing when over half of the indexed notes are gone at once.

    `new_hashes` are of the files that were not indexed: a note that only moved is not missing.
    It is called only where most paths are gone.
    """
    if 2 * len(gone) <= len(states):
        return
    moved = set(new_hashes())
    missing = [
        path
        for path in gone
        # One that is there still, and is no longer wanted, is not missing.
        if states[path].hash not in moved and not os.path.isfile(folder / path)
    ]
    if 2 * len(missing) > len(states):
        raise notes_missing(folder, len(missing), len(states))


def notes_missing(folder: Path, missing: int, indexed: int) -> NotesMissing:
    """What to say of a folder that lacks `missing` of the notes that were indexed from it."""
    what = (
        f"{folder} holds no notes now, though {indexed:,} {'was' if indexed == 1 else 'were'} "
        "indexed from it"
        if missing == indexed
        else f"{missing:,} of the {indexed:,} notes indexed from {folder} are not there now"
    )
    return NotesMissing(
        f"{what}; is a disk not mounted? Nothing was removed from the index.",
        f"If they are gone for good: {COMMAND}",
        missing,
        indexed,
    )
