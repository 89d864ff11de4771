"""The passages behind an answer, the cited ones first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.text import one_line, shorten
from tui.widgets.source import SourceCard, make_sources
from tui.widgets.turn import TurnView

if TYPE_CHECKING:
    from rag.retrieval.standing import Standing

_ASKED = 40  # cells of an earlier question in the title
EMPTY = "The passages that bear on your question will be listed here."


class SourcesPane(VerticalScroll, can_focus=False):
    """Lists the passages of one turn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(n), f"screen.choose({n})", f"Source {n}", show=False) for n in range(1, 10)
    ]

    def compose(self) -> ComposeResult:
        """Nothing to show yet."""
        yield Static(EMPTY, classes="empty")

    def on_mount(self) -> None:
        """Belongs to no turn yet."""
        self.border_title = "Sources"
        self.turn = 0
        self.selected = 0

    async def show_turn(self, view: TurnView | None, earlier: bool = False) -> None:
        """List the passages of a turn, what is cited first; nothing for None. Of an `earlier` one
        its question is said: the answer that is read may be another."""
        self.turn, self.selected = (view.key if view else 0), 0
        asked = f" of “{shorten(one_line(view.question), _ASKED)}”" if view and earlier else ""
        self.border_title = Content(f"Sources{asked}")
        sources = (
            make_sources(view.passages, view.evidence, view.citations, view.standings)
            if view
            else []
        )
        cards = [SourceCard(each) for each in sources]
        rows: list[Static | SourceCard] = []
        for title, cited in (("Cited", True), ("Also found", False)):
            group = [card for card in cards if card.source.cited is cited]
            if group and view and view.citations:
                rows.append(Static(title, classes="group"))
            rows.extend(group)
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(rows or [Static(EMPTY, classes="empty")])
        self.scroll_home(animate=False)
        for card in list(self.query(SourceCard))[:1]:
            self._select(card)

    async def restart(self) -> None:
        """Forget the turn."""
        await self.show_turn(None)

    def show_standings(self, turn: int, standings: Mapping[int, Standing]) -> None:
        """Tell the cards of `turn` how their passages stand in the notes now."""
        if turn == self.turn:
            for card in self.query(SourceCard):
                card.show_standing(standings.get(card.source.number))

    def choose(self, number: int) -> bool:
        """Give source `number` the focus; False when there is none."""
        for card in self.query(SourceCard):
            if card.source.number == number:
                self._select(card)
                card.focus()
                return True
        return False

    def enter(self) -> bool:
        """Give the selected source the focus."""
        return self.choose(self.selected)

    def copy_selected(self) -> bool:
        """Copy the quote of the selected source; whether one is."""
        if card := self._selected_card():
            card.action_copy()
        return card is not None

    def open_selected(self, how: str) -> bool:
        """Open the note of the selected source; whether one is."""
        if card := self._selected_card():
            card.action_open(how)
        return card is not None

    def _selected_card(self) -> SourceCard | None:
        cards = self.query(SourceCard)
        return next((each for each in cards if each.source.number == self.selected), None)

    def on_source_card_selected(self, event: SourceCard.Selected) -> None:
        """Follow the focus."""
        event.stop()
        if self.screen.focused is event.card:  # else another key has led on meanwhile
            self._select(event.card)

    def on_source_card_moved(self, event: SourceCard.Moved) -> None:
        """Move the focus up or down."""
        event.stop()
        cards = list(self.query(SourceCard))
        numbers = [card.source.number for card in cards]
        # From where the last key led, which may not be the card that this one came from.
        place = numbers.index(self.selected) + event.step
        if 0 <= place < len(cards):
            self._select(cards[place])
            self.screen.set_focus(cards[place])  # now: `focus` would wait for what comes first

    def _select(self, chosen: SourceCard) -> None:
        self.selected = chosen.source.number
        for card in self.query(SourceCard):
            card.select(card is chosen)
        self.call_after_refresh(self._bring, chosen)

    def _bring(self, card: SourceCard) -> None:
        """Scroll to a card, to its head where it is taller than the pane."""
        card.scroll_visible(animate=False, top=card.outer_size.height > self.size.height)
