"""A server as generator: a real one with the bundled model, and one that only fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag.answering.endpoint import EndpointGenerator, display_name, leaves_machine
from rag.answering.messages import Message
from rag.config import Config
from rag.errors import Cancelled, EndpointMismatch, ModelError
from rag.models.catalog import find_model
from rag.models.weights import generator_file
from rag.wiring import open_endpoint
from tests.conftest import Box
from tests.openai_server import listing

CHAT = [Message("system", "Answer in one word."), Message("user", "Is the sky blue?")]


@pytest.fixture(scope="module")
def server(models_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `llama_cpp.server` with the bundled model as it was before it was taught to
    be brief; it calls it `smol`."""
    pytest.importorskip("llama_cpp.server.app")
    spec = replace(find_model("SmolLM2-135M-Instruct", "generator"), adapter="", adapter_sha256="")
    file = generator_file(spec, models_cache)
    port = _free_port()
    log = (tmp_path_factory.mktemp("server") / "log").open("wb")
    words = ["--model", str(file), "--model_alias", "smol", "--port", str(port), "--n_ctx", "2048"]
    process = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", *words], stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}/v1"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/models", timeout=5).read()
            break
        except OSError:
            assert process.poll() is None, Path(log.name).read_text()[-2000:]
            time.sleep(0.2)
    yield address
    process.terminate()
    process.wait(30)
    log.close()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.model
def test_a_real_server_answers(server: str):
    model = EndpointGenerator(server, "smol")
    model.load()
    tokens = list(model.stream(CHAT, 12))
    assert [token.text for token in tokens[:2]] == ["", ""]
    assert tokens[0].prompt_done == 0 < tokens[1].prompt_done == tokens[1].prompt_total
    assert "".join(token.text for token in tokens).strip()
    assert 0 < sum(bool(token.text) for token in tokens) <= 12
    assert model.context_size == 4096
    assert model.count_tokens("four words of text") >= 4
    model.close()
    assert list(model.stream(CHAT, 2))  # it opens again


@pytest.mark.model
def test_a_name_that_the_server_lacks(server: str):
    with pytest.raises(ModelError, match=r"no model 'smoll'\. Did you mean 'smol'\?"):
        EndpointGenerator(server, "smoll").load()


@pytest.mark.model
def test_stopping_takes_no_time(server: str):
    model = EndpointGenerator(server, "smol")
    model.load()
    with pytest.raises(Cancelled):
        list(model.stream(CHAT, 100, lambda: True))
    heard = []
    story = [Message("user", "Tell me a long story about a river, a mill and a dog.")]
    with pytest.raises(Cancelled):  # a short answer could end before it is stopped
        for token in model.stream(story, 100, lambda: len(heard) > 2):
            heard.append(token)
    assert len(heard) == 3
    assert "".join(token.text for token in model.stream(CHAT, 4))


@pytest.mark.model
def test_the_whole_way(box: Box, server: str):
    """Named in the reader's own file, off until it is chosen, and then it answers."""
    box.index()
    use = ("models", "use", "endpoint")
    box.refused(*use, says="No endpoint is named")
    done = box.rag(*use, "--url", server, "--model", "smol")
    assert "smol at 127.0.0.1" in done.stdout
    question = "Where does the hive stand?"
    reply = json.loads(box.rag("ask", "--json", question).stdout)
    assert reply["model"].startswith("smol at 127.0.0.1:")
    assert reply["answered"]
    assert "behind the shed" in reply["answer"]
    assert "leaves" not in box.rag("status").stdout
    rows = json.loads(box.rag("models", "--json").stdout)
    assert [row["name"] for row in rows if row["in_use"]][-1] == "endpoint: smol"
    box.refused("models", "bench", says="does not run here")
    box.refused(*use, "--model", "smooll", says="Did you mean 'smol'?")
    box.env["RAG_ENDPOINT_MODEL"] = "smooll"
    box.refused("ask", question, says="Did you mean 'smol'?")


def test_what_leaves_the_machine_is_marked(box: Box):
    use = ("models", "use", "endpoint", "--url", "https://ai.example.org/v1", "--model", "big")
    box.refused(*use, says="would be sent to ai.example.org, which is not this machine")
    assert not list(box.folder.rglob("config/rag.toml"))
    assert box.rag(*use, "--key-env", "NO_SUCH_KEY", "--yes").returncode == 0
    box.index()
    assert "NO_SUCH_KEY holds no key" in box.rag("status").stdout
    done = box.rag("ask", "When was the hive painted green?")
    assert done.returncode == 2
    assert "go to big at ai.example.org" in done.stderr
    assert "NO_SUCH_KEY holds no key" in done.stderr
    box.env["NO_SUCH_KEY"] = "k"
    assert "leaves this machine: big at ai.example.org" in box.rag("status").stdout
    (box.folder / "rag.toml").write_text('[endpoint]\nurl = "https://evil.example/v1"\n')
    box.refused("ask", "Hello?", says="may not choose where your notes are sent")


@pytest.mark.parametrize(
    ("url", "leaves"),
    [
        ("http://localhost:8080/v1", False),
        ("http://127.0.0.1/v1", False),
        ("http://127.1.2.3:1/v1", False),
        ("http://[::1]:8080/v1", False),
        ("http://ollama.localhost/v1", False),
        ("http://192.168.1.5:11434/v1", True),
        ("https://localhost.example.org/v1", True),
        ("https://api.example.org/v1", True),
        ("http://0.0.0.0:8080/v1", True),
    ],
)
def test_only_loopback_is_this_machine(url: str, leaves: bool):
    assert leaves_machine(url) == leaves
    assert display_name(url, "m").startswith("leaves this machine: ") == leaves


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x/v1", "http://", "http://x:port/"])
def test_an_address_that_is_none(url: str):
    with pytest.raises(ModelError, match="no address of a server"):
        leaves_machine(url)


class _Failing(BaseHTTPRequestHandler):
    """Says what it is told to: a status, or lines of a stream."""

    status = 200
    kind, body = "application/json", b'{"error": {"message": "this is the reason"}}'
    lines: tuple[str, ...] = ()
    unlisted = 0  # the status of a server that does not list its models
    heard: list[bytes]
    sent: dict[str, str]  # the headers of the last request

    def do_GET(self) -> None:
        self._say(self.unlisted or 200, b'{"object": "list", "data": []}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).sent = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append(body)
        if self.status == 0:
            time.sleep(3)
        if self.status != 200:
            return self._say(self.status, self.body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for line in self.lines:
            self.wfile.write(f"data: {line}\n\n".encode())
            self.wfile.flush()
        return None

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status or 200)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def failing() -> Iterator[tuple[type[_Failing], str]]:
    handler = type("Handler", (_Failing,), {"heard": []})
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{web.server_port}/v1"
    web.shutdown()
    web.server_close()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, r"does not accept the key \(401\)"),
        (403, r"does not accept the key \(403\)"),
        (404, r"no model 'm', or speaks no OpenAI"),
        (400, r"refused the question \(400\): .*this is the reason"),
    ],
)
def test_what_a_server_refuses(failing, status: int, says: str):
    handler, url = failing
    handler.status = status
    with pytest.raises(ModelError, match=says):
        list(EndpointGenerator(url, "m").stream(CHAT, 4))
    assert len(handler.heard) == 1


@pytest.mark.parametrize(("status", "says"), [(429, "asks to wait"), (503, "is in trouble")])
def test_what_may_pass_is_tried_twice(failing, status: int, says: str):
    handler, url = failing
    handler.status = status
    with pytest.raises(ModelError, match=says):
        list(EndpointGenerator(url, "m").stream(CHAT, 4))
    assert len(handler.heard) == 2


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("application/json", b'{"error": {"message": "CUDA out of memory"}}', r"\(500\): CUDA out"),
        ("application/json", b'{"error": "CUDA out of memory"}', r"\(500\): CUDA out of memory\."),
        (
            "application/json",
            b'{"detail": "CUDA out of memory."}',
            r"\(500\): CUDA out of memory\.",
        ),
        ("text/html", b"<h1>Out</h1>", r"in trouble \(500\)\."),
    ],
)
def test_what_a_server_says_of_its_trouble_is_told(failing, kind: str, body: bytes, says: str):
    handler, url = failing
    handler.status, handler.kind, handler.body = 500, kind, body
    with pytest.raises(ModelError, match=says):
        list(EndpointGenerator(url, "m").stream(CHAT, 4))


def test_a_server_of_files_is_none():
    from http.server import SimpleHTTPRequestHandler

    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        with pytest.raises(EndpointMismatch, match="speaks no OpenAI at http"):
            EndpointGenerator(f"http://127.0.0.1:{files.server_port}/v1", "m").load()
        files.shutdown()


def test_a_server_that_says_nothing(failing):
    handler, url = failing
    handler.status = 0
    with pytest.raises(ModelError, match="said nothing for 0 seconds"):
        list(EndpointGenerator(url, "m", timeout=0.3).stream(CHAT, 4))


def test_nobody_there():
    with pytest.raises(ModelError, match=r"Nothing answers at 127\.0\.0\.1:9"):
        EndpointGenerator("http://127.0.0.1:9/v1", "m").load()


def delta(**fields: str) -> str:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return json.dumps({**chunk, "choices": [{"index": 0, "delta": fields}]})


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_list_of_models_is_one_too(failing, status: int):
    handler, url = failing
    handler.unlisted = status
    EndpointGenerator(url, "m").load()


@pytest.mark.parametrize("status", [200, 404, 405])
def test_an_address_that_lacks_its_v1_is_told_with_the_one_that_works(status: int):
    with listing(["smol"], status) as address:
        EndpointGenerator(f"{address}/v1/", "smol").load()
        for given in (address, f"{address}/"):
            with pytest.raises(EndpointMismatch, match=f"speaks OpenAI at {address}/v1, not at"):
                EndpointGenerator(given, "smol").load()
        with pytest.raises(ModelError) as caught:
            EndpointGenerator(address, "smol").load()
        assert caught.value.remedy == f"rag models use endpoint --url {address}/v1 --model smol"


def test_models_of_other_names_are_told():
    with listing(["qwen3:4b", "llama"]) as address:
        with pytest.raises(ModelError, match=r"Did you mean 'qwen3:4b'\? rag .* --model qwen3:4b"):
            EndpointGenerator(f"{address}/v1", "Qwen3").load()
        with pytest.raises(ModelError, match=r"There is: qwen3:4b, llama\. rag .* --model NAME"):
            EndpointGenerator(f"{address}/v1", "zebra").load()


def test_a_server_that_fails_to_list_its_models(failing):
    handler, url = failing
    handler.unlisted = 503
    with pytest.raises(ModelError, match="is in trouble"):
        EndpointGenerator(url, "m").load()


def test_a_key_is_trimmed_and_what_can_be_none_is_told(failing, monkeypatch):
    handler, url = failing
    handler.lines = (delta(content="Yes."), "[DONE]")
    config = Config(endpoint_url=url, endpoint_model="m", endpoint_key_env="MY_KEY")
    monkeypatch.setenv("MY_KEY", " abc\r\n")
    assert list(open_endpoint(config).stream(CHAT, 4))
    assert handler.sent["authorization"] == "Bearer abc"
    for key in ("ключ", "a b", "a\nb"):
        monkeypatch.setenv("MY_KEY", key)
        with pytest.raises(ModelError, match="MY_KEY holds what can be no key"):
            open_endpoint(config)
    monkeypatch.setenv("MY_KEY", "\n")
    with pytest.raises(ModelError, match="MY_KEY holds no key"):
        open_endpoint(config)


def test_thoughts_of_either_kind_are_told_apart(failing):
    handler, url = failing
    handler.lines = (
        delta(reasoning_content="hm"),
        delta(content="<thi"),
        delta(content="nk>so</think>\n\nY"),
        delta(content="es."),
        "[DONE]",
    )
    tokens = [token for token in EndpointGenerator(url, "m").stream(CHAT, 9) if token.text]
    assert "".join(token.text for token in tokens if token.thought) == "hmso"
    assert "".join(token.text for token in tokens if not token.thought) == "Yes."
    asked = json.loads(handler.heard[0])
    assert asked["temperature"] == 0
    assert [each["role"] for each in asked["messages"]] == ["system", "user"]


def test_a_stream_that_is_no_json(failing):
    handler, url = failing
    handler.lines = ("<html>",)
    with pytest.raises(ModelError, match="broke off, or speaks no OpenAI"):
        list(EndpointGenerator(url, "m").stream(CHAT, 4))


def test_a_stream_that_is_cut_off_is_told_from_one_that_says_nothing_of_its_end(failing):
    handler, url = failing
    for last in ("He used Midjourney. [1]", "He used Midjourney"):
        handler.lines = (delta(content=last), "[DONE]")
        assert "".join(t.text for t in EndpointGenerator(url, "m").stream(CHAT, 40)) == last
    handler.lines = (delta(content="He won. [1] In 2022 he"), delta(content=" used Mid"))
    with pytest.raises(ModelError, match="broke off before its answer was whole"):
        list(EndpointGenerator(url, "m").stream(CHAT, 40))
    done = delta().replace('"delta": {}', '"delta": {}, "finish_reason": "length"')
    handler.lines = (*handler.lines, done)
    assert list(EndpointGenerator(url, "m").stream(CHAT, 40))


def _odd(choices: str) -> str:
    return f'{{"id": "1", "choices": {choices}}}'


@pytest.mark.parametrize("choices", ['[{"index": 0, "delta": null}]', '[{"index": 0}]', "[null]"])
def test_an_event_that_says_nothing(failing, choices: str):
    handler, url = failing
    handler.lines = (_odd(choices), delta(content="Yes."), "[DONE]")
    assert [each.text for each in EndpointGenerator(url, "m").stream(CHAT, 4)][-1] == "Yes."


@pytest.mark.parametrize("choices", ['{"a": 1}', "7"])
def test_an_event_of_another_make(failing, choices: str):
    handler, url = failing
    handler.lines = (_odd(choices),)
    with pytest.raises(ModelError, match="broke off, or speaks no OpenAI"):
        list(EndpointGenerator(url, "m").stream(CHAT, 4))


def test_what_is_local_goes_through_no_proxy(failing, monkeypatch):
    handler, url = failing
    handler.lines = (delta(content="Yes."), "[DONE]")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert "proxy" in str(os.environ).casefold()
    tokens = list(EndpointGenerator(url, "m").stream(CHAT, 4))
    assert tokens[-1].text == "Yes."


def test_nothing_of_the_environment_is_sent_that_is_for_another_server(failing, monkeypatch):
    handler, url = failing
    handler.lines = (delta(content="Yes."), "[DONE]")
    monkeypatch.setenv("OPENAI_API_KEY", "another-key")
    monkeypatch.setenv("OPENAI_ORG_ID", "another-org")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "another-project")
    headers = "X-Foo: another-secret\nAuthorization: Bearer another-key\nuser-agent: another"
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", headers)
    for key in ("", "mine"):
        assert list(EndpointGenerator(url, "m", key).stream(CHAT, 4))
        assert handler.sent["authorization"] == f"Bearer {key or 'none'}"
        assert "another" not in str(handler.sent)
        assert not [name for name in handler.sent if name.startswith("openai-")]
