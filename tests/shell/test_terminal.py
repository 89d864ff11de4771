"""Colour on a terminal, and none for readers who want none."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
COLOUR = re.compile(r"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[\d;]*m")


def shown(box: Box, *arguments: str) -> str:
    """What `rag` writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", *arguments],
        env={**box.environ(), "TERM": "xterm-256color", "COLUMNS": "80"},
        cwd=box.folder, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 1 << 16):
            written += data
    except OSError:  # the terminal's other end is closed: the program has ended
        pass
    os.close(ours)
    process.wait(60)
    return written.decode(errors="replace")


@pytest.mark.parametrize("arguments", [("search", "rain barrel"), ("search", "?!")])
def test_no_color(box: Box, arguments: tuple[str, ...]):
    box.index()
    box.env["NO_COLOR"] = ""
    assert COLOUR.search(shown(box, *arguments))
    box.env["NO_COLOR"] = "1"
    assert not COLOUR.search(shown(box, *arguments))


def test_what_takes_long_shows_how_far_it_is(box: Box):
    (box.notes / "oak.md").write_text(
        "# Oak\n\nThe old oak behind the chapel was planted in 1794 by Jonas Weber, who later gave "
        "the whole meadow around it to the parish for a yearly feast.\n"
    )
    box.index()
    assert "reading paragraphs" in shown(box, "eval", "--make", "3", "made.jsonl")
    assert "measuring SmolLM2-135M-Instruct" in shown(box, "models", "bench")
