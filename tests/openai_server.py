"""A server on this machine that lists models as OpenAI's protocol has it, and does no more."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def listing(names: Sequence[str], status: int = 404) -> Iterator[str]:
    """Its address, below which only /v1/models is known; all else has `status`, of which 200 comes
    with a page of HTML."""

    class Lists(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/v1/models"
            tree = {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}
            data = json.dumps(tree).encode() if known else b"<p>Hello"
            self.send_response(200 if known else status)
            self.send_header("Content-Type", "application/json" if known else "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Lists) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
