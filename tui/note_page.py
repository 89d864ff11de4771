"""What a screen shows of a note: its lines, with its links; what could do harm as text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from rag.reading.code import blank_comments, next_fence
from rag.reading.front_matter import telling_fields
from rag.reading.links import Link, find_links, plain
from rag.reading.notes import Skipped
from tui.lookup import Lookup
from tui.text import clean

_WIKI = re.compile(r"!?\[\[([^\[\]\n]+)\]\]")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|$)")
_CALLOUT = re.compile(r"((?:[ \t]*>)+[ \t]*)\[!([\w-]+)\][+-]?[ \t]*(.*)")
_HEADING = re.compile(r"#{1,6}[ \t]+(.*)")
_ADDRESS = re.compile(r"https?://(?:\([^\s()]*+\)|[^\s<>()\[\]\"`|])++")
_DISTRUSTED = ["image", "autolink", "entity", "reference", "html_block", "html_inline"]
SHOWN_LINES = 600  # around the place that is wanted: a screen must not wait for a whole book
LINES_BEFORE = 100  # of them: they are drawn first
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

    @property
    def cut(self) -> str:
        """Says which lines are shown, if not all."""
        shown = self.text.count("\n") + 1
        if shown >= self.total:
            return ""
        return (
            f"Lines {self.offset + 1:,} to {self.offset + shown:,} of {self.total:,} are shown; "
            "o opens the whole note."
        )


def read_page(lookup: Lookup, place: Place) -> Page:
    """What to show of a note: without comments, and without front matter unless it tells a reader
    something or what is wanted stands in it; lines where they were."""
    read = lookup.read(place.path)
    if isinstance(read, Skipped):
        return Page(place, "", 0, 0, (), f"This note {read.reason}.")
    linked: tuple[Link, ...] = ()
    text = read.text
    if found := _FRONT_MATTER.match(text):
        front = found[0].rstrip("\n").split("\n")
        wanted = telling_fields(front, len(front)) or 1 < place.first < len(front)
        shown = ["~~~yaml", *front[1:-1], "~~~"] if wanted else [""] * len(front)
        linked = find_links(front)
        text = "\n".join(shown) + text[len("\n".join(front)) :]
    # Line by line: a separator that `clean` makes a line break of is none in the note.
    lines = blank_comments([clean(line).replace("\n", " ") for line in text.split("\n")])
    start = max(0, min(place.first - LINES_BEFORE, len(lines) - SHOWN_LINES))
    part = lines[start : start + SHOWN_LINES]
    if place.path.lower().endswith(".txt"):
        part = [f"{line}\\" if line.strip() else line for line in map(_literal, part)]
    links = (*linked, *find_links(part))
    return Page(place, "\n".join(tamed(callouts(part))), start, len(lines), links)


def addresses_in(text: str) -> list[str]:
    """The web addresses of a text, each once."""
    return list(dict.fromkeys(each[0].rstrip(".,;:!?'*_") for each in _ADDRESS.finditer(text)))


def callouts(lines: Sequence[str]) -> list[str]:
    """`lines` with the openings of Obsidian's callouts as people read them: "> **Note:** title"."""
    result, fence = [], ""
    for line in lines:
        fence = next_fence(line, fence)
        found = None if fence else _CALLOUT.fullmatch(line)
        if found is None:
            result.append(line)
            continue
        before, kind, title = found.groups()
        colon = ":" if title.strip() else ""
        result.append(f"{before}**{kind.capitalize()}{colon}** {title.strip()}  ")  # and a new line
    return result


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


def line_of(lookup: Lookup, path: str, where: str) -> int:
    """The line of a heading in a note, or of a block for "^id"; 0 when it has none of that name."""
    read = lookup.read(path)
    wanted = where.rpartition("#")[2].strip().casefold()
    wanted = wanted if wanted.startswith("^") else plain(wanted).strip()
    if not wanted or isinstance(read, Skipped):
        return 0
    for number, line in enumerate(read.text.split("\n"), 1):
        if wanted.startswith("^"):
            name = line.rstrip().casefold()
            if name == wanted or name.endswith(f" {wanted}"):
                return number
        elif (found := _HEADING.match(line)) and plain(found[1]).strip().casefold() == wanted:
            return number
    return 0


def make_parser() -> MarkdownIt:
    """CommonMark with tables and [[links]]; what could load, run or hide something stays text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(_DISTRUSTED)
    parser.inline.ruler.before("link", "wikilink", _wikilink)
    parser.core.ruler.push("lines", _keep_lines)
    return parser


def _keep_lines(state: StateCore) -> None:
    """Have lines end where the note's do, as in Obsidian: a line of a log is no sentence of a
    paragraph."""
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"


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
