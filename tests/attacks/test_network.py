"""Index, ask, search and chat open no socket: in Python, and seen from the kernel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"
# An audit hook cannot be taken back, and sees what libraries do below `socket`.
OFFLINE = f"""
import io, sys
def refuse(event, _arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise AssertionError(event)
sys.addaudithook(refuse)
from rag.cli import main
for command in ["index"], ["ask", {BARREL!r}], ["ask", "--quote", {BARREL!r}], ["search", "frost"]:
    assert main(command) == 0, command
sys.stdin = io.StringIO({BARREL!r} + "\\n/source 1\\n/quit\\n")
assert main(["chat", "--plain"]) == 0
"""
# The screen, without a terminal; asyncio makes one pair of sockets for itself, which lead nowhere.
SCREEN = f"""
import asyncio, sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith("socket.") else None)
from pathlib import Path
from rag.config_files import load_config
from rag.wiring import build_engine
from tui.app import ChatApp
from tui.widgets.question import QuestionBox
from tui.workplace import workplace
import os
async def chat():
    engine = build_engine(load_config(Path.cwd(), os.environ))
    app = ChatApp(engine, workplace(engine), False, "new")
    async with app.run_test(size=(100, 30)) as pilot:
        seen.clear()
        app.chat.query_one(QuestionBox).insert({BARREL!r})
        await pilot.press("enter")
        for _ in range(600):
            await pilot.pause(0.1)
            if "300 litres" in str([each.text for each in app.chat.query("Answer")]):
                break
        else:
            raise AssertionError("no answer")
    assert not seen, seen
asyncio.run(chat())
"""


def run(box: Box, *command: str, typed: str = "") -> str:
    done = subprocess.run(
        command,
        env=box.environ(),
        cwd=box.folder,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_no_command_opens_a_socket(box: Box):
    assert "300 litres" in run(box, sys.executable, "-c", OFFLINE)


def test_the_screen_opens_no_socket(box: Box):
    box.index()
    run(box, sys.executable, "-c", SCREEN)


@pytest.mark.torture
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    "command",
    [
        ["index", "--rebuild"],
        ["ask", BARREL],
        ["ask", "--quote", BARREL],
        ["search", BARREL],
        ["chat", "--plain"],
    ],
)
def test_the_kernel_saw_no_socket(box: Box, tmp_path: Path, command: list[str]):
    """Below Python: all system calls of the network, of the process and of those it starts."""
    box.index()
    log = tmp_path / "calls"
    said = run(box, "strace", "-f", "-qq", "-e", "trace=network", "-o", str(log),
               sys.executable, "-m", "rag", *command, typed=f"{BARREL}\n/quit\n")  # fmt: skip
    assert command[0] == "index" or "300" in said
    calls = [
        line for line in log.read_text().splitlines() if re.search(r"\b(socket|connect)\(", line)
    ]
    assert not [line for line in calls if "AF_INET" in line or "connect(" in line], calls
