"""How everything is printed: for people with Rich, plain text when piped, JSON for programs.

Notes, file names and answers are untrusted: they are printed as text, never as markup, and
without control characters, so that no note can move the cursor or hide a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from rag.retrieval.spelling import Respelled

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
# Marks that reorder text on screen: they could make a path or a quote read as another.
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0xFEFF, *range(0xE0000, 0xE0080))  # text that nobody sees: tags
_CONTROLS |= dict.fromkeys((*_BIDI, *_INVISIBLE))
# JSON stays what it was when it is read again; written, a terminal finds nothing to obey.
_UNBROKEN = 10_000  # columns, where no terminal has a width
_IN_JSON = {
    code: json.dumps(chr(code))[1:-1]
    for code in (0x7F, *range(0x80, 0xA0), 0x2028, 0x2029, *_BIDI, *_INVISIBLE)
} | {0x7F: "\\u007f"}


def safe(text: str) -> str:
    """`text` without control characters and lone surrogates, line feeds and tabs kept."""
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """A file name or a heading: it may hold a line break, the screen must not show one."""
    return " ".join(safe(text).split())


def console(stderr: bool = False) -> Console:
    """Where to print: standard output, or what is not part of the answer."""
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:  # Rich's own would exit with 1: "not in your notes"
            raise BrokenPipeError

    return Piped(stderr=stderr, highlight=False, emoji=False)


def width() -> int:
    """Columns of what tables are printed to. Where no terminal shows them, no line is broken for
    a width that none has (`rag doctor | grep`)."""
    screen = console()
    return screen.width if screen.is_terminal or "COLUMNS" in os.environ else _UNBROKEN


def show(*things: object) -> None:
    """Print tables and styled texts."""
    screen = console()
    screen.width = width()
    for each in things:
        screen.print(each)


def show_json(value: object, indent: int | None = 2) -> None:
    """Print one JSON value, on one line for `indent` None; escaped where the output cannot write
    all letters."""
    escaped = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    text = json.dumps(value, ensure_ascii=escaped, indent=indent).translate(_IN_JSON)
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")
    sys.stdout.flush()


def tell(notices: Sequence[str]) -> None:
    """Say on standard error what was amiss."""
    for notice in notices:
        console(stderr=True).print(safe(notice), style="yellow", markup=False, soft_wrap=True)


def show_respelled(respelled: Sequence[Respelled]) -> None:
    """Say on standard error which mistyped words were searched as the notes spell them."""
    for each in respelled:
        console(stderr=True).print(
            safe(str(each)), style="dim", markup=False, highlight=False, soft_wrap=True
        )


def progress_bar() -> Progress:
    """A progress bar on a terminal's standard error; elsewhere it draws nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(None),
        MofNCompleteColumn(),
        TimeLeft(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


@contextmanager
def at_work(what: str) -> Iterator[None]:
    """Says on a terminal's standard error what takes a while, until it is done."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(safe(what)):
        yield


def duration(seconds: float) -> str:
    """A span of time in its nearest unit: "40 s", "12 min", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def counted(number: int, thing: str) -> str:
    """A number of things: "1 note", "2,000 notes"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
