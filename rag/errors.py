"""The errors that a person may see.

Every one says what happened in a sentence and, in `remedy`, what to do about it::

    RagError
    ├── ConfigError        a setting that cannot be understood
    ├── NotesError         the notes folder is missing, empty or unreadable
    │   ├── NotesMissing   most of the notes that were indexed are not there
    │   └── NotInNotes     no note fits what was to be opened
    ├── QuestionError      an empty question, or one that no model could read
    ├── ModelError         weights that are missing, damaged or cannot be loaded
    ├── IndexFault         something about the index
    │   ├── NoIndex        there is none yet, or one of an older format
    │   ├── IndexMismatch  it was written with another embedder, or by a newer version
    │   ├── IndexDamaged   its files are not as they were written
    │   └── IndexBusy      another process is writing it
    ├── EvaluationError    a file of questions or of earlier results that cannot be used
    ├── StorageError       the disk is full, or a folder cannot be written
    └── Cancelled          the reader asked to stop

Front ends catch `RagError` at their edge and print `str(error)`; anything else is a bug.
"""

from __future__ import annotations

import errno
import re
import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# What is done to the notes folder that was asked for, at the end of a remedy.
_OF_FOLDER = re.compile(r"\brag (?:index(?: --(?:rebuild|check|wait))?|serve --stop)$")


class RagError(Exception):
    """What happened, and the remedy: a command or a sentence that mends it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


def for_folders(error: RagError, folders: Sequence[str]) -> RagError:
    """`error` with a remedy that mends these notes folders, rather than the one indexed last."""
    if folders:
        named = "".join(f" --notes {shlex.quote(each)}" for each in folders)
        error.remedy = _OF_FOLDER.sub(lambda command: command[0] + named, error.remedy)
    return error


class ConfigError(RagError):
    """A setting that cannot be understood."""


class NotesError(RagError):
    """The notes folder is missing, empty or unreadable."""


class NotInNotes(NotesError):
    """No note fits what was to be opened."""


class NotesMissing(NotesError):
    """Most of the notes that were indexed, `missing` of `indexed`, are not there now."""

    def __init__(self, message: str, remedy: str, missing: int, indexed: int) -> None:
        super().__init__(message, remedy)
        self.missing = missing
        self.indexed = indexed

    def __reduce__(self) -> tuple[type[NotesMissing], tuple[str, str, int, int]]:
        return NotesMissing, (self.message, self.remedy, self.missing, self.indexed)


class QuestionError(RagError):
    """An empty question, or one that no model could read."""


class ModelError(RagError):
    """Weights that are missing, damaged or cannot be loaded."""


class EndpointMismatch(ModelError):
    """The settings name a model or a path that the server does not have: no waiting mends it."""


class IndexFault(RagError):
    """Something about the index."""


class NoIndex(IndexFault):
    """There is no index of these notes yet, or one that an older version wrote."""


class IndexMismatch(IndexFault):
    """The index was written with another embedder, or by a newer version."""


class IndexDamaged(IndexFault):
    """The index's files are not as they were written; it can be built again from the notes."""


class IndexBusy(IndexFault):
    """Another process is writing the index."""


class EvaluationError(RagError):
    """A file of questions or of earlier results that cannot be used."""


class StorageError(RagError):
    """The disk is full, or a folder cannot be written."""


class Cancelled(RagError):
    """The reader asked to stop."""

    def __init__(self, message: str = "Stopped.") -> None:
        super().__init__(message)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG)
_REFUSALS = {
    errno.ENOSPC: "No space left",
    errno.EFBIG: "File too large",
    errno.EACCES: "ermission denied",
    errno.EROFS: "Read-only",
    errno.EIO: "Input/output error",
}


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses below `folder` into a `StorageError`."""
    try:
        yield
    except OSError as error:
        raise _storage_error(error, folder) from error
    except sqlite3.DatabaseError as error:
        text = str(error)
        if "full" in text:
            raise _storage_error(OSError(errno.ENOSPC, text), folder) from error
        if "readonly" in text or "unable to open" in text:
            raise _storage_error(OSError(errno.EACCES, text), folder) from error
        if "disk I/O" in text:
            raise _storage_error(OSError(errno.EIO, text), folder) from error
        raise
    except ValueError as error:  # tantivy reports the disk's refusals as ValueError
        code = disk_refusal(error)
        if code:
            raise _storage_error(OSError(code, str(error)), folder) from error
        raise


def disk_refusal(error: ValueError) -> int:
    """The errno of a refusal by the disk that tantivy reports in words, 0 for anything else."""
    return next((code for code, words in _REFUSALS.items() if words in str(error)), 0)


def _storage_error(error: OSError, folder: Path) -> StorageError:
    if error.errno in _FULL:
        return StorageError(
            f"The disk is full: {folder} could not be written.",
            "Free some space and run the command again; the last complete index is untouched.",
        )
    if error.errno in _FORBIDDEN:
        return StorageError(
            f"{folder} cannot be written.",
            "Allow writing to it, or name another folder with RAG_DATA_DIR or RAG_CACHE_DIR.",
        )
    if error.errno in _NO_PLACE:
        return StorageError(
            f"{folder} cannot be used: {(error.strerror or str(error)).lower()}.",
            "Name another folder with RAG_DATA_DIR, RAG_CACHE_DIR or RAG_CONFIG_DIR.",
        )
    return StorageError(
        f"The disk reported an error below {folder}: {error.strerror or error}.",
        "Check the disk, then run the command again.",
    )


def no_folder(path: Path) -> str:
    """What to say of the path of a notes folder that is none."""
    return f"{path} is a file, not a folder." if path.is_file() else f"There is no folder {path}."
