"""An update does what changed, counts it right, and ends where a fresh build would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.errors import Cancelled, IndexMismatch, NotesError, NotesMissing
from rag.indexing.guard import notes_missing
from rag.indexing.library import Library, find_named
from tests.indexing.conftest import Desk
from tests.indexing.fakes import FakeEmbedder


def counts(report) -> tuple[int, ...]:
    return report.added, report.changed, report.moved, report.removed, report.unchanged


def fresh(desk: Desk, tmp_path: Path) -> list[tuple]:
    other = Desk(desk.notes, tmp_path / "fresh")
    other.update()
    return other.content()


def test_first_run(desk: Desk):
    report = desk.update()
    assert counts(report) == (3, 0, 0, 0, 0)
    assert report.chunks == len(desk.embedder.embedded) == 3
    assert report.sentence() == "Notes: 3 added. 3 passages."


def test_nothing_changed(desk: Desk):
    desk.update()
    assert counts(desk.update()) == (0, 0, 0, 0, 3)
    assert not desk.embedder.embedded
    assert desk.generation() == 1


def test_an_exported_conversation_is_a_note_without_passages(desk: Desk):
    said = "# Where is the hive?\n\nThe hive is on the moon. [[bees]]\n"
    desk.write("asked.md", f"---\nsource: rag chat\n---\n{said}")
    report = desk.update()
    assert (report.added, report.chunks) == (4, 3)
    assert [(each.path, "no answer rests on it" in each.reason) for each in report.warnings] == [
        ("asked.md", True)
    ]
    assert not desk.words("moon")
    library = Library(desk.folder)
    assert library.resolve("asked", "bees.md") == "asked.md"
    assert [each.path for each in find_named(library.notes(), "where is the hive")] == ["asked.md"]
    library.close()
    desk.write("asked.md", said)  # made a note of one's own: the mark is gone
    assert desk.update().chunks == 4
    assert "The hive is on the moon. [[bees]]" in desk.words("moon")


def test_all_kinds_of_change_at_once(desk: Desk, tmp_path: Path):
    desk.write("plums.md", "# Plums\n\nPlum jam needs two kilos.\n")
    desk.write("old.md", "Nobody needs this.\n")
    desk.update()
    desk.write("new.md", "# New\n\nA note about elephants.\n")
    desk.write("bees.md", "# Bees\n\nThe hive moved to the orchard.\n")
    (desk.notes / "plums.md").rename(desk.notes / "trips" / "plums.md")
    (desk.notes / "old.md").unlink()
    os.utime(desk.notes / "barrel.md", (1, 1))
    report = desk.update()
    assert counts(report) == (1, 1, 1, 1, 2)
    # "plums" keeps its title, so its text, and so its vector, moved along.
    assert len(desk.embedder.embedded) == 2
    assert desk.content() == fresh(desk, tmp_path)
    assert desk.words("orchard") == ["The hive moved to the orchard."]
    assert not desk.words("shed")
    assert desk.meaning("elephants")[0] == "A note about elephants."


def test_a_touched_note_is_unchanged_and_hashed_once(desk: Desk, monkeypatch):
    desk.update()
    os.utime(desk.notes / "bees.md", (1000, 1000))
    assert counts(desk.update()) == (0, 0, 0, 0, 3)
    hashed: list[str] = []
    monkeypatch.setattr("rag.indexing.build.hash_note", lambda f, path: hashed.append(path))
    desk.update()
    assert not hashed


def test_a_change_within_one_tick_of_the_clock_is_seen(desk: Desk):
    note = desk.write("bees.md", "# Bees\n\nThe hive is green.\n", age=0)
    stat = note.stat()
    desk.update()
    note.write_text("# Bees\n\nThe hive is black.\n")
    os.utime(note, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert note.stat().st_size == stat.st_size
    assert counts(desk.update()) == (0, 1, 0, 0, 2)
    assert desk.words("black")


def test_a_text_is_embedded_once(desk: Desk):
    desk.write("a/same.md", "# Same\n\nWord for word.\n")
    desk.write("b/same.md", "# Same\n\nWord for word.\n")
    desk.update()
    assert len([text for text in desk.embedder.embedded if "Word for word" in text]) == 1
    desk.write("c/same.md", "# Same\n\nWord for word.\n")
    desk.update()
    assert not desk.embedder.embedded


def test_vectors_of_text_that_is_gone_are_dropped(desk: Desk):
    desk.update()
    (desk.notes / "bees.md").unlink()
    desk.update()
    index = desk.open()
    assert index.store._db.execute("SELECT count(*) FROM vectors").fetchone() == (2,)
    index.close()


def test_many_updates_end_where_a_fresh_build_does(desk: Desk, tmp_path: Path):
    import random

    chance = random.Random(7)
    for round_ in range(12):
        for _ in range(4):
            desk.write(
                f"{chance.randrange(9)}.md",
                f"# T\n\nText {chance.randrange(50)} here.\n",
                age=1000 - round_,
            )
        present = sorted(desk.notes.glob("[0-9].md"))
        chance.choice(present).unlink()
        desk.update()
    assert desk.content() == fresh(desk, tmp_path)
    index = desk.open()
    assert set(index.word_ids()) == set(index.store.chunk_ids())
    index.close()


def test_a_skipped_file_is_named_each_time_but_makes_no_new_generation(desk: Desk):
    desk.write("image.md", "\0\1\2" * 50)
    desk.write("blank.md", "  \n \n")
    assert [(e.path, e.reason) for e in desk.update().skipped] == [
        ("blank.md", "is empty"),
        ("image.md", "looks binary"),
    ]
    report = desk.update()
    assert [each.path for each in report.skipped] == ["blank.md", "image.md"]
    assert counts(report) == (0, 0, 0, 0, 3)
    assert desk.generation() == 1
    desk.write("blank.md", "Now it says something.\n", age=50)
    assert counts(desk.update()) == (1, 0, 0, 0, 3)


def test_a_note_that_turned_blank_answers_no_more(desk: Desk, tmp_path: Path):
    desk.update()
    desk.write("bees.md", "\n\n\n")
    report = desk.update()
    assert [each.path for each in report.skipped] == ["bees.md"]
    assert not desk.words("hive")
    assert desk.content() == fresh(desk, tmp_path)


def test_an_emptied_folder_costs_no_index(desk: Desk):
    desk.update()
    for file in desk.notes.rglob("*.md"):
        file.unlink()
    with pytest.raises(NotesError, match=r"no notes now, though 3 were indexed.*--remove-missing"):
        desk.update()
    assert desk.words("hive")
    said = notes_missing(desk.notes, 1, 1, emptied=True).message
    assert "no notes now, though 1 was indexed from it; is a disk" in said


def test_notes_that_were_all_replaced_are_indexed(desk: Desk, tmp_path: Path):
    desk.update()
    for number, file in enumerate(sorted(desk.notes.rglob("*.md"))[:3]):
        file.unlink()
        if number:
            desk.write(f"new{number}.md", f"# Trip {number}\n\nWe fly to Lisbon on {number} May.\n")
    report = desk.update()
    assert (report.added, report.removed) == (2, 3)
    assert desk.content() == fresh(desk, tmp_path)


def test_what_is_new_in_a_folder_that_lost_most_notes_is_added(desk: Desk, tmp_path: Path):
    """It may be half synced: what is there can be asked for, and nothing is removed."""
    for number in range(4):
        desk.write(f"more{number}.md", f"# More {number}\n\nThe shelf holds {number} boxes.\n")
    desk.update()
    for file in desk.notes.rglob("*.md"):
        file.unlink()
    desk.write("trip.md", "# Trip\n\nWe fly to Lisbon.\n")
    desk.write("placeholder.md", "")
    desk.write("moved.md", "# More 1\n\nThe shelf holds 1 boxes.\n")
    for _ in range(2):  # the second time nothing is new, and it is said again
        with pytest.raises(NotesMissing, match=r"6 of the (7|8) notes") as told:
            desk.update()
        assert desk.words("lisbon")
        assert desk.words("hive")
        assert len(desk.words("shelf")) == 4
    assert "What is new was added" not in told.value.message
    desk.write("trip.md", "# Trip\n\nWe sail to Porto.\n")
    with pytest.raises(NotesMissing, match="What is new was added, and nothing was removed"):
        desk.update()
    assert desk.words("porto")
    assert not desk.words("lisbon")
    with pytest.raises(NotesMissing):
        desk.update(rebuild=True)
    assert desk.words("hive")
    desk.update(remove_missing=True)
    assert desk.content() == fresh(desk, tmp_path)


def test_a_folder_of_unreadable_notes_has_no_index(desk: Desk):
    for file in desk.notes.rglob("*.md"):
        file.write_bytes(b"\0" * 100)
    with pytest.raises(NotesError, match=r"No note in .* can be read"):
        desk.update()


def test_another_embedder_is_refused_then_rebuilt(desk: Desk):
    desk.update()
    desk.embedder = FakeEmbedder("other", dimension=48)
    with pytest.raises(IndexMismatch, match="rag index --rebuild"):
        desk.update()
    with pytest.raises(IndexMismatch):
        desk.open().check(desk.embedder.fingerprint)
    assert desk.update(rebuild=True).changed == 3
    assert len(desk.embedder.embedded) == 3
    assert desk.meaning("cycled along the river")[0].startswith("We cycled")


def test_a_rebuild_embeds_nothing_again(desk: Desk, tmp_path: Path):
    desk.update()
    desk.update(rebuild=True)
    assert not desk.embedder.embedded
    assert desk.content() == fresh(desk, tmp_path)
    assert desk.words("hive") == ["The hive stands behind the shed."]


@pytest.mark.parametrize("stop_at", [0, 1, 3])
def test_a_stopped_run_keeps_what_it_embedded(desk: Desk, stop_at: int):
    desk.update()
    for number in range(20):
        desk.write(f"n{number}.md", f"# N\n\nNumber {number} of the series.\n")
    seen = []
    desk.embedder.before_batch = seen.append
    with pytest.raises(Cancelled):
        desk.update(cancel=lambda: len(seen) > stop_at)
    before = len(desk.embedder.embedded)
    assert before == 4 * (stop_at + 1)
    assert desk.words("hive"), "the old generation answers"
    assert not desk.words("series")
    assert desk.update().added == 20
    assert len(desk.embedder.embedded) == 20 - before


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_run_keeps_what_it_embedded(desk: Desk, fault):
    def interrupt(number: int) -> None:
        if number == 2:
            raise fault

    for number in range(20):
        desk.write(f"n{number}.md", f"# N\n\nNumber {number} of the series.\n")
    desk.embedder.before_batch = interrupt
    with pytest.raises(fault):
        desk.update()
    desk.embedder.before_batch = lambda number: None
    assert desk.update().added == 23
    assert len(desk.embedder.embedded) == 15


def test_a_run_killed_between_sqlite_and_the_rest_is_mended(desk: Desk, monkeypatch):
    desk.update()
    desk.write("new.md", "# New\n\nA note about elephants.\n")
    with monkeypatch.context() as patch:
        patch.setattr(
            "rag.indexing.local.LocalIndex.derive",
            lambda *_: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            desk.update()
    assert desk.words("eleph") == ["A note about elephants."], "a reader catches the words up"
    assert desk.meaning("elephants")[0] == "A note about elephants."
    assert desk.update().unchanged == 4
    assert not desk.embedder.embedded


def test_older_rules_chunk_anew_and_embed_nothing(desk: Desk, monkeypatch):
    desk.update()
    monkeypatch.setattr("rag.reading.chunks.CHUNK_RULES", 99)
    assert desk.update().changed == 3
    assert not desk.embedder.embedded
    assert desk.update().unchanged == 3


def test_progress_never_runs_backwards(desk: Desk):
    from rag.indexing.build import update
    from rag.indexing.local import LocalIndex

    index = LocalIndex(desk.folder, write=True)
    events = list(update(desk.notes, index, lambda: desk.embedder, "fake-32", {"dimension": 32}))
    index.close()
    stages = [each.stage for each in events]
    assert stages == sorted(stages, key=["scan", "read", "embed", "write", "done"].index)
    done = [each.chunks_done for each in events if each.stage == "embed"]
    assert done == sorted(done)
    assert done[-1] == 3
