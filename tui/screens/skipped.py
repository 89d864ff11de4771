"""The notes that could not be indexed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rag.reading.notes import Skipped
from tui.text import MUTED, one_line


class SkippedScreen(ModalScreen[None]):
    """A panel over the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]

    def __init__(self, skipped: Sequence[Skipped]) -> None:
        super().__init__()
        self._skipped = skipped

    def compose(self) -> ComposeResult:
        """A note and its reason on two lines each."""
        with VerticalScroll(classes="panel") as panel:
            panel.border_title = "Skipped notes"
            panel.border_subtitle = "Esc closes"
            if not self._skipped:
                yield Static("Every note that was found could be indexed.", classes="panel-rows")
            for each in self._skipped:
                yield Static(
                    Content.assemble(
                        one_line(each.path),
                        "\n",
                        (one_line(each.reason), MUTED),
                    ),
                    classes="panel-rows",
                )
