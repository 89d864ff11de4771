"""How smooth the terminal interface is: first paint, and a heartbeat while it works.

python bench/screen.py [NOTES]    NOTES (2,000) short notes are made, indexed and asked

The real app runs in a pseudo-terminal of 120×34. The heartbeat is due every 10 ms on the screen's
thread; how late it comes is how long a key would wait. Other programs on the machine count in
that, so the processor time that the longest callback took on that thread stands beside it.

Tokens a second while the screen draws: the model writes 64 tokens in a thread beside the screen's,
which draws them as sentences of ten in a turn of the conversation; beside it, in turn, a bare
decode loop on the same weights.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from rag.answering.generation import LlamaGenerator
    from tui.app import ChatApp

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

BEAT_S = 0.01
WORDS = (
    "garden barrel water tomato letter train river bridge winter harvest engine paper window "
    "kitchen mountain border signal market village teacher question answer summer library"
).split()
COLUMNS = ("beats", "p50 ms", "p99 ms", "max ms", "> 50 ms", "cpu ms")
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("Nothing but this")
Empty().run()
"""
QUESTION = "What is retrieval-augmented generation?"
_RUNS, _SENTENCE = 10, 10  # answers that are drawn, tokens of a sentence of them


def write_notes(folder: Path, count: int) -> None:
    """`count` notes of one passage each, and the example notes."""
    chance = random.Random(7)
    for number in range(count):
        file = folder / f"{number % 40:02}" / f"note {number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = " ".join(chance.choice(WORDS) for _ in range(60))
        file.write_text(f"---\ntags: [{chance.choice(WORDS)}]\n---\n# Note {number}\n\n{text}.\n")
    for each in (ROOT / "corpus").glob("*.md"):
        (folder / each.name).write_bytes(each.read_bytes())


# In the pseudo-terminal


@dataclass
class Heart:
    """How late each beat came, in seconds, by what was being done."""

    late: dict[str, list[float]] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)
    doing: str = "starting"

    def time_callbacks(self) -> None:
        """Note the processor time of every callback of the loop."""
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            before = time.thread_time()
            run(handle)
            took = time.thread_time() - before
            if took > self.longest.get(self.doing, 0.0):
                self.longest[self.doing] = took
                if os.environ.get("RAG_BENCH_CALLBACKS") and took > 0.05:
                    with open(os.environ["RAG_BENCH_CALLBACKS"], "a") as log:
                        log.write(f"{self.doing} {took * 1e3:.0f} ms {handle!r}\n")

        asyncio.Handle._run = timed  # type: ignore[method-assign]

    async def beat(self) -> None:
        while True:
            due = time.perf_counter() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self.late.setdefault(self.doing, []).append(time.perf_counter() - due)

    @asynccontextmanager
    async def during(self, what: str) -> AsyncIterator[None]:
        self.doing = what
        yield
        self.doing = "resting"


def child(notes: Path, data: Path, report: Path) -> None:
    """The app, driven by a pilot; writes what the heartbeat found."""
    from dataclasses import replace

    from rag.config_files import load_config
    from rag.wiring import build_engine
    from tui.app import ChatApp
    from tui.widgets.question import QuestionBox
    from tui.workplace import workplace

    config = replace(load_config(data, os.environ), notes=notes, data_dir=data)
    engine = build_engine(config)
    app = ChatApp(engine, workplace(engine))
    heart = Heart()
    heart.time_callbacks()

    async def drive(pilot: Pilot[None]) -> None:
        session = app.chat.session
        while not (session.current or session.waiting):
            await asyncio.sleep(0.01)
        beating = asyncio.create_task(heart.beat())
        steps = (
            ("indexing", None),
            ("loading models", None),
            ("answering", QUESTION),
            ("answering", "and who uses it?"),
        )
        for what, question in steps:
            async with heart.during(what):
                if question:
                    app.chat.query_one(QuestionBox).insert(question)
                    await pilot.press("enter")
                while session.current is None and session.waiting:
                    await asyncio.sleep(0.01)
                current = session.current
                while session.current is current and current is not None:
                    await asyncio.sleep(0.01)
        async with heart.during("finding notes"):
            await pilot.press("ctrl+g", *"winter")
            await asyncio.sleep(1.5)
            await pilot.press("escape")
        async with heart.during("whole note"):
            app.chat.show_note("RAG.md")
            await asyncio.sleep(1.0)
        await pilot.press("escape")
        beating.cancel()  # a hundred beats a second are no part of the program
        speeds = await asyncio.to_thread(drawn_speeds, app, engine.models.generator())
        report.write_text(json.dumps([heart.late, heart.longest, speeds]))
        app.exit()

    app.run(auto_pilot=drive)
    app.worker.close(5)


def drawn_speeds(app: ChatApp, model: LlamaGenerator) -> list[float]:
    """Tokens a second of answers that are drawn, as multiples of the bare loop's."""
    from bench.warm import bare_speed, speed
    from rag.answering.messages import Message
    from rag.answering.steps import Sentence

    question = "Write down all that you know about gardens, at length."
    messages = [Message("user", question)]
    loop = app._loop
    assert loop is not None

    def drawn(number: int) -> float:
        """Of one answer, at the bottom of the conversation."""
        adding = app.chat.transcript.add_turn(10_000 + number, question)
        turn = asyncio.run_coroutine_threadsafe(adding, loop).result()
        time.sleep(0.3)  # it is drawn while the notes are searched
        written: list[str] = []

        def draw(text: str) -> None:
            written.append(text)
            if len(written) % _SENTENCE == 0:
                said = Sentence("".join(written[-_SENTENCE:]), (), "weak")
                asyncio.run_coroutine_threadsafe(turn.add_sentence(said), loop)

        return speed(model, messages, draw)

    ids = model.prompt_ids(messages)
    return [drawn(number) / bare_speed(model, ids) for number in range(_RUNS)]


# Outside of it


def run_in_terminal(command: list[str], until: bytes = b"") -> float:
    """Run a command in a pseudo-terminal to its end; seconds until it first wrote `until`."""
    from bench.data import environment

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 34, 120, 0, 0))
    environ = environment(TERM="xterm-256color", COLORTERM="truecolor")
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environ, close_fds=True
    )
    os.close(follower)
    seen, found = b"", 0.0
    while process.poll() is None:
        if not select.select([leader], [], [], 0.05)[0]:
            continue
        try:
            seen = (seen + os.read(leader, 1 << 16))[-(1 << 16) :]
        except OSError:
            break
        if until and not found and until in seen:
            found = time.perf_counter() - started
            process.terminate()
    process.wait()
    os.close(leader)
    return found


def first_paint(notes: Path, data: Path) -> tuple[float, float]:
    """Seconds until the app, and an app of Textual's that shows nothing, can be read."""
    os.environ["RAG_DATA_DIR"] = str(data)
    command = [sys.executable, "-m", "rag", "chat", "--notes", str(notes)]
    ours = run_in_terminal(command, b"Ask your notes")
    return ours, run_in_terminal([sys.executable, "-c", EMPTY], b"Nothing but this")


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as scratch:
        notes, data, report = Path(scratch, "notes"), Path(scratch, "data"), Path(scratch, "late")
        data.mkdir()
        write_notes(notes, count)
        run_in_terminal([sys.executable, __file__, "--child", str(notes), str(data), str(report)])
        late, longest, speeds = json.loads(report.read_text())
        paints = [first_paint(notes, data) for _ in range(5)]
    ours, _ = zip(*paints, strict=True)
    ratio = statistics.median(one / other for one, other in paints)
    print(
        f"first paint     {min(ours):.2f} s best, {statistics.median(ours):.2f} s median of 5, "
        f"{ratio:.2f} times an empty app of Textual's"
    )
    print(
        f"tokens a second {statistics.median(speeds):.2f} times a bare decode loop's while drawn, "
        f"median of {len(speeds)} (from {min(speeds):.2f} to {max(speeds):.2f})"
    )
    print(f"{'heartbeat':<16}" + "".join(f"{each:>9}" for each in COLUMNS))
    for what, values in late.items():
        p50, p99, top = (1e3 * quantile(values, share) for share in (0.5, 0.99, 1.0))
        over = sum(each > 0.05 for each in values)
        times = f"{p50:>9.1f}{p99:>9.1f}{top:>9.1f}{over:>9}{1e3 * longest[what]:>9.1f}"
        print(f"{what:<16}{len(values):>9}{times}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*map(Path, sys.argv[2:5]))
    else:
        main()
