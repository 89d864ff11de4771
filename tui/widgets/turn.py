"""One turn: the question, what the notes say about it, the answer and its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Collapsible, Static

from rag.answering.saved import SavedTurn, as_answered, as_stopped
from rag.answering.steps import Citation, Sentence, joined
from rag.errors import RagError
from rag.events import Answered, Retrieved
from rag.reading.rows import spoken
from tui.keys import bind
from tui.messages import CitationChosen, TurnActed, TurnFocused
from tui.text import MUTED, clean, count, heading_path, one_line, shorten, written_place

if TYPE_CHECKING:
    from rag.retrieval.found import Evidence, Passage
    from rag.retrieval.standing import Standing
    from tui.widgets.answer import Answer

PREVIEWS = 3
PREVIEW_CHARS = 240
NEAREST = 3
_EVEN = 0.5
NOT_IN_NOTES = "Your notes do not say."


class SourceRow(Static):
    """A source under an answer; a click shows its passage."""

    def __init__(self, turn: int, citation: Citation, only_changed: bool = False) -> None:
        """With `only_changed` it is seen only while its note is not as it was."""
        super().__init__()
        self._only_changed = only_changed
        self.citation = citation
        self._chosen = (turn, citation.n)
        self.show_standing(None)

    def show_standing(self, standing: Standing | None) -> None:
        """Where it is from, and whether the note is still as it was."""
        each = self.citation
        headings = heading_path(each.headings)
        changed = standing.warning if standing else ""
        self.display = bool(changed) or not self._only_changed
        self.update(
            Content.assemble(
                (f"[{each.n}] ", "$text-accent"),
                written_place(each.path, each.first, each.last, each.place),
                (f"  {headings}" if headings else "", MUTED),
                (f"  ⚠ {changed}" if changed else "", "$text-warning"),
            )
        )

    def on_click(self) -> None:
        """Show the passage."""
        self.post_message(CitationChosen(*self._chosen))


class TurnView(Vertical, can_focus=True):
    """Draws one turn as it grows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("turn.retry", "act('retry')"),
        bind("turn.edit", "act('edit')"),
        bind("turn.copy", "act('copy')"),
        bind("turn.branch", "act('branch')"),
        bind("turn.why", "act('why')"),
        bind("turn.export", "act('export')"),
        bind("stop", "screen.stop", label="Back"),
        bind("turn.previous", "screen.step_turn(-1)"),
        bind("turn.next", "screen.step_turn(1)"),
        *(Binding(str(n), f"choose({n})", f"Source {n}", show=False) for n in range(1, 10)),
        Binding("enter", "choose(0)", "Sources", show=False),
        Binding("question_mark", "screen.help", show=False),
    ]

    def __init__(self, key: int, question: str) -> None:
        super().__init__(classes="turn")
        self.key = key
        self.question = question
        self.query_text = question
        self.passages: tuple[Passage, ...] = ()
        self.evidence: tuple[Evidence, ...] = ()
        self.citations: tuple[Citation, ...] = ()
        self.sentences: list[Sentence] = []
        self.standings: Mapping[int, Standing] = {}
        self.respelled: tuple[str, ...] = ()
        self.facts: tuple[str, ...] = ()
        self._thought = 0
        self._state: str | None = None
        self._found: Retrieved | None = None

    def compose(self) -> ComposeResult:
        """The parts, most of them empty still."""
        from tui.widgets.answer import Answer  # and Markdown: the first paint waits for none

        yield Static(Content(clean(self.question)), classes="question")
        yield Static("", classes="state")
        yield Static("", classes="respelled")
        yield Vertical(classes="previews")
        yield Answer()
        yield Vertical(classes="outcome")

    @property
    def _written(self) -> Answer:
        from tui.widgets.answer import Answer

        return self.query_one(Answer)

    @property
    def answer(self) -> str:
        """The answer's text, with the marks of what is not plainly borne out; "" for none."""
        return joined(self.sentences, doubts=True) or self._written.text

    def say(self, state: str) -> None:
        """Show in a dim line what the turn waits for; nothing for an empty text."""
        if state == self._state:  # nothing is laid out anew
            return
        self._state = state
        line = self.query_one(".state", Static)
        line.update(Content(state))
        line.display = bool(state)

    async def show_evidence(self, event: Retrieved) -> None:
        """Quote the best sentences at once; no model is needed for that."""
        self._found = event
        self.passages, self.evidence, self.query_text = event.passages, event.evidence, event.query
        self._written.sources = len(event.passages)
        self._say_respelled(tuple(map(str, event.respelled)))
        await self._preview()

    async def _preview(self) -> None:
        """The best sentences of the notes, while there is no answer."""
        rows = []
        for each in self.evidence[:PREVIEWS]:
            passage = self.passages[each.n - 1]
            place = written_place(passage.path, each.first, each.last, passage.at(each.first).place)
            rows.append(
                Static(
                    Content.assemble(
                        f"“{shorten(one_line(spoken(each.text)), PREVIEW_CHARS)}”",
                        (f"  {place}", MUTED),
                    ),
                    classes="preview",
                )
            )
        await self.query_one(".previews").mount_all(rows)

    def _say_respelled(self, sentences: tuple[str, ...]) -> None:
        self.respelled = sentences
        line = self.query_one(".respelled", Static)
        line.update(Content("\n".join(map(one_line, sentences))))
        line.display = bool(sentences)

    def think(self, text: str) -> None:
        """Count the words of a thought as it comes; what it says is folded."""
        self._thought += len(text.split())
        self.say(f"Thinking, {count(self._thought, 'word')}…")

    async def add_sentence(self, event: Sentence) -> None:
        """Append a grounded sentence."""
        self.say("")
        self.sentences.append(event)
        await self._written.add(event.text, event.support)

    async def finish(self, event: Answered) -> SavedTurn:
        """Put the sources under the answer, or say that there is none; the turn as it is kept."""
        saved = as_answered(event, self._found, self.sentences)
        await self._conclude(saved)
        return saved

    def written(self) -> SavedTurn:
        """The turn as it is kept when the reader stops it now."""
        return as_stopped(self.question, self._found, self.sentences)

    async def stop(self, saved: SavedTurn) -> None:
        """Say that the reader stopped this."""
        await self._conclude(saved)

    async def restore(self, saved: SavedTurn) -> None:
        """Show a turn that was kept, as it was."""
        self.passages, self.evidence = saved.passages, saved.evidence
        self._written.sources = len(saved.passages)
        self._say_respelled(saved.respelled)
        if saved.stopped and not saved.sentences:
            await self._preview()
        for each in saved.sentences if saved.answered or saved.stopped else ():
            await self.add_sentence(each)
        await self._conclude(saved)

    async def _conclude(self, saved: SavedTurn) -> None:
        self.say("")
        self.passages, self.query_text = saved.passages, saved.query
        self.citations = saved.citations
        self.facts = facts_of(saved)
        self.query_one(".previews").display = saved.stopped and not saved.sentences
        if saved.stopped:
            await self.show_stopped()
        elif saved.answered:
            await self._show_sources(saved.answer)
        else:
            await self._refuse(saved.answer)
        if thoughts := clean(saved.thoughts).strip():
            title = f"Thought first, unchecked: {count(len(thoughts.split()), 'word')}"
            folded = Collapsible(Static(Content(thoughts)), title=title, classes="thoughts")
            await self.query_one(".outcome").mount(folded)

    async def _show_sources(self, text: str) -> None:
        answer = self._written
        if not answer.text:
            answer.sources = len(self.passages)
            await answer.add(text)
        await answer.complete()
        rows: list[Static] = [SourceRow(self.key, each) for each in unique_sources(self.citations)]
        if not rows:  # a list, which names its notes itself
            rows += [SourceRow(self.key, _place(n, each), True) for n, each in self._numbered()]
        if legend := self._legend():
            rows.append(Static(legend, classes="legend", markup=False))
        await self.query_one(".outcome").mount_all(rows)

    def _numbered(self) -> list[tuple[int, Passage]]:
        return [*enumerate(self.passages, 1)]

    async def fail(self, error: RagError) -> None:
        """Show an error as one sentence and its remedy."""
        self.say("")
        await self.query_one(".outcome").mount(Static(error_content(error), classes="error"))

    async def show_stopped(self) -> None:
        """Say that no more comes."""
        self.say("")
        if self.sentences:
            await self._show_sources("")
        await self.query_one(".outcome").mount(Static("Stopped.", classes="stopped"))

    async def _refuse(self, text: str) -> None:
        said = one_line(text) or NOT_IN_NOTES
        near = {each.path: number for number, each in reversed(self._numbered())}
        # Of a note with several passages, the one in which the best sentence stands.
        near |= {self.passages[each.n - 1].path: each.n for each in reversed(self.evidence)}
        hint = "Nearest notes:" if near else "Nothing in them comes near this question."
        self._written.display = False
        rows: list[Static] = [
            Static(Content.assemble((said, "bold"), "\n", (hint, MUTED)), classes="refusal")
        ]
        for number in sorted(near.values())[:NEAREST]:
            each = self.passages[number - 1]
            rows.append(SourceRow(self.key, _place(number, each)))
            if nearest := next((every for every in self.evidence if every.n == number), None):
                text = shorten(one_line(spoken(nearest.text)), PREVIEW_CHARS)
                rows.append(Static(Content(f"“{text}”"), classes="near"))
        await self.query_one(".outcome").mount_all(rows)

    def show_standings(self, standings: Mapping[int, Standing]) -> None:
        """Say which sources changed since they were found."""
        self.standings = standings
        for row in self.query(SourceRow):
            row.show_standing(standings.get(row.citation.n))
        cited = {each.n for each in self.citations} or standings.keys()
        gone = any(standings[n].state in ("lost", "gone") for n in cited & standings.keys())
        for legend in self.query(".legend"):
            legend.display = not gone  # what the note no longer says, it does not bear out

    def _legend(self) -> str:
        legend = {
            "supported": "✓ borne out by its source",
            "weak": "≈ only partly borne out, or not what you asked",
            "unsupported": "(?) not found in the passages",
        }
        if not self.sentences:  # a list, taken from the index by rule
            return "✓ as it stands in your notes" if self.passages else ""
        seen = {each.support for each in self.sentences}
        return "   ".join(text for key, text in legend.items() if key in seen)

    def on_answer_citation_clicked(self, event: Answer.CitationClicked) -> None:
        """Pass the click on with the number of this turn."""
        event.stop()
        self.post_message(CitationChosen(self.key, event.number))

    def on_focus(self) -> None:
        """The sources pane follows."""
        self.post_message(TurnFocused(self.key))

    def action_act(self, action: str) -> None:
        """Ask the screen to do something with this turn."""
        self.post_message(TurnActed(self.key, action))

    def action_choose(self, number: int) -> None:
        """Go to a source; for 0, to the first that is cited."""
        first = min((each.n for each in self.citations), default=1)
        self.post_message(CitationChosen(self.key, number or first))


def unique_sources(citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
    """One citation for each source, its lines spanning all that was cited of it."""
    merged: dict[int, Citation] = {}
    for each in citations:
        old = merged.get(each.n, each)
        first, last = min(old.first, each.first), max(old.last, each.last)
        merged[each.n] = replace(old, first=first, last=last)
    return tuple(merged[number] for number in sorted(merged))


def error_content(error: RagError) -> Content:
    """What happened, and below it what to do."""
    message, remedy = clean(error.message), clean(error.remedy)
    return Content.assemble(message, (f"\n{remedy}" if remedy else "", MUTED))


def _place(number: int, passage: Passage) -> Citation:
    """A source as a whole, with nothing quoted of it."""
    return Citation(number, passage.path, passage.first, passage.last, passage.headings, "")


def facts_of(saved: SavedTurn) -> tuple[str, ...]:
    """Who wrote an answer, how fast, and how likely the notes held one."""
    if saved.stopped:
        return ()
    author = saved.model or "the notes' own words"
    speed = f", {saved.tokens_per_s:.0f} tokens/s" if saved.tokens_per_s > 0 else ""
    facts = (f"{author}{speed}, {saved.seconds:.1f} s",)
    refused_by_rule = not saved.answered and (saved.confidence or 0.0) > _EVEN
    if saved.confidence is None or refused_by_rule:  # how near the notes come is beside the point
        return facts
    return (*facts, f"{saved.confidence:.0%} likely that the notes hold an answer")
