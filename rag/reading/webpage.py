"""HTML as Markdown, line for line: headings, paragraphs, lists, rows of tables, code.

Only the standard library's parser says where each piece of text stands. A page whose source is
a few endless lines, or all in one, as many programs export them, gets lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from rag.reading.readable import LONGEST_LINE, Readable, link

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset"
    " figcaption figure footer form header hr html li main ol p pre section summary table tbody"
    " tfoot thead tr ul".split()
) | frozenset(_HEADINGS)
_UNREAD = frozenset("script style template noscript svg canvas iframe object".split())
_ASIDE = frozenset("nav button select dialog".split())  # read after all where one never ends
_VOID = frozenset("area base br col embed hr img input link meta source track wbr param".split())
_HIDES = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
# Whose end need not be written: what begins after them ends them.
_ENDED_BY = {
    "p": _BLOCKS,
    "li": {"li"},
    **dict.fromkeys(("dt", "dd"), frozenset({"dt", "dd"})),
    **dict.fromkeys(("td", "th"), frozenset({"td", "th", "tr", "tbody", "tfoot"})),
    "tr": {"tr", "tbody", "tfoot"},
}
_NAMES = {
    "keywords": "tags", "date": "date", "dcterms.date": "date", "dc.date": "date",
    "created": "created", "article:published_time": "date", "modified": "modified",
    "last-modified": "modified", "article:modified_time": "modified",
    "description": "description", "author": "author",
}  # fmt: skip
_SPACE = re.compile(r"\s+")
_LIKE_MARKUP = re.compile(r"(?=#{1,6}(?:\s|$)|[-=]{3,}\s*$)")
_DEEPEST = 500  # elements in each other, about as many as browsers keep apart
_PIECE = 1 << 18  # characters handed to the parser at once
_LONGEST_TAG = 1 << 23  # characters, with a picture inside; longer, it is no tag


def read_html(text: str) -> Readable:
    """What a browser would show of an HTML `text`, with its lines where they have a meaning."""
    page = _parsed(text, _UNREAD | _ASIDE)
    if page.unread and page.unread[0] in _ASIDE:
        page = _parsed(text, _UNREAD)
    fields = page.fields
    if title := " ".join("".join(page.title).split()):
        fields["title"] = title
    placed = _in_place(page.blocks, text.count("\n") + 1)
    if placed is None:
        return Readable(_apart(page.blocks), fields)
    return Readable(placed[0], fields, crowded=placed[1])


@dataclass(slots=True)
class _Block:
    """A run of text: `lines` by their number in the file; `mark` is what begins it."""

    mark: str = ""
    code: bool = False
    whole: bool = False  # a heading or a row: on one line, wherever its words stand
    lines: dict[int, list[str]] = field(default_factory=dict)

    def text(self) -> list[tuple[int, str]]:
        """The lines that hold anything, with their numbers."""
        if self.code:
            found = [(number, "".join(each).rstrip()) for number, each in self.lines.items()]
            return [(number, f"    {each}") for number, each in found if each]
        found = [(n, _SPACE.sub(" ", "".join(each)).strip()) for n, each in self.lines.items()]
        found = [(number, each) for number, each in found if each]
        if self.whole and found:
            found = [(found[0][0], " ".join(each for _, each in found))]
        if not found:
            return []
        number, first = found[0]
        first = self.mark + first if self.mark else _LIKE_MARKUP.sub("\\\\", first, count=1)
        return [(number, first), *found[1:]]


class _Parser(HTMLParser):
    def __init__(self, unread: frozenset[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.blocks: list[_Block] = [_Block()]
        self.fields: dict[str, JsonValue] = {}
        self.title: list[str] = []
        self.unread: list[str] = []  # open elements that are not read
        self._left_out = unread
        self._hidden: list[str] = []  # open elements, from one that a browser does not show
        self._in_title = False
        self._lists: list[str] = []
        self._pre = False
        self._row = False
        self._anchor: tuple[str, list[str]] | None = None

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """What begins with "<![": a comment, as browsers have it, where the library gives up."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden and not self._shown_again(tag):
            return
        if self.unread:
            if tag == self.unread[-1]:
                self.unread.append(tag)
            return
        values = {name: value or "" for name, value in attrs}
        if tag in self._left_out:
            self.unread.append(tag)
        elif _is_hidden(tag, values):
            self._hidden += [tag] if tag not in _VOID else []
        elif tag == "title":
            self._in_title = not self.title
        elif tag == "meta":
            self._meta(values)
        elif tag in ("td", "th"):
            self._cell()
        elif tag in _BLOCKS:
            self._open(tag)
        elif tag == "br":
            self._say("\n" if self._pre else " ")
        elif tag in ("code", "kbd", "samp") and not self._pre:
            self._say("`")
        elif tag == "a" and not self._pre and self._anchor is None:
            self._anchor = values.get("href", ""), []
        elif tag == "img":
            self._say(link(values.get("alt", ""), values.get("src", ""), image=True))

    def _shown_again(self, tag: str) -> bool:
        """Whether `tag` begins after what is hidden, which ends with it; else it is part of it."""
        while self._hidden and tag in _ENDED_BY.get(self._hidden[-1], ()):
            self._hidden.pop()
        if self._hidden and tag not in _VOID and len(self._hidden) < _DEEPEST:
            self._hidden.append(tag)
        return not self._hidden

    def _ends_inside(self, tag: str) -> bool:
        """Whether the end of `tag` is one of what is hidden, and not of what that stands in."""
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
            return True
        if tag in _BLOCKS and tag != "p":
            self._hidden.clear()
        return bool(self._hidden)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and self._ends_inside(tag):
            return
        if self.unread:
            if tag == self.unread[-1]:
                self.unread.pop()
        elif tag == "title":
            self._in_title = False
        elif tag in ("ul", "ol"):
            del self._lists[-1:]
            self._begin()
        elif tag in ("tr", "tbody", "table"):
            self._row = False
            self._begin()
        elif tag in _BLOCKS and not self._row:
            self._pre = self._pre and tag != "pre"
            self._begin()
        elif tag in ("code", "kbd", "samp") and not self._pre:
            self._say("`")
        elif tag == "a" and self._anchor is not None:
            self._close_anchor()

    def handle_data(self, data: str) -> None:
        if self.unread or self._hidden:
            return
        if self._in_title:
            self.title.append(data)
            return
        if self._anchor is not None:
            self._anchor[1].append(data)
            if "\n" not in data:
                return
            data = "".join(self._anchor[1])  # a link over several lines is only its text
            number = self.getpos()[0]
            self._anchor = None
        else:
            number = self.getpos()[0]
        for offset, line in enumerate(data.split("\n")):
            if line:
                self.blocks[-1].lines.setdefault(number + offset, []).append(line)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(_character(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.handle_data(_character(f"&#{name};"))

    def _say(self, text: str) -> None:
        """Text that the page does not spell out, on the line of its tag."""
        if text and self._anchor is not None:
            self._anchor[1].append(text)
        elif text:
            self.blocks[-1].lines.setdefault(self.getpos()[0], []).append(text)

    def _close_anchor(self) -> None:
        assert self._anchor is not None
        href, words = self._anchor
        self._anchor = None
        text = "".join(words)
        self._say(link(text, unescape(href)) if text.strip() else text)

    def _meta(self, values: dict[str, str]) -> None:
        name = (values.get("name") or values.get("property") or values.get("itemprop", "")).lower()
        content = values.get("content", "").strip()
        if name in _NAMES and content:
            self.fields.setdefault(_NAMES[name], content)

    def _open(self, tag: str) -> None:
        if self._row and tag != "tr":
            self._say(" ")
            return
        if tag in _HEADINGS:
            self._begin(f"{'#' * _HEADINGS[tag]} ", whole=True)
        elif tag in ("ul", "ol"):
            self._lists.append(tag)
            self._begin()
        elif tag == "li":
            self._begin(f"{'  ' * min(len(self._lists) - 1, 8)}- ")
        elif tag == "blockquote":
            self._begin("> ")
        elif tag == "tr":
            self._row = True
            self._begin(whole=True)
        elif tag == "pre":
            self._pre = True
            self._begin(code=True)
        elif not (self.blocks[-1].mark and not self.blocks[-1].lines):
            self._begin()  # a paragraph that begins an item goes on with its mark

    def _cell(self) -> None:
        if self._row and any("".join(each).strip() for each in self.blocks[-1].lines.values()):
            self._say(" | ")

    def _begin(self, mark: str = "", code: bool = False, whole: bool = False) -> None:
        if self._anchor is not None:
            self._close_anchor()
        if self._pre and not code:
            code = True
        self.blocks.append(_Block(mark, code, whole))


def _parsed(text: str, unread: frozenset[str]) -> _Parser:
    """`text` parsed piece by piece: what never closes would be looked through again and again."""
    parser = _Parser(unread)
    for start in range(0, len(text), _PIECE):
        parser.feed(text[start : start + _PIECE])
        if len(parser.rawdata) > _LONGEST_TAG:
            parser.rawdata = ""
    if len(parser.rawdata) > _PIECE:
        parser.rawdata = ""
    parser.close()
    return parser


def _is_hidden(tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether a browser does not show an element. What it shows to those who search for it
    ("until-found") is read, and so is a page that is hidden as a whole, which a script shows."""
    if tag in ("html", "head", "body", "title"):
        return False
    hidden = attributes.get("hidden", "until-found").lower() != "until-found"
    return hidden or bool(_HIDES.search(attributes.get("style", "")))


def _character(reference: str) -> str:
    found = unescape(reference)
    return " " if found in "\n\r\x0b\x0c\u2028\u2029" else found


def _in_place(blocks: Sequence[_Block], size: int) -> tuple[str, dict[int, str]] | None:
    """The blocks on their lines, and below each other those that share one with an item or a row,
    or of which three do; None where headings share theirs, lines are endless, or most of
    the page stands on lines of several blocks."""
    held: list[list[str]] = [[] for _ in range(size)]
    heads: set[int] = set()
    crowds: set[int] = set()
    for block in blocks:
        heading = block.mark.startswith("#")
        for number, text in block.text():
            held[number - 1].append(text)
            if heading:
                heads.add(number)
            if block.whole or "- " in block.mark or len(held[number - 1]) > 2:
                crowds.add(number)
    result = [" ".join([*each[:1], *map(str.strip, each[1:])]) for each in held]
    if any(len(held[number - 1]) > 1 for number in heads) or max(map(len, result)) > LONGEST_LINE:
        return None
    # A term and what it means may share a line; of a page that is one line, nothing may.
    most = 2 if sum(map(bool, held)) > 1 else 1
    crowded = sum(len(line) for each, line in zip(held, result, strict=True) if len(each) > most)
    if 2 * crowded > sum(map(len, result)):
        return None
    shared = {n: "\n".join(held[n - 1]) for n in sorted(crowds) if len(held[n - 1]) > 1}
    return "\n".join(result), shared


def _apart(blocks: Sequence[_Block]) -> str:
    """The blocks below each other, a blank line between those that are not items of a list."""
    result: list[str] = []
    item = False
    for block in blocks:
        lines = [text for _, text in block.text()]
        if not lines:
            continue
        is_item = block.mark.lstrip().startswith("-")
        if result and not (item and is_item):
            result.append("")
        result += lines
        item = is_item
    return "\n".join(result)
