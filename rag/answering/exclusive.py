"""One answer at a time, also where the one before was left in the middle."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rag.errors import Cancelled

T = TypeVar("T")


class Exclusive:
    """A lock that an answer holds from its first step to its last.

    `for step in answer: break` in a notebook leaves an answer that nobody will go on with, and the
    lock with it. Whoever takes the lock in the main thread ends one that was left there; other
    threads wait, since what they wait for may go on elsewhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: Generator[object, None, None] | None = None  # in the main thread, for now

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it nobody else holds the lock."""
        if self._left is not None and _in_main_thread():
            self._left.close()
            self._left = None
        with self._lock:
            yield

    def follow(self, steps: Generator[T, None, None]) -> Iterator[T]:
        """The steps of an answer that holds the lock. Raises Cancelled where it was ended for
        another."""
        try:
            for step in steps:
                self._left = left = steps if _in_main_thread() else None
                yield step
                if self._left is not left:
                    raise Cancelled
                self._left = None
        finally:
            if self._left is steps:
                self._left = None
            steps.close()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
