"""The bottom line: what is indexed and how fresh it is, and the last answer's speed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from rag.config import LEAVES
from rag.events import Answered, Status
from tui.text import ago, count, one_line, shorten

MODEL_CHARS = 28


class StatusLine(Widget):
    """Says as much as fits, the most useful first."""

    def on_mount(self) -> None:
        """The age of the index grows while nothing happens."""
        self._status: Status | None = None
        self._state = "starting"
        self._busy = True
        self._speed = ""
        self._watching = False
        self._gone = False
        self.set_interval(20, self.refresh)

    def show_status(self, status: Status | None) -> None:
        """What the index holds."""
        self._status = status
        self.refresh()

    def show_state(self, state: str, *, busy: bool) -> None:
        """`ready`, `indexing…`, `loading models…`, `answering…`."""
        self._state, self._busy = state, busy
        self.refresh()

    def show_watching(self, on: bool, *, gone: bool = False) -> None:
        """Whether changed notes are noticed by themselves, and whether the folder is `gone`."""
        self._watching, self._gone = on, gone
        self.refresh()

    def forget_speed(self) -> None:
        """Another conversation: its last answer is not this one's."""
        self._speed = ""
        self.refresh()

    def show_speed(self, event: Answered, seconds: float) -> None:
        """How fast the last answer was."""
        speed = f"{event.tokens_per_s:.0f} tok/s · " if event.tokens_per_s > 0 else ""
        self._speed = f"{speed}{seconds:.1f} s"
        self.refresh()

    def render(self) -> Content:
        """State and counts at the left, model and speed at the right."""
        dot = ("● ", "$text-warning" if self._busy or self._gone else "$text-success")
        left, right = self._sides(self.size.width - 2)
        gap = max(1, self.size.width - 2 - len(left) - len(right))
        return Content.assemble(dot, left, " " * gap, right)

    def _sides(self, width: int) -> tuple[str, str]:
        """Both sides in full, else in fewer words, else without their least useful parts."""
        brief, right = self._left(brief=True), self._right()
        for left in (self._left(), brief):
            if sum(map(len, (*left, *right))) + 3 * (len(left) + len(right) - 2) + 2 <= width:
                return " · ".join(left), " · ".join(right)
        return fit(brief, right, width)

    def _left(self, brief: bool = False) -> list[str]:
        status = self._status
        if status is not None and status.generator.startswith(LEAVES):
            return [f"{self._state}, {LEAVES}", *self._counts(status, brief)]
        if self._gone:
            return ["the notes folder is gone", *self._counts(status, brief)]
        return [self._state, *self._counts(status, brief)]

    def _counts(self, status: Status | None, brief: bool) -> list[str]:
        if status is None or status.indexed_at is None:
            return ["not indexed yet"]
        indexed = f"indexed {ago(time.time() - status.indexed_at)}"
        if brief:
            indexed = indexed.removeprefix("indexed ")
        elif self._watching:
            indexed += ", watching"
        return [count(status.notes, "note"), count(status.chunks, "passage"), indexed]

    def _right(self) -> list[str]:
        model = one_line(self._status.generator) if self._status else ""
        model = model.removeprefix(f"{LEAVES}: ")  # at the left, where it is dropped last
        return [
            part
            for part in (shorten(model.removesuffix("-Instruct"), MODEL_CHARS), self._speed)
            if part
        ]


def fit(left: Sequence[str], right: Sequence[str], width: int) -> tuple[str, str]:
    """Both sides, their parts joined with dots, without the least useful until they fit."""
    lefts, rights = list(left), list(right)
    while True:
        texts = " · ".join(lefts), " · ".join(rights)
        if len(texts[0]) + len(texts[1]) + 2 <= width:
            return texts
        if len(lefts) > 2:
            del lefts[-2]
        elif rights:
            del rights[0]
        elif len(lefts) > 1:
            lefts.pop()
        else:
            return shorten(texts[0], max(1, width)), ""
