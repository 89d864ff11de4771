"""What the parts of the conversation's screen share."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from rag.engine import Engine
from rag.errors import RagError
from rag.indexing.progress import IndexReport
from tui.jobs import Job
from tui.keys import first_key
from tui.lookup import Lookup
from tui.session import Session
from tui.text import home_relative
from tui.widgets.question import QuestionBox
from tui.widgets.sources import SourcesPane
from tui.widgets.transcript import Transcript
from tui.widgets.turn import TurnView
from tui.work import EngineWorker
from tui.workplace import Workplace

if TYPE_CHECKING:
    from rag.answering.conversations import Conversations
    from rag.answering.saved import SavedTurn


class ChatBase(Screen[None]):
    """The state of a conversation, and its widgets by name."""

    def __init__(self, engine: Engine, worker: EngineWorker, place: Workplace) -> None:
        super().__init__()
        self.worker = worker
        self.place = place
        self.session = Session()
        self.report: IndexReport | None = None
        self.model = ""
        self._opening = asyncio.Lock()
        self.take_folder(engine)

    def take_folder(self, engine: Engine) -> None:
        """Ask this engine's folder from now on."""
        self.folder: Path = engine.notes_folder
        self.folders, self.suffixes = engine.folders, engine.parts.suffixes
        self.folders_named = ", ".join(map(home_relative, self.folders))
        self.lookup = Lookup(engine.place, engine.library, self.place.texts)
        self._conversations: Conversations | None = None

    async def conversations(self) -> Conversations:
        """The kept conversations of the folder, opened when first needed. Raises RagError."""
        async with self._opening:
            if self._conversations is None:
                self._conversations = await asyncio.to_thread(
                    self.place.open_conversations, self.folder
                )
                if self._conversations.notice:
                    notice = self._conversations.notice
                    self.notify(notice, severity="warning", timeout=30, markup=False)
        return self._conversations

    def leave_folder(self) -> None:
        """Close what is open of the folder."""
        self.lookup.close()
        if self._conversations is not None:
            self._conversations.close()

    def export(self, title: str, turns: Sequence[SavedTurn]) -> Path:
        """Write turns as a note; its file. Raises StorageError."""
        from rag.answering.export import export_note

        engine = self.worker.engine
        return export_note(engine.each_folder()[0].notes_folder, title, turns, engine.place)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def pane(self) -> SourcesPane:
        return self.query_one(SourcesPane)

    @property
    def box(self) -> QuestionBox:
        return self.query_one(QuestionBox)

    @abstractmethod
    def add_job(self, job: Job) -> None:
        """Put a job in line and begin it when its turn comes."""

    async def show_sources(self, turn: int) -> None:
        """Show the passages of a turn in the pane."""
        if view := self.transcript.turn(turn):
            had_focus = self.pane.has_focus_within
            await self.pane.show_turn(view, earlier=view is not self.transcript.views()[-1])
            if had_focus and not self.pane.enter():
                self.box.focus()

    @abstractmethod
    async def ask(self, question: str) -> int:
        """Show a question and put it in line; the number of its turn."""

    def check_turn(self, view: TurnView) -> None:
        """Look up how the sources of a turn stand in their notes now."""
        self.run_worker(self._check_turn(view), group=f"check-{view.key}", exclusive=True)

    async def _check_turn(self, view: TurnView) -> None:
        standings = await asyncio.to_thread(self.lookup.standings, view.passages, view.citations)
        if view.is_attached and self.is_attached:
            view.show_standings(standings)
            self.pane.show_standings(view.key, standings)

    def key(self, identity: str) -> str:
        """The key for an action as the reader set it, as people write it."""
        return first_key(identity, self.place.keys)

    def tell(self, error: RagError) -> None:
        """Show an error that belongs to no turn, out of the way."""
        self.notify(str(error), severity="error", markup=False)
