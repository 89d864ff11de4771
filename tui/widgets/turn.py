"""One turn: the question, what the notes say about it, the answer and its sources."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from rag.answering.grounding import Citation, Sentence
from rag.engine import Answered, Retrieved
from rag.errors import RagError
from rag.reading.links import plain
from rag.retrieval.search import Passage
from tui.messages import CitationChosen
from tui.text import FAINT, MUTED, clean, count, heading_path, line_span, one_line, shorten
from tui.widgets.answer import Answer

PREVIEWS = 3
PREVIEW_CHARS = 240
NOT_IN_NOTES = "Your notes do not say."


class SourceRow(Static):
    """A source under an answer; a click shows its passage."""

    def __init__(self, turn: int, citation: Citation) -> None:
        where = f"{one_line(citation.path)}:{line_span(citation.first, citation.last)}"
        headings = heading_path(citation.headings)
        super().__init__(
            Content.assemble(
                (f"[{citation.n}] ", "$text-accent"),
                where,
                (f"  {headings}" if headings else "", MUTED),
            )
        )
        self._chosen = (turn, citation.n)

    def on_click(self) -> None:
        """Show the passage."""
        self.post_message(CitationChosen(*self._chosen))


class TurnView(Vertical):
    """Draws one turn as it grows."""

    def __init__(self, key: int, question: str) -> None:
        super().__init__(classes="turn")
        self.key = key
        self.question = question
        self.passages: tuple[Passage, ...] = ()
        self.retrieved: Retrieved | None = None
        self.citations: tuple[Citation, ...] = ()
        self._doubts: set[str] = set()

    def compose(self) -> ComposeResult:
        """The parts, most of them empty still."""
        yield Static(Content(clean(self.question)), classes="question")
        yield Static("", classes="state")
        yield Vertical(classes="previews")
        yield Answer()
        yield Vertical(classes="outcome")

    def say(self, state: str) -> None:
        """Show in a dim line what the turn waits for; nothing for an empty text."""
        line = self.query_one(".state", Static)
        line.update(Content(state))
        line.display = bool(state)

    async def show_evidence(self, event: Retrieved) -> None:
        """Quote the best sentences at once; no model is needed for that."""
        self.retrieved, self.passages = event, event.passages
        self.query_one(Answer).sources = len(event.passages)
        rows = []
        for each in event.evidence[:PREVIEWS]:
            path = event.passages[each.n - 1].path
            rows.append(
                Static(
                    Content.assemble(
                        f"“{shorten(one_line(plain(each.text)), PREVIEW_CHARS)}”",
                        (f"  {one_line(path)}:{line_span(each.first, each.last)}", FAINT),
                    ),
                    classes="preview",
                )
            )
        await self.query_one(".previews").mount_all(rows)

    async def add_sentence(self, event: Sentence) -> None:
        """Append a grounded sentence."""
        self.say("")
        if event.support != "supported":
            self._doubts.add(event.support)
        await self.query_one(Answer).add(event.text, event.support)

    async def finish(self, event: Answered) -> None:
        """Put the sources under the answer, or say that there is none."""
        self.say("")
        self.passages, self.citations = event.passages, unique_sources(event.citations)
        self.query_one(".previews").display = False
        answer = self.query_one(Answer)
        if not event.answered:
            await self._refuse(event)
            return
        if not answer.source:
            answer.sources = len(event.passages)
            await answer.add(event.answer)
        rows: list[Static] = [SourceRow(self.key, each) for each in self.citations]
        if legend := self._legend():
            rows.append(Static(legend, classes="legend", markup=False))
        await self.query_one(".outcome").mount_all(rows)

    async def fail(self, error: RagError) -> None:
        """Show an error as one sentence and its remedy."""
        self.say("")
        await self.query_one(".outcome").mount(Static(error_content(error), classes="error"))

    async def stopped(self) -> None:
        """Say that the reader stopped this."""
        self.say("")
        await self.query_one(".outcome").mount(Static("Stopped.", classes="stopped"))

    async def _refuse(self, event: Answered) -> None:
        said = one_line(event.answer) or NOT_IN_NOTES
        hint = (
            f"{count(len(event.passages), 'passage')} came nearest: see Sources (Ctrl+O)."
            if event.passages
            else "Nothing in them comes near this question."
        )
        self.query_one(Answer).display = False
        await self.query_one(".outcome").mount(
            Static(Content.assemble((said, "bold"), "\n", (hint, MUTED)), classes="refusal")
        )

    def _legend(self) -> str:
        marks = {
            "weak": "≈ only partly borne out by its source",
            "unsupported": "(?) not found in the passages",
        }
        return "   ".join(text for key, text in marks.items() if key in self._doubts)

    def on_answer_citation_clicked(self, event: Answer.CitationClicked) -> None:
        """Pass the click on with the number of this turn."""
        event.stop()
        self.post_message(CitationChosen(self.key, event.number))


def unique_sources(citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
    """One citation for each source, its lines spanning all that was cited of it."""
    merged: dict[int, Citation] = {}
    for each in citations:
        old = merged.get(each.n, each)
        merged[each.n] = Citation(
            n=each.n,
            path=each.path,
            first=min(old.first, each.first),
            last=max(old.last, each.last),
            headings=each.headings,
            quote=old.quote,
        )
    return tuple(merged[number] for number in sorted(merged))


def error_content(error: RagError) -> Content:
    """What happened, and below it what to do."""
    message, remedy = clean(error.message), clean(error.remedy)
    return Content.assemble(message, (f"\n{remedy}" if remedy else "", MUTED))
