"""How many threads the next token gets."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Threads for the next token: all cores, one while other programs keep the cores busy.

    llama.cpp's threads meet hundreds of times a token; where one of them has lost its core to
    another program, the others wait. Measured on two cores: 0.6 tokens/s
    with two spinning threads beside a busy program, 52 alone. One thread meets nobody; alone
    it gives 39.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._fastest = float("inf")
        self._alone = 0  # tokens for which one thread is used still
        self._last: float | None = None

    def step(self, set_threads: Callable[[int], None]) -> None:
        """Called before each token."""
        now, last = time.perf_counter(), self._last
        self._last = now
        if last is None:  # no token yet: what passed before it tells nothing
            return
        if self._alone:
            self._alone -= 1
            if not self._alone:
                set_threads(self._threads)
            return
        took = now - last
        if took > 4 * self._fastest:
            self._alone = 16
            set_threads(1)
        self._fastest = min(self._fastest, max(took, 1e-3))
