"""A small vault that changes, indexed by the real parts but for a fast embedder."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rag.config import Config
from rag.engine import Engine
from rag.indexing import bases
from rag.indexing.home import find_home, index_folder
from rag.indexing.local import LocalIndex
from rag.reading.scanning import scan
from rag.wiring import build_engine
from tests.indexing.fakes import FakeEmbedder

WORDS = "barrel hive river shed frost honey lantern orchard gravel kettle meadow anchor".split()
QUESTIONS = ("Where is the hive and the shed?", "honey in the meadow", "What of the anchor?")
TORTURE = bool(os.environ.get("RAG_TORTURE"))


def scale(quick: int, torture: int) -> int:
    """How often: a little in every run of the tests, much in `make torture`."""
    return torture if TORTURE else quick


def figure(what: object) -> None:
    """A figure of this run, for docs/reliability.md: `pytest -s` shows it."""
    sys.stdout.write(f"\n{what}\n")


@dataclass
class Vault:
    """Notes and a data folder below `root`."""

    root: Path

    @property
    def notes(self) -> Path:
        return self.root / "notes"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def folder(self) -> Path:
        home = find_home(self.data, self.notes)
        assert home is not None
        return index_folder(self.data, home)

    def engine(self) -> Engine:
        """Bases of FAISS are written for few chunks here, so that they are in play."""
        bases.DELTA_CHUNKS = 8
        config = Config(notes=self.notes, data_dir=self.data, cache_dir=self.root / "cache")
        fake = FakeEmbedder()
        parts = build_engine(config).parts
        return Engine(
            self.notes,
            replace(parts, embedder_name="fake", identity=lambda: fake, open_embedder=lambda: fake),
        )

    def write(self, name: str, text: str) -> None:
        """As an editor saves: whole, under another name first."""
        file = self.notes / name
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.tmp")
        partial.write_text(text)
        os.replace(partial, file)

    def fill(self, count: int, chance: random.Random) -> None:
        for number in range(count):
            self.write(f"part{number % 3}/note{number}.md", some_note(chance, number))

    def change(self, chance: random.Random) -> None:
        """What happens to a vault in an hour: edited, added, deleted, renamed."""
        files = sorted(self.notes.rglob("*.md"))
        for file in chance.sample(files, 3):
            file.write_text(some_note(chance, chance.randrange(1000)))
        self.write(f"part0/new{chance.randrange(10_000)}.md", some_note(chance, 7))
        if len(files) > 12:
            files.pop(chance.randrange(len(files))).unlink()
        moved = chance.choice(files)
        moved.rename(moved.with_name(f"moved{chance.randrange(10_000)}.md"))

    def hashes(self) -> dict[str, str]:
        """The notes as they are on the disk."""
        return {
            each.path: hashlib.sha256((self.notes / each.path).read_bytes()).hexdigest()
            for each in scan(self.notes).files
        }

    def indexed(self) -> dict[str, str]:
        """The notes as they are indexed."""
        index = LocalIndex(self.folder)
        try:
            return {path: state.hash for path, state in index.note_states().items()}
        finally:
            index.close()

    def index(self, **options) -> list[str]:
        """One run; what it said was amiss."""
        return [each.notice for each in self.engine().index(**options) if each.notice]

    def ask(self) -> tuple[list[list[tuple]], list[str]]:
        """What a reader is shown for each question after a refresh, and what was amiss."""
        engine = self.engine()
        notices = [each.notice for each in engine.refresh() if each.notice]
        try:
            shown = [
                [(p.path, p.first, p.last, p.text) for p in engine.search(question)]
                for question in QUESTIONS
            ]
            return shown, notices + engine.take_notices()
        finally:
            engine.close()

    def content(self) -> dict[tuple, np.ndarray]:
        """Every passage as it is shown, and its vector."""
        index = LocalIndex(self.folder)
        try:
            passages = list(index.store.all_passages())
            found = index.vectors([each.id for each in passages])
            words = sorted(index.word_ids())
            assert words == [each.id for each in passages], "tantivy holds other passages"
            query = FakeEmbedder().embed_query("hive")
            near = {chunk for chunk, _ in index.search_meaning(query, len(passages))}
            assert near >= {each.id for each in passages}, "FAISS lacks passages"
            return {
                (p.path, p.title, p.headings, p.first, p.last, p.text): found[p.id]
                for p in passages
            }
        finally:
            index.close()

    def check_like_new(self) -> int:
        """Bring the index up to date and compare it with one built from nothing; how many
        passages there are."""
        self.index(remove_missing=True)
        mine = self.content()
        fresh = Vault(self.root / f"fresh{time.time_ns()}")
        fresh.root.mkdir()
        fresh.notes.symlink_to(self.notes)
        fresh.index()
        other = fresh.content()
        shutil.rmtree(fresh.root)
        assert mine.keys() == other.keys()
        for key, vector in mine.items():
            assert float(vector @ other[key]) > 0.999, key
        return len(mine)


def holding(folder: Path, words: Iterable[bytes]) -> list[str]:
    """The files below a folder that hold any of the words, in whatever case."""
    return [
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and any(word in file.read_bytes().lower() for word in words)
    ]


def some_note(chance: random.Random, number: int) -> str:
    sections = [
        f"## {chance.choice(WORDS).title()}\n\n"
        + " ".join(
            f"The {chance.choice(WORDS)} and the {chance.choice(WORDS)} of {chance.randrange(100)}."
            for _ in range(chance.randrange(1, 6))
        )
        for _ in range(chance.randrange(1, 4))
    ]
    return f"# Note {number}\n\n" + "\n\n".join(sections) + "\n"
