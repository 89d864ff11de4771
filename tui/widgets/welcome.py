"""What an empty conversation shows."""

from __future__ import annotations

import time
from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from rag.events import Status
from tui.keys import first_key
from tui.text import ago, clean, count

HINTS = (
    ("sources", "goes to the passages behind an answer"),
    ("conversations", "lists your conversations"),
    ("help", "shows all keys"),
)


class Welcome(Vertical):
    """The folder, what is known of it, and the first keys."""

    def __init__(self, folder: str, keys: Mapping[str, str]) -> None:
        """`keys` are those of the reader's own."""
        super().__init__()
        self._folder = folder
        self._keys = keys

    def compose(self) -> ComposeResult:
        """A heading, the folder's counts, the hints."""
        with Vertical(id="welcome-box"):
            yield Static("Ask your notes", id="welcome-title")
            yield Static(Content(clean(self._folder)), id="welcome-folder")
            yield Static("", id="welcome-counts")
            rows = [("Enter", "asks; Ctrl+J begins a new line")]
            rows += [(first_key(identity, self._keys), text) for identity, text in HINTS]
            hints = [
                part
                for key, text in rows
                for part in ((f"{key:>8}", "bold $text-primary"), f"  {text}\n")
            ]
            yield Static(Content.assemble(*hints).rstrip(), id="welcome-hints")

    def show_status(self, status: Status | None) -> None:
        """Show what is indexed."""
        self.query_one("#welcome-counts", Static).update(Content(counts(status)))


def counts(status: Status | None) -> str:
    """`412 notes · 3,906 passages · indexed 3 min ago`."""
    if status is None or status.indexed_at is None:
        return "not indexed yet"
    when = ago(time.time() - status.indexed_at)
    return f"{count(status.notes, 'note')} · {count(status.chunks, 'passage')} · indexed {when}"
