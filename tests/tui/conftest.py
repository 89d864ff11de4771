"""An app over a fake engine, and ways to wait for it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from rag.answering.conversations import Conversations
from tests.tui.fake_engine import PASSAGES, FakeEngine
from tui.app import ChatApp
from tui.screens.chat import Begin
from tui.widgets.answer import Answer
from tui.widgets.question import QuestionBox
from tui.workplace import Workplace

WIDE, NARROW = (140, 40), (80, 24)


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    """Over notes that hold the passages at their lines."""
    folder = tmp_path / "notes"
    for each in PASSAGES:
        file = folder / each.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {each.title}\n" + "\n" * (each.first - 2) + each.text + "\n")
    return FakeEngine(folder)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """Conversations of its own, nothing to switch to."""
    return Workplace(open_conversations=lambda folder: Conversations(tmp_path / "data", folder))


class Driver:
    """Presses keys and reads the screen."""

    def __init__(self, pilot: Pilot[None], app: ChatApp) -> None:
        self.pilot = pilot
        self.app = app
        self.chat = app.chat
        self.press = pilot.press

    async def until(self, condition: Callable[[], object], seconds: float = 5) -> None:
        """Wait until `condition`, then let the screen settle."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.text()
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def ready(self) -> None:
        await self.until(
            lambda: (
                self.chat.session.current is None
                and not self.chat.session.waiting
                and self.shows("ready")
            )
        )

    async def ask(self, question: str) -> None:
        """Type and send a question; returns at once."""
        self.chat.query_one(QuestionBox).insert(question)
        await self.press("enter")
        await self.pilot.pause()

    def answers(self) -> list[str]:
        return [each.text for each in self.chat.query(Answer)]

    def text(self) -> str:
        """Every line on the screen."""
        screen = self.app.screen
        lines = (
            "".join(segment.text for segment in strip)
            for strip in screen._compositor.render_strips()
        )
        return "\n".join(lines)

    def shows(self, text: str) -> bool:
        return text in self.text()

    def statics(self, css_class: str) -> list[str]:
        return [str(each.render()) for each in self.chat.query(f".{css_class}").results(Static)]


@pytest.fixture
def running(engine: FakeEngine, place: Workplace) -> Callable[..., object]:
    @asynccontextmanager
    async def run(
        size: tuple[int, int] = WIDE,
        refresh: bool = True,
        begin: Begin = "new",
        **changes: object,
    ) -> AsyncIterator[Driver]:
        app = ChatApp(engine, replace(place, **changes), refresh, begin)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            try:
                yield Driver(pilot, app)
            finally:
                engine.release()
        assert app.worker.close(5)
        assert app.worker.engine.closed

    return run
