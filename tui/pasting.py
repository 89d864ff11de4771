"""What is pasted is text, whatever it holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

_ESC = "\x1b"
_BEGIN, _END = "\x1b[200~", "\x1b[201~"  # around what is pasted: xterm's "bracketed paste mode"


class PastedAsText(XTermParser):
    """Takes escape characters out of what is pasted.

    Textual (8.2) plays what follows one inside a paste as keys: a line end sends a question, and
    a control character may quit. Most terminals leave them out themselves; tmux does not.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._inside = False
        self._tail = ""  # of what came: a mark may begin in one piece and end in the next

    def feed(self, data: str) -> Iterable[Message]:
        text = self._without_escapes(data)
        return super().feed(text) if text or not data else ()  # nothing says: it has ended

    def _without_escapes(self, data: str) -> str:
        kept = ""
        while data:
            kept, data = (self._in_paste if self._inside else self._in_keys)(kept, data)
        return kept

    def _in_keys(self, kept: str, data: str) -> tuple[str, str]:
        """What is kept until a paste begins, and what comes after that."""
        seen = self._tail + data
        _, begin, after = seen.partition(_BEGIN)
        self._inside = bool(begin)
        self._tail = "" if begin else seen[1 - len(_BEGIN) :]
        return kept + data[: len(data) - len(after)], after

    def _in_paste(self, kept: str, data: str) -> tuple[str, str]:
        """The same until it ends. What may be the beginning of its end waits for the rest."""
        text, end, after = (self._tail + data).partition(_END)
        self._inside = not end
        held = 0
        if not end:
            held = next(n for n in range(len(_END), -1, -1) if text.endswith(_END[:n]))
        self._tail = text[len(text) - held :]
        return kept + text[: len(text) - held].replace(_ESC, "") + end, after


def take_pastes_as_text() -> None:
    """Have Textual's driver for Linux and macOS parse with it from here on."""
    if sys.platform == "win32":
        return
    from textual.drivers import linux_driver

    linux_driver.XTermParser = PastedAsText  # type: ignore[attr-defined]
