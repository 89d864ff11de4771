"""What widgets, and the engine's thread, tell the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.errors import RagError
    from rag.events import Event, Status
    from rag.indexing.progress import IndexProgress
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


class TurnFocused(Message):
    """The reader went to a turn."""

    def __init__(self, turn: int) -> None:
        super().__init__()
        self.turn = turn


class TurnActed(Message):
    """The reader wants something done with a turn: retry, edit, copy, branch, why, export."""

    def __init__(self, turn: int, action: str) -> None:
        super().__init__()
        self.turn = turn
        self.action = action


class NoteWanted(Message):
    """The reader wants to see a note: in the editor, in Obsidian, or here (`how`).

    `first` to `last` are the lines to show it at, counted from 1.
    """

    def __init__(self, path: str, first: int, last: int = 0, how: str = "editor") -> None:
        super().__init__()
        self.path = path
        self.first = first
        self.last = max(first, last)
        self.how = how


class TextCopied(Message):
    """The reader wants `text` on the clipboard; `what` says in a word what it is."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        self.what = what


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


class EngineChanged(Message):
    """Another notes folder is asked from now on."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine


class JobEnded(Message):
    """The engine's thread is free again; `error` is why the job failed or was stopped."""

    def __init__(self, job: Job, error: RagError | None) -> None:
        super().__init__()
        self.job = job
        self.error = error


class Noticed(Message):
    """Something was amiss and was mended, or is for the reader to decide."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class NotesChanged(Message):
    """Notes changed on disk."""


class Watching(Message):
    """Whether changes of the notes on disk are noticed."""

    def __init__(self, on: bool) -> None:
        super().__init__()
        self.on = on
