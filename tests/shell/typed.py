"""A live shell: keys typed at its prompt, in a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Box

PATIENCE = 120  # seconds


class Typed:
    """A shell at its prompt "ready>", in the folder of `box`. Its settings bind Ctrl-G to what
    writes the line as it stands into the file `line`, and clears it."""

    def __init__(self, box: Box, line: Path, command: list[str], **environ: str) -> None:
        self._line = line
        self._shown = b""
        self._process, self._terminal = pty.fork()
        if not self._process:
            os.chdir(box.folder)
            os.execvpe(
                command[0], command, {**box.environ(), "COLUMNS": "200", "TERM": "dumb", **environ}
            )
        self.complete("", "ready>")

    def complete(self, typed: str, *listed: str) -> str:
        """The line after Tab. Before it is asked for, the shell must have shown all of `listed`:
        zsh lists nothing while keys are waiting."""
        self._line.unlink(missing_ok=True)
        self._shown = b""
        os.write(self._terminal, f"{typed}{chr(9) if typed else ''}".encode())
        self._wait(lambda: all(each.encode() in self._shown for each in listed))
        os.write(self._terminal, b"\x07")
        self._wait(self._line.exists)
        return self._line.read_text().removesuffix("\n")

    def _wait(self, done: Callable[[], bool]) -> None:
        """Read what the shell shows until `done`."""
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, self._shown
            if select.select([self._terminal], [], [], 0.1)[0]:
                self._shown += os.read(self._terminal, 1 << 16)

    def end(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._terminal)
