"""Files of the data folder: readable by their owner alone, and written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_OURS = ("folders.", "conversations.", "indexes", "models", "http-token", "serve")
_FILE, _FOLDER = 0o600, 0o700


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; one that is there keeps its own rights until
    `make_private`. Raises OSError."""
    if not folder.is_dir():
        private_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=_FOLDER)


def make_private(data_dir: Path) -> None:
    """Take from others the right to read what lies in the data folder, also what an older version
    wrote. A folder that holds other things as well keeps its own rights. What cannot be changed
    stays as it is: `rag doctor` tells."""
    for path in exposed(data_dir):
        with suppress(OSError):
            path.chmod(_FOLDER if path.is_dir() else _FILE)


def exposed(data_dir: Path) -> list[Path]:
    """What lies in the data folder and may be read by others than its owner."""
    found: list[Path] = []
    with suppress(OSError):
        entries = list(data_dir.iterdir())
        ours = [each for each in entries if each.name.startswith(_OURS)]
        if len(ours) == len(entries):
            found.append(data_dir)
        for each in ours:
            found += [each, *each.rglob("*")] if each.is_dir() else [each]
    return [each for each in found if _is_exposed(each)]


def write_whole(file: Path, text: str) -> None:
    """Write a file that is there completely, on the disk, or as it was. Raises OSError."""
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with open(
            os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE),
            "w",
            encoding="utf-8",
            errors="surrogateescape",
        ) as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def _is_exposed(path: Path) -> bool:
    with suppress(OSError):
        return not path.is_symlink() and bool(path.stat().st_mode & 0o077)
    return False
