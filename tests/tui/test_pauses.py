"""The collector of cycles walks neither modules nor models while somebody types."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from rag.pauses import hold, set_aside
from tests.tui.fake_engine import FakeEngine

Running = Callable[..., Any]


async def test_models_are_loaded_without_collecting_and_set_aside(
    running: Running, engine: FakeEngine
):
    engine.gates["warm"].clear()
    async with running() as driver:
        await driver.until(engine.warming.is_set)
        assert not gc.isenabled()
        before = gc.get_freeze_count()
        engine.gates["warm"].set()
        await driver.ready()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == 0


async def test_what_the_imports_made_is_set_aside_once_the_screen_is_painted(running: Running):
    hold()
    try:
        async with running(refresh=False) as driver:
            await driver.until(gc.isenabled)
            assert gc.get_freeze_count() > 0
    finally:
        set_aside()
        gc.unfreeze()


async def test_the_old_are_collected_once_the_answer_is_there_and_not_before(running: Running):
    collected: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            collected.append(stage)

    stage = "before"
    async with running() as driver:
        await driver.ready()
        gc.collect()
        gc.callbacks.append(note)
        try:
            stage = "answering"
            await driver.ask("What is a barrel?")
            stage = "read"
            await driver.until(lambda: "read" in collected)
        finally:
            gc.callbacks.remove(note)
        assert "answering" not in collected
