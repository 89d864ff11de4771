"""One line above the question box: what the filter being typed can be completed to."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from tui.text import MUTED, one_line


class Suggestions(Static):
    """Hidden while there is nothing to complete."""

    def on_mount(self) -> None:
        """Nothing is typed yet."""
        self.display = False

    def show(self, choices: Sequence[str]) -> None:
        """List the choices; Tab takes the first, down puts the next in its place."""
        self.display = bool(choices)
        if choices:
            first, *others = (one_line(each) for each in choices)
            self.update(
                Content.assemble(
                    ("Tab ", MUTED),
                    (first, "bold $text-primary"),
                    *(
                        (f"   {'↓ ' if not at else ''}{each}", MUTED)
                        for at, each in enumerate(others)
                    ),
                )
            )
