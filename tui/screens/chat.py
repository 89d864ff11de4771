"""The conversation: hands questions to the engine's thread and its events to the widgets."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer

from rag.answering.answer import Reading
from rag.answering.grounding import Sentence
from rag.engine import Answered, Retrieved
from rag.errors import Cancelled
from rag.indexing.build import IndexReport
from tui.jobs import Ask, Job, Refresh, WarmUp
from tui.messages import (
    CitationChosen,
    EngineSpoke,
    IndexMoved,
    JobEnded,
    QuestionAsked,
    StatusRead,
)
from tui.screens.help import HelpScreen
from tui.screens.running import while_running
from tui.screens.skipped import SkippedScreen
from tui.session import Session
from tui.text import count, home_relative
from tui.widgets.activity import Activity
from tui.widgets.question import QuestionBox
from tui.widgets.sources import SourcesPane
from tui.widgets.status_line import StatusLine
from tui.widgets.transcript import Transcript
from tui.work import EngineWorker

_INDEXING_STOPPED = "Stopped. What was indexed so far is kept; Ctrl+R goes on."


class ChatScreen(Screen[None]):
    """Transcript, sources, question box, status."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", key_display="Esc"),
        Binding("ctrl+o,f2", "sources", "Sources"),
        Binding("ctrl+r", "reindex", "Re-index"),
        Binding("ctrl+n", "restart", "New"),
        Binding("f1", "help", "Help"),
        *(Binding(f"alt+{n}", f"choose({n})", f"Source {n}", show=False) for n in range(1, 10)),
    ]

    def __init__(self, folder: Path, worker: EngineWorker, refresh_index: bool) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
        self.worker = worker
        self.session = Session()
        self.report: IndexReport | None = None
        self._folder = folder
        self._refresh_index = refresh_index
        self._started_at = 0.0

    def compose(self) -> ComposeResult:
        """The parts, from top to bottom."""
        with Horizontal(id="body"):
            yield Transcript(home_relative(self._folder))
            yield SourcesPane()
        yield Activity()
        yield QuestionBox()
        yield StatusLine()
        yield Footer()

    def on_mount(self) -> None:
        """Paint first; then bring the index up to date and load the models."""
        self.query_one(QuestionBox).focus()
        if self._refresh_index:
            self.session.add(Refresh())
        self.session.add(WarmUp())
        self.call_after_refresh(self._next)

    # Work: one job at a time, the others wait in line.

    def _add(self, job: Job) -> None:
        self.session.add(job)
        self._next()
        self._show_waiting()

    def _next(self) -> None:
        job = self.session.take()
        if job is None:
            if self.session.current is None:
                self.query_one(Activity).end()
                self.query_one(StatusLine).show_state("ready", busy=False)
            return
        self.query_one(Activity).begin(job.label, stoppable=not isinstance(job, WarmUp))
        self.query_one(StatusLine).show_state(job.state, busy=True)
        self._started_at = time.monotonic()
        self.worker.start(job)
        if isinstance(job, Ask) and (view := self.query_one(Transcript).turn(job.turn)):
            view.say("Searching your notes…")
        self._show_waiting()

    def _show_waiting(self) -> None:
        if (current := self.session.current) is None:
            return
        for job in self.session.questions():
            if view := self.query_one(Transcript).turn(job.turn):
                view.say(current.waiting)

    @while_running
    async def on_job_ended(self, event: JobEnded) -> None:
        """Say how it ended and begin what waits."""
        self.session.current = None
        job, error = event.job, event.error
        transcript = self.query_one(Transcript)
        if isinstance(job, Ask):
            if (view := transcript.turn(job.turn)) and error is not None:
                await (view.stopped() if isinstance(error, Cancelled) else view.fail(error))
        elif isinstance(error, Cancelled):
            await transcript.notice(_INDEXING_STOPPED)
        elif error is not None:
            await transcript.notice(error)
        if error is not None and self.worker.last_traceback:
            self.log.error(self.worker.last_traceback)
        self._next()

    # What the engine tells.

    @while_running
    async def on_status_read(self, event: StatusRead) -> None:
        """Show what the index holds."""
        self.query_one(StatusLine).show_status(event.status)
        self.query_one(Transcript).show_status(event.status)

    @while_running
    async def on_index_moved(self, event: IndexMoved) -> None:
        """Show how far indexing has come, and its report at the end."""
        self.query_one(Activity).show_indexing(event.progress)
        if event.progress.report is not None:
            self._show_report(event.progress.report)

    @while_running
    async def on_engine_spoke(self, message: EngineSpoke) -> None:
        """Draw an event of the answer that is being written."""
        view = self.query_one(Transcript).turn(message.turn)
        event = message.event
        if view is None:  # the conversation was cleared meanwhile
            return
        if isinstance(event, Reading):
            self.query_one(Activity).show_reading(event)
        elif isinstance(event, Retrieved):
            self.query_one(Activity).show("Reading")
            view.say(f"Reading {count(len(event.passages), 'passage')}…")
            await view.show_evidence(event)
            await self._show_sources(message.turn)
        elif isinstance(event, Sentence):
            self.query_one(Activity).show("Answering")
            await view.add_sentence(event)
        elif isinstance(event, Answered):
            self.session.answered(event)
            seconds = time.monotonic() - self._started_at
            self.query_one(StatusLine).show_speed(event, seconds)
            await view.finish(event)
            await self._show_sources(message.turn)

    def _show_report(self, report: IndexReport) -> None:
        self.report = report
        job = self.session.current
        asked_for = isinstance(job, Refresh) and (job.force or job.rebuild)
        moved = report.added + report.changed + report.moved + report.removed
        if not (asked_for or moved or report.skipped):
            return
        text = report.sentence()
        if report.skipped:
            text += "\nCtrl+P, Skipped notes: which, and why."
        self.notify(text, title="Index up to date", markup=False)
        if asked_for and report.skipped:
            self.action_skipped()

    # What the reader does.

    async def on_question_asked(self, event: QuestionAsked) -> None:
        """Show the question and put it in line."""
        turn = self.session.next_turn()
        await self.query_one(Transcript).add_turn(turn, event.question)
        self._add(Ask(turn, event.question))

    async def on_citation_chosen(self, event: CitationChosen) -> None:
        """Show a source of any turn."""
        if self.query_one(SourcesPane).turn != event.turn:
            await self._show_sources(event.turn)
        self.action_choose(event.number)

    async def _show_sources(self, turn: int) -> None:
        if view := self.query_one(Transcript).turn(turn):
            pane = self.query_one(SourcesPane)
            had_focus = pane.has_focus_within
            await pane.show_turn(turn, view.retrieved, view.passages, view.citations)
            if had_focus and not pane.enter():
                self.query_one(QuestionBox).focus()

    def action_choose(self, number: int) -> None:
        """Go to a source of the turn that is shown."""
        if self.query_one(SourcesPane).choose(number):
            self.add_class("-sources")

    def action_sources(self) -> None:
        """Go to the sources, or back."""
        pane = self.query_one(SourcesPane)
        if pane.has_focus_within or (self.has_class("-sources", "-narrow") and not pane.selected):
            self._leave_sources()
        else:
            self.add_class("-sources")
            pane.enter()

    def _leave_sources(self) -> None:
        self.remove_class("-sources")
        self.query_one(QuestionBox).focus()

    # Actions run beside the handlers of messages. Those that wait are queued among them, so
    # that nothing is taken away under an event that is being drawn.

    def action_stop(self) -> None:
        """Stop what the engine does; when it does nothing, go back to the question."""
        self.call_later(self._stop)

    async def _stop(self) -> None:
        if isinstance(self.session.current, (Ask, Refresh)):
            self.query_one(Activity).show("Stopping")
            self.worker.stop()
            return
        dropped = self.session.drop_questions()
        for job in dropped:
            if view := self.query_one(Transcript).turn(job.turn):
                await view.stopped()
        if not dropped:
            self._leave_sources()

    def action_reindex(self, rebuild: bool = False) -> None:
        """Look for new and changed notes now, or index everything again."""
        self._add(Refresh(force=True, rebuild=rebuild))

    def action_restart(self) -> None:
        """Begin a new conversation."""
        self.call_later(self._restart)

    async def _restart(self) -> None:
        if isinstance(self.session.current, Ask):
            self.worker.stop()
        self.session.restart()
        await self.query_one(Transcript).restart()
        await self.query_one(SourcesPane).restart()
        self._leave_sources()

    def action_skipped(self) -> None:
        """List the notes that could not be indexed."""
        report = self.report
        self.app.push_screen(SkippedScreen((*report.skipped, *report.warnings) if report else ()))

    @on(QuestionBox.HelpWanted)
    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen())

    def action_open_note(self) -> None:
        """Open the selected source in the editor."""
        self.query_one(SourcesPane).open_selected()

    def action_scroll_transcript(self, pages: int) -> None:
        """Scroll without leaving the question box."""
        transcript = self.query_one(Transcript)
        (transcript.scroll_page_up if pages < 0 else transcript.scroll_page_down)()
