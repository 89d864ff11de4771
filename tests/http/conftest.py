"""A server on a port of its own, asked as any program would."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from rag.api import Notes
from rag.http.app import make_app
from rag.http.command import bind
from rag.standby import Standby
from tests.conftest import Box

TOKEN = "t" * 43


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The objects of server-sent events."""
        lines = [line for line in self.text.splitlines() if line.startswith("data: ")]
        return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


@dataclass
class Served:
    port: int
    notes: Notes
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {TOKEN}"})

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.send("POST", path, data, headers)

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Reply:
        connection = self.connect()
        connection.request(method, path, body, {**self.headers, **headers})
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, text)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


@contextmanager
def serving(notes: Notes) -> Iterator[Served]:
    listening = bind(0)
    port = listening.getsockname()[1]
    app = make_app(Standby(notes), TOKEN, port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Served(port, notes)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture
def served(box: Box, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # However busy the machine is: a note written after the start is found.
    monkeypatch.setattr("rag.standby.LOOK_WAIT", 60.0)
    box.index()
    with serving(Notes(box.engine())) as server:
        yield server
