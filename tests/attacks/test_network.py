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
            if any(each.text.startswith("300") for each in app.chat.query("Answer")):
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


# What a library does behind one's back it does after some seconds: ONNX Runtime, for one, reports
# its use to its maker unless it is told not to. Python's audit hook sees nothing of that.
LINGERING = """
import sys, time
from pathlib import Path
from rag.models.bulk import start_bulk_session
from rag.models.sessions import start_session
sessions = start_session(Path(sys.argv[1]), 1), start_bulk_session(Path(sys.argv[1]), 1)
time.sleep(8)
"""
stracing = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def test_no_library_is_let_report_home(box: Box):
    said = run(
        box, sys.executable, "-c", "import os, rag; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    assert said == "1\n"


@stracing
def test_the_kernel_saw_no_library_report_home(box: Box, tmp_path: Path, models_cache: Path):
    (model,) = models_cache.glob("reader-*.onnx")
    box.env |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert not sockets(box, tmp_path / "calls", "-c", LINGERING, str(model))
    assert not (tmp_path / "cache").exists(), "what it keeps to report later"


@pytest.mark.torture
@stracing
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
    command = ["-c", STAYING, *command]
    assert not sockets(box, tmp_path / "calls", *command, typed=f"{BARREL}\n/quit\n")


# The command, and some seconds more, as a person takes them in a chat.
STAYING = """
import sys, time
from rag.cli import main
status = main(sys.argv[1:])
time.sleep(8)
sys.exit(status)
"""


def sockets(box: Box, log: Path, *arguments: str, typed: str = "") -> list[str]:
    """The calls by which a process, or one that it starts, tries to reach anything at all."""
    run(box, "strace", "-f", "-qq", "-e", "trace=network", "-o", str(log),
        sys.executable, *arguments, typed=typed)  # fmt: skip
    calls = re.findall(r"\b(?:socket|connect|sendto)\(.*", log.read_text())
    return [call for call in calls if not re.match(r"socket\(AF_UNIX|socketpair", call)]
