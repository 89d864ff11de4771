"""The keys, and what the marks mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS = (
    (
        "Asking",
        (
            ("Enter", "ask"),
            ("Ctrl+J, Shift+Enter", "new line"),
            ("↑ ↓", "earlier questions"),
            ("PgUp PgDn", "scroll the conversation"),
            ("Esc", "stop the answer or the indexing"),
            ("Ctrl+N", "new conversation"),
        ),
    ),
    (
        "Sources",
        (
            ("Ctrl+O, F2", "go to the sources and back"),
            ("Alt+1 … Alt+9", "go to source [1] … [9]"),
            ("↑ ↓, 1 … 9", "among the sources: go to one"),
            ("Enter, O", "open the note at its line in $EDITOR"),
        ),
    ),
    (
        "Index and program",
        (
            ("Ctrl+R", "look for new and changed notes"),
            ("Ctrl+P", "all commands: rebuild, theme, …"),
            ("F1, ?", "this help (? in an empty box)"),
            ("Ctrl+Q, Ctrl+C", "quit (Ctrl+C copies what is selected)"),
        ),
    ),
    (
        "Marks in an answer",
        (
            ("[1]", "a citation; click it to see its passage"),
            ("≈", "only partly borne out by its source"),
            ("(?)", "not found in the passages"),
        ),
    ),
)


class HelpScreen(ModalScreen[None]):
    """A panel over the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q,enter", "dismiss", "Close"),
    ]

    def compose(self) -> ComposeResult:
        """One table for each group of keys."""
        with VerticalScroll(classes="panel") as panel:
            panel.border_title = "Keys"
            panel.border_subtitle = "Esc closes"
            for title, rows in KEYS:
                yield Static(title, classes="panel-title")
                lines = [
                    Content.assemble((f"{key:<21}", "$text-primary"), what) for key, what in rows
                ]
                yield Static(Content("\n").join(lines), classes="panel-rows")
