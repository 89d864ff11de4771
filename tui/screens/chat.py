"""The conversation: what it shows, and what the reader does in it."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from rag.engine import Engine
from rag.pauses import set_aside
from tui.jobs import Ask, Refresh, WarmUp
from tui.keys import bind, taken
from tui.messages import (
    CitationChosen,
    EngineChanged,
    NotesChanged,
    QuestionAsked,
    Watching,
)
from tui.screens.events import EngineEvents
from tui.screens.running import while_running
from tui.text import home_relative
from tui.watch import Watcher
from tui.widgets.activity import Activity
from tui.widgets.keys_line import KeysLine
from tui.widgets.question import QuestionBox
from tui.widgets.sources import SourcesPane
from tui.widgets.status_line import StatusLine
from tui.widgets.suggestions import Suggestions
from tui.widgets.transcript import Transcript
from tui.work import EngineWorker
from tui.workplace import Workplace

_NO_SOURCE = "No source is shown. Ask a question first."

# What to begin with: a new conversation, the latest, the list of all, or the one with this id.
Begin = int | Literal["new", "latest", "list"]


class ChatScreen(EngineEvents):
    """Transcript, sources, question box, status."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("stop", "stop"),
        bind("sources", "sources"),
        bind("conversations", "conversations"),
        bind("new", "restart"),
        bind("find", "find"),
        bind("reindex", "reindex"),
        bind("models", "models"),
        bind("folders", "folders"),
        bind("retry", "turn('retry')"),
        bind("turn_up", "step_turn(-1)"),
        bind("turn_down", "step_turn(1)"),
        bind("help", "help"),
        *(Binding(f"alt+{n}", f"choose({n})", f"Source {n}", show=False) for n in range(1, 10)),
    ]

    def __init__(
        self,
        engine: Engine,
        worker: EngineWorker,
        place: Workplace,
        refresh_index: bool,
        begin: Begin = "new",
    ) -> None:
        super().__init__(engine, worker, place)
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
        self._refresh_index = refresh_index
        self._begin = begin
        self._watcher: Watcher | None = None
        self._gone = False  # the notes folder

    def compose(self) -> ComposeResult:
        """The parts, from top to bottom."""
        with Horizontal(id="body"):
            yield Transcript(self.folders_named, self.place.keys)
            yield SourcesPane()
        yield Activity(self.key("stop"))
        yield Suggestions()
        yield QuestionBox(taken(self.place.keys))
        yield StatusLine()
        yield KeysLine()

    def on_mount(self) -> None:
        """Paint first; then bring the index up to date and load the models."""
        self.box.focus()
        if self._refresh_index:
            self.session.add(Refresh())
        self.session.add(WarmUp())
        self.call_after_refresh(self._start)

    async def _start(self) -> None:
        set_aside()  # held since the imports of the command
        self.next_job()
        self._watch()
        self.preload()
        self.recall_questions()
        if self._begin == "list":
            self.action_conversations()
        elif self._begin != "new":
            await self.reopen(None if self._begin == "latest" else self._begin)

    def on_screen_suspend(self) -> None:
        """Another screen lies over this one: these keys do nothing there."""
        self.query_one(KeysLine).visible = False

    def on_screen_resume(self) -> None:
        """The keys work again."""
        self.query_one(KeysLine).visible = True

    def on_unmount(self) -> None:
        """Close what is open of the folder."""
        if self._watcher is not None:
            self._watcher.stop()
        self.leave_folder()

    # The folder and what changes in it

    @while_running
    async def on_engine_changed(self, event: EngineChanged) -> None:
        """Begin a new conversation about the folder that was chosen."""
        if self._watcher is not None:
            self._watcher.stop()
        self.leave_folder()
        self._deleted.clear()
        self.take_folder(event.engine)
        await self._clear(self.folders_named)
        self._watch()
        self.session.add(Refresh())

    def _watch(self) -> None:
        """Notice changed notes from now on. The watcher speaks from its own thread."""
        if self.place.watch:
            self._watcher = Watcher(
                self.folders,
                self.suffixes,
                lambda: self.post_message(NotesChanged()),
                lambda on: self.post_message(Watching(on)),
            )
            self._watcher.start()

    @while_running
    async def on_watching(self, event: Watching) -> None:
        """Say whether changed notes are noticed, and where the folder has gone away."""
        missing = [each for each in self.folders if not (event.on or each.is_dir())]
        gone = bool(missing)
        self.query_one(StatusLine).show_watching(event.on, gone=gone)
        if gone != self._gone:
            for view in self.transcript.views():  # a source may have gone with it
                self.check_turn(view)
        if gone and not self._gone:
            self.notify(
                f"{home_relative(missing[0])} is not there any more. Answers rest on what was "
                f"indexed; when it is back, it is looked through. {self.key('folders')} opens "
                "another folder.",
                title="The notes folder is gone",
                severity="warning",
                timeout=15,
                markup=False,
            )
        self._gone = gone

    @while_running
    async def on_notes_changed(self, _event: NotesChanged) -> None:
        """Bring the index up to date, after what is being done."""
        for view in self.transcript.views():
            self.check_turn(view)
        self.reread_note()
        self.add_job(Refresh(quiet=True))

    # What the reader does

    async def on_question_asked(self, event: QuestionAsked) -> None:
        """A question was sent."""
        await self.asked(event.question)

    async def ask(self, question: str) -> int:
        """Show a question and put it in line; the number of its turn.

        On a narrow screen the sources make room for its answer."""
        self.remove_class("-sources")
        turn = self.session.next_turn()
        await self.transcript.add_turn(turn, question)
        self.add_job(Ask(turn, question))
        return turn

    async def on_citation_chosen(self, event: CitationChosen) -> None:
        """Show a source of any turn."""
        if self.pane.turn != event.turn:
            await self.show_sources(event.turn)
        self.action_choose(event.number)

    def action_choose(self, number: int) -> None:
        """Go to a source of the turn that is shown."""
        if self.pane.choose(number):
            self.add_class("-sources")
        elif self.pane.turn:
            self.notify(f"There is no source {number} here.")

    def action_sources(self) -> None:
        """Go to the sources, or back."""
        pane = self.pane
        if pane.has_focus_within or (self.has_class("-sources", "-narrow") and not pane.selected):
            self._leave_sources()
        else:
            self.add_class("-sources")
            pane.enter()

    def _leave_sources(self) -> None:
        self.remove_class("-sources")
        self.box.focus()

    # Actions run beside the handlers of messages. Those that wait are queued among them, so
    # that nothing is taken away under an event that is being drawn.

    def action_stop(self) -> None:
        """Stop what the engine does; when it does nothing, go back to the question."""
        self.call_later(self._stop)

    async def action_stop_or_quit(self) -> None:
        """Stop the answer that is made or waits; a second time, or where there is none, empty the
        question box, and quit where it is empty."""
        if self.session.asking and not self.worker.stopping:
            self.action_stop()
        elif self.box.text:
            self.set_question_aside()
        else:
            await self.app.action_quit()

    async def _stop(self) -> None:
        if isinstance(self.session.current, (Ask, Refresh)):
            self.query_one(Activity).show("Stopping")
            self.worker.stop()
            return
        if not await self._take_back():
            in_box = self.box.has_focus
            self._leave_sources()
            self.app.clear_notifications()
            if in_box and self.editing:
                self.set_question_aside()

    async def leave_program(self) -> None:
        """Keep what there is of an answer; nothing is drawn any more."""
        self.leaving = True
        await self.leave_answer()

    async def _take_back(self) -> bool:
        """Take back the questions that wait; whether there were any."""
        dropped = self.session.drop_questions()
        for job in dropped:
            await self.keep_stopped(job.turn)
            await self.keep_old(job.turn)
        return bool(dropped)

    async def leave_answer(self) -> None:
        """Stop the answer that is being written, if one is, and those that wait; what is written
        of them is kept."""
        job = self.session.current
        if isinstance(job, Ask):
            self.worker.stop()
            await self.keep_stopped(job.turn)
        await self._take_back()

    def action_reindex(self, rebuild: bool = False) -> None:
        """Look for new and changed notes now, or index everything again."""
        self.add_job(Refresh(force=True, rebuild=rebuild))

    def action_restart(self) -> None:
        """Begin a new conversation."""
        self.call_later(self._clear)

    async def _clear(self, folder: str = "") -> None:
        await self.leave_answer()
        self.session.restart()
        self.query_one(StatusLine).forget_speed()
        await self.transcript.restart(folder)
        await self.pane.restart()
        if self.editing:
            self.set_question_aside()
        self._leave_sources()

    def action_open_note(self, how: str = "editor") -> None:
        """Open the selected source."""
        if not self.pane.open_selected(how):
            self.notify(_NO_SOURCE)

    def action_copy_quote(self) -> None:
        """Copy the quote of the selected source."""
        if not self.pane.copy_selected():
            self.notify(_NO_SOURCE)

    def action_scroll_transcript(self, pages: int) -> None:
        """Scroll without leaving the question box."""
        transcript = self.transcript
        (transcript.scroll_page_up if pages < 0 else transcript.scroll_page_down)()
