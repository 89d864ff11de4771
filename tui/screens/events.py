"""One job of the engine at a time, and what it tells meanwhile, drawn by the widgets."""

from __future__ import annotations

import shlex
import time

from rag.answering.steps import Reading, Sentence, Thinking
from rag.errors import Cancelled, RagError
from rag.events import Answered, Retrieved
from rag.indexing.progress import IndexReport
from rag.pauses import collect
from tui.jobs import Ask, Job, Refresh, UseModel, WarmUp
from tui.messages import EngineSpoke, IndexMoved, JobEnded, Noticed, StatusRead
from tui.screens.places import PlaceActions
from tui.screens.running import while_running
from tui.text import count
from tui.widgets.activity import Activity
from tui.widgets.status_line import StatusLine
from tui.widgets.turn import TurnView

_RESTS_S = 1.0  # after the last job: the reader reads
_INDEXING_STOPPED = "Stopped. What was indexed so far is kept; {} goes on."


class EngineEvents(PlaceActions):
    """Jobs wait in line; each says how far it is and how it ended."""

    _lacks_model = False  # it could not be loaded
    _started_at = 0.0  # of the job at hand, in seconds of the monotonic clock

    # Work

    def add_job(self, job: Job) -> None:
        """Put a job in line and begin it when its turn comes."""
        self.session.add(job)
        self.next_job()
        self._show_waiting()

    def next_job(self) -> None:
        """Begin the job that waits longest, if none runs."""
        job = self.session.take()
        if job is None:
            if self.session.current is None:
                self.query_one(Activity).end()
                state = "models not loaded" if self._lacks_model else "ready"
                self.query_one(StatusLine).show_state(state, busy=self._lacks_model)
            return
        self.query_one(Activity).begin(job.label, stoppable=isinstance(job, (Ask, Refresh)))
        self.query_one(StatusLine).show_state(job.state, busy=True)
        self._started_at = time.monotonic()
        self.worker.start(job)
        if isinstance(job, Ask) and (view := self.transcript.turn(job.turn)):
            view.say("Searching your notes…")
        self._show_waiting()

    def _show_waiting(self) -> None:
        if (current := self.session.current) is None:
            return
        for job in self.session.questions():
            if view := self.transcript.turn(job.turn):
                view.say(current.waiting)

    @while_running
    async def on_job_ended(self, event: JobEnded) -> None:
        """Say how it ended and begin what waits."""
        self.session.current = None
        if self.leaving:
            return
        job, error = event.job, event.error
        if isinstance(job, WarmUp):
            self._lacks_model = error is not None
        elif isinstance(job, UseModel) and error is None:
            self._lacks_model = False
        if isinstance(job, Ask):
            left = job.turn in self.session.kept  # for another conversation, and kept as it was
            if (view := self.transcript.turn(job.turn)) and error is not None and not left:
                await self._ended_early(job.turn, view, error)
        elif error is not None:
            await self._show_error(error)
        elif isinstance(job, Refresh):
            for view in self.transcript.views():
                self.check_turn(view)
        elif isinstance(job, UseModel):
            self.notify(
                f"{self.model} answers here from now on. To begin with it each time: "
                f"rag models use {shlex.quote(job.place)}",
                markup=False,
            )
        if error is not None and self.worker.last_traceback:
            self.log.error(self.worker.last_traceback)
        self.next_job()
        if self.session.current is None:
            self.set_timer(_RESTS_S, self._tidy)

    async def _ended_early(self, turn: int, view: TurnView, error: RagError) -> None:
        answered = self.is_answered(turn)
        if isinstance(error, Cancelled):
            await self.keep_stopped(turn)
        elif not answered:
            await view.fail(error)
            await self.keep(turn, view.written())  # what was asked is not lost
        await self.keep_old(turn)
        if answered and not isinstance(error, Cancelled):
            await self.transcript.notice(error)

    def _tidy(self) -> None:
        if self.session.current is None:
            collect()

    async def _show_error(self, error: RagError) -> None:
        stopped = _INDEXING_STOPPED.format(self.key("reindex"))
        await self.transcript.notice(stopped if isinstance(error, Cancelled) else error)

    # What the engine tells

    @while_running
    async def on_noticed(self, event: Noticed) -> None:
        """Something was amiss."""
        self.notify(event.text, severity="warning", timeout=15, markup=False)

    @while_running
    async def on_status_read(self, event: StatusRead) -> None:
        """Show what the index holds."""
        self.query_one(StatusLine).show_status(event.status)
        self.transcript.show_status(event.status)
        if event.status is not None:
            self.model = event.status.generator
            self.read_names()

    @while_running
    async def on_index_moved(self, event: IndexMoved) -> None:
        """Show how far indexing has come, and its report at the end."""
        self.query_one(Activity).show_indexing(event.progress)
        if event.progress.report is not None:
            self._show_report(event.progress.report)

    @while_running
    async def on_engine_spoke(self, message: EngineSpoke) -> None:
        """Draw an event of the answer that is being written."""
        view = self.transcript.turn(message.turn)
        event = message.event
        if view is None or message.turn in self.session.kept:  # the conversation was left meanwhile
            return
        if isinstance(event, Reading):
            self.query_one(Activity).show_reading(event)
        elif isinstance(event, Retrieved):
            self.query_one(Activity).show("Reading")
            view.say(f"Reading {count(len(event.passages), 'passage')}…")
            await view.show_evidence(event)
            await self.show_sources(message.turn)
        elif isinstance(event, Thinking):
            self.query_one(Activity).show("Thinking")
            view.think(event.text)
        elif isinstance(event, Sentence):
            self.query_one(Activity).show("Answering")
            await view.add_sentence(event)
        elif isinstance(event, Answered):
            seconds = time.monotonic() - self._started_at
            self.query_one(StatusLine).show_speed(event, seconds)
            await self.keep(message.turn, await view.finish(event))
            await self.show_sources(message.turn)
            self.check_turn(view)

    def _show_report(self, report: IndexReport) -> None:
        self.report = report
        job = self.session.current
        asked_for = isinstance(job, Refresh) and (job.force or job.rebuild)
        moved = report.added + report.changed + report.moved + report.removed
        quiet = isinstance(job, Refresh) and job.quiet
        if asked_for and report.skipped:
            self.action_skipped()
        elif asked_for or ((moved or report.skipped) and not quiet):
            text = report.sentence()
            if report.skipped:
                text += "\nCtrl+P, Skipped notes: which, and why."
            self.notify(text, title="Index up to date", markup=False)
