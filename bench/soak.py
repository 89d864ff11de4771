"""Eight simulated hours in one process: do memory, open files and threads level off?

    python bench/soak.py [--factor N] [--hours N] [--json]

A simulated hour holds 30 questions (one in three to the model), 12 edits of notes, each followed
by re-indexing, and one switch between language models (the same one, loaded anew). It is shortened
by `--factor`, which is printed: with 96, a simulated hour ends after 37.5 seconds, or when its
events are done. After every quarter of an hour the process is measured. The first two hours warm
up; over the rest a straight line is laid through each measure, and the run fails (status 1) where
it climbs by more than is allowed an hour.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.data import engine
from rag.engine import Engine
from rag.errors import QuestionError
from rag.events import Answered
from rag.memory import share_arenas
from rag.retrieval.query import Turn
from rag.wiring import use_generator

QUESTIONS, EDITS, SAMPLES = 30, 12, 4  # an hour
WARM_UP = 2  # hours
# What each measure may climb by in a simulated hour: allocators settle late, and notes grow.
ALLOWED = {"memory_mb": 4.0, "files": 0.2, "threads": 0.2}
WORDS = (
    "barrel frost hive green shed river cycle litres winter paint ladder seed pump lantern".split()
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at a time of day, in simulated hours."""

    hour: float
    memory_mb: float
    files: int
    threads: int
    questions: int
    edits: int


class Day:
    """A vault, an engine over it, and somebody who uses both."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "notes"
        self.notes.mkdir()
        self.random = random.Random(7)
        for number in range(40):
            self.write(number)
        self.engine: Engine = engine(self.notes, folder / "data")
        self.questions = self.edits = self.switches = 0
        self.history: list[Turn] = []
        self.index()

    def write(self, number: int) -> None:
        """A note of six sentences, always as long as before."""
        rows = (" ".join(self.random.choices(WORDS, k=9)).capitalize() for _ in range(6))
        (self.notes / f"n{number}.md").write_text(f"# Note {number}\n\n" + ". ".join(rows) + ".\n")

    def index(self) -> None:
        for _ in self.engine.refresh():
            pass

    def edit(self) -> None:
        """Rewrite a note, or replace one by another, and bring the index up to date."""
        number = self.random.randrange(40)
        if self.edits % 4 == 3:
            (self.notes / f"n{number}.md").unlink()
            self.index()
        self.write(number)
        self.index()
        self.edits += 1

    def ask(self) -> None:
        """A question, now and then one that follows another."""
        words = " and the ".join(self.random.sample(WORDS, 2))
        quote = self.questions % 3 > 0
        try:
            for event in self.engine.ask(f"What about the {words}?", self.history, quote=quote):
                if isinstance(event, Answered):
                    self.history = [*self.history, Turn(event.question, event.answer, event.query)]
        except QuestionError as error:
            raise SystemExit(f"A question was refused: {error}") from error
        self.history = self.history[-3:]
        self.questions += 1

    def switch(self) -> None:
        """Another language model; it is loaded at the next question."""
        use_generator(self.engine, self.engine.parts.generator_name)
        self.switches += 1

    def sample(self, hour: float) -> Sample:
        import psutil

        gc.collect()
        me = psutil.Process()
        memory = me.memory_info().rss / 1e6
        files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else me.num_fds()
        return Sample(hour, memory, files, threading.active_count(), self.questions, self.edits)


def live(day: Day, hours: float, factor: float) -> list[Sample]:
    """Live through `hours`, `factor` times as fast as the clock, or as fast as it goes."""
    samples = [day.sample(0.0)]
    started = time.monotonic()
    for quarter in range(1, round(hours * SAMPLES) + 1):
        for event in range(max(QUESTIONS, EDITS) // SAMPLES + 1):
            if event < QUESTIONS / SAMPLES:
                day.ask()
            if event < EDITS / SAMPLES:
                day.edit()
        if quarter % SAMPLES == 0:
            day.switch()
        left = started + quarter * 3600 / SAMPLES / factor - time.monotonic()
        time.sleep(max(0.0, left))
        samples.append(day.sample(quarter / SAMPLES))
    return samples


def slope(samples: list[Sample], measure: str) -> float:
    """By how much a measure climbs in an hour: least squares, the warm-up left out."""
    kept = [each for each in samples if each.hour >= min(WARM_UP, samples[-1].hour / 4)]
    hours = [each.hour for each in kept]
    values = [float(getattr(each, measure)) for each in kept]
    middle, level = sum(hours) / len(hours), sum(values) / len(values)
    spread = sum((hour - middle) ** 2 for hour in hours)
    both = zip(hours, values, strict=True)
    return sum((hour - middle) * (value - level) for hour, value in both) / spread


def main() -> int:
    """The exit status: 1 where something climbs."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--factor", type=float, default=96, help="times as fast as the clock")
    arguments.add_argument("--hours", type=float, default=8, help="simulated hours")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    if options.factor <= 0 or options.hours < 1:
        arguments.error("the factor must be positive, and the hours at least 1")
    share_arenas()  # as whatever stays open does
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        day = Day(Path(name))
        samples = live(day, options.hours, options.factor)
        day.engine.close()
    took = time.monotonic() - started
    climbs = {measure: slope(samples, measure) for measure in ALLOWED}
    if options.json:
        print(json.dumps({"samples": [asdict(each) for each in samples], "climbs": climbs}))
    else:
        _show(samples, climbs)
    print(
        f"{options.hours:g} simulated hours in {took / 60:.1f} minutes (asked for: "
        f"{options.factor:g} times as fast as the clock, was {options.hours * 3600 / took:.0f}), "
        f"{day.questions} "
        f"questions, {day.edits} edits, {day.switches} switches of model.",
        file=sys.stderr,
    )
    return int(any(climbs[measure] > allowed for measure, allowed in ALLOWED.items()))


def _show(samples: list[Sample], climbs: dict[str, float]) -> None:
    table = Table("hour", "memory, MB", "open files", "threads", box=SIMPLE)
    for each in samples[:: max(1, SAMPLES // 2)]:
        table.add_row(f"{each.hour:g}", f"{each.memory_mb:.0f}", str(each.files), str(each.threads))
    table.add_section()
    table.add_row("an hour", *(f"{climbs[name]:+.2f}" for name in ALLOWED))
    table.add_row("allowed", *(f"{allowed:+.2f}" for allowed in ALLOWED.values()))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
