"""An engine behind a Unix socket: one question at a time, until nobody has asked for a while.

A connection is one call of the engine: the server says who it is, the client names the call, and
events follow until the result or the error. A client that hangs up has cancelled. Messages are
pickled, as between the processes of one program: the folder of the socket lets in nobody else.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from rag.engine import Engine
from rag.errors import RagError, storage_errors
from rag.serving.address import is_private

# What may be asked for, and whether it can be cancelled.
CALLS = {"refresh": True, "ask": True, "explain": False, "take_notices": False}
STOP = "stop"
_LOOK_S = 5.0  # between two looks at whether the socket is still there and anyone was


def serve(engine: Engine, address: Path, idle_s: float, ready: Callable[[], None]) -> None:
    """Answer at `address` until `idle_s` seconds have passed without a question.

    Calls `ready` once it listens. Raises RagError where another server does, or where the folder
    of the socket cannot be trusted.
    """
    with ExitStack() as stack:
        stack.enter_context(_alone(address))
        listener = stack.enter_context(_listening(address))
        desk = _Desk(engine, address.name)
        threading.Thread(target=desk.warm_up, daemon=True).start()
        ready()
        own = os.lstat(address).st_ino
        while not desk.stopped and time.monotonic() - desk.used < idle_s:
            listener.settimeout(min(_LOOK_S, max(0.1, idle_s / 4)))
            with suppress(TimeoutError):
                client, _ = listener.accept()
                client.setblocking(True)
                threading.Thread(target=desk.answer, args=(client,), daemon=True).start()
            if not _is(address, own):  # taken away, or another's now
                break


class _Desk:
    """Takes calls, one at a time. `used` is when the last one ended, or now while one lasts."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._used = time.monotonic()
        self._waiting = 0
        self.stopped = False

    @property
    def used(self) -> float:
        return time.monotonic() if self._waiting else self._used

    def warm_up(self) -> None:
        """Load the models before anybody asks; what is wrong with them, a question will tell."""
        with self._turn, suppress(RagError):
            self._engine.models.warm_up()

    def answer(self, client: socket.socket) -> None:
        """One connection, from its greeting to its end."""
        self._count(1)
        try:
            with Connection(client.detach()) as line:
                line.send_bytes(self._name.encode())
                call, values = line.recv()
                if call == STOP:
                    self.stopped = True
                    line.send(("done", None))
                    return
                with self._turn:
                    self._reply(line, call, values)
        except (OSError, EOFError):
            pass  # the client hung up
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._counting:
            self._waiting += more
            self._used = time.monotonic()

    def _reply(self, line: Connection, call: str, values: dict[str, Any]) -> None:
        try:
            if CALLS[call]:  # events; whoever hangs up has cancelled
                self._engine.started = values.pop("started", None)
                for event in getattr(self._engine, call)(**values, cancel=lambda: line.poll(0)):
                    line.send(("event", event))
                line.send(("done", None))
            else:
                line.send(("done", getattr(self._engine, call)(**values)))
        except RagError as error:
            line.send(("error", error))
        except (OSError, EOFError):
            raise
        except Exception as error:  # an unforeseen one must reach the reader as a sentence
            message = f"Something unforeseen happened ({type(error).__name__}: {error})."
            line.send(("error", RagError(message, "Stop the server with: rag serve --stop")))


def _inode(path: Path) -> int:
    try:
        return os.lstat(path).st_ino
    except OSError:
        return 0


def _is(path: Path, inode: int) -> bool:
    return inode != 0 and _inode(path) == inode


@contextmanager
def _alone(address: Path) -> Iterator[None]:
    """Be the only server at `address`; the kernel ends that with the process."""
    with storage_errors(address.parent):
        address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_private(address.parent):
        raise RagError(
            f"Others could reach {address.parent}, so nothing is served there.",
            f"Close it with: chmod 700 {address.parent}",
        )
    lock: IO[str] = address.with_suffix(".lock").open("a")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RagError(
                "These notes are served already.", "To stop that: rag serve --stop"
            ) from None
        yield


@contextmanager
def _listening(address: Path) -> Iterator[socket.socket]:
    """A socket that its owner alone may write to. What a killed server left gives way."""
    with socket.socket(socket.AF_UNIX) as listener, storage_errors(address.parent):
        address.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            listener.bind(str(address))
        finally:
            os.umask(mask)
        listener.listen(16)
        own = os.lstat(address).st_ino
        try:
            yield listener
        finally:
            if _is(address, own):
                address.unlink(missing_ok=True)
