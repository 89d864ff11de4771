"""What the reader does with the turns of a conversation, and how they are kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.widgets import Static

from rag.answering.conversations import Conversation, shortened
from rag.answering.saved import read_as
from rag.engine import Engine
from rag.errors import RagError
from tui.messages import TextCopied, TurnActed, TurnFocused
from tui.screens.base import ChatBase
from tui.text import clean
from tui.widgets.status_line import StatusLine
from tui.widgets.turn import TurnView
from tui.work import EngineWorker
from tui.workplace import Workplace

if TYPE_CHECKING:
    from rag.answering.saved import SavedTurn

_BRANCHED = "This goes on in a branch; the conversation stays as it was ({})."
ASK_FIRST = "Ask a question first."
_BUSY = "Wait for the answer, or stop it with {}."
_EDITING = "Editing an earlier question · {} leaves it as it was"


class TurnActions(ChatBase):
    """Retry, edit, copy, branch, export; opening and keeping conversations."""

    leaving = False  # the program ends, and nothing is drawn any more
    _editing: int | None = None  # the turn whose question is in the box to be changed

    def __init__(self, engine: Engine, worker: EngineWorker, place: Workplace) -> None:
        super().__init__(engine, worker, place)
        self._replaced: dict[int, SavedTurn] = {}  # by the number of the turn that asks it anew

    # Keeping

    async def keep(self, turn: int, saved: SavedTurn) -> None:
        """Remember a turn, here and in the database."""
        self.session.keep(turn, saved)
        session = self.session
        anew = self._replaced.pop(turn, None) is not None
        try:
            kept = await self.conversations()
            conversation = session.conversation
            if anew and conversation is not None:
                added = await asyncio.to_thread(kept.replace_last, conversation, saved)
            else:
                added = await asyncio.to_thread(kept.add, conversation, saved)
            if session.conversation == conversation:
                session.conversation = added
        except RagError as error:
            self.tell(error)

    async def keep_stopped(self, turn: int) -> None:
        """Keep what was written of an answer that was stopped, unless the turn has one already."""
        view = self.transcript.turn(turn)
        if view is None or turn in self.session.kept or self.is_answered(turn):
            return
        saved = view.written()
        self.session.keep(turn, saved)  # before anything is waited for: the job's end comes, too
        await view.stop(saved)
        await self.keep(turn, saved)

    def is_answered(self, turn: int) -> bool:
        """Whether a turn that is asked anew has an answer already."""
        old = self._replaced.get(turn)
        return old is not None and not old.stopped

    async def keep_old(self, turn: int) -> None:
        """A question that was asked anew has no new answer: the old one stays, and is shown."""
        if (old := self._replaced.pop(turn, None)) is None:
            return
        self.session.keep(turn, old)
        if not (old.stopped or self.leaving):
            await self.transcript.cut(turn)
            view = await self.transcript.add_turn(turn, old.question)
            await view.restore(old)
            self.check_turn(view)
            await self.show_sources(turn)
            self.notify("There is no new answer: the one before stays.")

    @work(exclusive=True, group="recall")
    async def recall_questions(self) -> None:
        """Let the up key recall what was asked on other days."""
        try:
            kept = await self.conversations()
            asked = await asyncio.to_thread(kept.questions)
        except RagError as error:
            self.tell(error)
            return
        self.box.remember_before(asked)

    async def reopen(self, conversation: int | None) -> None:
        """Show a kept conversation, to be continued; None: the latest."""
        try:
            kept = await self.conversations()
            found = await asyncio.to_thread(
                kept.latest if conversation is None else lambda: kept.get(conversation)
            )
            if found is None:
                self.notify("There is no conversation about these notes yet.")
                return
            turns = await asyncio.to_thread(kept.turns, found.id)
        except RagError as error:
            self.tell(error)
            return
        await self.show_conversation(found, turns)

    async def is_deleted(self, conversation: int) -> bool:
        """Whether a conversation is not there any more."""
        try:
            kept = await self.conversations()
            await asyncio.to_thread(kept.get, conversation)
        except RagError:
            return True
        return False

    async def show_conversation(self, found: Conversation, turns: tuple[SavedTurn, ...]) -> None:
        """Put the turns of a conversation in place of what is shown."""
        session = self.session
        session.restart()
        self.leave_editing()  # of a turn that is not shown any more
        self.query_one(StatusLine).forget_speed()
        session.conversation = found.id
        numbered = {session.next_turn(): saved for saved in turns}
        session.kept = dict(numbered)
        await self.transcript.restore(numbered)
        views = self.transcript.views()
        for view in views:
            self.box.remember(view.question)
            self.check_turn(view)
        if views:
            await self.show_sources(views[-1].key)
        self.box.focus()

    async def go_to(self, place: int) -> None:
        """Go to a turn by its place in the conversation, from 0, also where it is not shown yet."""
        for key in [*self.session.kept][place : place + 1]:
            await self._show_back_to(key)
            if view := self.transcript.turn(key):
                self.call_after_refresh(view.focus)

    async def _show_back_to(self, turn: int) -> None:
        """Show the turns before those on the screen until `turn` is among them."""
        while self.transcript.turn(turn) is None:
            earlier = await self.transcript.show_earlier()
            if not earlier:
                return
            for view in earlier:
                self.check_turn(view)

    # A turn

    def chosen_turn(self) -> TurnView | None:
        """The turn with the focus, or whose sources are shown, else the last."""
        views = self.transcript.views()
        focused = [view for view in views if view.has_focus]
        shown = [view for view in views if view.key == self.pane.turn]
        return next(iter((*focused, *shown, *reversed(views))), None)

    async def action_step_turn(self, step: int) -> None:
        """Go to the turn before or after; after the last, to the question box."""
        views = self.transcript.views()
        focused = self.focused  # which a key before this one may just have set
        at = next((i for i, view in enumerate(views) if view is focused), len(views)) + step
        if at < 0:
            earlier = await self.transcript.show_earlier()
            for view in earlier:
                self.check_turn(view)
            views, at = [*earlier, *views], max(0, len(earlier) - 1)
        self.remove_class("-sources")  # on a narrow screen they stand in the place of the turns
        # At once, so that the next key counts from there.
        self.set_focus(views[at] if at < len(views) else self.box)

    async def on_turn_focused(self, event: TurnFocused) -> None:
        """Show the sources of the turn that the reader went to."""
        if self.pane.turn != event.turn:
            await self.show_sources(event.turn)

    async def on_turn_acted(self, event: TurnActed) -> None:
        """Do what was asked with a turn."""
        if view := self.transcript.turn(event.turn):
            await self._act(view, event.action)

    def action_turn(self, action: str) -> None:
        """The same from the palette or a key, for the turn that is chosen."""
        view = self.chosen_turn()
        if view is None:
            self.notify(ASK_FIRST)
        else:
            view.action_act(action)

    async def _act(self, view: TurnView, action: str) -> None:
        if action == "retry":
            await self._retry(view)
        elif action == "edit":
            self.box.set_aside()  # a draft can be recalled
            self._edit(view.key, view.question)
        elif action == "copy":
            said = view.query(".refusal, .outcome SourceRow, .near").results(Static)
            self.copy(view.answer or "\n".join(str(each.render()) for each in said))
        elif action == "branch":
            await self._branch(view)
        elif action == "export":
            await self._export()
        else:
            self.show_why(view)

    def _edit(self, turn: int, question: str) -> None:
        self._editing = turn
        self.box.put(question)
        self.box.border_title = _EDITING.format(self.key("stop"))

    def action_why(self) -> None:
        """Explain the search behind the sources that are shown."""
        if view := self.chosen_turn():
            self.show_why(view)
        else:
            self.notify(ASK_FIRST)

    def show_why(self, view: TurnView) -> None:
        """Explain the search behind a turn."""
        from tui.screens.why import WhyScreen

        kept = self.session.kept
        before = [turn for key, turn in kept.items() if key < view.key]
        also = read_as(kept[view.key], before) if view.key in kept else view.question
        self.app.push_screen(
            WhyScreen(
                view.question, view.query_text, view.passages, view.evidence, view.facts, also
            )
        )

    def on_text_copied(self, event: TextCopied) -> None:
        """Put a quote on the clipboard."""
        self.copy(event.text, event.what)

    def copy(self, text: str, what: str = "answer") -> None:
        """To the clipboard of the terminal (OSC 52), which is the reader's also over ssh."""
        if text:
            self.app.copy_to_clipboard(clean(text))
            self.notify(f"The {what} is copied.")
        else:
            self.notify(f"There is no {what} to copy.")

    # Going back

    @property
    def editing(self) -> bool:
        """Whether an earlier question is in the box to be changed."""
        return self._editing is not None

    def leave_editing(self) -> int | None:
        """What is in the box is a question of its own again; the turn that was edited, if any."""
        turn, self._editing = self._editing, None
        self.box.border_title = ""
        return turn

    def set_question_aside(self) -> None:
        """Empty the box. What was in it can be recalled, and is no earlier question any more."""
        self.leave_editing()
        self.box.set_aside()

    async def asked(self, question: str) -> None:
        """A question was sent: a new one, or an earlier one that was edited."""
        turn = self.leave_editing()
        if turn is not None:
            if self.session.asking:
                self.notify(_BUSY.format(self.key("stop")), severity="warning")
                self._edit(turn, question)
                return
            await self._go_back(turn)
        await self.ask(question)

    async def _retry(self, view: TurnView) -> None:
        if self.session.asking:
            self.notify(_BUSY.format(self.key("stop")), severity="warning")
            return
        self.box.focus()  # before the turn with the focus goes: the screen would scroll to another
        old = self.session.kept.get(view.key)
        if old is not None and view.key == max(self.session.kept):
            self.session.cut(view.key)
            await self.transcript.cut(view.key)
        else:
            old = None
            await self._go_back(view.key)
        turn = await self.ask(view.question)
        if old is not None:
            self._replaced[turn] = old

    async def _go_back(self, turn: int) -> None:
        """To before `turn`. What was said from there on stays in the conversation as it was;
        this goes on in a branch."""
        session = self.session
        before = session.before(turn)
        if before < len(session.kept):
            await self._continue_branch(before)
            self.notify(_BRANCHED.format(self.key("conversations")))
        session.cut(turn)
        await self.transcript.cut(turn)

    async def _branch(self, view: TurnView) -> None:
        """Go on from a turn in a conversation of its own."""
        if self.session.asking:
            self.notify(_BUSY.format(self.key("stop")), severity="warning")
            return
        await self._continue_branch(self.session.before(view.key + 1))
        self.session.cut(view.key + 1)
        await self.transcript.cut(view.key + 1)
        self.notify(_BRANCHED.format(self.key("conversations")))
        self.box.focus()

    async def _continue_branch(self, keep: int) -> None:
        session = self.session
        if session.conversation is None:
            return
        try:
            kept = await self.conversations()
            session.conversation = (
                await asyncio.to_thread(kept.branch, session.conversation, keep) if keep else None
            )
        except RagError as error:
            self.tell(error)

    async def _export(self) -> None:
        from rag.answering.export import told

        turns = list(self.session.kept.values())
        if not turns:
            self.notify("There is nothing to export yet.")
            return
        title = turns[0].question
        try:
            if self.session.conversation is not None:
                kept = await self.conversations()
                title = (await asyncio.to_thread(kept.get, self.session.conversation)).title
            file = await asyncio.to_thread(self.export, shortened(title), turns)
        except RagError as error:
            self.tell(error)
            return
        self.notify(told(file), markup=False)
