"""The conversation, newest at the bottom, followed until the reader scrolls away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from rag.errors import RagError
from rag.events import Status
from tui.text import clean, count
from tui.widgets.turn import TurnView, error_content
from tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from rag.answering.saved import SavedTurn

AT_ONCE = 12  # turns of a kept conversation shown at once: each costs the screen milliseconds


class Transcript(VerticalScroll, can_focus=False):
    """Holds the welcome, the turns and notices between them."""

    def __init__(self, folder: str, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys
        self._folder = folder
        self._status: Status | None = None
        self._earlier: dict[int, SavedTurn] = {}  # kept turns that are not on the screen

    def compose(self) -> ComposeResult:
        """Begin with the welcome."""
        with Vertical(id="turns"):
            yield Welcome(self._folder, self._keys)

    @property
    def _turns(self) -> Vertical:
        return self.query_one("#turns", Vertical)

    def turn(self, key: int) -> TurnView | None:
        """The turn with this number, unless the conversation has been cleared."""
        return next((each for each in self.query(TurnView) if each.key == key), None)

    async def add_turn(self, key: int, question: str) -> TurnView:
        """Show a question at the bottom and follow it."""
        await self.query(Welcome).remove()
        view = TurnView(key, question)
        await self._turns.mount(view)
        self.anchor()
        return view

    async def restore(self, turns: Mapping[int, SavedTurn]) -> None:
        """Show turns that were kept, in place of all that is shown; of many, the last ones."""
        await self._turns.remove_children()
        self._earlier = dict(turns)
        await self.show_earlier()
        self.anchor()

    async def show_earlier(self) -> list[TurnView]:
        """Show some of the turns before the first one on the screen; those that are new."""
        await self._turns.query(".earlier").remove()
        first = next(iter(self.query(TurnView)), None)
        part = list(self._earlier)[-AT_ONCE:]
        shown = []
        for key in part:
            saved = self._earlier.pop(key)
            view = TurnView(key, saved.question)
            await self._turns.mount(view, before=first)
            await view.restore(saved)
            shown.append(view)
        if self._earlier:
            more = f"{count(len(self._earlier), 'earlier question')} · Alt+↑ goes on to them"
            await self._turns.mount(Static(more, classes="notice stopped earlier"), before=0)
        return shown

    async def cut(self, key: int) -> None:
        """Take turn `key` away, and all that comes after it."""
        for view in self.query(TurnView):
            if view.key >= key:
                await view.remove()

    def views(self) -> list[TurnView]:
        """The turns from top to bottom."""
        return list(self.query(TurnView))

    async def notice(self, what: str | RagError) -> None:
        """Show something that belongs to no turn."""
        if isinstance(what, RagError):
            await self._turns.mount(Static(error_content(what), classes="notice error"))
        else:
            await self._turns.mount(Static(Content(clean(what)), classes="notice stopped"))
        self.anchor()

    async def restart(self, folder: str = "") -> None:
        """Clear the conversation; `folder` is another one from now on."""
        self._folder = folder or self._folder
        self._earlier = {}
        await self._turns.remove_children()
        await self._turns.mount(Welcome(self._folder, self._keys))
        self.show_status(self._status)

    def show_status(self, status: Status | None) -> None:
        """Tell the welcome what the index holds."""
        self._status = status
        for welcome in self.query(Welcome):
            welcome.show_status(status)
