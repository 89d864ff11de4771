"""Completion in a live zsh: keys typed at its prompt, in a terminal of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

import pytest

from rag.commands.parser import build_parser
from rag.shell.completion import script
from tests.conftest import Box
from tests.shell.typed import Typed

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed"),
]
# Ctrl-G writes the line as it stands into a file, and clears it.
SETTINGS = """
autoload -U compinit; compinit -u -d {folder}/dump
unsetopt beep; PS1='ready> '
line() {{ print -r -- "$BUFFER" > {folder}/line.new; mv {folder}/line.new {folder}/line; BUFFER= }}
zle -N line; bindkey '^G' line
"""


@pytest.fixture
def shell(box: Box) -> Box:
    """A box with a tag and a program `rag` on the path of its shells."""
    (box.notes / "bees.md").write_text(
        "---\ntags: [garden/hive, '$(touch owned)', '`touch owned`', 'a;b']\n---\nThe bees.\n"
    )
    (box.notes / "calm.md").write_text("---\nmood: very calm\n---\nThe sea.\n")
    (box.folder / "rag.toml").write_text('[notes]\ngarden = "notes"\n')
    box.index()
    (box.folder / "bin").mkdir()
    program = box.folder / "bin" / "rag"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rag "$@"\n')
    program.chmod(0o755)
    box.env |= {"PATH": f"{program.parent}:{box.environ()['PATH']}", "RAG_NOTES": ""}
    return box


@pytest.fixture(params=["in fpath", "evaluated"])
def zsh(request: pytest.FixtureRequest, shell: Box) -> Iterator[Typed]:
    """A zsh that loads the script on first use, as README says, or evaluates it at its start."""
    folder = shell.folder / "zsh"
    (folder / "functions").mkdir(parents=True)
    settings = f"fpath=({folder}/functions $fpath)\n"
    if request.param == "in fpath":
        (folder / "functions" / "_rag").write_text(script(build_parser(), "zsh"))
    else:
        settings = 'autoload -U compinit; compinit -u\neval "$(rag completion zsh)"\n'
    (folder / ".zshrc").write_text(settings + SETTINGS.format(folder=folder))
    started = Typed(shell, folder / "line", ["zsh", "-i"], ZDOTDIR=str(folder))
    yield started
    started.end()


def test_words_flags_and_names(zsh: Typed, shell: Box):
    assert zsh.complete("rag sea") == "rag search "
    listed = zsh.complete("rag ask --no-", "--no-stream", "--no-refresh")
    assert listed == "rag ask --no-"
    assert zsh.complete('rag ask "what is" --st') == 'rag ask "what is" --strict '
    assert zsh.complete("rag ask --quote what --tag gar") == (
        "rag ask --quote what --tag garden/hive "
    )
    assert zsh.complete("rag ask --notes gar").rstrip() == "rag ask --notes garden"
    notes = str(shell.notes)
    assert zsh.complete(f"rag index {notes[:-2]}").rstrip() == f"rag index {notes}"
    assert zsh.complete("rag ask --with rag.t") == "rag ask --with rag.toml "
    assert zsh.complete("rag forget tri") == "rag forget trips/"
    assert zsh.complete("rag forget trips/rh") == "rag forget trips/rhine.md "
    assert zsh.complete("rag ask --tag=gar") == "rag ask --tag=garden/hive "
    assert zsh.complete("rag ask --path=tri") == "rag ask --path=trips/"
    assert zsh.complete("rag search --where mo") == "rag search --where mood="
    done = "rag search --where mood=very\\ calm "
    assert zsh.complete("rag search --where mood=v") == done
    assert zsh.complete("rag search --where mood=very\\ c") == done
    assert zsh.complete("rag models us") == "rag models use "
    assert zsh.complete("rag models use SmolLM2-135M") == "rag models use SmolLM2-135M-Instruct "
    assert zsh.complete("rag completion fi") == "rag completion fish "
    assert not (shell.folder / "owned").exists()
