"""Every screen as a picture, at 80×24 and 160×50: the real engine over corpus/, scripted answers.

After a change that is meant: pytest tests/tui/test_pictures.py --snapshot-update, then look at the
pictures (SVG, a browser shows them) before keeping them.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from textual.widgets import Input, TextArea

from rag.answering.conversations import Conversations
from rag.answering.messages import Message, Token
from rag.config import Config
from rag.errors import Cancelled
from rag.indexing.embeddings import OnnxEmbedder
from rag.models.choices import ModelChoice
from rag.reading.notes import Skipped
from rag.wiring import build_engine
from tests.answering.test_conversations import OTHER, TURN
from tests.tui.conftest import Driver
from tui.app import ChatApp
from tui.screens.skipped import SkippedScreen
from tui.widgets.status_line import StatusLine
from tui.workplace import workplace

pytestmark = pytest.mark.model
CORPUS = Path(__file__).parent.parent.parent / "corpus"
ASKED = "What is retrieval-augmented generation?"
ANSWER = (
    "Retrieval-augmented generation is a technique in which a language model looks up relevant "
    "passages in a collection of documents and then writes its answer from those passages. "
)
MODELS = (
    ModelChoice("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct", 98_000_000, 8192, "Apache-2.0"),
    ModelChoice("mine.gguf", "/models/mine.gguf", 1_100_000_000, 32768, "unknown"),
)


class Picture(SVGImageExtension):
    """One SVG file for each picture."""

    file_extension = "svg"


@dataclass
class ScriptedGenerator:
    """Says the same to every question, word by word."""

    name: str = "SmolLM2-135M-Instruct"
    context_size: int = 4096
    fingerprint: str = "scripted"
    taught: bool = True
    follows: bool = False

    def load(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to free."""

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def likelihood(
        self,
        messages: Sequence[Message],
        text: str,
        cancel: Callable[[], bool] | None = None,
    ) -> float:
        return 0.0

    def stream(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        cancel: Callable[[], bool] | None = None,
        avoid: str = "",
    ) -> Iterator[Token]:
        for word in ANSWER.split():
            if cancel is not None and cancel():
                raise Cancelled
            yield Token(word + " ", 0.0, 10, 10)


@pytest.fixture
def app(tmp_path: Path, models_cache: Path, embedder: OnnxEmbedder, monkeypatch) -> ChatApp:
    """The app over a copy of the example notes in a home folder, where no time passes."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(StatusLine, "show_speed", lambda *_: None)
    monkeypatch.setattr(Conversations, "speeds", lambda _: {"SmolLM2-135M-Instruct": 38.0})
    monkeypatch.setattr("rag.answering.saved.time", SimpleNamespace(time=lambda: 1_700_010_000.0))
    shutil.copytree(CORPUS, tmp_path / "notes")
    (tmp_path / "notes" / "empty.md").touch()
    config = Config(
        notes=tmp_path / "notes", data_dir=tmp_path / "data", cache_dir=models_cache.parent
    )
    engine = build_engine(config)
    engine.models._embedder = embedder
    engine.models.parts = replace(engine.parts, open_generator=ScriptedGenerator)
    for _ in engine.index():
        pass
    place = workplace(engine)
    kept = place.open_conversations(engine.notes_folder)
    hive = replace(OTHER, question="Where is the hive?", asked=1_700_003_600.0)
    for turn in (TURN, hive):
        kept.add(None, replace(turn, passages=(), citations=()))
    kept.close()
    return ChatApp(engine, replace(place, models=lambda: MODELS, watch=False, theme="rag-dark"))


class Camera:
    """Compares the screen with its picture, and remembers which differ."""

    def __init__(self, driver: Driver, snapshot: Any, size: str) -> None:
        self._driver = driver
        self._snapshot = snapshot.use_extension(Picture)
        self._size = size
        self.differ: list[str] = []

    async def shoot(self, name: str, *keys: str, until: str = "") -> None:
        """Press keys, wait for a text, and compare."""
        driver = self._driver
        await driver.press(*keys)
        if until:
            await driver.until(lambda: driver.shows(until), 20)
        for box in driver.app.screen.query("*"):
            if isinstance(box, (Input, TextArea)):
                box.cursor_blink = False
        driver.app.clear_notifications()
        await driver.pilot.pause(0.3)
        picture = driver.app.export_screenshot(title="rag chat")
        picture = re.sub(r"terminal-\d+-", "terminal-", picture)
        picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
        if picture != self._snapshot(name=f"{name}-{self._size}"):
            self.differ.append(name)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
async def test_screens_look_as_they_did(app: ChatApp, snapshot, size: tuple[int, int]):
    async with app.run_test(size=size, notifications=True) as pilot:
        driver = Driver(pilot, app)
        camera = Camera(driver, snapshot, "x".join(map(str, size)))
        await driver.ready()
        await camera.shoot("welcome", until="125 passages")
        await driver.ask(ASKED)
        await driver.until(lambda: app.chat.session.kept, 30)
        await driver.ready()
        for view in app.chat.transcript.views():
            view.facts = ()  # how long it took
        await camera.shoot("answer", until="✓ borne out")
        await camera.shoot("turn", "alt+up")
        await camera.shoot("sources", "1", until="Whole note")
        await camera.shoot("why", "w", until="Why these passages")
        await driver.press("escape", "enter")
        await driver.until(lambda: app.screen.query(".meant"), 20)  # all of the note is there
        await camera.shoot("note", until="Backspace back")
        await camera.shoot("links", "l")
        await driver.press("escape", "escape", "escape")
        await camera.shoot("find", "ctrl+g", *"gpt", until="Find a note")
        await camera.shoot("conversations", "escape", "ctrl+l", until="November 2023")
        await camera.shoot("rename", "down", "r", until="Enter renames")
        await driver.press("escape", "escape")
        await camera.shoot("models", "f3", until="mine.gguf")
        await camera.shoot("folders", "escape", "f4", until="~/notes")
        await camera.shoot("help", "escape", "f1", until="Keys")
        await camera.shoot("completion", "escape", *"path:cat", until="Tab path:")
        await driver.press("ctrl+u")
        app.push_screen(SkippedScreen((Skipped("empty.md", "is empty"),)))
        await camera.shoot("skipped", until="is empty")
        await driver.press("escape")
        await driver.ask("Who won the chess tournament in Reykjavik?")
        await driver.until(lambda: len(app.chat.session.kept) == 2, 30)
        await driver.ready()
        await camera.shoot("refusal", until="Nearest notes")
        app.theme = "rag-light"
        await camera.shoot("light", until="Theme: rag-light")
        app.theme = "rag-16"
        await camera.shoot("sixteen", until="Theme: rag-16")
    assert app.worker.close(5)
    assert camera.differ == []
