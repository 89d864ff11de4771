"""A server that speaks the hub's protocol, and can be told to fail as the hub and networks do."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


@dataclass
class Hub:
    """Repositories by name, each with files by path; `files` lie outside of any."""

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    licence: str = "apache-2.0"
    status: int = 0  # what every request for a file gets instead
    code: str = ""  # of the hub, beside a status: GatedRepo, RepoNotFound
    retry_after: str = ""
    cut_after: int = 0  # bytes of a body, then the connection breaks
    cuts: int = 0  # how often
    promise: int = 0  # bytes that HEAD promises beyond what there is
    corrupt: bool = False  # bodies are other bytes than their hash says
    ranges: bool = True
    login: bytes = b""  # a page for people, which comes in place of what the hub knows
    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, range


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""

    def _serve(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        steps = path.strip("/").split("/")
        if steps[:2] == ["api", "models"] and self.hub.login:
            return self._told("text/html", self.hub.login)
        if steps[:2] == ["api", "models"]:
            return self._info("/".join(steps[2:4]))
        if path in self.hub.files:
            return self._file(path, self.hub.files[path], body)
        if len(steps) >= 5 and steps[2] == "resolve":
            files = self.hub.repos.get("/".join(steps[:2]))
            if files is None:
                return self._error(401, "RepoNotFound")
            file = "/".join(steps[4:])
            if file not in files:
                return self._error(404, "EntryNotFound")
            return self._file(file, files[file], body)
        return self._error(404, "")

    def _info(self, repo: str) -> None:
        files = self.hub.repos.get(repo)
        if files is None:
            return self._error(401, "RepoNotFound")
        siblings = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
        tree = {
            "id": repo,
            "sha": COMMIT,
            "siblings": siblings,
            "tags": [f"license:{self.hub.licence}"],
            "private": False,
        }
        return self._told("application/json", json.dumps(tree).encode())

    def _told(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if self.hub.retry_after:
            self.send_header("Retry-After", self.hub.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, name: str, data: bytes, body: bool) -> None:
        if self.hub.status:
            return self._error(self.hub.status, self.hub.code)
        sha256 = hashlib.sha256(data).hexdigest()
        if self.hub.corrupt:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start, wanted = 0, self.headers.get("Range", "")
        if body and wanted and self.hub.ranges:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            if start >= len(data):
                return self._error(416, "")
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", f'"{sha256}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Etag", f'"{sha256}"')
        extra = 0 if body else self.hub.promise
        self.send_header("X-Linked-Size", str(len(data) + extra))
        self.send_header("Content-Length", str(len(data) - start + extra))
        self.end_headers()
        if not body:
            return None
        part = data[start:]
        if self.hub.cuts > 0:
            self.hub.cuts -= 1
            part = part[: self.hub.cut_after]
            self.close_connection = True
        self.wfile.write(part)
        return None


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub at an address of this machine, until the end of the block."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
