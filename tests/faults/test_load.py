"""Indexers, askers and an editor, all at once; and a vault that is pulled from under them."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from rag.errors import NotesMissing
from rag.indexing.home import writing
from rag.indexing.verify import verify_index
from tests.faults import jobs
from tests.faults.vault import Vault, figure, scale, some_note

INDEXERS, ASKERS = 4, 8


def versioned(vault: Vault, chance: random.Random, number: int) -> None:
    """A note of which every passage holds the version that its title names."""
    mark = f"v{chance.randrange(10**9)}"
    text = some_note(chance, number).replace("# Note", f"# {mark} Note", 1)
    lines = [f"{line} {mark}" if line.strip() else line for line in text.split("\n")]
    vault.write(f"part{number % 3}/note{number}.md", "\n".join(lines))


def test_indexers_askers_and_an_editor(tmp_path: Path):
    chance = random.Random(21)
    vault = Vault(tmp_path)
    for number in range(30):
        versioned(vault, chance, number)
    vault.index()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.jobs"])
    context.Process(target=int).start()
    until, errors = time.time() + scale(4, 180), tmp_path / "errors"
    common = (tmp_path, until, errors)
    running = [context.Process(target=jobs.keep_indexing, args=common) for _ in range(INDEXERS)]
    running += [
        context.Process(target=jobs.keep_asking, args=(*common, seed)) for seed in range(ASKERS)
    ]
    for process in running:
        process.start()
    edits = 0
    while time.time() < until:
        versioned(vault, chance, chance.randrange(30))
        file = chance.choice(sorted(vault.notes.rglob("*.md")))
        file.rename(file.with_name(f"moved{chance.randrange(40)}.md"))
        edits += 2
        time.sleep(chance.uniform(0.01, 0.2))
    for process in running:
        process.join(120)
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
            pytest.fail("deadlock: a process did not end")
    assert not errors.exists(), errors.read_text()[:4000]
    assert all(process.exitcode == 0 for process in running)
    assert vault.check_like_new() > 30
    assert not verify_index(vault.folder, vault.notes).damage
    figure(f"{INDEXERS} indexers, {ASKERS} askers, {edits} edits")


def hold_the_lock(root: Path, told: Path) -> None:
    with writing(Vault(root).folder):
        told.touch()
        time.sleep(60)


def test_the_lock_of_a_dead_writer_is_taken_over(tmp_path: Path):
    vault = Vault(tmp_path)
    vault.fill(3, random.Random(1))
    vault.index()
    told = tmp_path / "held"
    process = multiprocessing.get_context("spawn").Process(
        target=hold_the_lock, args=(tmp_path, told)
    )
    process.start()
    while not told.exists():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    vault.write("more.md", "# More\n\nA kettle.\n")
    vault.index()
    assert "more.md" in vault.indexed()


def test_notes_that_change_while_they_are_read(tmp_path: Path):
    """Each step of a run finds the folder changed since the step before."""
    chance = random.Random(31)
    vault = Vault(tmp_path)
    vault.fill(20, chance)
    vault.index()
    for _ in range(scale(5, 100)):
        vault.change(chance)
        for _ in vault.engine().index(remove_missing=True):
            vault.change(chance)
            for file in chance.sample(sorted(vault.notes.rglob("*.md")), 2):
                with file.open("r+") as handle:
                    handle.truncate(chance.randrange(60))
        assert vault.ask()[0]
    assert vault.check_like_new() > 5


def test_an_unplugged_vault(tmp_path: Path):
    """Emptied, gone, or most of it gone: nothing is removed before the reader says so."""
    vault = Vault(tmp_path)
    vault.fill(11, random.Random(2))
    vault.index()
    (vault.notes / "part0/note0.md").unlink()
    vault.index()
    shown, before = vault.ask()[0], vault.indexed()
    assert len(before) == 10
    away = tmp_path / "away"
    vault.notes.rename(away)
    for state in ("gone", "empty", "most are gone"):
        if state == "empty":
            vault.notes.mkdir()
        if state == "most are gone":
            vault.write("part0/note3.md", (away / "part0/note3.md").read_text())
        got, (notice,) = vault.ask()
        assert got == shown, state
        assert notice.startswith("Asking what was indexed. "), notice
        assert vault.indexed() == before, state
    assert "9 of the 10 notes indexed" in notice
    assert "rag index --remove-missing" in notice
    with pytest.raises(NotesMissing):
        vault.index()
    with pytest.raises(NotesMissing):
        vault.index(rebuild=True)
    assert vault.indexed() == before
    vault.index(remove_missing=True)
    assert list(vault.indexed()) == ["part0/note3.md"]


def test_a_vault_that_was_tidied_or_moved_about_is_not_asked_about(tmp_path: Path):
    vault = Vault(tmp_path)
    vault.fill(10, random.Random(3))
    vault.index()
    for file in sorted(vault.notes.rglob("*.md"))[:5]:
        file.unlink()
    vault.index()
    assert len(vault.indexed()) == 5
    (vault.notes / "other").mkdir()
    for file in sorted(vault.notes.rglob("*.md")):
        file.rename(vault.notes / "other" / file.name)
    vault.index()
    assert len(vault.indexed()) == 5
