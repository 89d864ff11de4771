"""Ctrl-C and kill at any time: no traceback, no crash, and nothing that was complete is lost."""

from __future__ import annotations

import fcntl
import importlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import __main__ as command
from tests.conftest import Box

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"


def stopped(process: subprocess.Popen[str], signal_: int = signal.SIGINT) -> tuple[int, str]:
    process.send_signal(signal_)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in out + err, err
    return process.returncode, err


def more_notes(box: Box, count: int = 150) -> None:
    for number in range(count):
        (box.notes / f"n{number}.md").write_text(
            f"# N{number}\n\n" + f"Number {number} says that elephants never forget. " * 20
        )


def vectors_of(box: Box) -> int:
    db = sqlite3.connect(box.index_dir / "index.db")
    try:
        return int(db.execute("SELECT count(*) FROM vectors").fetchone()[0])
    finally:
        db.close()


def being_written(box: Box) -> bool:
    """Whether a process holds the index's lock."""
    with (box.index_dir / "write.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@pytest.mark.parametrize("moment", ["the lock is taken", "the first vectors are kept"])
def test_ctrl_c_while_indexing(box: Box, moment: str):
    box.index()
    more_notes(box)
    before = vectors_of(box)
    process = box.start("index")
    late = moment == "the first vectors are kept"
    deadline = time.monotonic() + 60
    while not (vectors_of(box) > before if late else being_written(box)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    status, err = stopped(process)
    assert (status, err) == (130, "Stopped.\n")
    assert box.finds(BARREL)[0] == "barrel.md"
    if late:
        assert vectors_of(box) > before, "what was embedded is kept"
    assert not list(box.index_dir.rglob("*partial*"))


def test_killed_while_embedding_then_asked_and_resumed(box: Box):
    box.index()
    more_notes(box, 500)
    process = box.start("index")
    deadline = time.monotonic() + 60
    while vectors_of(box) <= 4 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    second = box.refused("index", says="Another rag is bringing this index up to date")
    assert second.strip().endswith("rag index --wait")
    assert "--no-refresh" in second
    during = box.rag("search", BARREL)
    assert "300" in during.stdout
    assert process.poll() is None, "all this happened during the run"
    stopped(process, signal.SIGKILL)
    assert box.finds(BARREL)[0] == "barrel.md"
    assert box.engine().status().notes == 3
    kept = vectors_of(box)
    assert kept > 4
    for number in range(120, 500):  # the rest would only take time
        (box.notes / f"n{number}.md").unlink()
    assert box.index().added == 120


def test_ctrl_c_while_the_model_is_exported(box: Box):
    box.env["RAG_CACHE_DIR"] = str(box.folder / "cache")
    process = box.start("index", start_new_session=True)
    time.sleep(4)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "Stopped.\n")
    assert not list((box.folder / "cache").rglob("*.failed"))
    assert not list((box.folder / "cache").rglob("*.onnx*"))


def test_an_export_whose_parent_is_stopped_leaves_nothing(box: Box):
    box.env["RAG_CACHE_DIR"] = str(box.folder / "cache")
    process = box.start("index")
    deadline = time.monotonic() + 60
    while not list((box.folder / "cache").rglob("*.partial")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None
    assert stopped(process) == (130, "Stopped.\n")
    assert not list((box.folder / "cache").rglob("*.onnx*"))


@pytest.mark.parametrize("library", ["psutil", "onnxruntime", "libllama"])
def test_ctrl_c_while_asking(box: Box, library: str):
    box.index()
    process = box.start("ask", "--no-refresh", "Tell me all about bees, barrels and rivers.")
    while process.poll() is None and not has_loaded(process, library):
        time.sleep(0.005)
    if process.poll() is not None:
        pytest.skip("answered before it could be stopped")
    check_stopped(process)


@pytest.mark.parametrize("what", ["ask", "search"])
def test_ctrl_c_at_any_time(box: Box, what: str):
    """While modules are imported by two threads, while models load behind, after the answer: it
    neither crashes nor hangs."""
    box.index()
    begun = time.monotonic()
    assert box.rag(what, BARREL).returncode == 0
    whole = time.monotonic() - begun
    for moment in range(1, 16):
        process = box.start(what, BARREL)
        while process.poll() is None and not has_loaded(process, "psutil"):
            time.sleep(0.001)
        time.sleep(moment / 16 * whole)
        if process.poll() is None:
            check_stopped(process)
        else:
            process.communicate()


def check_stopped(process: subprocess.Popen[str]) -> None:
    """It says so, or had answered; no signal ends it."""
    status, err = stopped(process)
    assert status in (130, 0, 1), (status, err)
    if status == 130:
        assert err.endswith("Stopped.\n")


@pytest.fixture
def heeding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C and destructors as the command treats them."""
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGALRM)}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    command._heed_interrupts()
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in kept.items():
        signal.signal(number, handler)


def wait_for_it() -> None:
    for _ in range(500):
        time.sleep(0.01)


def test_ctrl_c_in_the_importer_comes_when_it_is_through(heeding: None):
    class Finder:
        """Is asked for each module, by a frame of the importer."""

        def find_spec(self, name: str, path: object, target: object = None) -> None:
            command._interrupt(signal.SIGINT, sys._getframe(1))

    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("no_such_module")
    finally:
        sys.meta_path.remove(finder)
    with pytest.raises(KeyboardInterrupt):
        wait_for_it()


def test_ctrl_c_in_a_destructor_is_not_lost(heeding: None, capsys: pytest.CaptureFixture[str]):
    class Doomed:
        def __del__(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Doomed()
        wait_for_it()
    assert capsys.readouterr().err == ""


def test_ctrl_c_that_is_to_be_ignored_stays_ignored(box: Box):
    """As the shell has it for what runs in the background."""
    box.index()
    process = box.start(
        "search", BARREL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )
    while process.poll() is None and not has_loaded(process, "psutil"):
        time.sleep(0.001)
    status, err = stopped(process)
    assert (status, err) == (0, "")


def has_loaded(process: subprocess.Popen[str], library: str) -> bool:
    """Whether a process has come as far as to load a library; not told outside Linux."""
    try:
        return library in Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return True
