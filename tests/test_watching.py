"""`rag index --watch`: it follows the notes, says little, and ends when it is told to."""

from __future__ import annotations

import json
import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rag import watching
from rag.errors import IndexBusy
from rag.indexing.build import IndexProgress, IndexReport
from rag.watching import _is_note, keep_indexed, note_changes
from tests.conftest import Box

REPORT = IndexReport(1, 0, 0, 0, 0, (), (), 1, 0.1)


class Following:
    """An engine whose notes are always changed, and whose index is busy at first."""

    class parts:  # noqa: N801
        suffixes = (".md",)

    def __init__(self, folder, busy: int) -> None:
        self.folders = [folder]
        self.busy = busy
        self.runs = 0

    def changed(self) -> bool:
        return True

    def index_in_process(self, cancel) -> Iterator[IndexProgress]:
        self.runs += 1
        if self.runs <= self.busy:
            raise IndexBusy("Another rag is at work.")
        yield IndexProgress("done", report=REPORT)


def test_what_stands_in_the_way_is_said_once_and_tried_again(tmp_path):
    engine, stop, told = Following(tmp_path, busy=2), threading.Event(), []

    def tell(what) -> None:
        told.append(what)
        if what is REPORT:
            stop.set()

    keep_indexed(engine, stop, tell)
    error, report = told
    assert isinstance(error, IndexBusy)  # a program is told which it is
    assert (str(error), report) == ("Another rag is at work.", REPORT)
    assert engine.runs == 3


class Counting(Following):
    """One that counts how often it looked for changes, and never finds any."""

    def changed(self) -> bool:
        self.runs += 1
        return False


@pytest.mark.parametrize("back", ["the same", "another in its place"])
def test_a_folder_that_goes_away_and_comes_back_is_followed_again(tmp_path, monkeypatch, back):
    """What was written while nobody watched is looked at, and what is written from then on."""
    monkeypatch.setattr(watching, "LOOK_AGAIN_S", 0.1)
    folder, away = tmp_path / "notes", tmp_path / "away"
    folder.mkdir()
    engine, stop, told = Counting(folder, busy=0), threading.Event(), queue.Queue()
    follower = threading.Thread(target=keep_indexed, args=(engine, stop, told.put))
    follower.start()
    try:
        wait_until(lambda: engine.runs >= 2)
        folder.rename(away)
        assert told.get(timeout=60) == "The notes folder is not there; it is looked for."
        before = engine.runs
        if back == "the same":
            away.rename(folder)
        else:
            folder.mkdir()
        assert told.get(timeout=60) == "The notes folder is there again."
        wait_until(lambda: engine.runs > before)
        before = engine.runs
        (folder / "new.md").write_text("New.")
        wait_until(lambda: engine.runs > before)
    finally:
        stop.set()
        follower.join()


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("longest", "times"), [(30.0, 1), (2.0, 2)])
def test_a_note_that_is_saved_again_and_again_is_one_change(tmp_path, monkeypatch, longest, times):
    """Until it is left alone; but one that never is, is told of at times."""
    monkeypatch.setattr(watching, "LONGEST_S", longest)
    note, stop, watched, told = tmp_path / "a.md", threading.Event(), threading.Event(), []

    def follow() -> None:
        for changed in note_changes([tmp_path], stop, lambda _on: watched.set()):
            told.extend([time.monotonic()] * changed)

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        assert watched.wait(60)
        time.sleep(0.5)  # the kernel's watch is set by another thread
        for _ in range(12):
            saved = time.monotonic()
            with note.open("a") as file:
                file.write("More.\n")
            time.sleep(0.3)
        wait_until(lambda: told and told[-1] >= saved + watching.QUIET_S)
    finally:
        stop.set()
        follower.join()
    assert len(told) == times


def test_only_notes_folders_and_rules_matter(tmp_path):
    def is_note(inside: str) -> bool:
        return _is_note(str(tmp_path / inside), [tmp_path], (".md",))

    (tmp_path / "a.png").write_text("x")
    (tmp_path / "Trip 2024.05").mkdir()
    wanted = ("a.md", "sub", ".gitignore", "x/.ragignore", "Trip 2024.05", "gone 2023.04")
    assert all(map(is_note, wanted))
    assert not any(map(is_note, (".git/a.md", "a.png", ".a.md.swp", "b/.obsidian/x.md")))


@pytest.mark.model
def test_the_command_follows_changes_and_ends_with_ctrl_c(box: Box):
    process = box.start("index", "--watch", "--json", str(box.notes))
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["added"] == 3
    (box.notes / "bees.md").write_text("# Bees\n\nThe hive is blue now.\n")
    second = json.loads(process.stdout.readline())
    assert (second["changed"], second["added"]) == (1, 0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


@pytest.mark.model
def test_a_file_that_cannot_be_read_is_named_once(box: Box):
    (box.notes / "blank.md").write_text(" ")
    process = box.start("index", "--watch", str(box.notes))
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(2)]
    assert "3 added, 1 skipped" in said[0]
    assert said[1].strip() == "Skipped: blank.md is empty"
    (box.notes / "bytes.md").write_bytes(b"\0\1\2")
    said = [process.stdout.readline() for _ in range(2)]
    assert "3 unchanged, 2 skipped" in said[0]
    assert said[1].strip().startswith("Skipped: bytes.md ")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == ""


def test_a_folder_that_is_not_there_is_refused(box: Box):
    shutil.rmtree(box.notes)
    box.refused("index", "--watch", str(box.notes), says="There is no folder")
