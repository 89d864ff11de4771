"""One passage behind an answer: what of it is marked, and the card that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.answering.grounding import Citation
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage
from tui.messages import NoteWanted
from tui.text import (
    FAINT,
    MUTED,
    Span,
    find_quote,
    heading_path,
    highlighted,
    line_span,
    one_line,
    shorten,
)

CITED, EVIDENCE = "$text-accent on $accent-muted", "underline"
EXCERPT_CHARS = 150
MARKED = 5  # sentences of evidence, over all passages
_FOUND_BY = {
    "both": "found by meaning and by words",
    "meaning": "found by meaning",
    "words": "found by words",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A passage by its number, with the spans to mark and the line to open it at."""

    number: int
    passage: Passage
    marks: tuple[tuple[Span, str], ...]
    excerpt: Span
    line: int
    cited: bool


def make_sources(
    passages: Sequence[Passage], evidence: Sequence[Evidence], citations: Sequence[Citation]
) -> list[Source]:
    """The passages in the order of their numbers.

    What is cited is marked; in passages that are not cited, what bears most on the question.
    """
    sources = []
    for number, passage in enumerate(passages, 1):
        cited = [each for each in citations if each.n == number]
        near = [each for each in evidence if each.n == number]
        quotes = [span for each in cited if (span := find_quote(passage.text, each.quote))]
        best = [(each.start, each.end) for each in evidence[:MARKED] if each.n == number]
        marks = [(span, CITED) for span in quotes] or [(span, EVIDENCE) for span in best]
        spans = [*quotes, *((each.start, each.end) for each in near), (0, len(passage.text))]
        line = min((each.first for each in cited or near[:1]), default=passage.first)
        sources.append(Source(number, passage, tuple(marks), spans[0], line, bool(cited)))
    return sources


class SourceCard(Vertical, can_focus=True):
    """One passage: an excerpt, or all of it when selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "open", "Open note"),
        Binding("up,k", "move(-1)", "Previous", show=False),
        Binding("down,j", "move(1)", "Next", show=False),
    ]

    class Moved(Message):
        """The reader wants the card before or after this one."""

        def __init__(self, card: SourceCard, step: int) -> None:
            super().__init__()
            self.card = card
            self.step = step

    class Selected(Message):
        """This card got the focus."""

        def __init__(self, card: SourceCard) -> None:
            super().__init__()
            self.card = card

    def __init__(self, source: Source) -> None:
        super().__init__(classes="cited" if source.cited else "")
        self.source = source

    def compose(self) -> ComposeResult:
        """Where it is from, and the text."""
        passage = self.source.passage
        where = f"{one_line(passage.path)}:{line_span(passage.first, passage.last)}"
        headings = heading_path(passage.headings)
        yield Static(
            Content.assemble(
                (f"[{self.source.number}] ", "bold $text-accent"),
                (where, "bold"),
                (f"\n{headings}" if headings else "", MUTED),
            ),
            classes="where",
        )
        yield Static(self._excerpt(), classes="passage")

    def select(self, selected: bool) -> None:
        """Show the whole passage, or an excerpt."""
        if selected == self.has_class("-selected"):
            return
        self.set_class(selected, "-selected")
        self.query_one(".passage", Static).update(self._full() if selected else self._excerpt())

    def action_open(self) -> None:
        """Ask for the note at the line that was cited."""
        self.post_message(NoteWanted(self.source.passage.path, self.source.line))

    def action_move(self, step: int) -> None:
        """Go to a neighbour."""
        self.post_message(self.Moved(self, step))

    def on_focus(self) -> None:
        """Whatever has the focus is selected."""
        self.post_message(self.Selected(self))

    def _full(self) -> Content:
        passage = self.source.passage
        found = _FOUND_BY.get(passage.source, "")
        return Content.assemble(highlighted(passage.text, self.source.marks), (f"\n{found}", FAINT))

    def _excerpt(self) -> Content:
        start, end = self.source.excerpt
        text = one_line(plain(self.source.passage.text[start:end]))
        return Content(shorten(text, EXCERPT_CHARS))
