"""The manual page: complete, current, and sound to the program that shows it."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.commands.parser import build_parser
from rag.shell.manual import ENVIRONMENT, FILES, STATUSES, _escaped, manual

PAGE = Path(__file__).parents[2] / "docs" / "man" / "rag.1"


def flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield name
                yield from flags(command)
        elif action.help != argparse.SUPPRESS:
            yield from action.option_strings


def test_the_page_that_is_installed_names_every_flag():
    text = PAGE.read_text().replace("\\-", "-")
    missing = sorted(each for each in set(flags(build_parser())) if each not in text)
    assert not missing, "run: make man"


def test_it_names_the_files_and_variables_that_hold_settings():
    text = PAGE.read_text().replace("\\-", "-")
    for name, said in (*ENVIRONMENT, *FILES):
        assert name in text, "run: make man"
        assert said in text, "run: make man"
    assert "RAG_CONFIG_DIR" in text
    assert "[endpoint]" in text


def test_statuses_are_those_of_help():
    for epilog in {each.epilog for each in commands()}:
        assert all(status in str(epilog) for status, _ in STATUSES)


def commands() -> Iterator[argparse.ArgumentParser]:
    for action in build_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def test_it_can_be_shown(tmp_path: Path):
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    page = tmp_path / "rag.1"
    page.write_text(manual(build_parser()))
    done = subprocess.run(
        ["man", "--warnings", "-l", "-Tutf8", str(page)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not done.stderr
    shown = " ".join(re.sub(".\b", "", done.stdout).split())
    for words in ("EXIT STATUS", "rag ask", "NO_COLOR", "The notes do not say."):
        assert words in shown


@pytest.mark.parametrize(
    ("text", "roff"),
    [(".SH x", r"\&.SH x"), ("'tis", r"\&\(aqtis"), ("a\\b", r"a\eb"), ("--no", r"\-\-no")],
)
def test_text_means_nothing_to_roff(text: str, roff: str):
    assert _escaped(text) == roff
