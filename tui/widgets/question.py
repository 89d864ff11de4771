"""The box in which questions are typed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui.completion import complete
from tui.messages import QuestionAsked
from tui.text import clean


class QuestionBox(TextArea):
    """Enter asks, Ctrl+J breaks the line; up and down at the edge recall earlier questions, down
    chooses what Tab completes a filter to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter,alt+enter", "new_line", "New line", show=False),
        Binding("up", "recall(-1)", "Earlier question", show=False),
        Binding("down", "recall(1)", "Later question", show=False),
        Binding("pageup", "screen.scroll_transcript(-1)", "Scroll up", show=False),
        Binding("pagedown", "screen.scroll_transcript(1)", "Scroll down", show=False),
        Binding("ctrl+c", "copy_or_stop", "Copy, stop or quit", show=False),
    ]

    class HelpWanted(Message):
        """`?` was typed into an empty box."""

    class Typed(Message):
        """The text before the cursor changed; `before` is its last line."""

        def __init__(self, before: str) -> None:
            super().__init__()
            self.before = before

    class ChoiceTurned(Message):
        """Another of the choices is the one that Tab takes now."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        """`taken` are keys that the reader gave to something else: here they do nothing."""
        super().__init__(
            soft_wrap=True,
            highlight_cursor_line=False,
            id="question",
            placeholder="Ask your notes…",
        )
        self.cursor_blink = False  # each blink lays out and draws, and over ssh sends
        for key in taken:  # `TextArea` has some thirty keys of its own, Ctrl+Y and F7 among them
            self._bindings.key_to_bindings.pop(key, None)
        self._asked: list[str] = []
        self._place = 0
        self._draft = ""
        self.choices: list[str] = []  # what Tab can complete the last filter to
        # What was typed before Tab, and the choices, the one that was taken first.
        self._completed: tuple[str, list[str]] = ("", [])

    async def _on_key(self, event: events.Key) -> None:
        """What is not handled here is typed by `TextArea`, whose handler runs after this one.

        Textual looks for bindings when a key has come up to the program; what was typed meanwhile
        would overtake them, and a priority binding would overtake what was typed before. So the
        box's own are obeyed here.
        """
        bound = self._bindings.key_to_bindings.get(event.key)
        if bound:
            event.stop()
            event.prevent_default()
            await self.run_action(bound[0].action)
        elif event.key.startswith("alt+"):  # carries the letter too, but is not meant as text
            event.prevent_default()
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self.ask()
        elif event.key == "tab" and (self._complete() or self.text):
            event.stop()  # who is typing stays: elsewhere letters are commands
            event.prevent_default()
        elif event.key == "question_mark" and not self.text:
            event.stop()
            event.prevent_default()
            self.post_message(self.HelpWanted())

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        await super()._on_paste(
            events.Paste(clean(event.text.replace("\r\n", "\n").replace("\r", "\n")))
        )

    def on_text_area_selection_changed(self) -> None:
        """Typing and moving both may end on a filter. What was recalled has no choices until it is
        changed: down leads to the next question there."""
        self.post_message(self.Typed("" if self._recalled else self._before_cursor()))

    @property
    def _recalled(self) -> bool:
        """Whether the box holds an earlier question as it was."""
        return self._asked[self._place : self._place + 1] == [self.text]

    def _before_cursor(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def _complete(self) -> bool:
        """Complete the last filter; right after that, to the next choice. False where there is
        nothing to complete."""
        row, column = self.cursor_location
        before = self._before_cursor()
        typed, choices = self._completed
        turned = [*choices[1:], *choices[:1]]
        again = len(choices) > 1 and before == complete(typed, choices[0])
        # Of a folder what lies in it comes first.
        if not again or (self.choices and before.endswith("/")):
            typed, turned = before, list(self.choices)
        if not turned:
            return False
        self._completed = typed, turned
        self.replace(complete(typed, turned[0]), (row, 0), (row, column))
        return True

    def put(self, question: str) -> None:
        """Put a question into the box, to be changed."""
        self.load_text(clean(question))
        self.move_cursor(self.document.end)
        self.focus()

    def set_aside(self) -> None:
        """Empty the box; what was in it can be recalled."""
        if question := clean(self.text).strip():
            self.remember(question)
        self.clear()

    def ask(self) -> None:
        """Send the question and empty the box."""
        question = clean(self.text).strip()
        if not question:
            return
        self.remember(question)
        self.clear()
        self.post_message(QuestionAsked(question))

    def remember(self, question: str) -> None:
        """Let the up key recall `question`."""
        if question not in self._asked[-1:]:
            self._asked.append(question)
        self._place, self._draft = len(self._asked), ""

    def remember_before(self, questions: Sequence[str]) -> None:
        """Let the up key recall questions that were asked before all that are remembered."""
        self._asked[:0] = questions
        self._place += len(questions)

    def action_new_line(self) -> None:
        """Break the line."""
        self.insert("\n")

    def action_recall(self, step: int) -> None:
        """Move the cursor, or at the edge of the text go through earlier questions; down, where
        there is no later one, goes through the choices of a filter."""
        at_edge = (
            self.navigator.is_first_wrapped_line(self.cursor_location)
            if step < 0
            else self.navigator.is_last_wrapped_line(self.cursor_location)
        )
        if not at_edge:
            self.move_cursor_relative(rows=step)
            return
        if step > 0 and self.choices and not self._recalled:
            self.choices = [*self.choices[1:], self.choices[0]]
            self.post_message(self.ChoiceTurned())
            return
        place = self._place + step
        if not 0 <= place <= len(self._asked):
            return
        if self._place == len(self._asked):
            self._draft = self.text
        self._place = place
        self.load_text(clean(self._asked[place]) if place < len(self._asked) else self._draft)
        self.move_cursor(self.document.end)

    async def action_copy_or_stop(self) -> None:
        """Copy what is selected here or in the transcript; with no selection, stop the answer, or
        quit where there is none."""
        if self.selected_text:
            self.action_copy()
        elif self.screen.get_selected_text():
            self.screen.action_copy_text()
        else:
            await self.run_action("screen.stop_or_quit")
