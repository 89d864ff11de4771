"""What the tests run in processes that they kill. Imported once, by a server that forks."""

from __future__ import annotations

import os
import random
import time
import traceback
from pathlib import Path

import faiss  # noqa: F401  imported here, so that a job begins at once
import numpy  # noqa: F401
import tantivy  # noqa: F401

from rag.answering.conversations import Conversations
from rag.answering.saved import SavedTurn
from rag.forgetting import forget_notes
from tests.faults.vault import QUESTIONS, Vault


def index(root: Path, rebuild: bool) -> None:
    list(Vault(root).engine().index(rebuild, remove_missing=True))


def converse(root: Path, told: Path) -> None:
    """Keep turns without end; the number of each is told once it is said to be kept."""
    kept = Conversations(root / "data", root / "notes")
    conversation = None
    known = sum(each.turns for each in kept.all())
    with told.open("a") as said:
        for number in range(known, known + 10_000):
            conversation = kept.add(conversation, turn(number))
            said.write(f"{number}\n")
            said.flush()
            if number % 7 == 6:
                conversation = None


def forget(root: Path, name: str) -> None:
    forget_notes(Vault(root).engine(), [name], True)


def turn(number: int) -> SavedTurn:
    question, answer = f"Question {number} about honey?", f"Answer {number}. " * 40
    return SavedTurn(question, answer, True, "honey", (), (), (), (), "small", 9.0, 1.0, 1e9)


def keep_indexing(root: Path, until: float, errors: Path) -> None:
    with Told(errors):
        while time.time() < until:
            list(Vault(root).engine().index(wait=True, remove_missing=True))
            time.sleep(0.02)


def keep_asking(root: Path, until: float, errors: Path, seed: int) -> None:
    """Each answer's passages of one note must be of one version of it."""
    chance = random.Random(seed)
    with Told(errors):
        engine = Vault(root).engine()
        while time.time() < until:
            if chance.random() < 0.2:
                engine.close()
                engine = Vault(root).engine()
            if chance.random() < 0.3:
                list(engine.refresh())
            versions: dict[str, set[str]] = {}
            found = engine.search(chance.choice(QUESTIONS), k=20)
            assert found, "nothing was found"
            for each in found:
                versions.setdefault(each.path, set()).add(each.title)
                assert each.title.rpartition(" ")[2] in each.text, (each.title, each.text)
            assert all(len(each) == 1 for each in versions.values()), versions
            assert not engine.take_notices()


class Told:
    """Writes what went wrong to a file, where the test reads it."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, where) -> None:
        if error is not None:
            with self._errors.open("a") as file:
                file.write("".join(traceback.format_exception(error)))
            os._exit(1)
