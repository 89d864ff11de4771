"""An engine that lets a server answer where there is one, and answers itself where there is none.

What is printed, the exit status and Ctrl-C are the same: the events are, whoever made them.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.engine import Engine
from rag.errors import RagError
from rag.serving.address import address, is_private

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from rag.events import Event
    from rag.indexing.progress import IndexProgress
    from rag.retrieval.found import Found

_PATIENCE_S = 30.0  # to wait for another's question to end, before one does without
_LONGEST = 1000  # bytes of a greeting
_GREETING_S = 2.0  # to wait for a server that listens; one that is stopped does not answer


class _Gone(Exception):
    """The server cannot be reached, or ended before it said anything."""


class WarmEngine:
    """What `rag ask` and `rag search` need of an engine, from a server if one is there.

    All else is the engine's own. A server that ends in the middle of an answer is an error; one
    that ends before is done without.
    """

    def __init__(self, engine: Engine, socket_path: Path) -> None:
        self._engine = engine
        self._address: Path | None = socket_path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def load_behind(self) -> None:
        """The server has loaded it."""

    def refresh(self) -> Iterator[IndexProgress]:
        try:
            yield from self._events("refresh", {})
        except _Gone:
            self._address = None
            yield from self._engine.refresh()

    def ask(self, question: str, **values: Any) -> Iterator[Event]:
        values = {"today": date.today(), **values}
        try:
            yield from self._events(
                "ask", {"question": question, "started": self._engine.started, **values}
            )
        except _Gone:
            self._address = None
            yield from self._engine.ask(question, **values)

    def explain(self, question: str, **values: Any) -> Found:
        values = {"today": date.today(), **values}
        try:
            found: Found = self._result("explain", {"question": question, **values})
        except _Gone:
            self._address = None
            found = self._engine.explain(question, **values)
        return found

    def take_notices(self) -> list[str]:
        """What was amiss where the question was answered."""
        told: list[str] = []
        if self._address is not None:
            with suppress(_Gone):
                told = self._result("take_notices", {})
        return told + self._engine.take_notices()

    def _events(self, call: str, values: dict[str, Any]) -> Iterator[Any]:
        with _call(self._address, call, values) as line:
            begun = False
            while True:
                kind, value = _receive(line, begun)
                if kind == "done":
                    return
                if kind == "error":
                    raise value
                begun = True
                yield value

    def _result(self, call: str, values: dict[str, Any]) -> Any:
        with _call(self._address, call, values) as line:
            kind, value = _receive(line, begun=False)
            if kind == "error":
                raise value
            return value


def warm(engine: Engine) -> Engine:
    """`engine`, or one that lets the server for it answer, where a socket is there."""
    place = address(engine)
    try:
        there = stat.S_ISSOCK(os.lstat(place).st_mode) and is_private(place.parent)
    except OSError:
        there = False
    # It has all that the commands use of an engine; it is none, so that it can stay this small.
    served: Any = WarmEngine(engine, place)
    return served if there else engine


def start(engine: Engine, notes: Sequence[str], idle_min: float) -> None:
    """Start a server for `engine` behind this process, unless one is there; wait for nothing.

    `notes` are the folders as they were named on the command line.
    """
    if address(engine).exists():
        return
    settings = engine.parts.settings
    if not notes and settings.notes is None and not settings.folders:
        notes = [str(engine.notes_folder)]  # the folder indexed last
    named = [part for each in notes for part in ("--notes", each)]
    subprocess.Popen(
        [sys.executable, "-P", "-m", "rag", "serve", "--quiet", "--idle", str(idle_min), *named],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in this terminal is not meant for it
    )


def stop(engine: Engine) -> bool:
    """Stop the server for `engine`; whether there was one."""
    try:
        with _call(address(engine), "stop", {}) as line:
            _receive(line, begun=False)
            return True
    except _Gone:
        return False


def _call(place: Path | None, call: str, values: dict[str, Any]) -> Connection:
    """A connection on which a call was made. Raises _Gone."""
    from multiprocessing.connection import Connection

    if place is None:
        raise _Gone
    client = socket.socket(socket.AF_UNIX)
    try:
        client.settimeout(_GREETING_S)
        client.connect(str(place))
        client.setblocking(True)
        line = Connection(client.detach())
    except OSError as error:
        client.close()
        raise _Gone from error
    try:
        # Bytes, so that nothing of a stranger's is unpickled.
        if not line.poll(_GREETING_S) or line.recv_bytes(_LONGEST) != place.name.encode():
            raise _Gone
        line.send((call, values))
    except (OSError, EOFError) as error:
        line.close()
        raise _Gone from error
    except BaseException:  # Ctrl-C, say
        line.close()
        raise
    return line


def _receive(line: Connection, begun: bool) -> tuple[str, Any]:
    """The next message. Raises _Gone where the first does not come."""
    try:
        if not begun and not line.poll(_PATIENCE_S):
            raise _Gone
        kind, value = line.recv()
    except (OSError, EOFError) as error:
        if begun:
            raise RagError("The server ended in the middle of the answer.", "Ask again.") from error
        raise _Gone from error
    return kind, value
