"""Whose a `rag.toml` is: the reader's own, or one that came with a folder of notes.

A vault that was cloned or unpacked may bring a `rag.toml`. It may say how its notes are best
searched. It may not name a program to run, an address to send to, files to load as models or
folders to write into: such settings are left out and named, whatever later versions add.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.config import Config, dotted
from rag.models.catalog import BUNDLED
from rag.reading.formats import SUFFIXES

# All that a stranger's file may set. What is not listed here is not read from one.
HARMLESS = frozenset(
    "notes notes_formats search_k rerank_budget_ms answer_caution chat_theme generator_context"
    " generator_threads generator_thinking keys".split()
)
_SIGNS = (".git", ".obsidian", ".hg", ".svn")


def lies_among_notes(file: Path, asked: Iterable[Path]) -> bool:
    """Whether `file` lies in a notes folder: one of `asked`, a vault, a clone, or beside notes.

    A file that belongs to another user counts as well; one in the home folder itself does not.
    """
    folder = Path(os.path.realpath(file.parent))
    home = Path(os.path.realpath(Path.home()))
    if any(folder.is_relative_to(os.path.realpath(each)) for each in asked):
        return True
    if _is_strangers(file):
        return True
    if folder == home:
        return False
    above = (each for each in (folder, *folder.parents) if each != home)
    return _holds_notes(folder) or any((each / sign).exists() for each in above for sign in _SIGNS)


def without_harm(settings: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a stranger's file may set, and the names of what was left out."""
    kept = {key: value for key, value in settings.items() if key in HARMLESS or _known(key, value)}
    return kept, tuple(key for key in settings if key not in kept)


def unread_settings(config: Config) -> str:
    """What to tell the reader of the settings that were left out."""
    return (
        f"Not read from {config.file}, which lies in a notes folder: "
        f"{', '.join(map(dotted, config.unread))}. Set it in the environment, or in a rag.toml "
        "elsewhere."
    )


def strays_of(file: Path, named: Iterable[Path | None]) -> tuple[Path, ...]:
    """The notes folders that `file` names outside the folder that it lies in."""
    inside = os.path.realpath(file.parent)
    real = [Path(os.path.realpath(each)) for each in named if each is not None]
    return tuple(each for each in real if not each.is_relative_to(inside))


def stray_folders(config: Config, asked: Iterable[Path], typed: Sequence[str], here: Path) -> str:
    """What to tell the reader where a file among notes has other folders `asked`, also by a name
    that it gave them; "" if not so, and of a folder whose path was `typed`."""
    known = {os.path.realpath(os.path.join(here, os.path.expanduser(each))) for each in typed}
    strays = [
        each
        for each in asked
        if Path(os.path.realpath(each)) in config.strays and os.path.realpath(each) not in known
    ]
    if not strays:
        return ""
    return (
        f"Notes: {', '.join(map(str, strays))}, which {config.file} names; that file lies in a "
        "notes folder. For others: --notes PATH"
    )


def _known(key: str, value: Any) -> bool:
    """Whether a setting chooses a model that came with `rag`: nothing of the folder is loaded."""
    return key.endswith("_model") and value in {each.name for each in BUNDLED}


def _is_strangers(file: Path) -> bool:
    if not hasattr(os, "geteuid"):
        return False
    try:
        return os.stat(file).st_uid not in (0, os.geteuid())
    except OSError:
        return False


def _holds_notes(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.lower().endswith(SUFFIXES) for entry in entries)
    except OSError:
        return False
