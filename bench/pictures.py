"""Pictures of the finished screens, made from the real app over the example notes.

python bench/pictures.py [--all] [FOLDER]    writes SVG files to docs/pictures

Without --all only those that the README shows.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from textual.pilot import Pilot

from rag.config_files import load_config
from rag.wiring import build_engine
from tui.app import ChatApp
from tui.widgets.question import QuestionBox
from tui.workplace import workplace

WIDE, SMALL = (120, 34), (80, 24)
SHOWN = frozenset({"sources", "note", "conversations", "why", "light"})
EARLIER = (
    "What is prompt engineering?",
    "When was ChatGPT launched?",
)  # conversations of their own
QUESTIONS = (
    "What is retrieval-augmented generation?",
    "Who took first place at the Colorado State Fair with an AI picture?",
)


@dataclass
class Stage:
    """The running app, and where its pictures go."""

    app: ChatApp
    pilot: Pilot[None]
    folder: Path
    suffix: str
    names: frozenset[str]  # of the pictures that are wanted; empty: all

    async def until(self, condition: Callable[[], object], seconds: float = 120) -> None:
        for _ in range(int(seconds / 0.05)):
            if condition():
                break
            await self.pilot.pause(0.05)
        await self.pilot.pause(0.3)

    async def ready(self) -> None:
        session = self.app.chat.session
        await self.until(lambda: session.current is None and not session.waiting)

    async def ask(self, question: str) -> None:
        kept = len(self.app.chat.session.kept)
        self.app.chat.query_one(QuestionBox).insert(question)
        await self.pilot.press("enter")
        await self.until(lambda: len(self.app.chat.session.kept) > kept)
        await self.ready()

    def shoot(self, name: str) -> None:
        if self.names and name not in self.names:
            return
        picture = self.app.export_screenshot(title="rag chat")
        # The picture must not load a font from elsewhere when it is looked at.
        picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
        picture = re.sub(r"font-family: ?Fira Code", "font-family: Fira Code, Menlo", picture)
        file = self.folder / f"{name}{self.suffix}.svg"
        file.write_text(picture, encoding="utf-8")
        print(file)


async def tour(stage: Stage) -> None:
    """Every screen once."""
    press, pause = stage.pilot.press, stage.pilot.pause

    async def over(name: str, *keys: str, wait: float = 0.6) -> None:
        await press(*keys)
        await pause(wait)
        stage.shoot(name)

    stage.shoot("start")
    await stage.ready()
    stage.shoot("welcome")
    for question in EARLIER:
        await stage.ask(question)
        await press("ctrl+n")
        await pause(0.3)
    for question in QUESTIONS:
        await stage.ask(question)
    stage.app.clear_notifications()
    await over("answer")
    await over("sources", "alt+1")
    await over("why", "w")
    await press("escape")
    await press("enter")
    await stage.until(lambda: stage.app.screen.query(".meant"))
    stage.shoot("note")
    await press("escape", "escape")
    await over("turn", "alt+up")
    await press("escape")
    await over("conversations", "ctrl+l")
    await press("escape")
    await over("find", "ctrl+g", *"generative")
    await press("escape")
    await over("models", "f3", wait=1.5)
    await press("escape")
    await over("folders", "f4")
    await press("escape")
    await over("help", "f1")
    await press("escape")
    await over("completion", *"path:")
    await press("ctrl+u")
    await over("palette", "ctrl+p")
    await press("escape")
    stage.app.theme = "rag-light"
    await over("light")
    stage.app.theme = "rag-16"
    await over("sixteen")


async def film(folder: Path, size: tuple[int, int], suffix: str, names: frozenset[str]) -> None:
    """Run the app over the example notes, in a home folder of its own."""
    config = load_config(Path("/"), os.environ)  # before the home is another: prepared models stay
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HOME"] = scratch
        notes = Path(scratch, "notes")
        shutil.copytree(ROOT / "corpus", notes)
        engine = build_engine(replace(config, notes=notes, data_dir=Path(scratch, "data")))
        for _ in engine.index():
            pass
        app = ChatApp(engine, replace(workplace(engine), theme="rag-dark"))
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await tour(Stage(app, pilot, folder, suffix, names))
        app.worker.close(10)


def main() -> None:
    arguments = sys.argv[1:]
    every = "--all" in arguments
    places = [each for each in arguments if each != "--all"]
    folder = Path(places[0]) if places else ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(film(folder, WIDE, "", frozenset() if every else SHOWN))
    if every:
        asyncio.run(film(folder, SMALL, "-80x24", frozenset()))


if __name__ == "__main__":
    main()
