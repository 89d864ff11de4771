"""Why these passages: the search behind an answer, explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rag.reading.links import plain
from tui.text import FAINT, MUTED, clean, one_line, shorten, written_place

if TYPE_CHECKING:
    from rag.retrieval.found import Evidence, Passage

_BAR = 20  # cells of a full bar
_EXPLAINED = (
    "A passage is found by its meaning (the cosine of its vector and the question's, at most 1) "
    "and by its words (BM25: rare words in common count most). The score fuses both."
)


class WhyScreen(ModalScreen[None]):
    """A panel over the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w,enter", "dismiss", "Close"),
    ]

    def __init__(
        self,
        question: str,
        query: str,
        passages: Sequence[Passage],
        evidence: Sequence[Evidence],
        facts: Sequence[str] = (),
        read_as: str = "",
    ) -> None:
        """`query` is what suits the best passage of what was searched: the question, or what it was
        `read_as` after what came before."""
        super().__init__()
        self._question, self._query, self._read_as = question, query, read_as
        self._passages, self._evidence, self._facts = passages, evidence, facts

    def compose(self) -> ComposeResult:
        """What was searched, each passage with its scores, the sentences nearest."""
        with VerticalScroll(classes="panel wide") as panel:
            panel.border_title = "Why these passages"
            panel.border_subtitle = "Esc closes"
            yield Static(self._searched(), classes="panel-rows")
            top = max((each.score for each in self._passages), default=1.0)
            for number, passage in enumerate(self._passages, 1):
                yield Static(passage_row(number, passage, top), classes="panel-rows")
            if self._evidence:
                yield Static("Sentences nearest to the question", classes="panel-title")
                rows = [evidence_row(each) for each in self._evidence]
                yield Static(Content("\n").join(rows), classes="panel-rows")
            yield Static(_EXPLAINED, classes="panel-rows explained")

    def _searched(self) -> Content:
        parts: list[tuple[str, str]] = [("Asked     ", MUTED), (one_line(self._question), "bold")]
        if one_line(self._query) != one_line(self._question):
            parts += [("\nSearched  ", MUTED), (one_line(self._query), "bold")]
        elif one_line(self._read_as) not in ("", one_line(self._question)):
            parts += [("\nAlso as   ", MUTED), (one_line(self._read_as), "bold")]
        for fact in self._facts:
            parts.append((f"\n{clean(fact)}", MUTED))
        return Content.assemble(*parts)


def passage_row(number: int, passage: Passage, top: float) -> Content:
    """Where it is from, a bar for its score, and what each side says of it."""
    filled = max(0, min(_BAR, round(_BAR * passage.score / top))) if top > 0 else 0
    meaning = "none" if passage.meaning is None else f"{passage.meaning:.2f}"
    words = "none" if passage.words is None else f"{passage.words:.1f}"
    return Content.assemble(
        (f"[{number}] ", "bold $text-accent"),
        (written_place(passage.path, passage.first, passage.last, passage.place), "bold"),
        "\n    ",
        ("━" * filled, "$primary"),
        ("─" * (_BAR - filled), FAINT),  # thin: a bar is read without its colours, too
        f"  {passage.score:.2f}",
        (f"   meaning {meaning} · words {words}", MUTED),
    )


def evidence_row(each: Evidence) -> Content:
    """A sentence with its score and cosine."""
    return Content.assemble(
        (f"[{each.n}] ", "$text-accent"),
        (f"{each.score:.2f} ", ""),
        (f"cosine {each.cosine:.2f}  ", MUTED),
        shorten(one_line(plain(each.text)), 100),
    )
