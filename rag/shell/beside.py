"""`rag ask --with FILE`: documents that are read beside the notes, for one question.

They are indexed as notes are, in a folder that is removed afterwards, and cited by the path they
were named with.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import NotesError
from rag.reading.formats import SUFFIXES
from rag.reading.notes import LARGEST, Skipped, read_note
from rag.retrieval.search import Passage
from rag.several import SeveralFolders

if TYPE_CHECKING:
    from rag.config import Config
    from rag.engine import Engine
    from rag.events import LookUp
    from rag.indexing.filtering import Filters
    from rag.retrieval.query import Turn

STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True)
class Attached:
    """A document: what it is called in citations, and its bytes."""

    name: str
    data: bytes


class Beside(SeveralFolders):
    """The notes of an engine, if there is one, and documents, asked as one."""

    def __init__(self, notes: Engine | None, documents: Engine, names: dict[str, str]) -> None:
        base = notes or documents
        super(SeveralFolders, self).__init__(base.notes_folder, base.parts, base.started)
        several = notes.engines if isinstance(notes, SeveralFolders) else {"": notes}
        self.engines = {name: each for name, each in several.items() if each is not None}
        self.engines[_DOCUMENTS] = documents
        self.models = base.models
        if notes is not None:
            embedder = notes.models.embedder
            documents.models.parts = replace(documents.parts, open_embedder=embedder)
        self._names = names

    def _look_up(
        self,
        question: str,
        history: Sequence[Turn],
        k: int | None,
        filters: Filters | None,
        today: date | None,
        lists: bool = True,  # noqa: ARG002 - as every engine is asked
        before_search: Callable[[], object] | None = None,
    ) -> LookUp:
        """What notes and documents have. A document is no note, so no notes are listed."""
        return super()._look_up(question, history, k, filters, today, False, before_search)

    def _named(self, number: int, name: str, passage: Passage) -> Passage:
        if name not in ("", _DOCUMENTS):
            return super()._named(number, name, passage)
        known = self._names if name == _DOCUMENTS else {}
        also = tuple(_renamed(each, known) for each in passage.also)
        return replace(
            passage,
            id=passage.id * len(self.engines) + number,
            path=known.get(passage.path, passage.path),
            also=also,
        )

    def _path_inside(self, name: str, path: str) -> str:
        if name not in ("", _DOCUMENTS):
            return super()._path_inside(name, path)
        known = self._names if name == _DOCUMENTS else {}
        return next((inside for inside, shown in known.items() if shown == path), path)


_DOCUMENTS = "\0documents"  # no folder can be called so


@contextmanager
def beside(notes: Engine | None, config: Config, files: Sequence[str]) -> Iterator[Engine]:
    """An engine over `notes` and the documents `files`, "-" for standard input.

    Raises NotesError for a file that cannot be read.
    """
    from rag.wiring import build_engine

    documents = [_attached(each) for each in files]
    with tempfile.TemporaryDirectory(prefix="rag-") as kept:
        folder, names = Path(os.path.realpath(kept)) / "documents", {}
        for number, each in enumerate(documents, 1):
            path = f"{number}/{_file_name(each.name)}"
            names[path] = each.name
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_bytes(each.data)
            read = read_note(folder, path)
            if isinstance(read, Skipped):
                raise NotesError(f"{each.name} {read.reason}.", "Name a file with text in it.")
        engine = build_engine(replace(config, notes=folder, data_dir=folder.parent / "data"))
        both = Beside(notes, engine, names)
        try:
            for _ in engine.index():
                pass
            yield both
        finally:
            both.close()


def _attached(file: str) -> Attached:
    if file == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise NotesError("There is no document on standard input.", "Pipe one: … | rag ask")
        return Attached(STANDARD_INPUT, sys.stdin.buffer.read(LARGEST + 1))
    try:
        with open(os.path.expanduser(file), "rb") as handle:
            return Attached(file, handle.read(LARGEST + 1))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NotesError(f"{file} cannot be read: {why}.", "Name a text file.") from error


def _file_name(name: str) -> str:
    """A name under which the document is read as a note: as plain text unless it is known."""
    base = os.path.basename(name).lstrip(".") or "document"
    base = base.encode("utf-8", "replace").decode()[-100:]
    return base if base.lower().endswith(SUFFIXES) else f"{base}.txt"


def _renamed(place: str, names: dict[str, str]) -> str:
    path, _, line = place.rpartition(":")
    return f"{names.get(path, path)}:{line}"
