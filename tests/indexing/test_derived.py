"""FAISS and tantivy are derived: missing or damaged, they come back and nothing is embedded."""

from __future__ import annotations

import resource
import shutil

import numpy as np
import pytest

from rag.errors import StorageError
from rag.indexing import bases as base_files
from rag.indexing import lexical
from rag.indexing.lexical import LexicalIndex
from rag.indexing.local import LocalIndex
from tests.indexing.conftest import Desk
from tests.indexing.fakes import FakeEmbedder


@pytest.fixture
def based(desk: Desk, monkeypatch) -> Desk:
    """A desk whose index is large enough, for once, to have a FAISS base."""
    monkeypatch.setattr(base_files, "DELTA_CHUNKS", 2)
    for number in range(30):
        desk.write(f"n{number}.md", f"# N\n\nNumber {number} of the series.\n")
    desk.update()
    assert len(bases(desk)) == 1
    return desk


def bases(desk: Desk) -> list[str]:
    return [file.name for file in (desk.folder / "vectors").iterdir()]


def garble(folder) -> None:
    for file in folder.iterdir():
        if file.is_file() and file.stat().st_size:
            file.write_bytes(b"\xa5" * file.stat().st_size)


def cut(folder) -> None:
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(folder) -> None:
    for file in folder.iterdir():
        file.write_bytes(b"")


def stub(folder) -> None:
    """As many bytes as tantivy panics at, in all files but those that it names others in."""
    for file in folder.iterdir():
        if file.suffix not in (".json", ".lock"):
            file.write_bytes(file.read_bytes()[:5])


def lose_segments(folder) -> None:
    for file in folder.iterdir():
        if file.suffix not in (".json", ".lock", ".faiss"):
            file.unlink()


@pytest.mark.parametrize("what", ["vectors", "words"])
@pytest.mark.parametrize("harm", [shutil.rmtree, garble, cut, empty, stub, lose_segments])
def test_harm_is_mended_without_embedding(based: Desk, what: str, harm):
    content = based.content()
    harm(based.folder / what)
    assert based.words("hive") == ["The hive stands behind the shed."]
    assert based.meaning("Number 7 of the series")[0] == "Number 7 of the series."
    based.update()
    assert not based.embedder.embedded
    assert based.content() == content
    assert len(bases(based)) == 1
    index = based.open()
    assert not index.derived_lags
    assert set(index.word_ids()) == set(index.store.chunk_ids())
    index.close()


@pytest.mark.parametrize("harm", [garble, cut, lose_segments])
def test_words_are_mended_by_the_next_update_alone(based: Desk, harm):
    harm(based.folder / "words")
    based.update()
    assert based.words("hive") == ["The hive stands behind the shed."]


@pytest.mark.parametrize("lacking", [1, 900, 5000, 1 << 20])
def test_a_disk_that_is_full_while_a_base_is_written(
    based: Desk, monkeypatch, capfd: pytest.CaptureFixture[str], lacking: int
):
    """Also where only what is written last, when the file is closed, finds no room."""
    before = bases(based)
    old = base_files.current_base(based.folder / "vectors")
    for number in range(50, 90):
        based.write(f"n{number}.md", f"# N\n\nNumber {number} of the series.\n")
    whole = old.length + 40 * (8 + 4 * based.embedder.dimension)
    write = base_files._write
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def on_a_full_disk(*arguments) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max(0, whole - lacking), unlimited[1]))
        try:
            write(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    monkeypatch.setattr(base_files, "_write", on_a_full_disk)
    with pytest.raises(StorageError, match=r"The disk is full.*Free some space"):
        based.update()
    assert capfd.readouterr().err == ""
    assert bases(based) == before
    assert based.meaning("Number 77 of the series")[0] == "Number 77 of the series."
    assert based.meaning("Number 7 of the series")[0] == "Number 7 of the series."
    monkeypatch.setattr(base_files, "_write", write)
    based.update()
    assert not based.embedder.embedded, "what was embedded is kept"
    (base,) = (based.folder / "vectors").iterdir()
    assert base.stat().st_size == whole
    assert based.meaning("Number 77 of the series")[0] == "Number 77 of the series."


def test_tantivy_panics_at_a_few_bytes_and_that_is_an_error(based: Desk, capfd):
    """Where it comes to that: what the index's seal tells is not opened at all."""
    stub(based.folder / "words")
    with pytest.raises(ValueError, match="gave up"):
        LexicalIndex(based.folder / "words").all_ids()
    assert "panicked" in capfd.readouterr().err
    index = based.open()
    assert index.derived_lags
    assert index.search_words(["hive"], 5)
    index.close()
    assert "panicked" not in capfd.readouterr().err


def test_words_are_written_anew_whatever_the_old_ones_are(based: Desk):
    index = LocalIndex(based.folder, write=True)
    stub(based.folder / "words")
    index.erase()
    assert not index.derived_lags
    index.close()
    assert based.words("hive") == ["The hive stands behind the shed."]


def test_base_and_delta_search_as_one(based: Desk):
    based.write("late.md", "# Late\n\nA late addition about elephants.\n")
    (based.notes / "n3.md").unlink()
    based.update()
    found = based.meaning("Number 3 of the series", k=40)
    assert "Number 3 of the series." not in found
    assert "A late addition about elephants." in found
    assert len(found) == len(set(found)) == 33


def test_search_is_exact(based: Desk):
    index = based.open()
    ids = index.store.chunk_ids()
    rows = index.vectors(ids)
    matrix = np.stack([rows[each] for each in ids])
    for question in ("rain", "Number 12 of the", "cycled along the river"):
        query = based.embedder.embed_query(question)
        best = np.sort(matrix @ query)[::-1][:5]
        got = [score for _, score in index.search_meaning(query, 5)][:5]
        assert np.allclose(got, best, atol=1e-5)
    index.close()


def test_a_base_of_another_dimension_is_not_searched(based: Desk):
    for number in range(4, 30):
        (based.notes / f"n{number}.md").unlink()
    based.update(remove_missing=True)
    based.embedder = FakeEmbedder("other", dimension=48)
    based.update(rebuild=True)
    assert based.meaning("cycled along the river")[0].startswith("We cycled")


def test_what_was_derived_from_another_database_is_not_searched(based: Desk):
    """Ids begin at one again with a new database, so an old base would name the wrong text."""
    (based.folder / "index.db").unlink()
    based.write("aaa.md", "# First\n\nThis one takes the first id.\n")
    based.update()
    for number in (3, 17):
        assert (
            based.meaning(f"Number {number} of the series")[0] == f"Number {number} of the series."
        )
    assert based.words("hive") == ["The hive stands behind the shed."]


def test_a_long_question_and_odd_terms(desk: Desk):
    desk.update()
    assert desk.words(*(f"w{n}" for n in range(10_000)), "hive") == []
    assert desk.words("hive", "AND", "*", '"', "") == ["The hive stands behind the shed."]
    assert desk.words() == []


@pytest.mark.parametrize("listed", [0, 5, 10_000])
def test_words_within_a_set_are_found_however_large_it_is(based: Desk, monkeypatch, listed: int):
    monkeypatch.setattr(lexical, "_LISTED", listed)
    index = based.open()
    ids = [chunk for chunk, _ in index.search_words(["number", "seri"], 40)]
    assert len(ids) == 30
    for some in (sorted(ids)[::7], sorted(ids)[1:], index.store.chunk_ids()[:3]):
        hits = index.search_words(["number", "seri"], 10, some)
        best = [chunk for chunk in ids if chunk in some][:10]
        assert {chunk for chunk, _ in hits} == set(best)
    assert index.search_words(["hive"], 10, sorted(ids)) == []
    index.close()
