"""What the documentation shows: every command runs, every page is linked."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from rag.commands.parser import build_parser
from tests.conftest import Box

pytestmark = pytest.mark.model
PROJECT = Path(__file__).parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(?:sh|console|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# These wait for a person or another program, or reach the network when one asks them to.
_WAITS = {"chat", "mcp", "serve", "models", "service", "open"}
_QUESTION = {
    "id": "1",
    "question": "What does GAN stand for?",
    "answers": ["Generative Adversarial Networks"],
    "note": "genai-cheatsheet.txt",
}


def shown() -> list[tuple[str, list[str]]]:
    """Page and words of each command `rag` that the documentation shows."""
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if words[:1] == ["rag"]:
                    found.append((page.name, list(takewhile(_own, words[1:]))))
    return found


def _own(word: str) -> bool:
    """Whether a word is still the command's, not the shell's."""
    return word not in {"|", ">", ">>", "&&", "&", ";", "\\"}


def test_there_are_commands():
    assert len(shown()) > 10


@pytest.mark.parametrize(("page", "words"), shown(), ids=lambda each: str(each)[:60])
def test_the_program_knows_the_command(page: str, words: list[str]):
    assert build_parser().parse_args(words), page


def test_every_command_shown_runs(box: Box):
    """As a reader would type them, one after the other, the example notes being the vault."""
    home = box.folder / "home"
    shutil.copytree(PROJECT / "corpus", home / "vault")
    (box.folder / "questions.jsonl").write_text(json.dumps(_QUESTION) + "\n")
    box.env = {"HOME": str(home), "RAG_NOTES": ""}
    assert box.rag("index", str(home / "vault")).returncode == 0
    for page, words in shown():
        if words[0] in _WAITS or "--watch" in words:
            continue
        typed = [word.replace("~", str(home), 1) if word[:1] == "~" else word for word in words]
        done = box.rag(*typed)
        allowed = (0, 1) if words[0] in {"ask", "search"} else (0,)
        assert done.returncode in allowed, f"{page}: rag {shlex.join(words)}\n{done.stderr}"


def test_the_site_builds_without_a_broken_link(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    commands = (tmp_path / "site" / "commands" / "index.html").read_text(encoding="utf-8")
    assert "rag ask" in commands
    assert "{{" not in commands


def test_links_in_the_readme_lead_somewhere():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    local = [
        link.partition("#")[0]
        for link in re.findall(r"\]\(([^)\s]+)\)", text)
        if "://" not in link and not link.startswith("#")
    ]
    assert local
    assert [link for link in local if not (PROJECT / link).exists()] == []
