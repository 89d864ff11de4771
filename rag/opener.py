"""Handing to the desktop what no editor shows: a document that holds no text of its own, such as a
PDF, or a note's address in Obsidian.

An editor would show its bytes. The command is a list of arguments and never passes through a
shell; the document's path is absolute, so a name that begins with a dash is no option.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.editor import EditorError
from rag.reading.formats import format_of

_OPENERS = (["xdg-open"], ["gio", "open"])
_SETTLED = 3.0  # seconds: one that still runs then has become the program itself


def is_document(path: str | os.PathLike[str]) -> bool:
    """Whether a note is a file to be converted, which no editor shows as it was read."""
    known = format_of(os.fspath(path))
    return known is not None and known.convert is not None


@dataclass(frozen=True, slots=True)
class Opener:
    """A command that opens something, and what that is called."""

    command: list[str]
    name: str


def opener_command(
    target: Path | str,
    environ: Mapping[str, str],
    instead: str,
    name: str = "",
    which: Callable[[str], str | None] = shutil.which,
    platform: str = sys.platform,
) -> Opener:
    """What opens a document, or the address of one with a `name`, in the system's program for it.

    Raises EditorError, with `instead` as what to do, where there is none, or no display.
    """
    name = name or Path(target).name
    if platform == "darwin":
        return Opener(["open", str(target)], name)
    if which("wslview"):  # Windows shows it
        return Opener(["wslview", str(target)], name)
    if not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        raise EditorError(f"There is no display here to open {name} on.", instead)
    for opener in _OPENERS:
        if which(opener[0]):
            return Opener([*opener, str(target)], name)
    raise EditorError(f"No program that opens {name} was found.", instead)


def run_opener(opener: Opener, instead: str) -> None:
    """Hand the document over. Returns once that is done, within a few seconds; the document's
    own program goes on by itself. Raises EditorError."""
    try:
        process = subprocess.Popen(
            opener.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        why = error.strerror or str(error)
        first = opener.command[0]
        raise EditorError(f"{first} could not be started: {why}.", instead) from error
    try:
        status = process.wait(_SETTLED)
    except subprocess.TimeoutExpired:
        return
    if status:
        first = opener.command[0]
        raise EditorError(f"{first} found no program that opens {opener.name}.", instead)
