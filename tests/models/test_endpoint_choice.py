"""`rag models use endpoint`: a server on this machine is asked first, one elsewhere never."""

from __future__ import annotations

import json
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag.cli import main
from tests.conftest import Box
from tests.openai_server import listing

USE = ("models", "use", "endpoint", "--url")


def own(box: Box) -> list[Path]:
    return list(box.folder.rglob("config/rag.toml"))


def test_a_server_that_has_the_model_is_written_down(box: Box):
    with listing(["smol"]) as address:
        done = box.rag(*USE, f"{address}/v1", "--model", "smol")
    assert (done.returncode, done.stderr) == (0, "")
    assert address in own(box)[0].read_text()


def test_what_can_never_work_is_not_written_down(box: Box):
    with listing(["smol"]) as address:
        said = box.refused(*USE, f"{address}/v1", "--model", "smoll", says="no model 'smoll'")
        assert f"rag models use endpoint --url {address}/v1 --model smol" in " ".join(said.split())
        box.refused(*USE, address, "--model", "smol", says="speaks OpenAI at")
    assert not own(box)


def test_a_server_that_does_not_run_yet_is_written_down_with_a_word(box: Box):
    done = box.rag(*USE, "http://127.0.0.1:9/v1", "--model", "smol")
    assert done.returncode == 0
    assert "But not yet: Nothing answers at 127.0.0.1:9. Start the server." in done.stderr
    assert "127.0.0.1:9" in own(box)[0].read_text()


def test_a_key_may_be_set_later(box: Box):
    with listing(["smol"]) as address:
        done = box.rag(*USE, f"{address}/v1", "--model", "smol", "--key-env", "NO_SUCH_KEY")
    assert done.returncode == 0
    assert "But not yet: The variable NO_SUCH_KEY holds no key" in done.stderr


def test_a_server_elsewhere_is_not_asked(box: Box, monkeypatch: pytest.MonkeyPatch):
    """Neither before the yes nor after it: its name is not even looked up."""
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: asked.append(given) or [])
    for name, value in box.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(box.folder)
    words = (*USE, "http://ai.example.org/v1", "--model", "smol")
    assert main([*words]) == 2
    assert not own(box)
    assert main([*words, "--yes"]) == 0
    assert own(box)
    assert main([*words, "--yes", "--key-env", "NO_SUCH_KEY"]) == 0
    assert not asked


def test_a_missing_key_is_told_of_a_server_elsewhere_too(box: Box):
    box.index()
    words = (*USE, "http://ai.example.org/v1", "--model", "smol", "--key-env", "NO_SUCH_KEY")
    done = box.rag(*words, "--yes")
    assert done.returncode == 0
    assert "But not yet: The variable NO_SUCH_KEY holds no key" in done.stderr
    fault = json.loads(box.rag("status", "--json").stdout)["generator_fault"]
    assert "The variable NO_SUCH_KEY holds no key" in fault
    found = {each["about"]: each for each in json.loads(box.rag("doctor", "--json").stdout)}
    assert found["Language model"]["state"] == "broken"
    assert "NO_SUCH_KEY holds no key" in found["Language model"]["found"]
    box.env["NO_SUCH_KEY"] = "k"
    assert json.loads(box.rag("status", "--json").stdout)["generator_fault"] == ""


def test_a_server_that_does_not_speak_openai_is_not_written_down(box: Box):
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{files.server_port}/v1"
        box.refused(*USE, address, "--model", "smol", says="speaks no OpenAI")
        files.shutdown()
    assert not own(box)


def test_the_list_says_that_a_server_cannot_be_asked(box: Box):
    with listing(["smol"]) as address:
        box.env |= {"RAG_ENDPOINT_URL": f"{address}/v1", "RAG_ENDPOINT_MODEL": "smol"}
        *_, row = json.loads(box.rag("models", "--json").stdout)
        assert (row["name"], row["fault"]) == ("endpoint: smol", "")
    assert "✗ endpoint: smol: Nothing answers at 127.0.0.1" in " ".join(
        box.rag("models").stdout.split()
    )
