"""The interface over the real engine and the bundled models."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import Config
from rag.wiring import build_engine, build_several
from tests.tui.conftest import WIDE, Driver
from tui.app import ChatApp
from tui.messages import NoteWanted
from tui.widgets.source import SourceCard
from tui.widgets.turn import SourceRow
from tui.workplace import workplace


@pytest.mark.model
async def test_a_folder_is_indexed_and_asked(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "barrel.md").write_text("# Rain barrel\n\nThe rain barrel holds 300 litres.\n")
    (notes / "bees.md").write_text("# Bees\n\nThe hive stands behind the shed.\n")
    config = Config(notes=notes, data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    engine = build_engine(config)
    app = ChatApp(engine, workplace(engine))
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        driver = Driver(pilot, app)
        await driver.ask("How many litres does the rain barrel hold?")
        await driver.until(lambda: driver.shows("2 notes · 2 passages · indexed just now"), 300)
        await driver.until(lambda: app.chat.session.history, 300)
        await driver.ready()
        assert "300" in driver.answers()[0]
        assert str(app.chat.query(SourceRow).first().render()).startswith("[1] barrel.md:3")
        assert app.chat.query(SourceCard).first().source.cited
    assert app.worker.close(5)


@pytest.mark.model
async def test_two_folders_are_indexed_and_asked(
    tmp_path: Path, models_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "vi")
    for name, text in (
        ("home/barrel.md", "# Rain barrel\n\nThe rain barrel holds 300 litres.\n"),
        ("work/sales.md", "# Sales\n\nIn May we sold 12 tractors to Denmark.\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    config = Config(data_dir=tmp_path / "data", cache_dir=models_cache.parent)
    folders = [(name, tmp_path / name) for name in ("home", "work")]
    engine = build_several(config, folders)
    app = ChatApp(engine, workplace(engine))
    opened: list[list[str]] = []
    app.launch = lambda command, own_window: opened.append(command)  # type: ignore[method-assign]
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        driver = Driver(pilot, app)
        await driver.ask("How many litres does the rain barrel hold?")
        await driver.until(lambda: driver.shows("2 notes · 2 passages · indexed just now"), 300)
        await driver.until(lambda: app.chat.session.history, 300)
        await driver.ready()
        assert "300" in driver.answers()[0]
        assert str(app.chat.query(SourceRow).first().render()).startswith("[1] home/barrel.md:3")
        app.on_note_wanted(NoteWanted("home/barrel.md", 3))
        assert str(tmp_path / "home" / "barrel.md") in opened[0]
    assert app.worker.close(5)
