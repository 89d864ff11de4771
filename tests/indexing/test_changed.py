"""Whether a folder changed, seen by one digest where it is large."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from rag.indexing import build, changed
from rag.indexing.forget import forget, remember
from rag.indexing.local import LocalIndex
from rag.indexing.repair import mend
from rag.reading.formats import SUFFIXES
from rag.reading.listing import listing, listing_apart
from rag.reading.scanning import Scan, scan
from tests.indexing.conftest import Desk


@pytest.fixture
def large(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A few notes, indexed and taken for many: what each was like is not fetched for nothing."""
    monkeypatch.setattr(changed, "_LARGE", 1)
    desk.write("a.md", "# A\n\nApples.\n")
    desk.write("sub/b.md", "# B\n\nBees.\n")
    desk.update()
    return desk


def _changed(desk: Desk) -> bool:
    return changed.notes_changed(desk.notes, desk.folder, SUFFIXES)


def test_nothing_changed_is_seen_by_the_digest_alone(large: Desk, monkeypatch: pytest.MonkeyPatch):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the notes were compared one by one")

    monkeypatch.setattr(build, "plan", never)
    assert not _changed(large)


def test_what_changed_is_seen(large: Desk):
    large.write("c.md", "# C\n\nCherries.\n", age=50)
    assert _changed(large)
    large.update()
    assert not _changed(large)
    large.write("a.md", "# A\n\nApples and pears.\n", age=40)
    assert _changed(large)
    large.update()
    (large.notes / "c.md").rename(large.notes / "d.md")
    assert _changed(large)
    large.update()
    (large.notes / "d.md").unlink()
    assert _changed(large)
    large.update()
    assert not _changed(large)


def test_a_note_that_was_only_touched_has_not_changed(large: Desk):
    os.utime(large.notes / "a.md", (1_000_000_000, 1_000_000_000))
    assert not _changed(large)


def test_a_note_written_while_it_was_scanned_is_looked_into(large: Desk):
    file = large.notes / "a.md"
    now = time.time_ns()
    os.utime(file, ns=(now, now))
    large.update()
    was = file.stat()
    file.write_text("# A\n\nAlmond.\n")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert file.stat().st_size == was.st_size, "size and time tell nothing"
    assert _changed(large)


def test_a_file_without_text_written_while_it_was_scanned_is_looked_into(desk: Desk):
    for name, text in (("a.md", "# A\n\nApples.\n"), ("empty.md", ""), ("bytes.md", "\0\1\2")):
        desk.write(name, text, age=0)
    desk.update()
    assert not _changed(desk), "what they hold is as it was"
    file = desk.notes / "bytes.md"
    was = file.stat()
    file.write_text("# B")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert file.stat().st_size == was.st_size, "size and time tell nothing"
    assert _changed(desk)
    assert desk.update().added == 1


def test_what_was_forgotten_is_no_change_and_comes_back(large: Desk):
    with_lock = LocalIndex(large.folder, write=True)
    forget(with_lock, ["a.md"])
    with_lock.close()
    assert not _changed(large)
    large.update()
    assert not _changed(large)
    with_lock = LocalIndex(large.folder, write=True)
    remember(with_lock, ["a.md"])
    with_lock.close()
    assert _changed(large)


def test_a_note_that_could_not_be_read_is_tried_again(large: Desk, monkeypatch: pytest.MonkeyPatch):
    large.write("barred.md", "# Barred\n\nBarley.\n")
    real = os.open

    def barred(path: str | Path, flags: int, *mode: int) -> int:
        if str(path).endswith("barred.md"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", barred)
        assert large.update().skipped
        assert not _changed(large), "as long as it stays barred"
    assert _changed(large)


def test_a_folder_is_listed_alike_in_a_process_apart(large: Desk, tmp_path: Path):
    assert listing_apart(large.notes, SUFFIXES) == listing(scan(large.notes))
    assert listing_apart(large.notes, (".txt",)) == listing(Scan((), ()))
    assert listing_apart(tmp_path / "not there", SUFFIXES) is None


def test_modules_in_the_current_folder_are_not_run(large: Desk, monkeypatch: pytest.MonkeyPatch):
    (large.notes / "hashlib.py").write_text("print('run'); raise SystemExit(3)")
    monkeypatch.chdir(large.notes)
    assert listing_apart(large.notes, SUFFIXES) == listing(scan(large.notes))


def test_a_forgotten_note_is_a_change_though_the_process_was_killed(
    large: Desk, monkeypatch: pytest.MonkeyPatch
):
    index = LocalIndex(large.folder, write=True)
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("rag.indexing.forget.json.dumps", killed)  # after the file of marks
        with pytest.raises(KeyboardInterrupt):
            forget(index, ["a.md"])
    index.close()
    assert _changed(large)


def test_what_a_mend_dropped_is_a_change(large: Desk):
    with closing(LocalIndex(large.folder, write=True)) as index:
        (note,) = [state.id for path, state in index.note_states().items() if path == "a.md"]
        with index.store.transaction():
            index.store._db.execute("UPDATE chunks SET text = 'x' WHERE note = ?", (note,))
    assert mend(large.folder)
    with closing(LocalIndex(large.folder, write=True)) as index:
        index.derive()
    assert _changed(large)


def test_a_note_of_the_future_costs_no_process(large: Desk, monkeypatch: pytest.MonkeyPatch):
    file = large.notes / "a.md"
    later = time.time() + 1000
    os.utime(file, (later, later))
    large.update()

    def never(*_: object) -> None:
        raise AssertionError("its listing can tell nothing")

    monkeypatch.setattr(changed, "listing_apart", never)
    assert not _changed(large)
