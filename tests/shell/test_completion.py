"""Completion as the shells do it, and what it may never hand to a shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.commands.parser import build_parser
from rag.models.catalog import find_model
from rag.models.weights import locate
from rag.shell.completion import KINDS, SHELLS, _actions, _kind, script
from tests.conftest import Box
from tests.shell.typed import Typed

pytestmark = pytest.mark.model
IN_BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_shtab_rag
printf '%s\\n' "${COMPREPLY[@]}"
"""
# What zsh would offer: its own completion needs a terminal, our functions do not.
IN_ZSH = """
compadd() { shift; print -l -- ${(P)1} }
_arguments() { : }; _describe() { : }; _files() { : }; compdef() { : }
source "$1"
"$2"
"""


@pytest.fixture
def shell(box: Box) -> Box:
    """A box whose shell finds `rag`, with tags in its notes."""
    (box.notes / "bees.md").write_text(
        "---\ntags: [garden/hive, '$(touch owned)', '`touch owned`', 'a;b', '-x', été]\n---\n"
        "The bees.\n"
    )
    box.index()
    programs = box.folder / "bin"
    programs.mkdir()
    (programs / "rag").write_text(f'#!/bin/sh\nexec {sys.executable} -m rag "$@"\n')
    (programs / "rag").chmod(0o755)
    box.env["PATH"] = f"{programs}:{box.environ()['PATH']}"
    return box


def run(box: Box, *command: str) -> list[str]:
    done = subprocess.run(
        command, env=box.environ(), cwd=box.folder, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return [line.partition("\t")[0] for line in done.stdout.split("\n") if line]


def saved(box: Box, name: str) -> Path:
    file = box.folder / f"rag.{name}"
    file.write_text(script(build_parser(), name))
    return file


def needs(name: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def test_bash(shell: Box):
    file = str(saved(shell, needs("bash")))

    def completed(*words: str) -> list[str]:
        return run(shell, "bash", "--norc", "-c", IN_BASH, "bash", file, "rag", *words)

    assert "ask" in completed("a")
    assert set(completed("ask", "--no-")) == {"--no-stream", "--no-refresh"}
    assert completed("ask", "--tag", "gar") == ["garden/hive"]
    assert str(shell.notes) in completed("ask", "--notes", str(shell.notes)[:-2])
    assert completed("completion", "fi") == ["fish"]
    assert not (shell.folder / "owned").exists()


def test_folders_with_spaces_are_quoted_in_a_live_bash(shell: Box):
    folder = shell.folder
    (folder / "Obsidian Vault").mkdir()
    (shell.notes / "calm.md").write_text("---\nmood: very calm\n---\nThe sea.\n")
    (shell.notes / "trips" / "To the sea.md").write_text("A day.\n")
    shell.index()
    (folder / "rag.toml").write_text('[notes]\n"my own" = "notes"\n')
    shell.env["RAG_NOTES"] = ""
    settings = folder / "settings"
    settings.write_text(
        f"source {saved(shell, needs('bash'))}; PS1='ready> '\n"
        'bind -x \'"\\C-g": printf %s "$READLINE_LINE" > line.new; mv line.new line; '
        "READLINE_LINE='\n"
    )
    bash = Typed(shell, folder / "line", ["bash", "--rcfile", str(settings), "-i"])
    try:
        assert bash.complete("rag ask --notes Obs") == "rag ask --notes Obsidian\\ Vault/"
        assert bash.complete("rag index Obsidian\\ V") == "rag index Obsidian\\ Vault/"
        assert bash.complete("rag ask --notes my").rstrip() == "rag ask --notes my\\ own"
        assert bash.complete("rag ask --tag gar").rstrip() == "rag ask --tag garden/hive"
        assert bash.complete("rag ask --tag=gar").rstrip() == "rag ask --tag=garden/hive"
        assert bash.complete("rag ask --notes=my").rstrip() == "rag ask --notes=my\\ own"
        assert bash.complete("rag ask what is: --qu").rstrip() == "rag ask what is: --quote"
        assert bash.complete("rag search --path=tri") == "rag search --path=trips/"
        assert bash.complete("rag forget tri") == "rag forget trips/"
        done = "rag forget trips/To\\ the\\ sea.md"
        for typed in ("trips/T", "trips/To\\ the", "'trips/To t"):
            said = bash.complete(f"rag forget {typed}").rstrip()
            assert said == ("rag forget 'trips/To the sea.md'" if "'" in typed else done)
        assert bash.complete("rag search --path=trips/To\\ t").rstrip() == done.replace(
            "forget ", "search --path="
        )
        assert bash.complete("rag search --where mo") == "rag search --where mood="
        done = "rag search --where mood=very\\ calm"
        assert bash.complete("rag search --where mood=").rstrip() == done
        said = bash.complete("rag search --where 'mood=v").rstrip()
        assert said == "rag search --where 'mood=very calm'"
        done = "rag search --where=mood=very\\ calm"
        assert bash.complete("rag search --where=mood=v").rstrip() == done
    finally:
        bash.end()


def test_fish(shell: Box):
    (shell.notes / "calm.md").write_text("---\nmood: very calm\n---\nThe sea.\n")
    shell.index()
    file = str(saved(shell, needs("fish")))

    def completed(line: str) -> list[str]:
        return run(shell, "fish", "--no-config", "-c", f"source {file}; complete -C '{line}'")

    assert "search" in completed("rag sea")
    assert "--tag" in completed("rag ask --ta")
    assert completed("rag ask --tag garden") == ["garden/hive"]
    assert completed("rag ask --tag=garden") == ["--tag=garden/hive"]
    assert completed("rag ask --path tr") == ["trips/"]
    assert completed("rag forget trips/rh") == ["trips/rhine.md"]
    assert completed("rag search --where mo") == ["mood="]
    assert completed("rag search --where mood=v") == ["mood=very calm"]
    assert completed("rag search --where=mood=v") == ["--where=mood=very calm"]
    assert str(shell.notes) in completed(f"rag ask --notes {str(shell.notes)[:-2]}")
    assert not (shell.folder / "owned").exists()


def test_zsh(shell: Box):
    file = str(saved(shell, needs("zsh")))
    run(shell, "zsh", "-n", file)
    assert "garden/hive" in run(shell, "zsh", "-f", "-c", IN_ZSH, "zsh", file, "_rag_tags")
    assert not (shell.folder / "owned").exists()


def test_values(shell: Box):
    assert run(shell, "rag", "completion", "--values", "tags") == ["garden/hive", "été"]
    known = run(shell, "rag", "completion", "--values", "models")
    assert known
    assert "SmolLM2-135M-Instruct" not in known  # it came with the installation
    (shell.folder / "rag.toml").write_text('[notes]\ngarden = "notes"\n"my own" = "notes"\n')
    shell.env["RAG_NOTES"] = ""
    folders = run(shell, "rag", "completion", "--values", "folders")
    assert folders == ["garden", "my own", str(shell.notes)]


def test_paths_and_fields_come_step_by_step(shell: Box):
    (shell.notes / "trips" / "My $(touch owned).md").write_text("The owned note.\n")
    (shell.notes / "trips" / "To Köln.md").write_text(
        "---\nstatus: half done\nrating: 4\nevil: $(touch owned)\n---\nA city.\n"
    )
    shell.index()

    def values(kind: str, begun: str) -> list[str]:
        return run(shell, "rag", "completion", "--values", kind, f"--begun={begun}")

    assert values("paths", "") == ["barrel.md", "bees.md", "trips/"]
    assert values("paths", "trips/") == ["trips/To Köln.md", "trips/rhine.md"]
    assert values("paths", "trips/r") == ["trips/rhine.md"]
    assert values("paths", "-") == values("paths", "trips/rhine.md/") == []
    assert {"status=", "rating=", "evil="} <= set(values("fields", ""))
    assert values("fields", "status=") == ["status=half done"]
    assert values("fields", "Status=h") == ["Status=half done"]
    assert values("fields", "evil=") == values("fields", "none=") == []
    (shell.folder / "rag.toml").write_text('[notes]\ngone = "gone"\ngarden = "notes"\n')
    shell.env["RAG_NOTES"] = ""
    assert values("paths", "") == ["garden/"]
    assert values("paths", "garden/b") == ["garden/barrel.md", "garden/bees.md"]
    (shell.folder / "rag.toml").write_text('[notes]\ntrips = "notes/trips"\ngarden = "notes"\n')
    found = shell.rag("search", "--path", "garden/bees.md", "The bees")
    assert "garden/bees.md" in found.stdout


def test_tags_where_one_folder_of_several_is_not_indexed(shell: Box):
    (shell.folder / "rag.toml").write_text(
        f'[notes]\ngone = "gone"\nnew = "{shell.folder / "bin"}"\ngarden = "notes"\n'
    )
    shell.env["RAG_NOTES"] = ""
    assert run(shell, "rag", "completion", "--values", "tags") == ["garden/hive", "été"]


def test_models_are_those_that_the_command_takes(shell: Box):
    def values(kind: str) -> list[str]:
        return run(shell, "rag", "completion", "--values", kind)

    bundled, embedder = "SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"
    assert {bundled, embedder, "endpoint"} <= set(values("here"))
    assert values("generators") == [bundled]
    assert values("mine") == []
    (shell.folder / "my.gguf").symlink_to(locate(find_model(bundled, "generator")))
    assert shell.rag("models", "add", "my.gguf").returncode == 0
    assert values("mine") == ["my"]
    kinds = {
        command: _kind(command, action)
        for command, action in _actions(build_parser())
        if action.dest == "model"
    }
    assert kinds == {
        "pull": "models", "show": "here", "use": "here", "remove": "mine", "bench": "generators",
        "eval": "generators",
    }  # fmt: skip


def test_values_of_nothing(box: Box):
    """Completion stays silent where there is no index, and where settings are broken."""
    assert run(box, sys.executable, "-m", "rag", "completion", "--values", "tags") == []
    (box.folder / "rag.toml").write_text("no toml")
    for kind in KINDS:
        assert run(box, sys.executable, "-m", "rag", "completion", "--values", kind) == []


def test_the_command_prints_the_script(box: Box):
    for name in SHELLS:
        assert "no-refresh" in box.rag("completion", name).stdout
    box.refused("completion", "tcsh", says="knows bash, zsh, fish")
    box.refused("completion", says="Name your shell")
