"""Models that think first, and models that are not on this machine, as the screen shows them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from textual.widgets import Collapsible

from rag.answering.conversations import Conversations
from tests.tui.fake_engine import FakeEngine, Script
from tui.plain import Plain

Running = Callable[..., Any]
THOUGHT = "[bold]Let me see\x1b[2J what the notes say."
ELSEWHERE = "leaves this machine: big-model at ai.example.org"


async def test_thoughts_are_folded(running: Running, engine: FakeEngine) -> None:
    engine.script = Script(thoughts=THOUGHT)
    engine.hold("thought")
    async with running() as driver:
        await driver.ready()
        await driver.ask("How much water?")
        await driver.until(lambda: driver.shows("Thinking, 7 words…"))
        engine.release()
        await driver.ready()
        folded = driver.chat.query_one(Collapsible)
        assert folded.collapsed
        assert folded.title == "Thought first, unchecked: 7 words"
        assert not driver.shows("Let me see")
        folded.collapsed = False
        await driver.until(lambda: driver.shows("[bold]Let me see"))
        assert "Let me see" not in driver.answers()[0]


async def test_an_answer_without_thoughts_has_none(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("How much water?")
        await driver.ready()
        assert not driver.chat.query(Collapsible)


@pytest.mark.parametrize("width", [80, 50])
async def test_what_leaves_the_machine_is_marked(
    running: Running, engine: FakeEngine, width: int
) -> None:
    engine.model = ELSEWHERE
    async with running(size=(width, 24)) as driver:
        await driver.ready()
        assert driver.shows("leaves this machine")


def test_line_by_line_it_is_said_before_each_question(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    fake = FakeEngine(tmp_path / "notes")
    fake.script = Script(thoughts=THOUGHT)
    out = io.StringIO()
    lines = iter(["How much water?"])

    def read(_prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    kept = Conversations(tmp_path / "data", fake.notes_folder)
    console = Console(file=out, width=80, soft_wrap=True, highlight=False, markup=False)
    Plain(fake, kept, console, ELSEWHERE).run(None, read)
    kept.close()
    said = out.getvalue()
    assert "go to big-model at ai.example.org" in said
    assert said.index("go to big-model") < said.index("Answer:")
    assert "thought first, 7 words, unchecked" in said
    assert "Let me see" not in said
