"""Texts that were converted from PDF and the like, kept under the hash of the file's bytes.

They lie beside the index. Nothing is lost with them: a file is converted again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection
from pathlib import Path

from rag.errors import storage_errors
from rag.reading.readable import Readable

# Raised with every change of how documents are converted.
_RULES = 1
FOLDER = "texts"  # in the folder of an index


class Texts:
    """The converted texts of one index; `folder` is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> Readable | None:
        """The text of the file with this hash; None where it is not kept, or damaged."""
        try:
            kept = json.loads(self._file(digest).read_text("utf-8"))
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
            part.write_text(json.dumps(kept), "utf-8")
            os.replace(part, file)

    def keep_only(self, digests: Collection[str]) -> None:
        """Forget the texts of files that are no longer notes."""
        kept = {self._file(each).name for each in digests}
        with contextlib.suppress(OSError):
            for file in self._folder.iterdir():
                if file.name not in kept:
                    file.unlink()

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}-{_RULES}.json"
