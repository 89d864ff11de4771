"""One line above the question box that tells what the engine is doing, while it does."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import ProgressBar, Static

from rag.answering.steps import Reading
from rag.indexing.progress import IndexProgress
from tui.text import count, time_left

_STAGES = {
    "scan": "Getting ready to index",
    "read": "Reading notes",
    "embed": "Indexing",
    "write": "Writing the index",
    "done": "Indexed",
}
_TURNING = "◐◓◑◒"
_FRAME = 10  # cells for a bar as short as styles/app.tcss lets it be, and what is around it


class Activity(Horizontal):
    """A label, a bar and some numbers; hidden while nothing happens.

    The bar is shown only where the length is known: an animated one redraws fifteen times a
    second, on cores that the model needs.
    """

    def __init__(self, stop: str) -> None:
        """`stop` is the key that stops it, as people write it."""
        super().__init__()
        self._stop = stop

    def compose(self) -> ComposeResult:
        """The three parts."""
        yield Static("", id="activity-label")
        yield ProgressBar(show_percentage=False, show_eta=False)
        yield Static("", id="activity-detail")

    def on_mount(self) -> None:
        """Hidden until there is something to tell."""
        self.display = False
        self._since = time.monotonic()
        self._label = ""
        self._details: tuple[str, ...] = ()
        self.set_interval(1, self._tick)

    def begin(self, label: str, *, stoppable: bool = True) -> None:
        """Show that something began whose length is not known yet."""
        self.display = True
        self.set_class(not stoppable, "-cannot-stop")
        self._since = time.monotonic()
        self.show(label)

    def show(self, label: str, done: int = 0, total: int = 0, *details: str) -> None:
        """How far it has come: `done` of `total`, or unknown when `total` is 0. Of the `details`
        a narrow screen leaves out the first ones."""
        bar = self.query_one(ProgressBar)
        bar.display = total > 0
        bar.update(total=max(1, total), progress=done)
        self._label, self._details = label, details
        self._tick()

    def show_indexing(self, progress: IndexProgress) -> None:
        """How far indexing has come."""
        label = _STAGES.get(progress.stage, "Indexing")
        details = []
        if progress.files_done < progress.files_total:
            details.append(f"{progress.files_done:,}/{count(progress.files_total, 'note')}")
        if progress.stage == "embed":
            details.append(f"{progress.chunks_done:,}/{count(progress.chunks_total, 'passage')}")
            if progress.seconds_left is not None:
                details.append(time_left(progress.seconds_left))
            self.show(label, progress.chunks_done, progress.chunks_total, *details)
        else:
            self.show(label, progress.files_done, progress.files_total, *details)

    def show_reading(self, reading: Reading) -> None:
        """How much of the prompt the model has read; then it writes."""
        done, total = reading.tokens_done, reading.tokens_total
        if done < total:
            self.show("Reading", done, total, f"{done:,}/{total:,} {reading.unit}")
        else:
            self.show("Answering")

    def end(self) -> None:
        """Nothing happens any more."""
        self.display = False

    def _tick(self) -> None:
        if not self.display:
            return
        seconds = time.monotonic() - self._since
        stop = () if self.has_class("-cannot-stop") else (f"{self._stop} stops",)
        details = self._details or ((f"{seconds:.0f} s",) if seconds >= 2 else ())
        label = f"{_TURNING[int(seconds) % len(_TURNING)]} {self._label}"
        room = self.size.width - len(label) - _FRAME
        while len(details) > 1 and len(" · ".join((*stop, *details))) > room:
            details = details[1:]
        self.query_one("#activity-label", Static).update(Content(label))
        self.query_one("#activity-detail", Static).update(Content(" · ".join((*stop, *details))))
