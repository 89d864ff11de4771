"""The bearer token of the HTTP server: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from rag.errors import StorageError, storage_errors
from rag.indexing.private import private_folder

_NAME = "http-token"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, where it is kept, and whether it was made just now."""

    value: str
    file: Path
    new: bool


def load_token(data_dir: Path, renew: bool = False) -> Token:
    """The token of this user, made if there is none yet or another is wanted.

    Raises StorageError for a file that others can read, or that cannot be written.
    """
    file = data_dir / _NAME
    with storage_errors(data_dir):
        if file.exists() and not renew:
            if file.stat().st_mode & 0o077:
                raise StorageError(
                    f"Others can read the token in {file}.",
                    "Make another: rag serve --http --new-token",
                )
            value = file.read_text(encoding="ascii", errors="replace").strip()
            if len(value) >= 32:
                return Token(value, file, new=False)
        value = secrets.token_urlsafe(32)
        private_folder(data_dir)
        partial = file.with_name(f"{_NAME}.{os.getpid()}")
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(f"{value}\n")
        os.replace(partial, file)
    return Token(value, file, new=True)
