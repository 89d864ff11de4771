"""`rag serve --http`: bind to this machine, say where, serve until stopped."""

from __future__ import annotations

import argparse
import errno
import socket
import sys
from typing import TYPE_CHECKING

from rag.errors import RagError

if TYPE_CHECKING:
    from rag.api import Notes
    from rag.http.token import Token

PORT = 8765


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of `rag serve` that are about HTTP."""
    http = command.add_argument_group("http", "for pages, programs and chat clients")
    http.add_argument(
        "--http", action="store_true", help="serve over HTTP, to this machine alone, with a token"
    )
    http.add_argument("--port", type=int, help=f"where to listen ({PORT}); 0: any")
    http.add_argument("--new-token", action="store_true", help="make another token")


def serve_http(notes: Notes, port: int | None, renew: bool, refresh: bool) -> None:
    """Serve until Ctrl-C. Raises RagError for a port in use, NotesError, StorageError."""
    from rag.http.token import load_token

    notes.check()
    listening = bind(PORT if port is None else port)
    with listening:
        port = listening.getsockname()[1]
        token = load_token(notes.engine.parts.data_dir, renew)
        _announce(notes, port, token)
        import uvicorn

        from rag.http.app import make_app
        from rag.standby import Standby

        app = make_app(Standby(notes, refresh), token.value, port)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run(sockets=[listening])


def bind(port: int) -> socket.socket:
    """A socket that listens on this machine alone. Raises RagError."""
    if not 0 <= port <= 65535:
        raise RagError(f"{port} is no port.", "Name one from 1 to 65535: --port 8765")
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise RagError(
                f"Port {port} is in use.", "Name another: rag serve --http --port 8766"
            ) from error
        raise RagError(f"Port {port} cannot be used: {error.strerror}.") from error
    return listening


def _announce(notes: Notes, port: int, token: Token) -> None:
    from rag.output import one_line

    address = f"http://127.0.0.1:{port}/"
    lines = [f"Notes: {', '.join(one_line(str(each)) for each in notes.folders)}"]
    if token.new or sys.stderr.isatty():  # in a log of a service it would stay
        lines += [f"Page: {address}#token={token.value}", f"The token is kept in {token.file}"]
    else:
        lines += [f"Page: {address}", f"The token stands in {token.file}"]
    lines.append("Ctrl-C stops.")
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
