"""One passage behind an answer: what of it is marked, and the card that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from rag.answering.steps import Citation
from rag.reading.rows import spoken
from tui.keys import bind
from tui.messages import NoteWanted, TextCopied
from tui.text import (
    MUTED,
    Span,
    clean,
    find_quote,
    heading_path,
    highlighted,
    one_line,
    shorten,
    written_place,
)

if TYPE_CHECKING:
    from rag.retrieval.found import Evidence, Passage
    from rag.retrieval.standing import Standing

_CHANGED = {
    "edited": "⚠ The note changed {since}.",
    "moved": "⚠ The note changed {since}; this stands at line {line} now.",
    "lost": "⚠ The note changed {since}: it no longer says this.",
    "gone": "⚠ The note is no longer there.",
}
CITED, EVIDENCE = "bold $text-accent on $accent-muted", "underline"
EXCERPT_CHARS = 150
MARKED = 5  # sentences of evidence, over all passages
_FOUND_BY = {
    "both": "found by meaning and by words",
    "meaning": "found by meaning",
    "words": "found by words",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A passage by its number, with the spans to mark and the lines to show it at."""

    number: int
    passage: Passage
    marks: tuple[tuple[Span, str], ...]
    excerpt: Span
    line: int
    last: int
    cited: bool
    standing: Standing | None = None


def make_sources(
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    citations: Sequence[Citation],
    standings: Mapping[int, Standing] | None = None,
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
        meant = cited or near[:1]
        line = min((each.first for each in meant), default=passage.first)
        last = max((each.last for each in meant), default=passage.last)
        standing = (standings or {}).get(number)
        sources.append(
            Source(number, passage, tuple(marks), spans[0], line, last, bool(cited), standing)
        )
    return sources


class SourceCard(Vertical, can_focus=True):
    """One passage: an excerpt, or all of it when selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("source.show", "open('whole')"),
        bind("source.open", "open('editor')"),
        bind("source.vault", "open('vault')"),
        bind("source.copy", "copy"),
        bind("source.why", "screen.why"),
        bind("stop", "screen.stop", label="Back"),
        bind("source.previous", "move(-1)"),
        bind("source.next", "move(1)"),
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
        passage = self.source.passage.at(self.source.line)
        where = written_place(passage.path, passage.first, passage.last, passage.place)
        headings = heading_path(passage.headings)
        yield Static(
            Content.assemble(
                (f"[{self.source.number}] ", "bold $text-accent"),
                (where, "bold"),
                (f"\n{headings}" if headings else "", MUTED),
            ),
            classes="where",
        )
        selected = self.has_class("-selected")
        yield Static(self._full() if selected else self._excerpt(), classes="passage")

    def select(self, selected: bool) -> None:
        """Show the whole passage, or an excerpt."""
        if selected == self.has_class("-selected"):
            return
        self.set_class(selected, "-selected")
        for text in self.query(".passage").results(Static):  # none before it is composed
            text.update(self._full() if selected else self._excerpt())

    def show_standing(self, standing: Standing | None) -> None:
        """Show the lines around the passage, and whether the note changed."""
        self.source = replace(self.source, standing=standing)
        if self.has_class("-selected"):
            for text in self.query(".passage").results(Static):
                text.update(self._full())

    def action_open(self, how: str) -> None:
        """Ask for the note at the lines that were cited, where they stand now."""
        source, standing = self.source, self.source.standing
        moved = standing.moved if standing else 0
        self.post_message(
            NoteWanted(source.passage.path, source.line + moved, source.last + moved, how)
        )

    def action_copy(self) -> None:
        """Copy what is cited, else the passage, with where it is from."""
        source = self.source
        spans = [span for span, style in source.marks if style == CITED]
        spans = spans or [(0, len(source.passage.text))]
        text = "\n".join(source.passage.text[start:end] for start, end in spans)
        self.post_message(TextCopied(f"{text}\n({source.passage.path}:{source.line})", "quote"))

    def action_move(self, step: int) -> None:
        """Go to a neighbour."""
        self.post_message(self.Moved(self, step))

    def on_focus(self) -> None:
        """Whatever has the focus is selected."""
        self.post_message(self.Selected(self))

    def _full(self) -> Content:
        passage, standing = self.source.passage, self.source.standing
        found = _FOUND_BY.get(passage.source, "")
        before = "".join(f"{clean(line)}\n" for line in standing.before) if standing else ""
        after = "".join(f"\n{clean(line)}" for line in standing.after) if standing else ""
        changed = ""
        if standing and (said := _CHANGED.get(standing.state)):
            line = self.source.line + standing.moved
            changed = said.format(since=standing.since, line=line) + "\n"
        return Content.assemble(
            (changed, "$text-warning"),
            (before, MUTED),
            highlighted(passage.text, self.source.marks),
            (after, MUTED),
            (f"\n{found}", MUTED),
        )

    def _excerpt(self) -> Content:
        start, end = self.source.excerpt
        text = self.source.passage.text
        cut = " …" if text[end:].strip() else ""  # what is shown is a part of it
        said = shorten(one_line(spoken(text[start:end])), EXCERPT_CHARS)
        return Content(said + ("" if said.endswith("…") else cut))
