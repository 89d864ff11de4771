"""The line of keys at the foot: what works now, whole, and help at every width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets._footer import FooterKey

from tests.tui.fake_engine import FakeEngine
from tui.widgets.keys_line import KeysLine

Running = Callable[..., Any]


def keys(driver: Any) -> dict[str, str]:
    """What each key at the foot does; all of them must be whole."""
    shown = list(driver.app.screen.query_one(KeysLine).query(FooterKey))
    assert all(each.region.right <= driver.app.size.width for each in shown)
    return {each.description: each.key_display for each in shown}


@pytest.mark.parametrize("width", [30, 60, 80, 160])
async def test_keys_are_whole_and_help_is_among_them(running: Running, width: int) -> None:
    async with running(size=(width, 24)) as driver:
        await driver.ready()
        await driver.until(lambda: "Help" in keys(driver))
        asking = keys(driver)
        await driver.ask("Water?")
        await driver.ready()
        await driver.press("alt+up")
        await driver.until(lambda: "Retry" in keys(driver))
        assert "Help" in keys(driver)
        if width >= 80:
            assert {"Sources", "Find", "Re-index"} <= asking.keys()
            assert {"Retry", "Export", "Back"} <= keys(driver).keys()
            assert "Back" not in asking


async def test_another_width_shows_other_keys(running: Running) -> None:
    async with running(size=(40, 24)) as driver:
        await driver.until(lambda: "Help" in keys(driver))
        assert "Find" not in keys(driver)
        await driver.pilot.resize_terminal(120, 24)
        await driver.until(lambda: "Find" in keys(driver))


async def test_the_key_that_stops_is_told_while_something_can_be_stopped(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("read")
    async with running(size=(80, 24), keys={"stop": "f9"}) as driver:
        await driver.ready()
        assert not driver.shows("F9 stops")
        await driver.ask("Water?")
        await driver.until(lambda: driver.shows("F9 stops · 500/1,000 tokens"))
        await driver.press("f9")
        await driver.until(lambda: driver.shows("Stopped."))
