"""Conversations follow the index of their notes folder, and none is lost on the way there."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.conversation_file import DATABASE
from rag.answering.conversations import Conversations
from rag.indexing.build import update
from rag.indexing.home import index_folder, remember_home
from rag.indexing.local import LocalIndex
from tests.answering.test_conversations import OTHER, TURN
from tests.indexing.fakes import FakeEmbedder


class Shelf:
    """A data folder, and notes folders beside it. Each note has a text of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.data = root, root / "data"

    def folder(self, name: str) -> Path:
        """A new notes folder with one note, named and written as no other."""
        folder = self.root / name
        folder.mkdir()
        unique = str(folder.stat().st_ino)
        (folder / f"note{len(list(self.root.rglob('*.md')))}-{unique}.md").write_text(f"{unique}\n")
        return folder

    def index(self, folder: Path) -> None:
        home = index_folder(self.data, remember_home(self.data, folder))
        embedder = FakeEmbedder()
        with closing(LocalIndex(home, write=True)) as index:
            *_, _ = update(
                folder,
                index,
                lambda: embedder,
                embedder.fingerprint,
                {"embedder": embedder.fingerprint, "dimension": embedder.dimension},
            )

    def ask(self, folder: Path, turn=TURN) -> None:
        with closing(Conversations(self.data, folder)) as kept:
            kept.add(None, turn)

    def asked(self, folder: Path) -> list[str]:
        with closing(Conversations(self.data, folder)) as kept:
            return [each.title for each in kept.all()]

    def sql(self, statement: str) -> list[tuple]:
        with closing(sqlite3.connect(self.data / DATABASE)) as db, db:
            return db.execute(statement).fetchall()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_folder_that_takes_the_place_of_a_moved_one_has_its_own(shelf: Shelf):
    garden = shelf.folder("notes")
    shelf.index(garden)
    shelf.ask(garden)
    moved = garden.rename(shelf.root / "moved")
    work = shelf.folder("notes")
    assert shelf.asked(work) == [], "also before it is indexed"
    shelf.index(work)
    shelf.ask(work, OTHER)
    assert shelf.asked(work) == [OTHER.question]
    assert shelf.asked(moved) == [TURN.question]


def test_an_inode_that_is_used_again_brings_no_conversations(shelf: Shelf):
    """A file system gives the number of a folder that is gone to a new one."""
    garden = shelf.folder("notes")
    shelf.index(garden)
    shelf.ask(garden)
    work = shelf.folder("work")
    shutil.rmtree(garden)
    shelf.sql(f"UPDATE folders SET inode = {work.stat().st_ino}")
    assert shelf.asked(work) == []


def test_a_folder_that_is_indexed_while_its_conversations_are_open_is_followed(shelf: Shelf):
    garden = shelf.folder("notes")
    with closing(Conversations(shelf.data, garden)) as kept:
        shelf.index(garden)
        kept.add(None, TURN)
    garden.rename(shelf.root / "moved")
    work = shelf.folder("notes")
    assert shelf.asked(work) == []
    assert shelf.asked(shelf.root / "moved") == [TURN.question]


def test_an_index_and_its_id_that_are_gone_take_no_conversation_along(shelf: Shelf):
    garden = shelf.folder("notes")
    shelf.index(garden)
    shelf.ask(garden)
    shutil.rmtree(shelf.data / "indexes")
    (shelf.data / "folders.json").unlink()
    assert shelf.asked(garden) == [TURN.question]
    shelf.index(garden)
    assert shelf.asked(garden) == [TURN.question]
    assert shelf.asked(garden.rename(shelf.root / "moved")) == [TURN.question]


def test_files_of_before_ids_were_kept_lose_nothing(shelf: Shelf):
    garden, work, bare = (shelf.folder(name) for name in ("garden", "work", "bare"))
    for folder in (garden, work):
        shelf.index(folder)
    for at, folder in enumerate((garden, work, bare)):
        shelf.ask(folder, replace(TURN, question=folder.name, asked=TURN.asked + at))
    shelf.sql("DROP TABLE folder_homes")
    moved = garden.rename(shelf.root / "moved")
    for folder, name in ((moved, "garden"), (work, "work"), (bare, "bare")):
        assert shelf.asked(folder) == [name]
    assert len(shelf.sql("SELECT * FROM folder_homes")) == 2
    assert len(shelf.sql("SELECT * FROM folders")) == 3


def test_a_folder_whose_row_was_damaged_is_found_by_its_index(shelf: Shelf):
    garden = shelf.folder("notes")
    shelf.index(garden)
    shelf.ask(garden)
    shelf.sql("UPDATE folders SET path = '?1', device = 0, inode = 0")  # as recovery leaves it
    assert shelf.asked(garden) == [TURN.question]
    assert shelf.sql("SELECT path FROM folders") == [(str(garden),)]
