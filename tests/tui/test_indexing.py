"""Indexing from inside, notes that are skipped, the command palette and the editor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import ProgressBar

from rag.errors import IndexBusy, ModelError, NoIndex, NotesError, RagError
from rag.indexing.progress import IndexProgress
from rag.reading.notes import Skipped
from tests.tui.fake_engine import REPORT, FakeEngine, Script
from tui.messages import IndexMoved, NoteWanted
from tui.screens.skipped import SkippedScreen

Running = Callable[..., Any]


async def test_changed_notes_are_indexed_first_with_progress(
    running: Running, engine: FakeEngine
) -> None:
    engine.index_changed, engine.indexed_at = True, None
    engine.hold("index")
    async with running() as driver:
        await driver.until(lambda: driver.shows("indexing…"))
        assert driver.shows("not indexed yet")
        await driver.ask("Early?")
        await driver.until(lambda: driver.shows("Waiting until the notes are indexed"))
        engine.release()
        await driver.ready()
        assert engine.calls == ["index", "warm_up"]
        assert driver.answers()[0]
        assert driver.shows("indexed just now")
        assert driver.shows(engine.report.sentence()[:30])


@pytest.mark.parametrize(("columns", "shown"), [(80, False), (120, True)])
async def test_a_narrow_screen_tells_the_passages_and_the_time(
    running: Running, engine: FakeEngine, columns: int, shown: bool
) -> None:
    engine.hold("index")
    async with running(size=(columns, 24)) as driver:
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("/200 passages"))
        progress = IndexProgress("embed", 1_200, 12_000, 4_000, 90_000, 20.0, 4_000.0)
        driver.chat.post_message(IndexMoved(progress))
        await driver.until(lambda: driver.shows("4,000/90,000 passages · about 67 min left"))
        assert driver.shows("1,200/12,000 notes") == shown
        engine.release()


async def test_unchanged_notes_are_not_indexed(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await driver.ready()
        assert engine.calls == ["warm_up"]


async def test_refresh_can_be_left_out(running: Running, engine: FakeEngine) -> None:
    engine.index_changed = True
    async with running(refresh=False) as driver:
        await driver.ready()
        assert engine.calls == ["warm_up"]


async def test_escape_stops_indexing(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await driver.ready()
        engine.hold("index")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("/200 passages"))
        assert driver.chat.query_one(ProgressBar).display
        await driver.press("escape")
        await driver.until(lambda: driver.shows("Stopped."))
        await driver.ready()


async def test_a_rebuild_is_offered_and_skipped_notes_are_listed(
    running: Running, engine: FakeEngine
) -> None:
    engine.report = replace(REPORT, skipped=(Skipped("old/[b]x.md", "is not UTF-8 text"),))
    async with running() as driver:
        await driver.ready()
        commands = {each.title: each for each in driver.app.get_system_commands(driver.chat)}
        commands["Rebuild the index"].callback()
        await driver.until(lambda: isinstance(driver.app.screen, SkippedScreen))
        assert engine.calls[-1] == "rebuild"
        await driver.until(lambda: driver.shows("old/[b]x.md"))
        assert driver.shows("is not UTF-8 text")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)


@pytest.mark.parametrize(
    "error", [IndexBusy("Another process is indexing.", "Wait a moment."), OSError("disk [/] gone")]
)
async def test_an_error_of_indexing_leaves_the_app_usable(
    running: Running, engine: FakeEngine, error: Exception
) -> None:
    engine.index_changed, engine.index_error = True, error
    async with running() as driver:
        await driver.until(lambda: driver.statics("error"))
        assert str(error).split(". ")[0] in driver.statics("error")[0]
        await driver.ask("Water?")
        await driver.ready()
        assert driver.answers()[0]


async def test_missing_models_are_reported(running: Running, engine: FakeEngine) -> None:
    engine.warm_error = ModelError("No model.", "Run: rag doctor")
    async with running() as driver:
        await driver.until(lambda: driver.statics("error") == ["No model.\nRun: rag doctor"])
        await driver.until(lambda: driver.shows("models not loaded"))


async def test_no_index_yet(running: Running, engine: FakeEngine) -> None:
    engine.status_error = NoIndex("There is no index yet.", "Run: rag index")
    engine.script = Script(error=engine.status_error)
    async with running(refresh=False) as driver:
        await driver.ready()
        assert driver.shows("not indexed yet")
        await driver.ask("Water?")
        await driver.ready()
        assert driver.statics("error") == ["There is no index yet.\nPress Ctrl+R to index them."]


async def test_a_folder_that_is_gone_is_told_with_what_helps_here(
    running: Running, engine: FakeEngine
) -> None:
    remedy = "Name the folder that holds your notes: rag index PATH."
    engine.index_error = NotesError("There is no folder /x.", remedy)
    async with running(refresh=False) as driver:
        await driver.ready()
        await driver.press("ctrl+r")
        told = ["There is no folder /x.\nPress F4 to ask another folder."]
        await driver.until(lambda: driver.statics("error") == told)
        await driver.ready()


async def test_the_palette_opens(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.press("ctrl+p")
        await driver.press(*"rebuild")
        await driver.until(lambda: driver.shows("Read and index every note again"))


async def test_open_note_at_the_cited_line(
    running: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = engine.notes_folder / "garden" / "tomatoes.md"
    (engine.notes_folder / "house" / "rain barrel.md").unlink()
    monkeypatch.setenv("VISUAL", "nvim -R")
    async with running() as driver:
        launched: list[tuple[list[str], bool]] = []
        monkeypatch.setattr(driver.app, "launch", lambda *args: launched.append(args))
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        await driver.press("alt+1", "o")
        await driver.until(lambda: launched)
        assert launched == [(["nvim", "-R", "+13", str(note)], False)]
        await driver.press("3", "o")  # this note is gone
        await driver.until(lambda: driver.shows("no longer there"))


async def test_a_document_opens_in_its_own_program(
    running: Running, engine: FakeEngine, opener: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor would show the bytes of a PDF."""
    note = engine.notes_folder / "heat.pdf"
    note.write_bytes(b"%PDF")
    async with running() as driver:
        await driver.ready()
        driver.app.post_message(NoteWanted("heat.pdf", 3))
        await driver.until(lambda: driver.shows("heat.pdf opens beside this"))
        assert (opener / "opened").read_text() == f"{note}\n"
        (opener / "status").write_text("3")
        driver.app.post_message(NoteWanted("heat.pdf", 3))
        await driver.until(lambda: driver.shows("found no program that opens heat.pdf"))
        monkeypatch.delenv("DISPLAY")
        driver.app.post_message(NoteWanted("heat.pdf", 3))
        await driver.until(lambda: driver.shows("no display here"))


async def test_an_editor_that_does_not_start_is_a_sentence(
    running: Running, engine: FakeEngine, tmp_path: Path
) -> None:
    async with running() as driver:
        with pytest.raises(RagError, match="could not be started"):
            driver.app.launch([str(tmp_path / "code")], own_window=True)
        with pytest.raises(RagError, match="cannot be lent"):
            driver.app.launch(["vi"], own_window=False)


async def test_skipped_notes_are_looked_for_where_nothing_had_changed(
    running: Running, engine: FakeEngine
) -> None:
    engine.report = replace(REPORT, skipped=(Skipped("old/x.md", "is not UTF-8 text"),))
    async with running() as driver:
        await driver.ready()
        assert engine.calls.count("index") == 0
        commands = {each.title: each for each in driver.app.get_system_commands(driver.chat)}
        commands["Skipped notes"].callback()
        await driver.until(lambda: driver.shows("old/x.md"))
