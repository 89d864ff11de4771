"""Data folders as earlier versions wrote them, by the command line and the bundled embedder."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from rag.answering.conversations import Conversations
from rag.indexing.database import FORMAT
from tests.conftest import Box

DATA = Path(__file__).parent / "data"
pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"


@pytest.mark.parametrize("name", sorted(each.name for each in DATA.glob("*.tar.gz")))
def test_an_older_data_folder_is_migrated(box: Box, name: str):
    with tarfile.open(DATA / name) as archive:
        archive.extractall(box.data, filter="data")
    place(box)
    engine = box.engine()
    list(engine.refresh())
    assert engine.search(BARREL)[0].path == "barrel.md"
    engine.close()
    with closing(sqlite3.connect(box.index_dir / "index.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    assert box.index().unchanged == 3
    if (box.data / "conversations.db").exists():
        with closing(Conversations(box.data, box.notes)) as kept:
            (found,) = kept.all()
            assert [turn.question for turn in kept.turns(found.id)] == [BARREL]
            assert not kept.notice


def test_a_newer_data_folder_is_refused(box: Box):
    box.index()
    kept = Conversations(box.data, box.notes)
    kept.close()
    for file in (box.index_dir / "index.db", box.data / "conversations.db"):
        with closing(sqlite3.connect(file)) as db:
            db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    before = (box.index_dir / "index.db").read_bytes()
    for command in (["ask", BARREL], ["index"], ["chat", "--plain"]):
        box.refused(*command, says="newer version of rag")
    assert (box.index_dir / "index.db").read_bytes() == before


def place(box: Box) -> None:
    """Say that the notes of the fixture lie where these do."""
    registry = box.data / "folders.json"
    registry.write_text(registry.read_text().replace("/home/reader/notes", str(box.notes)))
    for file in box.data.glob("conversations.db"):
        with closing(sqlite3.connect(file)) as db:
            db.execute("UPDATE folders SET path = ?", (str(box.notes),))
            db.commit()
