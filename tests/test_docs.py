"""What the documentation shows: every command runs, every page is linked."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

from rag.commands.parser import build_parser
from rag.config import Config
from rag.config_files import load_config
from tests.conftest import Box

pytestmark = pytest.mark.model
PROJECT = Path(__file__).parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = ("sh", "console", "bash")
# Why a command that is shown is not run here.
_NOT_RUN = {
    ("chat",): "waits for a person: tests/tui/test_terminal.py types",
    ("mcp",): "waits for a client: tests/test_mcp.py is one",
    ("serve",): "waits for a client: tests/http/test_app.py is one",
    ("index", "--watch"): "goes on until Ctrl-C: tests/test_watching.py",
    ("models", "pull"): "downloads: tests/models/test_download.py does from a server of its own",
    ("models", "use", "Qwen3-1.7B"): "was not downloaded",
    ("models", "use", "multilingual-e5-small"): "was not downloaded; tests/models/test_download.py",
    ("models", "remove"): "was not downloaded",
    ("service", "uninstall"): "would stop the service of whoever tests: tests/test_service.py",
}
_QUESTION = {
    "id": "1",
    "question": "What does GAN stand for?",
    "answers": ["Generative Adversarial Networks"],
    "note": "genai-cheatsheet.txt",
}


def shown() -> list[tuple[str, list[str]]]:
    """Page and words of each command `rag` that the documentation shows, also in a pipe."""
    found = []
    for page in PAGES:
        for language, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if language in _SHELL or (not language and line.startswith("$ ")):
                    words = shlex.split(line.removeprefix("$ "), comments=True)
                    found += [(page.name, each) for each in _own(words)]
    return found


def _own(words: list[str]) -> Iterator[list[str]]:
    """What stands behind `rag`, for each program of a line."""
    programs: list[list[str]] = [[]]
    for word in words:
        if word in {"|", "&&", "&", ";"}:
            programs.append([])
        else:
            programs[-1].append(word)
    for program in programs:
        start = program.index("--") + 1 if program[:1] == ["claude"] else 0
        if program[start : start + 1] == ["rag"]:
            yield list(takewhile(lambda word: word not in {">", ">>", "\\"}, program[start + 1 :]))


def _why_not(words: list[str]) -> tuple[str, ...]:
    """The entry that says why a command is not run; empty for one that is."""
    return next((each for each in _NOT_RUN if tuple(words[: len(each)]) == each), ())


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
        if _why_not(words):
            continue
        typed = [word.replace("~", str(home), 1) if word[:1] == "~" else word for word in words]
        if words[:2] == ["models", "use"]:  # for what follows, the bundled one answers
            box.env["RAG_CONFIG_DIR"] = str(home / "settings")
            typed.append("--yes")
        done = box.rag(*typed, input="+Empty the barrel.\n" if "-" in words else None)
        box.env.pop("RAG_CONFIG_DIR", None)
        allowed = (0, 1) if words[0] in {"ask", "search"} else (0,)
        assert done.returncode in allowed, f"{page}: rag {shlex.join(words)}\n{done.stderr}"


def test_the_first_example_prints_what_is_shown(box: Box):
    _, block = _BLOCK.findall((PROJECT / "README.md").read_text(encoding="utf-8"))[0]
    typed, *lines = block.strip().splitlines()
    shutil.copytree(PROJECT / "corpus", box.folder / "vault")
    done = box.rag(*shlex.split(typed)[2:], "--notes", "vault")
    assert done.returncode == 0, done.stdout + done.stderr
    for line in lines:
        assert line.rstrip("…").strip() in done.stdout, done.stdout


def test_what_is_not_run_is_shown_and_has_a_reason():
    assert {_why_not(words) for _, words in shown()} - {()} == set(_NOT_RUN)


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


def test_the_settings_that_are_shown_can_be_set(tmp_path: Path):
    """As they stand: what is shown are the defaults, but for folders, colours and keys."""
    page = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    for language, block in _BLOCK.findall(page):
        assert language == "toml"
        (tmp_path / "rag.toml").write_text(block, encoding="utf-8")
        config = load_config(tmp_path, {"RAG_CONFIG_DIR": str(tmp_path)})
        free = {name: getattr(config, name) for name in ("notes", "folders", "keys", "chat_theme")}
        assert config == replace(Config(), file=tmp_path / "rag.toml", **free)
