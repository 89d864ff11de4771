"""Changed notes are noticed while the program is open."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import Config
from rag.wiring import build_several
from tests.tui.fake_engine import NOTES, PASSAGES, FakeEngine, FakeLibrary
from tui.watch import Watcher

Running = Callable[..., Any]


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def watched(tmp_path: Path):
    (tmp_path / "notes" / "sub").mkdir(parents=True)
    changes: list[float] = []
    states: list[bool] = []
    watcher = Watcher(
        [tmp_path / "notes"], (".md",), lambda: changes.append(time.monotonic()), states.append
    )
    watcher.start()
    yield tmp_path / "notes", changes, states
    watcher.stop()


def test_notes_are_noticed_and_nothing_else(watched):
    folder, changes, states = watched
    until(lambda: states == [True])
    time.sleep(0.5)
    (folder / ".obsidian").mkdir()
    (folder / ".obsidian" / "x.md").write_text("x")
    (folder / "image.png").write_text("x")
    time.sleep(2.5)
    assert changes == []
    (folder / "sub" / "new.md").write_text("# New")
    until(lambda: len(changes) == 1)


def test_a_folder_that_goes_is_told_and_looked_at_when_it_is_back(watched):
    folder, changes, states = watched
    until(lambda: states == [True])
    folder.rename(folder.with_name("away"))
    until(lambda: states[-1] is False)
    assert changes == []
    folder.with_name("away").rename(folder)
    until(lambda: states[-1] is True)
    until(lambda: len(changes) == 1)


def test_several_folders_are_watched_and_not_what_lies_between_them(tmp_path: Path):
    one, other = tmp_path / "a" / "notes", tmp_path / "b"
    for each in (one, other):
        each.mkdir(parents=True)
    engine = build_several(Config(data_dir=tmp_path / "data"), [("a", one), ("b", other)])
    changes: list[float] = []
    states: list[bool] = []
    watcher = Watcher(
        engine.folders, (".md",), lambda: changes.append(time.monotonic()), states.append
    )
    watcher.start()
    until(lambda: states == [True])
    (tmp_path / "elsewhere.md").write_text("x")
    (one / "x.txt").write_text("x")
    time.sleep(3)
    assert changes == []
    (other / "x.md").write_text("x")
    until(lambda: len(changes) == 1)
    watcher.stop()


async def test_a_changed_note_is_indexed_by_itself(running: Running, engine: FakeEngine) -> None:
    async with running(watch=True) as driver:
        await driver.ready()
        await driver.until(lambda: driver.shows("watching"), 15)
        engine.index_changed = True
        (engine.notes_folder / "garden" / "tomatoes.md").write_text("# Tomatoes\n\nNew.\n")
        await driver.until(lambda: "index" in engine.calls, 15)
        await driver.ready()


async def test_a_note_that_was_indexed_again_changed_since_the_answer(
    running: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = engine.notes_folder / PASSAGES[0].path
    changed = "\n" + note.read_text()
    digest = hashlib.sha256(changed.encode()).hexdigest()
    again = FakeLibrary((replace(NOTES[0], hash=digest), *NOTES[1:]))
    monkeypatch.setattr(engine, "library", lambda: again)
    async with running((160, 50)) as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        note.write_text(changed)
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("⚠ the note changed since this was"))
        await driver.press("alt+1")
        await driver.until(lambda: driver.shows("⚠ The note changed since this was answered"))
