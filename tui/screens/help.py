"""The keys as they are set, and what the marks mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import FIXED, GROUPS, own_keys, shown

_KEY_CELLS = 21


class HelpScreen(ModalScreen[None]):
    """A panel over the conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q,enter", "dismiss", "Close"),
    ]

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """One table for each group of keys."""
        groups = [
            *FIXED[:1],
            *(
                (title, tuple((shown(own_keys(k, self._keymap)) or "–", k.what) for k in keys))
                for title, keys in GROUPS
            ),
            *FIXED[1:],
        ]
        with VerticalScroll(classes="panel") as panel:
            panel.border_title = "Keys"
            panel.border_subtitle = "↑ ↓ scroll · Esc closes"
            for title, rows in groups:
                yield Static(title, classes="panel-title")
                lines = [
                    Content.assemble((f"{key:<{_KEY_CELLS}}", "$text-primary"), what)
                    for key, what in rows
                ]
                yield Static(Content("\n").join(lines), classes="panel-rows")
            yield Static(
                'Other keys: table [keys] of rag.toml, such as sources = "ctrl+t". Names: '
                + ", ".join(key.id for _, keys in GROUPS for key in keys),
                classes="panel-rows explained",
                markup=False,
            )
