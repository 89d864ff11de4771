"""Run with `shim.c` preloaded: index and converse while one call to the disk after another fails.

`python -m tests.faults.failing ROOT EVERY SEED`: each EVERYth call fails in a run of its own, as
out of space, forbidden or an I/O error in turn. Prints what happened as one JSON object.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import random
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rag.answering.conversations import Conversations
from rag.errors import RagError
from rag.indexing.verify import verify_index
from tests.faults import jobs
from tests.faults.vault import Vault

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)
SHIM = ctypes.CDLL(None)


def forked(job: Callable[[], object]) -> str:
    """What a job says in a process of its own: "", an error that a reader can see, or a crash."""
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        return said if status == 0 else f"CRASH {status}: {said}"
    try:
        job()
        said = ""
    except RagError as error:
        said = f"{type(error).__name__}: {error}"
    except BaseException:
        said = f"UNFORESEEN {traceback.format_exc()}"
    SHIM.shim_arm(b"", 0, 0, 0)
    os.write(writer, said.encode()[:60_000])
    os._exit(0)


def index_and_converse(vault: Vault, call: int, error: int, lasting: bool) -> None:
    SHIM.shim_arm(str(vault.data).encode(), call, error, int(lasting))
    list(vault.engine().index(remove_missing=True))
    kept = Conversations(vault.data, vault.notes)
    kept.add(None, jobs.turn(1))
    kept.close()
    if not call:
        SHIM.shim_seen.restype = ctypes.c_long
        raise RagError(str(SHIM.shim_seen()))


def check(vault: Vault, before: dict[str, str]) -> None:
    """The old generation or the new one answers; the next run completes it; no turn is lost."""
    assert vault.indexed() in (before, vault.hashes()), "a half-written generation"
    engine = vault.engine()
    assert engine.search("honey in the meadow"), "no answer"
    engine.close()
    vault.index(remove_missing=True)
    assert vault.indexed() == vault.hashes()
    assert len(vault.content()) > 5
    assert not verify_index(vault.folder, vault.notes).damage
    kept = Conversations(vault.data, vault.notes)
    questions = [turn.question for each in kept.all() for turn in kept.turns(each.id)]
    assert jobs.turn(0).question in questions, "a turn was lost"
    assert not kept.notice
    kept.close()


def main(root: Path, every: int, seed: int) -> None:
    chance = random.Random(seed)
    vault, saved = Vault(root), root / "saved"
    vault.fill(14, chance)

    def prepare() -> None:
        vault.index()
        kept = Conversations(vault.data, vault.notes)
        kept.add(None, jobs.turn(0))
        kept.close()

    assert forked(prepare) == ""
    before = vault.hashes()
    shutil.copytree(vault.data, saved)
    vault.change(chance)
    calls = int(forked(lambda: index_and_converse(vault, 0, 0, False)).split()[-1])
    said: Counter[str] = Counter()
    wrong: list[str] = []
    cases = 0
    for call in range(1 + seed % every, calls + 1, every):
        for lasting in (False, True):
            error = ERRORS[cases % len(ERRORS)]
            cases += 1
            shutil.rmtree(vault.data)
            shutil.copytree(saved, vault.data)
            got = forked(lambda: index_and_converse(vault, call, error, lasting))  # noqa: B023
            kind = got.partition(":")[0] if got else "survived unnoticed"
            said[kind] += 1
            after = forked(lambda: check(vault, before))
            if got.startswith(("UNFORESEEN", "CRASH")) or after:
                what = f"call {call} of {calls}, errno {error}, lasting {lasting}"
                wrong.append(f"{what}: {got}\n--- then: {after}")
    sys.stdout.write(
        json.dumps({"calls": calls, "cases": cases, "said": said, "wrong": wrong}) + "\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
