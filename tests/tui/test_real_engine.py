"""The interface over the real engine and the bundled models."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import Config
from rag.wiring import build_engine
from tests.tui.conftest import WIDE, Driver
from tui.app import ChatApp
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
        await driver.until(lambda: driver.shows("2 notes · 2 passages · indexed just now"), 120)
        await driver.until(lambda: app.chat.session.history, 120)
        await driver.ready()
        assert "300" in driver.answers()[0]
        assert str(app.chat.query(SourceRow).first().render()).startswith("[1] barrel.md:3")
        assert app.chat.query(SourceCard).first().source.cited
    assert app.worker.close(5)
