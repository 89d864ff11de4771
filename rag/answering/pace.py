"""How many threads the next token gets."""

from __future__ import annotations

import time
from collections.abc import Callable

_SLOW = 2.0  # times the fastest token: one thread alone is faster
_ENOUGH = 4  # slow tokens in a row; fewer are the screen that was drawn
_ALONE = 32  # tokens until all cores are tried again


class Pace:
    """Threads for the next token: all cores, one while another program keeps one of them busy.

    llama.cpp's threads meet hundreds of times a token; where one of them has lost its core to
    another program, the others wait. Measured on two cores, tokens a second: alone 98 with two
    threads, 56 with one; beside a busy program 29 with two, 55 with one, 39 so.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._fastest = float("inf")
        self._slow = 0  # tokens in a row that were slow
        self._alone = 0  # tokens for which one thread is used still
        self._last: float | None = None

    def step(self, set_threads: Callable[[int], None]) -> None:
        """Called before each token."""
        now, last = time.perf_counter(), self._last
        self._last = now
        if last is None:  # no token yet: an answer before may have ended with one thread
            set_threads(self._threads)
            return
        if self._alone:
            self._alone -= 1
            if not self._alone:
                set_threads(self._threads)
            return
        took = now - last
        self._slow = self._slow + 1 if took > _SLOW * self._fastest else 0
        if self._slow == _ENOUGH:
            self._slow, self._alone = 0, _ALONE
            set_threads(1)
        self._fastest = min(self._fastest, max(took, 1e-3))
