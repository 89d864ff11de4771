"""An engine without models, with gates that hold it where a test wants it held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.answering.steps import Citation, Reading, Sentence, Thinking
from rag.errors import Cancelled
from rag.events import Answered, Event, Retrieved, Status
from rag.indexing.build import IndexProgress, IndexReport
from rag.indexing.library import Found, NoteEntry
from rag.reading.formats import SUFFIXES
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.query import Turn
from rag.retrieval.spelling import Respelled

TOMATO = (
    "Water the tomatoes in the morning, at the foot of the plant.\n"
    "In July they need ten litres each a week; in a heat wave, fifteen.\n"
    "Leaves that stay wet at night get blight."
)
PASSAGES = (
    Passage(
        11,
        "garden/tomatoes.md",
        "Tomatoes",
        ("Tomatoes", "Watering"),
        12,
        14,
        TOMATO,
        0.91,
        0.83,
        7.2,
    ),
    Passage(
        12,
        "garden/2024 log.md",
        "Garden log 2024",
        ("July",),
        40,
        42,
        "14 July: 34 °C. Gave the tomatoes fifteen litres each.\nThe beans look tired.\n"
        "Picked the first courgettes.",
        0.64,
        0.61,
        None,
    ),
    Passage(
        13,
        "house/rain barrel.md",
        "Rain barrel",
        (),
        3,
        4,
        "The barrel holds 300 litres and fills in two storms.\nTap at the back.",
        0.41,
        None,
        3.3,
    ),
)


def evidence(passage: Passage, n: int, text: str, line: int) -> Evidence:
    """A sentence of a passage."""
    start = passage.text.index(text)
    return Evidence(n, text, line, line, start, start + len(text), 0.8)


def citation(passage: Passage, n: int, quote: str, line: int) -> Citation:
    """A quote from a passage."""
    return Citation(n, passage.path, line, line, passage.headings, quote)


LITRES = "In July they need ten litres each a week; in a heat wave, fifteen."
GAVE = "Gave the tomatoes fifteen litres each."


REPORT = IndexReport(3, 1, 0, 0, 40, (), (), 212, 1.4)


@dataclass
class Script:
    """What the fake says to a question."""

    passages: Sequence[Passage] = PASSAGES
    thoughts: str = ""
    respelled: Sequence[Respelled] = ()
    confidence: float = 1.0
    evidence: Sequence[Evidence] = (
        evidence(PASSAGES[0], 1, LITRES, 13),
        evidence(PASSAGES[1], 2, GAVE, 40),
    )
    sentences: Sequence[Sentence] = (
        Sentence(
            "In July each plant needs **ten litres** a week, and fifteen in a heat wave [1].",
            (citation(PASSAGES[0], 1, LITRES, 13),),
            "supported",
        ),
        Sentence(
            "That is what you gave them on 14 July [2].",
            (citation(PASSAGES[1], 2, GAVE, 40),),
            "supported",
        ),
    )
    answer: str | None = None
    answered: bool = True
    error: Exception | None = None


@dataclass
class FakeLibrary:
    """The contract of `rag.indexing.library.Library`, over the notes of the passages."""

    entries: tuple[NoteEntry, ...]

    def notes(self) -> tuple[NoteEntry, ...]:
        return self.entries

    def find_text(self, text: str, limit: int = 20) -> list[Found]:
        """Passages that hold the text."""
        return [
            Found(each.path, each.title, each.first, text)
            for each in PASSAGES
            if text.casefold() in each.text.casefold()
        ][:limit]

    def resolve(self, target: str, source: str) -> str | None:
        """By path, title or alias."""
        for each in self.entries:
            names = (each.path, each.path.removesuffix(".md"), each.title, *each.aliases)
            if target.casefold() in (name.casefold() for name in names):
                return each.path
        return None if target else source

    def close(self) -> None:
        """Nothing to close."""


NOTES = tuple(
    NoteEntry(each.path, each.title, aliases, tags, "")
    for each, aliases, tags in zip(
        PASSAGES,
        ((), ("Diary",), ("Water butt",)),
        (("garden", "food"), ("garden",), ("house",)),
        strict=True,
    )
)


@dataclass
class FakeEngine:
    """The contract of `rag.engine.Engine`, scripted."""

    notes_folder: Path
    script: Script = field(default_factory=Script)
    index_changed: bool = False
    indexed_at: float | None = field(default_factory=lambda: time.time() - 200)
    report: IndexReport = REPORT
    index_error: Exception | None = None
    warm_error: Exception | None = None
    status_error: Exception | None = None
    steps: int = 20
    pause_s: float = 0.0
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    closed: bool = False
    model: str = "SmolLM2-135M-Instruct"

    class parts:  # noqa: N801
        suffixes = SUFFIXES
        data_dir = Path("/nowhere")

    @property
    def folders(self) -> list[Path]:
        return [self.notes_folder]

    def take_notices(self) -> list[str]:
        return []

    def __post_init__(self) -> None:
        self.gates = {
            name: threading.Event() for name in ("index", "warm", "read", "thought", "answer")
        }
        self.warming = threading.Event()
        for gate in self.gates.values():
            gate.set()

    def hold(self, *names: str) -> None:
        """Close gates: the engine waits there until `release`."""
        for name in names:
            self.gates[name].clear()

    def release(self, *names: str) -> None:
        """Open gates, all when none is named."""
        for name in names or self.gates:
            self.gates[name].set()

    def _pass(self, name: str, cancel: Callable[[], bool] | None) -> None:
        time.sleep(self.pause_s)
        while not self.gates[name].wait(0.01):
            if cancel is not None and cancel():
                raise Cancelled
        if cancel is not None and cancel():
            raise Cancelled

    def index(
        self, rebuild: bool = False, cancel: Callable[[], bool] | None = None
    ) -> Iterator[IndexProgress]:
        """Count to `steps`."""
        self.calls.append("rebuild" if rebuild else "index")
        yield IndexProgress("scan", 0, 44, 0, 0, 0.0, None, None)
        if self.index_error is not None:
            raise self.index_error
        total = self.steps * 10
        for step in range(self.steps):
            left = (self.steps - step) * 3.0
            yield IndexProgress(
                "embed", step * 44 // self.steps, 44, step * 10, total, 45.0, left, None
            )
            if step == self.steps // 2:
                self._pass("index", cancel)
            time.sleep(self.pause_s)
        self.indexed_at = time.time()
        yield IndexProgress("done", 44, 44, total, total, 45.0, 0.0, self.report)

    def index_in_process(
        self, cancel: Callable[[], bool] | None = None, rebuild: bool = False
    ) -> Iterator[IndexProgress]:
        """The same here."""
        return self.index(rebuild, cancel)

    def changed(self) -> bool:
        """As the test says."""
        return self.index_changed

    @property
    def models(self) -> FakeEngine:
        return self

    def warm_up(self) -> None:
        """Cannot be cancelled, as loading a model cannot."""
        self.calls.append("warm_up")
        self.warming.set()
        time.sleep(self.pause_s)
        self.gates["warm"].wait(30)
        if self.warm_error is not None:
            raise self.warm_error

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: Callable[[], bool] | None = None,
        k: int | None = None,
    ) -> Iterator[Event]:
        """Go through the script."""
        self.asked.append((question, tuple(history)))
        script = self.script
        passages, respelled = tuple(script.passages), tuple(script.respelled)
        yield Retrieved(passages, tuple(script.evidence), f"alone: {question}", respelled)
        for done in range(0, 1000, 250):
            yield Reading(done, 1000)
            if done == 500:
                self._pass("read", cancel)
            time.sleep(self.pause_s)
        if script.error is not None:
            raise script.error
        if script.thoughts:
            yield Thinking(script.thoughts)
            self._pass("thought", cancel)
        for number, sentence in enumerate(script.sentences):
            if number:
                self._pass("answer", cancel)
            yield sentence
        text = " ".join(each.text for each in script.sentences)
        citations = tuple(each for one in script.sentences for each in one.citations)
        timings: Mapping[str, float] = {"total": 1.0}
        yield Answered(
            question,
            script.answer if script.answer is not None else text,
            script.answered,
            citations,
            tuple(script.passages),
            timings,
            "fake-135m",
            38.2,
            f"alone: {question}",
            confidence=script.confidence,
            thoughts=script.thoughts,
        )

    def status(self) -> Status:
        """A few notes."""
        if self.status_error is not None:
            raise self.status_error
        return Status(
            self.notes_folder,
            44,
            212,
            1 << 20,
            self.indexed_at,
            "all-MiniLM-L6-v2",
            self.model,
            Path("/tmp/index"),
            Path("/tmp/cache"),
            None,
        )

    def each_folder(self) -> Sequence[FakeEngine]:
        """One folder."""
        return [self]

    def place(self, path: str) -> tuple[Path, str]:
        """One folder."""
        return self.notes_folder, path

    def library(self) -> FakeLibrary:
        """The notes by name."""
        return FakeLibrary(NOTES)

    def close(self) -> None:
        """Remember that it was asked."""
        self.closed = True
