"""A panel with a line to type in and a list to choose from; the base of several screens."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.keys import bind

Item = TypeVar("Item")
Row = tuple[Content, Item | None]  # what is shown, and what it stands for; None for a heading


class PickScreen(ModalScreen[Item | None], Generic[Item]):
    """Gives the chosen item, or None. `find` is called in a thread at each change of the text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        bind("help", "app.help"),
    ]
    TITLE_TEXT = ""
    HINT = "Enter chooses · Esc closes"
    PLACEHOLDER = "Type to narrow the list"
    NOTHING = "Nothing found."
    NOT_FOUND = ""  # where something was typed
    TYPES = True  # letters are typed, and no commands

    @abstractmethod
    def find(self, text: str) -> Sequence[Row[Item]]:
        """The rows for what is typed. May take a while."""

    def nothing_for(self, text: str) -> str:
        """What to say where nothing is found for what is typed."""
        return (text.strip() and self.NOT_FOUND) or self.NOTHING

    def compose(self) -> ComposeResult:
        """A panel as wide as the screen allows."""
        with Vertical(classes="panel pick") as panel:
            panel.border_title = self.TITLE_TEXT
            panel.border_subtitle = self.HINT
            yield Input(placeholder=self.PLACEHOLDER, classes="pick-input", compact=True)
            yield Static("", classes="pick-nothing")
            yield OptionList(classes="pick-list", markup=False, compact=True)

    def on_mount(self) -> None:
        """Nothing is listed before it has been found."""
        self._items: list[Item | None] = []
        self.searched = ""  # what the rows were found by
        self._room = self.room
        self.query_one(".pick-nothing").display = False
        self.reload()

    def on_key(self, event: Key) -> None:
        """What is typed before the line has the focus belongs into it."""
        if self.TYPES or self.focused is self.query_one(Input):
            type_early(self, event)

    @property
    def room(self) -> int:
        """The cells of a row: of a panel as styles/panels.tcss has it, without what frames it."""
        return min(90, self.app.size.width * 94 // 100) - 7

    def on_resize(self) -> None:
        """Rows are as long as the screen lets them be."""
        if self.room != self._room:
            self._room = self.room
            self.reload()

    def sought(self, items: Sequence[Item | None]) -> int | None:
        """Where the highlight belongs now, wherever it was before; None: where it was."""
        del items
        return None

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def chosen(self) -> Item | None:
        """What is highlighted."""
        at = self._list.highlighted
        return self._items[at] if at is not None and at < len(self._items) else None

    @on(Input.Changed)
    def reload(self) -> None:
        """Find again, and keep the place in the list where that makes sense."""
        self._fill(self.query_one(Input).value)

    @work(exclusive=True, group="pick")
    async def _fill(self, text: str) -> None:
        rows = await asyncio.to_thread(self.find, text)
        place = self._list.highlighted or 0
        self._items, self.searched = [item for _, item in rows], text
        self._list.clear_options()
        self._list.add_options([Option(shown, disabled=item is None) for shown, item in rows])
        nothing = self.query_one(".pick-nothing", Static)
        nothing.update(self.nothing_for(text))
        nothing.display = not rows
        choosable = [at for at, item in enumerate(self._items) if item is not None]
        if choosable:
            place = at if (at := self.sought(self._items)) is not None else place
            self._list.highlighted = min(choosable, key=lambda at: abs(at - place))

    def action_move(self, step: int) -> None:
        """Move the highlight while the text has the focus."""
        for _ in range(abs(step)):
            (self._list.action_cursor_down if step > 0 else self._list.action_cursor_up)()

    @on(Input.Submitted)
    def choose(self) -> None:
        """Close with what is highlighted."""
        if self.chosen is not None:
            self.dismiss(self.chosen)

    @on(OptionList.OptionSelected)
    def choose_clicked(self) -> None:
        """A click, or Enter in the list."""
        self.choose()

    def action_leave(self) -> None:
        """Close without a choice."""
        self.dismiss(None)


def type_early(screen: Screen[Any], event: Key) -> None:
    """Type a key that came to a screen, since its line had no focus yet, into that line: keys come
    in bursts over a slow connection."""
    if event.is_printable and event.character:
        event.stop()
        screen.query_one(Input).insert_text_at_cursor(event.character)
