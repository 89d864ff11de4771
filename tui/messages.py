"""What widgets, and the engine's thread, tell the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from rag.engine import Event, Status
    from rag.errors import RagError
    from rag.indexing.build import IndexProgress
    from tui.jobs import Job


class QuestionAsked(Message):
    """The reader pressed Enter on a question."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question


class CitationChosen(Message):
    """The reader chose source `number` of a turn."""

    def __init__(self, turn: int, number: int) -> None:
        super().__init__()
        self.turn = turn
        self.number = number


class NoteWanted(Message):
    """The reader wants to see a note in the editor."""

    def __init__(self, path: str, line: int) -> None:
        super().__init__()
        self.path = path
        self.line = line


class StatusRead(Message):
    """What the index holds; None when there is no index that can be read."""

    def __init__(self, status: Status | None) -> None:
        super().__init__()
        self.status = status


class IndexMoved(Message):
    """Indexing came further."""

    def __init__(self, progress: IndexProgress) -> None:
        super().__init__()
        self.progress = progress


class EngineSpoke(Message):
    """An event on the way to the answer of a turn."""

    def __init__(self, turn: int, event: Event) -> None:
        super().__init__()
        self.turn = turn
        self.event = event


class JobEnded(Message):
    """The engine's thread is free again; `error` is why the job failed or was stopped."""

    def __init__(self, job: Job, error: RagError | None) -> None:
        super().__init__()
        self.job = job
        self.error = error
