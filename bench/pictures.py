"""Pictures of the finished screens, made from the real app over the example notes.

python bench/pictures.py [FOLDER]    writes SVG files to docs/pictures
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from textual.pilot import Pilot

from rag.config import Config
from rag.wiring import build_engine
from tui.app import ChatApp
from tui.widgets.question import QuestionBox
from tui.workplace import workplace

WIDE, SMALL = (120, 34), (80, 24)
QUESTIONS = (
    "What is retrieval-augmented generation?",
    "Who won first place at the Colorado State Fair?",
)


@dataclass
class Stage:
    """The running app, and where its pictures go."""

    app: ChatApp
    pilot: Pilot[None]
    folder: Path
    suffix: str

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
        file = self.folder / f"{name}{self.suffix}.svg"
        file.write_text(self.app.export_screenshot(title="rag chat"), encoding="utf-8")
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
    for question in QUESTIONS:
        await stage.ask(question)
    stage.app.clear_notifications()
    await over("answer")
    await over("sources", "alt+1")
    await over("why", "w")
    await press("escape")
    await over("note", "enter", wait=1.0)
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


async def film(
    folder: Path, size: tuple[int, int], suffix: str, script: Callable[[Stage], Awaitable[None]]
) -> None:
    """Run the app over the example notes with an index and conversations of their own."""
    with tempfile.TemporaryDirectory() as scratch:
        config = Config(notes=ROOT / "corpus", data_dir=Path(scratch))
        engine = build_engine(config)
        for _ in engine.index():
            pass
        app = ChatApp(engine, replace(workplace(engine), theme="rag-dark"))
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await script(Stage(app, pilot, folder, suffix))
        app.worker.close(10)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for size, suffix in ((WIDE, ""), (SMALL, "-80x24")):
        asyncio.run(film(folder, size, suffix, tour))


if __name__ == "__main__":
    main()
