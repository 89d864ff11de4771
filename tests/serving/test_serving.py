"""A question answered by a server reads as one answered without, whatever becomes of the server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.config_files import load_config
from rag.events import Answered, Retrieved
from rag.serving import address as addresses
from rag.serving.client import WarmEngine, warm
from rag.wiring import build_engine
from tests.conftest import Box

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"


@pytest.fixture
def served(box: Box) -> Iterator[Box]:
    """A box with an index, and a runtime folder with a short name."""
    runtime = Path(tempfile.mkdtemp(prefix="rag-test-"))
    box.env["XDG_RUNTIME_DIR"] = str(runtime)
    box.index()
    yield box
    shutil.rmtree(runtime)


@pytest.fixture
def server(served: Box) -> Iterator[subprocess.Popen[str]]:
    process = served.start("serve", "--idle", "5")
    until(lambda: socket_of(served) is not None)
    served.rag("search", "hive")  # answered once its models are loaded
    yield process
    process.kill()
    process.communicate()


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def socket_of(box: Box) -> Path | None:
    return next(Path(box.env["XDG_RUNTIME_DIR"]).glob("rag/*.sock"), None)


def listens(place: Path | None) -> bool:
    """Whether a server is behind a socket; that of a killed one has nobody."""
    if place is None:
        return False
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(place))
        except OSError:
            return False
    return True


def without_times(text: str) -> object:
    reply = json.loads(text)
    reply.pop("timings", None)
    return reply


def took_part(box: Box, server: subprocess.Popen[str]) -> Callable[[], bool]:
    """Whether the server spent more processor time since this was called than on waiting."""
    before = spent(server.pid)
    return lambda: spent(server.pid) > before + 4


def spent(pid: int) -> int:
    """Processor time of a process, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_the_same_output_and_status(served: Box, server: subprocess.Popen[str]):
    asked = (
        ("ask", BARREL),
        ("ask", "--no-stream", BARREL),
        ("ask", "--quote", BARREL),
        ("ask", "Who was the first king of France?"),
        ("ask", "Which notes mention the hive?"),
        ("search", "hive"),
        ("search", "--path", "trips", "river"),
        ("search", "--tag", "nowhere", "hive"),
        ("ask", "   "),
    )
    for each in asked:
        with_it = served.rag(*each)
        served.env["RAG_SERVE"] = "off"
        alone = served.rag(*each)
        del served.env["RAG_SERVE"]
        assert (with_it.stdout, with_it.stderr) == (alone.stdout, alone.stderr), each
        assert with_it.returncode == alone.returncode
    used = took_part(served, server)
    reply = served.rag("ask", "--json", BARREL)
    assert used()
    timings = json.loads(reply.stdout)["timings"]
    assert 0 < timings["first_evidence_s"] <= timings["total_s"]
    served.env["RAG_SERVE"] = "off"
    assert without_times(reply.stdout) == without_times(served.rag("ask", "--json", BARREL).stdout)


def test_only_its_owner_may_ask(served: Box, server: subprocess.Popen[str]):
    place = socket_of(served)
    assert place is not None
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    os.chmod(place.parent, 0o755)
    used = took_part(served, server)
    assert "300" in served.rag("ask", BARREL).stdout
    assert not used(), "a folder that others can reach may hold another's socket"


def test_changed_notes_are_seen(served: Box, server: subprocess.Popen[str]):
    assert "300" in served.rag("ask", BARREL).stdout
    (served.notes / "barrel.md").write_text("# Rain barrel\n\nThe rain barrel holds 450 litres.\n")
    done = served.rag("ask", BARREL)
    assert "450" in done.stdout
    assert "1 changed" in done.stderr
    (served.notes / "owl.md").write_text("# Owl\n\nThe owl sleeps in the tall pine.\n")
    served.index()
    assert "tall pine" in served.rag("search", "--no-refresh", "owl").stdout
    shutil.rmtree(served.data / "indexes")
    served.index()
    assert "tall pine" in served.rag("search", "--no-refresh", "owl").stdout


def test_a_killed_server_is_done_without_and_replaced(served: Box, server: subprocess.Popen[str]):
    server.kill()
    server.wait()
    assert socket_of(served) is not None, "it could not tidy up"
    assert "300" in served.rag("ask", BARREL).stdout
    second = served.start("serve")
    try:
        until(lambda: listens(socket_of(served)))
        assert served.rag("serve").stderr.startswith("These notes are served already")
        said = served.refused("serve", "--notes", str(served.notes), says="are served already")
        assert said.strip().endswith(f"rag serve --stop --notes {served.notes}")
        assert served.rag("serve", "--stop").returncode == 0
        second.wait(timeout=30)
        assert second.returncode == 0
    finally:
        second.kill()
        second.communicate()
    assert socket_of(served) is None
    served.refused("serve", "--stop", says="No server runs")


def test_a_server_that_hangs_is_done_without(served: Box, server: subprocess.Popen[str]):
    server.send_signal(signal.SIGSTOP)
    assert "300" in served.rag("ask", BARREL).stdout
    server.send_signal(signal.SIGCONT)


def test_another_thing_at_the_socket_is_done_without(served: Box, monkeypatch):
    """Such as a server of another version, which greets otherwise."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", served.env["XDG_RUNTIME_DIR"])
    engine = served.engine()
    place = addresses.address(engine)
    place.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place))
        other.listen()
        start = time.monotonic()
        asking = served.start("search", "hive")
        client, _ = other.accept()
        client.sendall(b"\0\0\0\5hello")
        out, _ = asking.communicate(timeout=60)
        assert "bees.md" in out
        assert time.monotonic() - start < 60
        client.close()


def test_settings_and_versions_have_servers_of_their_own(served: Box, monkeypatch):
    first = addresses.address(served.engine())
    assert addresses.address(served.engine()) == first
    assert addresses.address(served.engine(search_k=7)) != first
    assert addresses.address(served.engine(answer_caution="careful")) != first
    monkeypatch.setattr(addresses, "__version__", "0.0.0")
    assert addresses.address(served.engine()) != first


def test_it_goes_away_when_nobody_asks(served: Box):
    process = served.start("serve", "--idle", "0.02")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert socket_of(served) is None
    assert "Models stay ready" in err
    assert err.strip().endswith(f"or: rag serve --stop --notes {served.notes}")
    served.refused("serve", "--idle", "0", says="out of range")


def test_a_language_model_that_is_not_there_is_missed_by_answers_alone(served: Box):
    served.env["RAG_GENERATOR_MODEL"] = "SmolLM2-135"
    process = served.start("serve", "--idle", "5")
    until(lambda: listens(socket_of(served)))
    assert "300 litres" in served.rag("search", BARREL).stdout
    served.refused("ask", BARREL, says="Did you mean 'SmolLM2-135M-Instruct'?")
    assert served.rag("serve", "--stop").returncode == 0
    _, err = process.communicate(timeout=60)
    assert "Searches are answered; questions are not." in err


def test_ctrl_c_cancels_the_question_and_not_the_server(served: Box, server: subprocess.Popen[str]):
    used = took_part(served, server)
    asking = served.start("ask", "--no-refresh", " ".join(["barrel"] * 3000) + " " + BARREL)
    until(used)
    asking.send_signal(signal.SIGINT)
    _, err = asking.communicate(timeout=60)
    assert (asking.returncode, err) in ((130, "Stopped.\n"), (0, ""), (1, ""))
    assert server.poll() is None
    used = took_part(served, server)
    assert "300" in served.rag("ask", BARREL).stdout
    assert used()


def test_whoever_hangs_up_has_cancelled(served: Box, server: subprocess.Popen[str], monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", served.env["XDG_RUNTIME_DIR"])
    engine = build_engine(load_config(served.folder, served.environ()))
    asked = warm(engine)
    assert isinstance(asked, WarmEngine)
    events = asked.ask(BARREL)
    assert isinstance(next(events), Retrieved)
    events.close()
    *_, done = asked.ask(BARREL)
    assert isinstance(done, Answered)
    assert "300" in done.answer
    assert engine.models._generator is None, "all of it came from the server"


def test_the_first_question_starts_one(served: Box):
    served.env["RAG_SERVE"] = "auto"
    try:
        first = served.rag("ask", BARREL)
        until(lambda: socket_of(served) is not None)
        place = socket_of(served)
        assert place is not None
        second = served.rag("ask", BARREL)
        assert (first.stdout, first.returncode) == (second.stdout, second.returncode)
        assert socket_of(served) == place
    finally:
        assert served.rag("serve", "--stop").returncode == 0
    until(lambda: socket_of(served) is None)
