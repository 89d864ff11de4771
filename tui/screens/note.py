"""A whole note, rendered: its links work, and there is a way back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import unquote

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Markdown, OptionList, Static
from textual.widgets._markdown import MarkdownBlock
from textual.widgets.option_list import Option

from rag.reading.links import Link
from tui.keys import bind
from tui.lookup import Lookup
from tui.messages import NoteWanted
from tui.note_page import NOTE, Page, Place, addresses_in, line_of, make_parser, pieces, read_page
from tui.text import MUTED, clean, count, one_line
from tui.widgets.keys_line import KeysLine


class NoteScreen(ModalScreen[None]):
    """Shows notes; each link that is followed puts one more note on the way back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("backspace,alt+left", "back", "Back"),
        Binding("l", "links", "Links"),
        Binding("o", "open", "Edit"),
        Binding("v", "vault", "Obsidian"),
        Binding("n", "next", "Cited lines", show=False),
        Binding("q", "leave", "Close", show=False),
        bind("help", "app.help"),
        Binding("question_mark", "app.help", show=False),
    ]

    def __init__(self, lookup: Lookup, place: Place) -> None:
        super().__init__()
        self._lookup = lookup
        self._place = place
        self._trail: list[Place] = []
        self._page: Page | None = None
        self._targets: list[Link] = []
        self._addresses: list[str] = []  # that lead out of the notes; listed behind the links

    def compose(self) -> ComposeResult:
        """The note, its links beside or below it, and the keys."""
        with Vertical(classes="panel whole") as panel:
            panel.border_subtitle = "l links · Backspace back · o edit · Esc closes"
            with Horizontal(id="note-body"):
                with VerticalScroll(id="note-text"):
                    yield Static("", id="note-more", markup=False)
                    yield Markdown("", parser_factory=make_parser, open_links=False)
                yield OptionList(id="note-links", markup=False, compact=True)
        yield KeysLine()

    def on_mount(self) -> None:
        """Show the first note."""
        self.query_one("#note-text").focus()
        self._show(self._place)

    def reread(self) -> None:
        """Show the note as it is on disk now, where the reader is in it."""
        self._show(self._place, again=True)

    @work(exclusive=True, group="note")
    async def _show(self, place: Place, again: bool = False) -> None:
        page = await asyncio.to_thread(read_page, self._lookup, place)
        if again and page == self._page:
            return
        scroll = self.query_one("#note-text", VerticalScroll)
        seen = scroll.scroll_y if again else 0.0
        self._place, self._page = page.place, page
        self.query_one(".panel", Vertical).border_title = Content(one_line(place.path))
        more = self.query_one("#note-more", Static)
        more.update(Content(page.trouble or page.cut))
        more.display = bool(page.trouble or page.cut)
        self._list_links(page.links, addresses_in(page.text))
        markdown = self.query_one(Markdown)
        await markdown.update("")
        if not again:
            scroll.scroll_home(animate=False, immediate=True)
        lines, marked = page.offset, False
        for piece in pieces(page.text):
            await markdown.append(piece)
            lines += piece.count("\n")
            if not marked and lines >= page.place.last + self.size.height:
                marked = True  # what is meant is there, and a screen of what follows: do not wait
                self.call_after_refresh(self._mark, page)
            await self.wait_for_refresh()  # little is drawn at once: keys come between
        if not marked:
            self.call_after_refresh(self._mark, page)
        if again:
            self.call_after_refresh(scroll.scroll_to, y=seen, animate=False, force=True)

    def _mark(self, page: Page) -> None:
        """Mark the blocks that hold the wanted lines, and go to the first."""
        meant: list[MarkdownBlock] = []
        scroll = self.query_one("#note-text", VerticalScroll)
        for block in self.query_one(Markdown).query(MarkdownBlock):
            start, end = (line + page.offset for line in block.source_range)
            if page.place.first and start < page.place.last and page.place.first <= end:
                meant.append(block)
        around = {each for block in meant for each in block.ancestors}  # a list, of its item
        for block in meant:
            block.set_class(block not in around, "meant")
        if meant and not scroll.scroll_y:  # else the reader has gone on by now
            scroll.scroll_to_widget(meant[0], animate=False, center=True, force=True)

    def _list_links(self, links: Sequence[Link], addresses: Sequence[str]) -> None:
        self._addresses = list(addresses)
        self._targets = list({(each.target, _inside(each)): each for each in links}.values())
        options = self.query_one("#note-links", OptionList)
        options.clear_options()
        options.add_options(
            [
                Option(
                    Content.assemble(
                        one_line(each.alias or each.target or where),
                        (f" › {one_line(where)}" if each.target and where else "", MUTED),
                    )
                )
                for each in self._targets
                for where in (_inside(each),)
            ]
        )
        options.add_options([Option(Content(one_line(each))) for each in self._addresses])
        options.border_title = count(options.option_count, "link")
        options.display = bool(options.option_count)

    # What the reader does.

    @on(OptionList.OptionSelected)
    def follow_listed(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click in the list of links."""
        event.stop()
        if (behind := event.option_index - len(self._targets)) >= 0:
            self._copy_address(self._addresses[behind])
            return
        link = self._targets[event.option_index]
        self._follow(link.target, _inside(link))

    @on(Markdown.LinkClicked)
    def follow_clicked(self, event: Markdown.LinkClicked) -> None:
        """A click on a link in the text. What leads out of the notes is shown, never opened."""
        event.stop()
        href = event.href
        if href.startswith(NOTE):
            href = href.removeprefix(NOTE)
        elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", href):
            self._copy_address(href)
            return
        target, _, heading = unquote(href).partition("#")
        self._follow(target, heading)

    def _copy_address(self, address: str) -> None:
        self.app.copy_to_clipboard(clean(address))
        self.notify(one_line(address), title="Copied, not opened", markup=False)

    @work(exclusive=True, group="follow")
    async def _follow(self, target: str, heading: str) -> None:
        path = await asyncio.to_thread(self._lookup.resolve, target, self._place.path)
        if path is None:
            self.notify(f"No note is called {one_line(target)}.", severity="warning", markup=False)
            return
        self._trail.append(self._place)
        first = await asyncio.to_thread(line_of, self._lookup, path, heading)
        self.query_one("#note-text").focus()
        self._show(Place(path, first, first))

    def action_back(self) -> None:
        """To the note before; from the first one, out."""
        if self._trail:
            self._show(self._trail.pop())
        else:
            self.dismiss()

    def action_next(self) -> None:
        """Back to the lines that are meant."""
        for block in list(self.query(".meant"))[:1]:
            scroll = self.query_one("#note-text", VerticalScroll)
            scroll.scroll_to_widget(block, animate=False, center=True, force=True)

    def action_leave(self) -> None:
        """Out of the links, or out."""
        if self.query_one("#note-links").has_focus:
            self.query_one("#note-text").focus()
        else:
            self.dismiss()

    def action_links(self) -> None:
        """Go to the list of links."""
        if self._targets or self._addresses:
            links = self.query_one("#note-links", OptionList)
            links.highlighted = links.highlighted or 0
            links.focus()
        else:
            self.notify("This note has no links.")

    def action_open(self) -> None:
        """Open the note in the editor."""
        self.app.post_message(NoteWanted(self._place.path, max(1, self._place.first)))

    def action_vault(self) -> None:
        """Open the note in Obsidian."""
        self.app.post_message(NoteWanted(self._place.path, 1, how="vault"))


def _inside(link: Link) -> str:
    """The heading that a link leads to, or the block as "^id"."""
    return link.heading or (f"^{link.block}" if link.block else "")
