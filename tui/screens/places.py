"""Screens that lie over the conversation: opened here, and what is chosen in them done."""

from __future__ import annotations

import asyncio
import importlib
from abc import abstractmethod
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work

from rag.engine import Engine
from rag.errors import RagError
from tui.completion import Names, completions, names_of
from tui.jobs import OpenFolder, Refresh, UseModel
from tui.screens.turns import TurnActions
from tui.widgets.question import QuestionBox
from tui.widgets.suggestions import Suggestions
from tui.work import EngineWorker
from tui.workplace import Workplace

if TYPE_CHECKING:
    from rag.answering.conversations import Conversation
    from rag.indexing.library import Found
    from rag.models.choices import ModelChoice


class PlaceActions(TurnActions):
    """Conversations, notes, folders, models, help.

    Each screen is imported when it is first opened, so that the first paint waits for none.
    """

    names = Names()

    def __init__(self, engine: Engine, worker: EngineWorker, place: Workplace) -> None:
        super().__init__(engine, worker, place)
        self._deleted: list[Conversation] = []  # which can be brought back

    @work(thread=True)
    def preload(self) -> None:
        """Import the screens, and what shows an answer, while nobody waits for one."""
        importlib.import_module("tui.widgets.answer")
        for name in ("conversations", "find", "help", "note", "skipped", "why"):
            importlib.import_module(f"tui.screens.{name}")

    @work(exclusive=True, group="names")
    async def read_names(self) -> None:
        """Read the tags and paths that filters can be completed to."""
        notes = await asyncio.to_thread(self.lookup.notes)
        self.names = await asyncio.to_thread(names_of, notes, date.today())

    def on_question_box_typed(self, event: QuestionBox.Typed) -> None:
        """Offer what the filter at the cursor can be completed to."""
        choices = completions(event.before, self.names)
        self.box.choices = choices
        self.query_one(Suggestions).show(choices)

    def on_question_box_choice_turned(self) -> None:
        """Show which one Tab takes now."""
        self.query_one(Suggestions).show(self.box.choices)

    @work(exclusive=True, group="place")
    async def action_conversations(self) -> None:
        """List the conversations, and reopen the one that is chosen."""
        from tui.screens.conversations import ConversationsScreen

        try:
            kept = await self.conversations()
        except RagError as error:
            self.tell(error)
            return
        current = self.session.conversation
        screen = ConversationsScreen(kept, current, self.export, self._deleted)
        chosen: Conversation | None = await self.app.push_screen_wait(screen)
        if chosen is not None:
            if chosen.id != current:
                await self.leave_answer()
                await self.reopen(chosen.id)
            if chosen.found_turn is not None:
                await self.go_to(chosen.found_turn)
        elif current is not None and await self.is_deleted(current):
            self.action_restart()

    @abstractmethod
    async def leave_answer(self) -> None:
        """Stop the answer that is being written, if one is."""

    @abstractmethod
    def action_restart(self) -> None:
        """Begin a new conversation."""

    def action_find(self) -> None:
        """Find a note and show it."""
        from tui.screens.find import FindScreen

        def show(found: Found | None) -> None:
            if found is not None:
                self.show_note(found.path, found.line if found.line > 1 else 0)

        self.app.push_screen(FindScreen(self.lookup.find), show)

    def show_note(self, path: str, first: int = 0, last: int = 0) -> None:
        """Show a whole note, at its lines `first` to `last`."""
        from tui.note_page import Place
        from tui.screens.note import NoteScreen

        self.app.push_screen(NoteScreen(self.lookup, Place(path, first, max(first, last))))

    def reread_note(self) -> None:
        """Show the note that is open as it is on disk now."""
        from tui.screens.note import NoteScreen

        for screen in self.app.screen_stack:
            if isinstance(screen, NoteScreen):
                screen.reread()

    def action_folders(self) -> None:
        """Choose the notes folder."""
        from tui.screens.find import FolderScreen

        async def ask(chosen: Path | None) -> None:
            if chosen is not None and [chosen] != self.folders:
                await self.leave_answer()
                self.add_job(OpenFolder(chosen))

        self.app.push_screen(FolderScreen(self.place.folders, self.folders), ask)

    @work(exclusive=True, group="place")
    async def action_models(self) -> None:
        """Choose the language model."""
        from tui.screens.find import ModelScreen

        speeds: Mapping[str, float] = {}
        try:
            kept = await self.conversations()
            speeds = await asyncio.to_thread(kept.speeds)
        except RagError as error:
            self.tell(error)
        chosen: ModelChoice | None = await self.app.push_screen_wait(
            ModelScreen(self.place.models, lambda: speeds, self.model)
        )
        if chosen is not None and chosen.name != self.model:
            self.add_job(UseModel(chosen.place))

    def action_skipped(self) -> None:
        """List the notes that could not be indexed."""
        from tui.screens.skipped import SkippedScreen

        if (report := self.report) is None:  # nothing had changed, and nobody looked
            self.add_job(Refresh(force=True))
        else:
            self.app.push_screen(SkippedScreen((*report.skipped, *report.warnings)))

    @on(QuestionBox.HelpWanted)
    def action_help(self) -> None:
        """Show the keys."""
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.place.keys))
