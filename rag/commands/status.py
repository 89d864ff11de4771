"""What is indexed and where it lies: `rag status`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rag.output import duration, one_line, safe, show, show_json

if TYPE_CHECKING:
    from rich.table import Table

    from rag.events import Status

_GONE = " (not there now: what was indexed of it is asked)"


def status(states: Sequence[Status], as_json: bool) -> None:
    """Print what is indexed and where it lies; in JSON a list where there are several folders."""
    if as_json:
        trees = [
            {
                key: str(value) if isinstance(value, Path) else value
                for key, value in asdict(state).items()
            }
            for state in states
        ]
        show_json(trees[0] if len(trees) == 1 else trees)
        return
    for number, state in enumerate(states):
        show(*([""] if number else []), _table(state))


def _table(state: Status) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    there = state.notes_folder.is_dir()
    age = "never"
    if state.indexed_at is not None:
        age = f"{duration(max(0.0, time.time() - state.indexed_at))} ago"
    for name, value in (
        ("Notes folder", str(state.notes_folder) + ("" if there else _GONE)),
        ("Notes", f"{state.notes:,}"),
        ("Passages", f"{state.chunks:,}"),
        ("Last change indexed", age),
        ("Index size", f"{state.index_bytes / 1e6:.1f} MB"),
        ("Index", str(state.index_dir)),
        ("Embedder", state.embedder + _next_embedder(state)),
        ("Language model", state.generator_fault or state.generator),
        ("Prepared models", str(state.cache_dir)),
        ("Settings", str(state.config_file or "none (no rag.toml here or above)")),
    ):
        table.add_row(Text(name, "dim"), Text(safe(value), overflow="fold"))
    if state.other_scripts:
        table.add_row(Text("By words alone", "dim"), Text(_other_scripts(state), overflow="fold"))
    return table


def _next_embedder(state: Status) -> str:
    """What to say where the settings name another embedder than the one that wrote the index."""
    if not state.next_embedder:
        return ""
    if state.next_embedder == state.embedder:
        return (
            " (the settings now give it other prompts, or its files changed: rag index --rebuild "
            "makes the index anew with them)"
        )
    return (
        f" (the settings now name {state.next_embedder}: rag index --rebuild makes the index anew "
        f"with it, rag models use {state.embedder} goes back)"
    )


def _other_scripts(state: Status) -> str:
    """What to say of notes in a script that the embedder was not taught."""
    shown = [one_line(each) for each in state.other_script_notes]
    more = ", …" if state.other_scripts > len(shown) else ""
    return (
        f"{state.other_scripts:,} not in Latin letters ({', '.join(shown)}{more}): "
        f"{one_line(state.embedder)} does not know their language. A multilingual embedder does: "
        "see docs/models.md."
    )
