"""Conversations by day: reopened, searched, renamed, deleted and brought back, exported."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input

from rag.answering.conversations import BRANCH, Conversation, Conversations
from rag.answering.export import told
from rag.errors import RagError
from tui.screens.pick import PickScreen, Row, type_early
from tui.text import MUTED, clean, count, one_line, shorten

if TYPE_CHECKING:
    from rag.answering.saved import SavedTurn

_CUT_MARK = re.compile(r"^…\s*\d{0,2}\]\s*")  # of a citation


class ConversationsScreen(PickScreen[Conversation]):
    """Gives the conversation to reopen. With the focus on the list, letters are commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search"),
        Binding("r", "rename", "Rename"),
        Binding("d,delete", "delete", "Delete"),
        Binding("u", "undo", "Undo"),
        Binding("x", "export", "Export"),
        Binding("q", "leave", "Close", show=False),
    ]
    TITLE_TEXT = "Conversations"
    HINT = "Enter open · / search · r rename · d delete · u undo · x export"
    PLACEHOLDER = "/ then words of a question, an answer or a title"
    NOTHING = "No conversation about these notes."
    NOT_FOUND = "No conversation holds these words."
    TYPES = False

    def __init__(
        self,
        conversations: Conversations,
        current: int | None,
        write: Callable[[str, Sequence[SavedTurn]], Path],
        deleted: list[Conversation],
    ) -> None:
        """`write` makes a note of a title and turns, and gives its file; `deleted` are those that
        were deleted since the program began, which can be brought back."""
        super().__init__()
        self._write = write
        self._conversations = conversations
        self._current = current
        self._deleted = deleted
        self._sought: int | None = current

    def on_mount(self) -> None:
        """The list has the focus, so that letters are commands."""
        super().on_mount()
        self._list.focus()

    def sought(self, items: Sequence[Conversation | None]) -> int | None:
        """Once, the conversation that is open or was brought back."""
        wanted, self._sought = self._sought, None
        return next((at for at, each in enumerate(items) if each and each.id == wanted), None)

    def find(self, text: str) -> Sequence[Row[Conversation]]:
        """Conversations under the day on which they were last continued."""
        rows: list[Row[Conversation]] = []
        day = ""
        for each in self._conversations.search(text):
            if (its_day := day_name(each.updated, time.time())) != day:
                day = its_day
                rows.append((Content.assemble((day, "bold")), None))
            rows.append((self._row(each), each))
        return rows

    def _row(self, each: Conversation) -> Content:
        at = time.strftime("%H:%M", time.localtime(each.updated))
        about = f"  {at} · {count(each.turns, 'question')}"
        room = self.room - 2 - len(about)
        found = shorten(_CUT_MARK.sub("…", one_line(each.found)), self.room - 4)
        return Content.assemble(
            ("● " if each.id == self._current else "  ", "$text-success"),
            _shortened(one_line(each.title), room),
            (about, MUTED),
            (f"\n    {found}" if found else "", MUTED),
        )

    def on_key(self, event: Key) -> None:
        """At once: a binding is looked for only when its key has come up to the program, and what
        is typed behind `/` in one burst would be taken for commands."""
        if event.key == "slash" and self.focused is self._list:  # the base sees what is typed
            event.stop()
            event.prevent_default()
            self.action_search()

    def action_search(self) -> None:
        """Type words to look for."""
        self.set_focus(self.query_one(Input))

    def action_leave(self) -> None:
        """Out of the search, back to the list; else close."""
        box = self.query_one(Input)
        if box.has_focus:
            box.value = ""
            self._list.focus()
        else:
            self.dismiss(None)

    def action_rename(self) -> None:
        """Ask for another title."""
        if chosen := self.chosen:
            self.app.clear_notifications()  # they would lie on the box
            self.app.push_screen(TitleScreen(chosen.title), partial(self._rename, chosen))

    async def _rename(self, chosen: Conversation, title: str | None) -> None:
        if title is not None and clean(title).strip():
            await self._do(lambda: self._conversations.rename(chosen.id, clean(title)))
        elif title is not None:
            self._say("It keeps its title: none was typed.")

    @work
    async def action_delete(self) -> None:
        """Delete; `u` undoes it while the program is open."""
        if (chosen := self.chosen) is None:
            return
        self._deleted.append(chosen)
        await self._do(lambda: self._conversations.delete(chosen.id))
        self._say(f"“{shorten(chosen.title, 40)}” is deleted. u brings it back.")

    @work
    async def action_undo(self) -> None:
        """Bring back what was deleted last."""
        if self._deleted:
            last = self._deleted.pop()
            self._sought = last.id
            await self._do(lambda: self._conversations.restore(last.id))
            self._say(f"“{shorten(last.title, 40)}” is back.")
        else:
            self._say("Nothing was deleted.")

    @work
    async def action_export(self) -> None:
        """Write the conversation into the notes folder as a note."""
        if (chosen := self.chosen) is None:
            return

        def export() -> None:
            turns = self._conversations.turns(chosen.id)
            self.app.call_from_thread(self._say, told(self._write(chosen.title, turns)))

        await self._do(export)

    async def _do(self, change: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(change)
        except RagError as error:
            self.notify(str(error), severity="error", markup=False)
        self.reload()

    def _say(self, text: str) -> None:
        self.app.clear_notifications()  # what was said before is true no more
        self.notify(clean(text), markup=False)


def _shortened(title: str, room: int) -> str:
    """A title that fits, the end kept that tells a branch from what it branched off."""
    kept = BRANCH if title.endswith(BRANCH) else ""
    return shorten(title.removesuffix(kept), room - len(kept)) + kept


class TitleScreen(ModalScreen[str | None]):
    """A line for a title."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title_now = title

    def compose(self) -> ComposeResult:
        """The title as it is, ready to be changed."""
        with Vertical(classes="panel") as panel:
            panel.border_title = "Rename"
            panel.border_subtitle = "Enter renames · Esc leaves it"
            yield Input(one_line(self._title_now), compact=True)

    def on_key(self, event: Key) -> None:
        """What is typed before the line has the focus belongs into it."""
        type_early(self, event)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the new title."""
        self.dismiss(event.value)


def day_name(when: float, now: float) -> str:
    """`Today`, `Yesterday`, `Tuesday 3 March`, with the year where it is another."""
    day, today = time.localtime(when), time.localtime(now)
    if day[:3] == today[:3]:
        return "Today"
    if day[:3] == time.localtime(now - 86400)[:3]:
        return "Yesterday"
    name = f"{time.strftime('%A', day)} {day.tm_mday} {time.strftime('%B', day)}"
    return name if day.tm_year == today.tm_year else f"{name} {day.tm_year}"
