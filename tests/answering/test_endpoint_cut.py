"""A server whose connection is cut: before a word, in the midst of one, after some."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from rag.answering.endpoint import EndpointGenerator
from rag.answering.messages import Message
from rag.errors import ModelError
from tests.conftest import Box

CHAT = [Message("user", "Is the sky blue?")]
MODELS = b'{"object": "list", "data": [{"id": "m", "object": "model"}]}'
LISTS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = STREAM + b"Transfer-Encoding: chunked\r\n\r\n"
TO_THE_END = STREAM + b"Connection: close\r\n\r\n"  # a stream that ends with its connection


def event(text: str, **more: object) -> bytes:
    choices = [{"index": 0, "delta": {"content": text}, **more}]
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return f"data: {json.dumps({**chunk, 'choices': choices})}\n\n".encode()


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


WORDS = event("The rain") + event(" barrel holds")
CUTS = {
    "before the headers": b"",
    "after the headers": CHUNKED,
    "after the headers of a stream without end": TO_THE_END,
    "within a chunk": CHUNKED + chunk(WORDS)[:40],
    "within an event": TO_THE_END + WORDS[:40],
    "after some words": CHUNKED + chunk(WORDS),
    "after an event that is not the last": TO_THE_END + event("The rain ", finish_reason=None),
    "after a sentence that is not the last": TO_THE_END + event("Yes.", finish_reason=None),
}


@contextmanager
def cutting(said: bytes, reset: bool = False) -> Iterator[str]:
    """The address of a server that lists the model `m`, and answers with `said` and no more; with
    `reset` it ends as a process that dies."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):  # the client may leave first
                if _request(connection).startswith(b"GET"):
                    head = LISTS + f"Content-Length: {len(MODELS)}\r\n\r\n".encode()
                    connection.sendall(head + MODELS)
                    continue
                connection.sendall(said)
                if reset:
                    off = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, off)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def _request(connection: socket.socket) -> bytes:
    """A request, read to its end: what is closed with something unread is reset."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0].partition(b":")[2]):
        body += _more(connection)
    return head


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError
    return data


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_is_told_as_one(cut: str, reset: bool):
    with cutting(CUTS[cut], reset) as url:
        model = EndpointGenerator(url, "m")
        model.load()
        with pytest.raises(ModelError, match="broke off before its answer was whole") as caught:
            list(model.stream(CHAT, 40))
        model.close()
    assert "Ask again" in caught.value.remedy
    assert "rag models use" in caught.value.remedy


def test_a_cut_after_an_answer_is_told_as_one_too():
    """What a server said before is no reason to take nothing for an answer."""
    answers = TO_THE_END + event("Yes.")
    with cutting(answers) as url, cutting(TO_THE_END) as cut:
        model = EndpointGenerator(url, "m")
        model.load()
        assert list(model.stream(CHAT, 40))
        model._url = cut
        model.close()
        with pytest.raises(ModelError, match="broke off before its answer was whole"):
            list(model.stream(CHAT, 40))


@pytest.mark.parametrize(
    "end",
    [
        event("Yes", finish_reason="stop"),
        event("Yes", finish_reason="stop") + b'data: {"choices": [], "usage": {}}\n\n',
        event("Yes", finish_reason=None) + b"data: [DONE]\n\n",
        event("Yes"),
    ],
)
def test_an_end_is_told_in_one_way_or_another(end: bytes):
    with cutting(TO_THE_END + end) as url:
        model = EndpointGenerator(url, "m")
        assert "".join(token.text for token in model.stream(CHAT, 40)) == "Yes"
        model.close()


def test_why_a_server_breaks_off_is_told_where_it_says_so():
    said = TO_THE_END + WORDS + b'data: {"error": {"message": "The memory is full."}}\n\n'
    with (
        cutting(said) as url,
        pytest.raises(ModelError, match=r"off: The memory is full\. Ask"),
    ):
        list(EndpointGenerator(url, "m").stream(CHAT, 40))


@pytest.mark.model
def test_the_evidence_is_still_shown(box: Box):
    box.index()
    with cutting(CUTS["after some words"]) as url:
        box.env |= {"RAG_ENDPOINT_URL": url, "RAG_ENDPOINT_MODEL": "m"}
        box.env["RAG_GENERATOR_MODEL"] = "endpoint"
        done = box.rag("ask", "How many litres does the rain barrel hold?")
    assert done.returncode == 2
    assert done.stdout.startswith("Found in your notes:\n[1] barrel.md:3")
    assert "The rain barrel holds 300 litres." in done.stdout
    assert len(done.stderr.strip().splitlines()) == 1
    assert "broke off before its answer was whole. Ask again." in done.stderr
