"""An answer in Markdown, where only citations are links.

What a model writes is not trusted: links, images, HTML and character entities stay the text
that they are (an entity could spell a terminal escape). `[2]` becomes a link to source 2 if
there is one.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownStream

from rag.answering.steps import between
from rag.reading.links import without_links
from tui.text import clean

_CITATION = re.compile(r"\[(\d{1,3})\]")
_DISTRUSTED = [
    "link",
    "image",
    "autolink",
    "entity",
    "reference",
    "html_block",
    "html_inline",
    "code",
]
# Between two times that an answer grows. Laying out and drawing a dozen turns takes 22 ms, in which
# the model hardly writes: drawn every ten tokens it wrote 0.78 times as fast as alone, so 0.94.
_REST_S = 0.4
# Without a space before them, at which Textual would break the line.
MARKS = {"supported": "✓", "weak": "≈", "unsupported": " (?)"}


class Answer(Markdown):
    """Sentences, appended as they come; nothing is parsed twice but the last block."""

    class CitationClicked(Message):
        """A citation was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        self.sources = 0
        self.text = ""  # as it was given, without marks
        self._stream: MarkdownStream | None = None
        self._waiting = ""  # to be drawn when `_rest` is over
        self._rest: Timer | None = None
        super().__init__("", parser_factory=self._make_parser, open_links=False)

    async def add(self, text: str, support: str = "") -> None:
        """Append a sentence with the mark of its support; quick, whatever came before. What comes
        soon after another is drawn with what follows it."""
        text = clean(text)
        before = between(self.text, text)
        self.text += before + text
        self._waiting += before + marked(without_links(text), support)
        if self._rest is None:
            await self._draw()

    async def _draw(self) -> None:
        self._rest = None
        if not self._waiting:
            return
        if self._stream is None:
            self._stream = Markdown.get_stream(self)
        text, self._waiting = self._waiting, ""
        self._rest = self.set_timer(_REST_S, self._draw)
        await self._stream.write(text)

    async def complete(self) -> None:
        """Wait until all that was added is shown."""
        if self._rest is not None:
            self._rest.stop()
        await self._draw()
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Only our own links get here: the parser makes no others."""
        event.stop()
        if event.href.isdecimal():
            self.post_message(self.CitationClicked(int(event.href)))

    def _make_parser(self) -> MarkdownIt:
        parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
        parser.disable(_DISTRUSTED)
        parser.inline.ruler.before("link", "citation", self._citation)
        return parser

    def _citation(self, state: StateInline, silent: bool) -> bool:
        match = _CITATION.match(state.src, state.pos, state.posMax)
        if match is None or not 1 <= int(match[1]) <= self.sources:
            return False
        if not silent:
            state.push("link_open", "a", 1).attrs = {"href": str(int(match[1]))}
            state.push("text", "", 0).content = match[0]
            state.push("link_close", "a", -1)
        state.pos = match.end()
        return True


def marked(text: str, support: str) -> str:
    """`text` and the mark of its support; not where it would fall into a block of code."""
    mark = MARKS.get(support, "")
    return text if text.rstrip().endswith("```") else text + mark
