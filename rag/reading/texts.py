"""Texts that were converted from PDF and the like, kept under the hash of the file's bytes.

They lie beside the index, each with a checksum, and the latest ones in memory. Nothing is lost with
them: a file is converted again.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rag.errors import storage_errors
from rag.reading.readable import Readable

# Raised with every change of how documents are converted, or their texts kept.
_RULES = 4
FOLDER = "texts"  # in the folder of an index
_IN_MEMORY = 20_000_000  # characters


class Texts:
    """The converted texts of one index; `folder` is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> Readable | None:
        """The text of the file with this hash; None where it is not kept, or damaged."""
        try:
            kept = _sound(self._file(digest))
            places = tuple((int(line), str(label)) for line, label in kept["places"])
            return Readable(str(kept["text"]), dict(kept["fields"]), places)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, digest: str, readable: Readable) -> None:
        """Keep a text. Raises StorageError."""
        kept = {"text": readable.text, "fields": readable.fields, "places": readable.places}
        file = self._file(digest)
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
                handle.write(_sealed(json.dumps(kept).encode()))
            os.replace(part, file)

    def keep_only(self, digests: Collection[str]) -> None:
        """Forget the texts of files that are no longer notes."""
        kept = {f"{each}-{_RULES}.json" for each in digests}
        with contextlib.suppress(OSError):
            for file in self._folder.iterdir():
                if file.name not in kept:
                    file.unlink()

    @property
    def empty(self) -> bool:
        with contextlib.suppress(OSError):
            return not any(self._folder.iterdir())
        return True

    def damaged(self) -> list[Path]:
        """The files that are not as they were written."""
        return [file for file in sorted(self._folder.glob(f"*-{_RULES}.json")) if _broken(file)]

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}-{_RULES}.json"


def _sealed(body: bytes) -> bytes:
    return b"%08x %s" % (zlib.crc32(body), body)


def _sound(file: Path) -> dict[str, Any]:
    """What a file holds. Raises OSError, ValueError where it is not as it was written."""
    raw = file.read_bytes()
    if raw != _sealed(raw[9:]):
        raise ValueError("another checksum")
    kept: dict[str, Any] = json.loads(raw[9:])
    return kept


def _broken(file: Path) -> bool:
    try:
        _sound(file)
    except (OSError, ValueError):
        return True
    return False


class Recent:
    """What an index keeps, for those who only read it, and in memory what they converted last.

    May be shared by threads.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._kept = Texts(folder) if folder else None

    def get(self, digest: str) -> Readable | None:
        """The text from memory, else from the index, which need not be read twice."""
        with _lock:
            found = _recent.get(digest)
            if found is not None:
                _recent.move_to_end(digest)
        if found is None and self._kept is not None:
            found = self._kept.get(digest)
            if found is not None:
                self.put(digest, found)
        return found

    def put(self, digest: str, readable: Readable) -> None:
        """Keep a text in memory; older ones give way to it."""
        with _lock:
            _recent[digest] = readable
            size = sum(len(each.text) for each in _recent.values())
            while size > _IN_MEMORY and len(_recent) > 1:
                size -= len(_recent.popitem(last=False)[1].text)


_lock = threading.Lock()
_recent: OrderedDict[str, Readable] = OrderedDict()  # by hash, the latest last
