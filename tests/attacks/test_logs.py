"""What is left behind on a disk besides the index: no log of ours holds a note's text."""

from __future__ import annotations

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
SECRET = "zyxomma"


def test_no_log_holds_a_notes_text(box: Box):
    (box.notes / "secret.md").write_text(f"# Secret\n\nThe word of the lodge is {SECRET}.\n")
    state = box.folder / "home"
    state.mkdir()
    box.env |= {"HOME": str(state), "XDG_STATE_HOME": str(state), "TMPDIR": str(state)}
    box.rag("index")
    done = box.rag("ask", "What is the word of the lodge?")
    assert SECRET in done.stdout
    assert SECRET not in done.stderr
    left = [file for file in state.rglob("*") if file.is_file() and SECRET in holds(file)]
    left += [file for file in box.data.rglob("*.log") if SECRET in holds(file)]
    assert not left, left


def test_an_error_names_no_text_of_a_note(box: Box):
    box.index()
    (box.notes / "secret.md").write_text(f"---\n{SECRET}: [\n---\nThe word is {SECRET}.\n")
    done = box.rag("index", "--json")
    assert done.returncode == 0
    assert "not valid YAML" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def holds(file) -> str:
    return file.read_bytes().decode("utf-8", "replace")
