"""The real program in a pseudo-terminal: asked, suspended, left with the terminal restored."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-9;?>=<$ ]*[A-Za-z~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>()][A-Z0-9]?)"
)
ALTERNATE, RESTORED = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A program behind a pseudo-terminal, and what it wrote."""

    def __init__(self, command: list[str], environ: dict[str, str], cwd: str) -> None:
        self.raw = b""
        self.pid, self.leader = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.chdir(cwd)
            os.execvpe(command[0], command, environ)
        self.resize(34, 120)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())

    def read(self, seconds: float = 0.1) -> bool:
        """Take what is there; False when the program has ended."""
        if not select.select([self.leader], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self.leader, 1 << 16)
        except OSError:
            return False
        self.raw += part
        return bool(part)

    def text(self, since: int = 0) -> str:
        """What was written, without escapes: in the order of drawing."""
        return _ESCAPE.sub(b" ", self.raw[since:]).decode(errors="replace")

    def until(self, text: str, since: int = 0, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        wanted = " ".join(text.split())
        while wanted not in " ".join(self.text(since).split()):
            assert time.monotonic() < end, self.text(since)[-3000:]
            assert self.read(), self.text(since)[-3000:]

    def ended(self, seconds: float = 15) -> int:
        """Wait for the end; the exit status."""
        end = time.monotonic() + seconds
        while True:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, self.text()[-3000:]


@pytest.fixture
def start(box: Box) -> Iterator:
    """Start a command in a terminal; what still runs at the end is killed."""
    started: list[Terminal] = []

    def run(*command: str) -> Terminal:
        environ = {**box.environ(), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        started.append(Terminal(list(command), environ, str(box.folder)))
        return started[-1]

    yield run
    for each in started:
        try:
            os.kill(each.pid, signal.SIGKILL)
            os.waitpid(each.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(each.leader)


def test_a_question_is_typed_and_answered_with_its_source(box: Box, start):
    box.index()
    terminal = start(sys.executable, "-m", "rag", "chat")
    terminal.until("Ask your notes")
    terminal.type("How many litres does the rain barrel hold?\r")
    terminal.until("The rain barrel holds 300 litres.")
    terminal.until("barrel.md:3")
    terminal.until("borne out")  # the evidence, shown before, says the same
    here = len(terminal.raw)
    terminal.type("\x0f")  # Ctrl+O: the sources, the passage selected
    terminal.until("Whole note", here)
    here = len(terminal.raw)
    terminal.type("\r")
    terminal.until("l links", here)
    terminal.type("\x1b")
    time.sleep(0.5)
    terminal.resize(24, 80)
    terminal.type("\x11")  # Ctrl+Q
    assert terminal.ended() == 0
    assert terminal.raw.count(ALTERNATE) == terminal.raw.count(RESTORED) == 1
    assert "Traceback" not in terminal.text()
    again = start(sys.executable, "-m", "rag", "chat", "--continue")
    again.until("The rain barrel holds 300 litres.")
    again.type("\x11")
    assert again.ended() == 0


def test_a_folder_that_never_was_is_refused_before_the_screen_opens(box: Box, start):
    nowhere = box.folder / "nowhere"
    terminal = start(sys.executable, "-m", "rag", "chat", "--notes", str(nowhere))
    assert terminal.ended() == 2
    assert "There is no folder" in terminal.text()
    assert ALTERNATE not in terminal.raw
    box.index()
    box.notes.rename(nowhere)  # as a disk that is not mounted
    terminal = start(sys.executable, "-m", "rag", "chat", "--notes", str(box.notes))
    terminal.until("Ask your notes")


def test_a_paste_with_escapes_presses_no_keys(box: Box, start):
    box.index()
    terminal = start(sys.executable, "-m", "rag", "chat")
    terminal.until("ready")
    here = len(terminal.raw)
    terminal.type("\x1b[200~a \x1b[31mred\x1b[0m barrel\n\x11and a blue one\x1b[201~")
    terminal.until("and a blue one", here)
    terminal.type("\x11")
    assert terminal.ended() == 0
    assert "do not say" not in terminal.text(here)  # no line of it was sent


def test_an_editor_that_is_not_there_costs_no_screen(box: Box, start):
    box.index()
    box.env["EDITOR"] = "/no/such/editor"
    terminal = start(sys.executable, "-m", "rag", "chat")
    terminal.until("ready")
    terminal.type("How many litres does the rain barrel hold?\r")
    terminal.until("borne out")
    terminal.type("\x0f")
    terminal.until("Whole note")
    here = len(terminal.raw)
    terminal.type("o")
    terminal.until("could not be started", here)
    terminal.type("\x11")
    assert terminal.ended() == 0


def test_ctrl_c_while_it_starts_restores_the_terminal(box: Box, start):
    box.index()
    terminal = start(sys.executable, "-m", "rag", "chat")
    terminal.until("Ask your notes")
    terminal.type("\x03")
    assert terminal.ended() == 0
    assert RESTORED in terminal.raw


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with jobs")
def test_ctrl_z_suspends_and_fg_comes_back(box: Box, start):
    box.index()
    terminal = start("bash", "--norc", "--noprofile", "-i")
    terminal.type(f"{sys.executable} -m rag chat\n")
    terminal.until("ready", seconds=60)
    here = len(terminal.raw)
    terminal.type("\x1a")
    terminal.until("Stopped", here)
    assert RESTORED in terminal.raw[here:]
    here = len(terminal.raw)
    terminal.type("fg; echo left with $?\n")
    terminal.until("ready", here)
    terminal.until("sk your notes…", here)  # behind the cursor: all is drawn again
    here = len(terminal.raw)
    terminal.type("\x11")
    terminal.until("left with 0", here)


def test_a_terminal_that_goes_without_a_hang_up_ends_the_program(box: Box):
    """As with nohup: nobody tells the program, and what it reads keys from is gone."""
    box.index()
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 34, 120, 0, 0))
    environ = {**box.environ(), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "rag", "chat"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environ,
        cwd=box.folder,
    ) as program:
        os.close(follower)
        seen, end = b"", time.monotonic() + 60
        while b"Ask your notes" not in seen:
            assert time.monotonic() < end, seen[-3000:]
            if select.select([leader], [], [], 0.1)[0]:
                seen += os.read(leader, 1 << 16)
        os.close(leader)
        try:
            assert program.wait(30) == 1
        finally:
            program.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_is_killed_leaves_the_terminal_as_it_was(box: Box, start, number: int):
    box.index()
    terminal = start(sys.executable, "-m", "rag", "chat")
    terminal.until("Ask your notes")
    os.kill(terminal.pid, number)
    assert terminal.ended() == 128 + number
    assert terminal.raw.count(ALTERNATE) == terminal.raw.count(RESTORED) == 1
    assert terminal.raw.rindex(b"\x1b[?25h") > terminal.raw.rindex(b"\x1b[?25l")  # the cursor
