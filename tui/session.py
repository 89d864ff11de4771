"""What waits for the engine, what it is doing, and the conversation so far."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answering.saved import history_of
from rag.retrieval.query import Turn
from tui.jobs import Ask, Job, Refresh

if TYPE_CHECKING:
    from rag.answering.saved import SavedTurn


class Session:
    """The order of work and the thread of the conversation; knows nothing of the screen.

    `conversation` is its id once a turn of it is kept, `kept` its turns by their number.
    """

    def __init__(self) -> None:
        self.current: Job | None = None
        self.waiting: deque[Job] = deque()
        self.conversation: int | None = None
        self.kept: dict[int, SavedTurn] = {}
        self._turns = 0

    @property
    def history(self) -> list[Turn]:
        """The turns before the next question."""
        return history_of(self.kept.values())

    @property
    def asking(self) -> bool:
        """Whether a question is being answered or waits."""
        return isinstance(self.current, Ask) or bool(self.questions())

    def next_turn(self) -> int:
        """A number for a new turn, never used before."""
        self._turns += 1
        return self._turns

    def add(self, job: Job) -> bool:
        """Put `job` in line; False when the same kind of indexing waits already."""
        if isinstance(job, Refresh) and job in self.waiting:
            return False
        self.waiting.append(job)
        return True

    def take(self) -> Job | None:
        """The next job, now the current one, or None when there is none or one is at work.

        A question gets the history as it is now, with the answers that it waited for.
        """
        if self.current is not None or not self.waiting:
            return None
        job = self.waiting.popleft()
        if isinstance(job, Ask):
            job = replace(job, history=tuple(self.history))
        self.current = job
        return job

    def questions(self) -> list[Ask]:
        """The questions that wait."""
        return [job for job in self.waiting if isinstance(job, Ask)]

    def drop_questions(self) -> list[Ask]:
        """Take the questions that wait out of the line."""
        dropped = self.questions()
        self.waiting = deque(job for job in self.waiting if not isinstance(job, Ask))
        return dropped

    def keep(self, turn: int, saved: SavedTurn) -> None:
        """Remember a turn for the questions that follow."""
        self.kept[turn] = saved

    def before(self, turn: int) -> int:
        """How many kept turns come before `turn`."""
        return sum(key < turn for key in self.kept)

    def cut(self, turn: int) -> None:
        """Forget `turn` and those after it."""
        self.kept = {key: saved for key, saved in self.kept.items() if key < turn}

    def restart(self) -> None:
        """Begin a new conversation."""
        self.drop_questions()
        self.kept.clear()
        self.conversation = None
