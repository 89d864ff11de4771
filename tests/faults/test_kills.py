"""Killed at random moments: what is complete stays, and the next run makes the rest good."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.answering.conversations import Conversations
from rag.errors import NoIndex
from rag.forgetting import forget_notes
from rag.indexing.verify import verify_index
from tests.conftest import NOTES
from tests.faults import jobs
from tests.faults.vault import Vault, figure, holding, scale

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def forked() -> Callable[..., multiprocessing.Process]:
    """Starts a job in a process forked from one that has everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.jobs"])

    def start(job, *arguments) -> multiprocessing.Process:
        process = context.Process(target=job, args=arguments)
        process.start()
        return process

    return start


def kill(process: multiprocessing.Process, after: float) -> bool:
    """Whether it was killed, and had not ended before."""
    process.join(after)
    if process.exitcode is None:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        return True
    assert process.exitcode == 0
    return False


def aimed(longest: float, reached: bool) -> float:
    """Up to when to kill the next run, so that some get to their end and some do not, however busy
    the machine is now."""
    return longest * (0.9 if reached else 1.08)


def test_killed_while_indexing(tmp_path: Path, forked):
    chance = random.Random(5)
    vault = Vault(tmp_path)
    vault.fill(24, chance)
    vault.index()
    for _ in range(2):  # the first starts the server
        started = time.perf_counter()
        forked(jobs.index, tmp_path, True).join()
        longest = time.perf_counter() - started
    complete, killed, finished, number = vault.hashes(), 0, 0, 0
    while number < scale(12, 300) or (not finished and number < 400):
        number += 1
        vault.change(chance)
        wanted = vault.hashes()
        process = forked(jobs.index, tmp_path, number % 4 == 3)
        if kill(process, chance.uniform(0, longest)):
            killed += 1
        found = vault.indexed()
        assert found in (complete, wanted), "neither the last generation nor the next"
        complete = found
        finished += found == wanted
        longest = aimed(longest, found == wanted)
        engine = vault.engine()
        assert engine.search("honey in the meadow"), "no answer"
        engine.close()
        if number % 10 == 9:
            vault.check_like_new()
            complete = vault.hashes()
    assert killed > 3
    assert 0 < finished < number, "killed too early or too late to tell anything"
    assert vault.check_like_new() > 20
    assert not verify_index(vault.folder, vault.notes).damage
    assert not list(vault.data.rglob("*partial*"))
    figure(f"killed {killed} runs, of which the generation was complete in {finished}")


@pytest.mark.parametrize("name", sorted(each.name for each in DATA.glob("*.tar.gz")))
def test_killed_while_migrating(tmp_path: Path, forked, name: str):
    chance = random.Random(6)
    longest, migrated = 0.4, 0
    for number in range(scale(3, 40)):
        vault = Vault(tmp_path / str(number))
        for path, text in NOTES.items():
            vault.write(path, text)
        vault.fill(3, chance)
        with tarfile.open(DATA / name) as archive:
            archive.extractall(vault.data, filter="data")
        registry = vault.data / "folders.json"
        registry.write_text(registry.read_text().replace("/home/reader/notes", str(vault.notes)))
        kill(forked(jobs.index, vault.root, True), chance.uniform(0, longest))
        engine = vault.engine()
        reached = True
        try:
            engine.status()
        except NoIndex:
            reached = False  # killed before the first step; only a writer may migrate
        finally:
            engine.close()
        migrated += reached
        if "format-1" in name:  # of the others, nothing tells
            longest = aimed(longest, reached)
        vault.index(rebuild=True)
        assert vault.check_like_new() > 5
    figure(f"{name}: {scale(3, 40)} kills, {migrated} of them after the first step")


def test_killed_while_conversations_are_kept(tmp_path: Path, forked):
    chance = random.Random(7)
    vault = Vault(tmp_path)
    vault.fill(1, chance)
    told = tmp_path / "told"
    for _ in range(scale(6, 100)):
        kill(forked(jobs.converse, tmp_path, told), chance.uniform(0.05, 0.4))
        kept = Conversations(vault.data, vault.notes)
        assert not kept.notice
        turns = [turn for each in kept.all() for turn in kept.turns(each.id)]
        kept.close()
        said = told.read_text().split() if told.exists() else []
        numbers = {turn.question.split()[1] for turn in turns}
        assert numbers >= set(said), "a turn was lost that had been kept"
        assert all(turn.answer.startswith("Answer") for turn in turns)
    assert said


def test_killed_while_forgetting(tmp_path: Path, forked):
    """What was begun to be forgotten leaves no text once the next run is done."""
    chance = random.Random(8)
    vault = Vault(tmp_path)
    vault.fill(12, chance)
    killed = half = 0
    for number in range(scale(6, 100)):
        name = f"secret{number}.md"
        vault.write(name, "# Hidden\n\n" + "Xylophonequartz of Brobdingnag. " * 40)
        vault.index()
        stopped = kill(forked(jobs.forget, tmp_path, name), chance.uniform(0, 0.5))
        killed += stopped
        left = holding(vault.data, (b"xylophon", b"brobding"))
        vault.index()
        if name in vault.indexed():
            assert stopped, "it said that it was forgotten"
            forget_notes(vault.engine(), [name], False)
        else:
            half += bool(left)
        assert not holding(vault.data, (b"xylophon", b"brobding")), number
        (vault.notes / name).unlink()
    assert not verify_index(vault.folder, vault.notes).damage
    figure(f"killed {killed} while forgetting, {half} with text left that the next run erased")
