"""A whole note, rendered: its links work, and there is a way back."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Markdown, OptionList, Static
from textual.widgets._markdown import MarkdownBlock
from textual.widgets.option_list import Option

from rag.reading.links import Link, blank_comments, find_links, next_fence, plain
from rag.reading.notes import Skipped
from tui.lookup import Lookup
from tui.messages import NoteWanted
from tui.text import MUTED, clean, count, one_line

_WIKI = re.compile(r"!?\[\[([^\[\]\n]+)\]\]")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|$)")
_HEADING = re.compile(r"#{1,6}[ \t]+(.*)")
_DISTRUSTED = ["image", "autolink", "entity", "reference", "html_block", "html_inline"]
SHOWN_LINES = 600  # around the place that is wanted: a screen must not wait for a whole book
_PIECE_LINES = 6  # rendered at once: each block of Markdown costs the screen milliseconds
_LONGEST_BLOCK = 80  # lines; a longer list or table is shown as it is written
_FENCE = "~~~~~~~~"
NOTE = "note:"


@dataclass(frozen=True, slots=True)
class Place:
    """A note, and the lines of it that are meant; `first` is 0 for its beginning."""

    path: str
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown of a note: `text` begins at line `offset` + 1 of `total`."""

    place: Place
    text: str
    offset: int
    total: int
    links: tuple[Link, ...]
    trouble: str = ""


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
    ]

    def __init__(self, lookup: Lookup, place: Place) -> None:
        super().__init__()
        self._lookup = lookup
        self._place = place
        self._trail: list[Place] = []
        self._targets: list[Link] = []

    def compose(self) -> ComposeResult:
        """The note, its links beside or below it, and the keys."""
        with Vertical(classes="panel whole") as panel:
            panel.border_subtitle = "l links · Backspace back · o edit · Esc closes"
            with Horizontal(id="note-body"):
                with VerticalScroll(id="note-text"):
                    yield Static("", id="note-more", markup=False)
                    yield Markdown("", parser_factory=make_parser, open_links=False)
                yield OptionList(id="note-links", markup=False, compact=True)
        yield Footer()

    def on_mount(self) -> None:
        """Show the first note."""
        self.query_one("#note-text").focus()
        self._show(self._place)

    @work(exclusive=True, group="note")
    async def _show(self, place: Place) -> None:
        page = await asyncio.to_thread(read_page, self._lookup, place)
        self._place = page.place
        self.query_one(".panel", Vertical).border_title = Content(one_line(place.path))
        more = self.query_one("#note-more", Static)
        more.update(Content(page.trouble or _cut(page)))
        more.display = bool(page.trouble or _cut(page))
        self._list_links(page.links)
        markdown = self.query_one(Markdown)
        await markdown.update("")
        for piece in pieces(page.text):
            await markdown.append(piece)
            await asyncio.sleep(0)  # keys and the clock come between
        self.call_after_refresh(self._mark, page)

    def _mark(self, page: Page) -> None:
        """Mark the blocks that hold the wanted lines, and go to the first."""
        marked = None
        scroll = self.query_one("#note-text", VerticalScroll)
        for block in self.query_one(Markdown).query(MarkdownBlock):
            start, end = (line + page.offset for line in block.source_range)
            meant = page.place.first and start < page.place.last and page.place.first <= end
            block.set_class(bool(meant), "meant")
            marked = marked or (block if meant else None)
        if marked is None:
            scroll.scroll_home(animate=False)
        else:
            scroll.scroll_to_widget(marked, animate=False, center=True, force=True)

    def _list_links(self, links: Sequence[Link]) -> None:
        self._targets = list({(each.target, each.heading): each for each in links}.values())
        options = self.query_one("#note-links", OptionList)
        options.clear_options()
        options.add_options(
            [
                Option(
                    Content.assemble(
                        one_line(each.alias or each.target or each.heading),
                        (
                            f" › {one_line(each.heading)}" if each.target and each.heading else "",
                            MUTED,
                        ),
                    )
                )
                for each in self._targets
            ]
        )
        options.border_title = count(len(self._targets), "link")
        options.display = bool(self._targets)

    # What the reader does.

    @on(OptionList.OptionSelected)
    def follow_listed(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click in the list of links."""
        event.stop()
        link = self._targets[event.option_index]
        self._follow(link.target, link.heading)

    @on(Markdown.LinkClicked)
    def follow_clicked(self, event: Markdown.LinkClicked) -> None:
        """A click on a link in the text. What leads out of the notes is shown, never opened."""
        event.stop()
        href = event.href
        if href.startswith(NOTE):
            href = href.removeprefix(NOTE)
        elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", href):
            self.app.copy_to_clipboard(clean(href))
            self.notify(one_line(href), title="Copied, not opened", markup=False)
            return
        target, _, heading = unquote(href).partition("#")
        self._follow(target, heading)

    @work(exclusive=True, group="follow")
    async def _follow(self, target: str, heading: str) -> None:
        path = await asyncio.to_thread(self._lookup.resolve, target, self._place.path)
        if path is None:
            self.notify(f"No note is called {one_line(target)}.", severity="warning", markup=False)
            return
        self._trail.append(self._place)
        first = await asyncio.to_thread(heading_line, self._lookup, path, heading)
        self.query_one("#note-text").focus()
        self._show(Place(path, first, first))

    def action_back(self) -> None:
        """To the note before; from the first one, out."""
        if self._trail:
            self._show(self._trail.pop())
        else:
            self.dismiss()

    def action_leave(self) -> None:
        """Out of the links, or out."""
        if self.query_one("#note-links").has_focus:
            self.query_one("#note-text").focus()
        else:
            self.dismiss()

    def action_links(self) -> None:
        """Go to the list of links."""
        if self._targets:
            links = self.query_one("#note-links", OptionList)
            links.highlighted = links.highlighted or 0
            links.focus()
        else:
            self.notify("This note has no links to notes.")

    def action_open(self) -> None:
        """Open the note in the editor."""
        self.app.post_message(NoteWanted(self._place.path, max(1, self._place.first)))

    def action_vault(self) -> None:
        """Open the note in Obsidian."""
        self.app.post_message(NoteWanted(self._place.path, 1, how="vault"))


def read_page(lookup: Lookup, place: Place) -> Page:
    """What to show of a note: without front matter and comments, lines where they were."""
    read = lookup.read(place.path)
    if isinstance(read, Skipped):
        return Page(place, "", 0, 0, (), f"This note {read.reason}.")
    text = read.text
    if found := _FRONT_MATTER.match(text):
        text = "\n" * found[0].count("\n") + text[found.end() :]
    # Line by line: a separator that `clean` makes a line break of is none in the note.
    lines = blank_comments([clean(line).replace("\n", " ") for line in text.split("\n")])
    start = max(0, min(place.first - SHOWN_LINES // 2, len(lines) - SHOWN_LINES))
    part = lines[start : start + SHOWN_LINES]
    if place.path.lower().endswith(".txt"):
        part = [f"{line}\\" if line.strip() else line for line in map(_literal, part)]
    links = find_links(part)
    return Page(place, "\n".join(tamed(part)), start, len(lines), links)


def tamed(lines: Sequence[str]) -> list[str]:
    """`lines` with long stretches between blank ones fenced, on the blank lines around them."""
    result = list(lines)
    blanks = [-1, *(at for at, line in enumerate(lines) if not line.strip()), len(lines)]
    for before, after in itertools.pairwise(blanks):
        if after - before > _LONGEST_BLOCK and before >= 0:
            result[before] = _FENCE
            if after < len(result):
                result[after] = _FENCE
    return result


def pieces(text: str) -> Iterator[str]:
    """`text` cut at blank lines outside of code; the pieces joined are the text."""
    piece: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        fence = next_fence(line.rstrip("\n"), fence)
        piece.append(line)
        if len(piece) >= _PIECE_LINES and not fence and not line.strip():
            yield "".join(piece)
            piece = []
    yield "".join(piece)


def heading_line(lookup: Lookup, path: str, heading: str) -> int:
    """The line of a heading in a note, 0 when it has none of that name."""
    read = lookup.read(path)
    if not heading or isinstance(read, Skipped):
        return 0
    wanted = plain(heading.rpartition("#")[2]).strip().casefold()
    for number, line in enumerate(read.text.split("\n"), 1):
        found = _HEADING.match(line)
        if found and plain(found[1]).strip().casefold() == wanted:
            return number
    return 0


def make_parser() -> MarkdownIt:
    """CommonMark with tables and [[links]]; what could load, run or hide something stays text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(_DISTRUSTED)
    parser.inline.ruler.before("link", "wikilink", _wikilink)
    return parser


def _wikilink(state: StateInline, silent: bool) -> bool:
    match = _WIKI.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        target, _, alias = match[1].partition("|")
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": NOTE + quote(target.removesuffix("\\").strip(), safe="/#")}
        state.push("text", "", 0).content = (alias or target).strip()
        state.push("link_close", "a", -1)
    state.pos = match.end()
    return True


def _literal(line: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#+\-!|~=.])", r"\\\1", line)


def _cut(page: Page) -> str:
    shown = page.text.count("\n") + 1
    if shown >= page.total:
        return ""
    return (
        f"Lines {page.offset + 1:,} to {page.offset + shown:,} of {page.total:,} are shown; "
        "o opens the whole note."
    )
