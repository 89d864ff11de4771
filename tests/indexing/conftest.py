"""An index over a fake embedder, brought up to date by hand."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rag.indexing.build import IndexReport, update
from rag.indexing.local import LocalIndex
from tests.indexing.fakes import FakeEmbedder


@dataclass
class Desk:
    """Notes and their index. Times are made old, so that no note is taken for just written."""

    notes: Path
    folder: Path
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)

    def write(self, name: str, text: str, age: float = 60.0) -> Path:
        file = self.notes / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        then = time.time() - age
        os.utime(file, (then, then))
        return file

    def update(self, rebuild: bool = False, cancel=None, remove_missing=False) -> IndexReport:
        """One run; `embedder.embedded` holds afterwards what it embedded."""
        self.embedder.embedded.clear()
        index = LocalIndex(self.folder, write=True)
        try:
            *_, done = update(
                self.notes,
                index,
                lambda: self.embedder,
                self.embedder.fingerprint,
                {"embedder": self.embedder.fingerprint, "dimension": self.embedder.dimension},
                rebuild,
                cancel,
                remove_missing,
            )
        finally:
            index.close()
        return done.report

    def open(self) -> LocalIndex:
        return LocalIndex(self.folder)

    def meaning(self, question: str, k: int = 3) -> list[str]:
        """Texts found by meaning, best first."""
        return self._texts(lambda i: i.search_meaning(self.embedder.embed_query(question), k))

    def words(self, *terms: str) -> list[str]:
        """Texts found by words, best first."""
        return self._texts(lambda index: index.search_words(terms, 5))

    def _texts(self, search) -> list[str]:
        index = self.open()
        try:
            ids = [chunk for chunk, _ in search(index)]
            found = index.passages(ids)
            return [found[each].text for each in ids if each in found]
        finally:
            index.close()

    def generation(self) -> int:
        index = self.open()
        try:
            return index.generation
        finally:
            index.close()

    def content(self) -> list[tuple]:
        """All that an index says, without ids: two indexes of one folder must agree."""
        index = self.open()
        try:
            passages = list(index.store.all_passages())
            vectors = index.vectors([each.id for each in passages])
            return sorted(
                (p.path, p.title, p.headings, p.first, p.last, p.text, vectors[p.id].tobytes())
                for p in passages
            )
        finally:
            index.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "notes", tmp_path / "index")
    desk.write("barrel.md", "# Rain barrel\n\nThe barrel holds 300 litres of rain.\n")
    desk.write("bees.md", "# Bees\n\nThe hive stands behind the shed.\n")
    desk.write("trips/rhine.md", "# Rhine\n\nWe cycled along the river from Basel.\n")
    return desk
