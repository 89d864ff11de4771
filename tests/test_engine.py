"""The engine: it follows its folder, keeps folders apart, and answers while notes change."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.doctor import examine
from rag.engine import Engine
from rag.errors import (
    Cancelled,
    IndexBusy,
    IndexDamaged,
    NoIndex,
    NotesMissing,
    QuestionError,
    RagError,
)
from rag.events import Answered, Retrieved
from rag.indexing.home import find_home, last_used, unseen_indexes, writing
from rag.indexing.progress import IndexProgress
from rag.indexing.worker import run_in_process
from tests.conftest import Box

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"


def test_notes_that_are_no_longer_wanted_are_not_missing(box: Box) -> None:
    (box.notes / "a.txt").write_text("The gate is green.\n")
    box.index()
    box.env["RAG_NOTES_FORMATS"] = "txt"
    done = json.loads(box.rag("index", "--json").stdout)
    assert (done["removed"], done["unchanged"]) == (3, 1)


def test_a_folder_that_was_renamed_is_told_from_none(box: Box) -> None:
    box.env["RAG_NOTES"] = ""
    box.refused("search", "x", says="none was indexed before")
    box.rag("index", str(box.notes))
    box.notes.rename(box.folder / "elsewhere")
    shutil.rmtree(box.data / "indexes")
    box.refused("search", "x", says=f"{box.notes} is not there any more")


def test_events_come_in_order(engine: Engine):
    events = list(engine.ask(BARREL))
    assert isinstance(events[0], Retrieved)
    assert events[0].evidence
    done = events[-1]
    assert isinstance(done, Answered)
    assert done.answered
    assert "300" in done.answer
    assert done.citations[0].path == "barrel.md"
    again = list(engine.ask(BARREL))[-1]
    assert again.answer == done.answer, "the same question gets the same answer"


def test_what_cannot_be_asked(box: Box):
    engine = box.engine()
    assert not engine.has_index()
    assert engine.changed()
    with pytest.raises(NoIndex, match="rag index"):
        engine.search(BARREL)
    with pytest.raises(QuestionError):
        next(engine.ask("  "))


def test_cancelled_at_once(engine: Engine):
    events = engine.ask(BARREL, cancel=lambda: True)
    with pytest.raises(Cancelled):
        list(events)
    assert list(engine.ask(BARREL))[-1].answered


def test_an_index_follows_its_folder(box: Box):
    box.index()
    first = box.index_dir
    moved = box.folder / "elsewhere" / "renamed"
    moved.parent.mkdir()
    box.notes.rename(moved)
    box.notes = moved
    assert box.finds(BARREL)[0] == "barrel.md"
    report = box.index()
    assert (report.unchanged, report.added) == (3, 0)
    assert box.index_dir == first
    assert last_used(box.data) == moved


@pytest.mark.parametrize("first", ["the moved one", "the new one"])
def test_a_new_folder_where_a_moved_one_was_has_an_index_of_its_own(box: Box, first: str):
    box.index()
    home = box.index_dir
    place, moved = box.notes, box.folder / "moved"
    place.rename(moved)
    place.mkdir()
    (place / "lamps.md").write_text("# Lamps\n\nThe lamp in the hall needs a bulb of 40 watts.\n")
    for folder in (moved, place) if first == "the moved one" else (place, moved):
        box.notes = folder
        report = box.index()
        assert (report.unchanged, report.added) == ((3, 0) if folder == moved else (0, 1))
    box.notes = place
    assert box.finds("Which bulb?") == ["lamps.md"]
    box.notes = moved
    assert box.finds(BARREL)[0] == "barrel.md"
    assert "lamps.md" not in box.finds("Which bulb?")
    found = find_home(box.data, moved)
    assert found is not None
    assert found.id == home.name
    assert last_used(box.data) in (moved, place)
    assert not unseen_indexes(box.data)


def test_a_folder_that_was_copied_back_keeps_its_index(box: Box):
    box.index()
    copy = box.folder / "copy"
    shutil.copytree(box.notes, copy)
    shutil.rmtree(box.notes)
    copy.rename(box.notes)
    (box.notes / "barrel.md").write_text("# Rain barrel\n\nIt holds 500 litres now.\n")
    (box.notes / "bees.md").rename(box.notes / "hive.md")
    report = box.index()
    assert (report.changed, report.moved, report.unchanged) == (1, 1, 1)
    assert len(list((box.data / "indexes").iterdir())) == 1


def test_a_folder_that_bears_the_number_of_a_deleted_one_is_another(box: Box):
    """File systems give the number of what was deleted to what is made next."""
    box.index()
    gone, stat = box.notes, box.notes.stat()
    shutil.rmtree(gone)
    for attempt in range(50):
        box.notes = box.folder / f"other{attempt}"
        box.notes.mkdir()
        if box.notes.stat().st_ino == stat.st_ino:
            break
    else:
        registry = box.data / "folders.json"
        (entry,) = json.loads(registry.read_text())["folders"]
        entry["inode"] = box.notes.stat().st_ino
        registry.write_text(json.dumps([entry]))  # as versions before 0.2 wrote it
    assert find_home(box.data, box.notes) is None
    (box.notes / "lamps.md").write_text("# Lamps\n\nThe lamp needs a bulb of 40 watts.\n")
    assert box.index().added == 1
    ((path, index),) = unseen_indexes(box.data)
    assert path == str(gone)
    (finding,) = (each for each in examine(box.engine(), False) if each.about == "Another index")
    assert finding.state == "warning"
    assert path in finding.found
    assert f"rm -r {index}" in finding.cure


def test_an_empty_folder_in_the_place_of_one_loses_nothing(box: Box):
    box.index()
    box.notes.rename(box.folder / "elsewhere")
    box.notes.mkdir()
    with pytest.raises(NotesMissing, match="is a disk not mounted"):
        box.index()
    assert box.finds(BARREL)[0] == "barrel.md"


def test_two_folders_have_two_indexes(box: Box):
    box.index()
    first = box.notes
    box.notes = box.folder / "copy"
    shutil.copytree(first, box.notes)
    (box.notes / "bees.md").unlink()
    assert box.index().added == 2
    homes = [find_home(box.data, each) for each in (first, box.notes)]
    assert len({home.id for home in homes}) == 2
    assert "bees.md" not in box.finds("the hive behind the shed")
    box.notes = first
    assert "bees.md" in box.finds("the hive behind the shed")


def test_a_link_to_the_folder_is_the_folder(box: Box):
    box.index()
    link = box.folder / "link"
    link.symlink_to(box.notes)
    box.notes = link
    assert box.index().unchanged == 3
    assert len(list((box.data / "indexes").iterdir())) == 1


def test_a_new_generation_is_seen_by_an_open_engine(box: Box):
    box.index()
    engine = box.engine()
    assert engine.search("elephants")[0].path != "new.md"
    (box.notes / "new.md").write_text("# New\n\nA note about elephants.\n")
    assert engine.changed()
    *_, done = engine.refresh()
    assert done.report.added == 1
    assert not engine.changed()
    assert engine.search("elephants")[0].path == "new.md"


def test_one_writer_at_a_time(box: Box):
    box.index()
    with writing(box.index_dir):
        with pytest.raises(IndexBusy):
            box.index()
        (box.notes / "new.md").write_text("New.\n")
        engine = box.engine()
        assert list(engine.refresh()) == []
        assert engine.search(BARREL)[0].path == "barrel.md", "the old generation answers"
    assert box.index().added == 1


@pytest.fixture
def switching_at_once() -> Iterator[None]:
    """Threads are switched as often as can be, so that what is not guarded shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_asking_from_many_threads(box: Box, switching_at_once: None):
    box.index()
    engine = box.engine()
    started = threading.Barrier(8)

    def search(_: int) -> list[str]:
        started.wait()
        found = [engine.search(BARREL)[0].path]
        assert engine.has_index()
        assert engine.status().notes
        engine.close()  # under the others, as when a new index is put in the place of this one
        return [*found, engine.search(BARREL)[0].path]

    with ThreadPoolExecutor(8) as pool:
        found = [path for paths in pool.map(search, range(8)) for path in paths]
    assert found == ["barrel.md"] * 16


def test_indexing_in_a_process_of_its_own(box: Box):
    events = list(box.engine().index_in_process())
    assert events[-1].report.added == 3
    (box.notes / "new.md").write_text("New.\n")
    with pytest.raises(Cancelled):
        list(box.engine().index_in_process(cancel=lambda: True))
    shutil.rmtree(box.notes)
    with pytest.raises(Exception, match="There is no folder"):
        list(box.engine().index_in_process())


def broken(*_: object) -> Iterator[IndexProgress]:
    raise ValueError("no such letter")


def test_what_is_unforeseen_there_is_a_sentence_with_a_way_out():
    with pytest.raises(RagError) as caught:
        list(run_in_process(broken, ()))
    assert caught.value.message == "Indexing failed: no such letter."
    assert caught.value.remedy == "Run: rag doctor"


def test_a_damaged_index_is_not_discarded_for_files_that_are_no_notes(box: Box):
    box.index()
    file = box.index_dir / "index.db"
    file.write_bytes(b"not a database " * 1000)
    shutil.rmtree(box.notes)
    box.notes.mkdir()
    (box.notes / "list.txt").write_text("Milk.\n")
    with pytest.raises(IndexDamaged):
        list(box.engine(notes_formats=("md",)).index())
    assert file.read_bytes() == b"not a database " * 1000


def test_a_rebuilt_index_answers_an_engine_that_was_open(box: Box):
    box.index()
    engine = box.engine()
    assert engine.search(BARREL)[0].path == "barrel.md"
    box.index(rebuild=True)
    assert engine.search(BARREL)[0].path == "barrel.md"
    engine.close()


def test_notes_in_a_script_that_the_embedder_does_not_know_are_named(box: Box):
    box.index()
    assert box.engine().status().other_scripts == 0
    for number in range(4):
        (box.notes / f"ru{number}.md").write_text(f"# Река {number}\n\nМы жили у реки.\n")
    box.index()
    status = box.engine().status()
    assert (status.other_scripts, len(status.other_script_notes)) == (4, 3)
    shown = " ".join(box.rag("status").stdout.split())
    assert "4 not in Latin letters (ru0.md" in shown
    assert "see docs/models.md." in shown
    assert box.finds("реки")[0].startswith("ru"), "found by its words"
    for number in range(4):
        (box.notes / f"ru{number}.md").unlink()
        box.index()  # most notes gone at once would be asked about
    assert "Latin" not in box.rag("status").stdout


def test_a_named_note_is_found_in_brackets(box: Box):
    box.index()
    assert box.finds("What is in [[Bees]]?")[0] == "bees.md"
    assert box.finds("What is in [[trips/rhine#Route|that trip]]?")[0] == "trips/rhine.md"
    assert box.finds("[[nowhere]] and [[]] hives")[0] == "bees.md"
