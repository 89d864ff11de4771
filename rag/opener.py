"""Opening a document that holds no text of its own, such as a PDF, in the desktop's program for it.

An editor would show its bytes. The command is a list of arguments and never passes through a
shell; the document's path is absolute, so a name that begins with a dash is no option.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rag.editor import EditorError
from rag.reading.formats import format_of

_OPENERS = (["xdg-open"], ["gio", "open"])
_SETTLED = 3.0  # seconds: one that still runs then has become the program itself


def is_document(path: str | os.PathLike[str]) -> bool:
    """Whether a note is a file to be converted, which no editor shows as it was read."""
    known = format_of(os.fspath(path))
    return known is not None and known.convert is not None


def opener_command(
    document: Path,
    environ: Mapping[str, str],
    instead: str,
    which: Callable[[str], str | None] = shutil.which,
    platform: str = sys.platform,
) -> list[str]:
    """The arguments that open `document` with the system's opener.

    Raises EditorError, with `instead` as what to do, where there is none, or no display.
    """
    if platform == "darwin":
        return ["open", str(document)]
    if which("wslview"):  # Windows shows it
        return ["wslview", str(document)]
    if not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        raise EditorError(f"There is no display here to open {document.name} on.", instead)
    for opener in _OPENERS:
        if which(opener[0]):
            return [*opener, str(document)]
    raise EditorError(f"No program that opens {document.name} was found.", instead)


def run_opener(command: list[str], instead: str) -> None:
    """Hand the document over. Returns once that is done, within a few seconds; the document's
    own program goes on by itself. Raises EditorError."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise EditorError(f"{command[0]} could not be started: {why}.", instead) from error
    try:
        status = process.wait(_SETTLED)
    except subprocess.TimeoutExpired:
        return
    if status:
        name = Path(command[-1]).name
        raise EditorError(f"{command[0]} found no program that opens {name}.", instead)
