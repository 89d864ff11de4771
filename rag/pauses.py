"""Python's search for reference cycles, kept from making a screen wait.

A full collection walks every object that can hold another. With the interface and the models
loaded that takes 60 to 110 ms of whichever thread happens to allocate, the screen's included,
several times an answer. Modules, styles and models stay until the end, so they need not be walked:
nothing is collected while they are made, and once there they are set aside. What a conversation
makes later is less, yet what a screen shows comes to a hundred thousand objects again (20 to
50 ms): the young are collected as ever, all of them a moment after an answer, when the reader
reads.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Collections of the young between two of all, where none was asked for: some minutes of work.
_SELDOM = 2000
_USUAL = gc.get_threshold()


def hold() -> None:
    """Collect nothing until `set_aside`: what is made meanwhile is meant to stay."""
    gc.disable()


def set_aside() -> None:
    """Never walk again what there is now; collect what comes from here on, the young of itself and
    the old by `collect`."""
    gc.freeze()
    gc.set_threshold(*_USUAL[:2], _SELDOM)
    gc.enable()


def collect() -> None:
    """Walk all that came since `set_aside`, now."""
    gc.collect()


@contextmanager
def held() -> Iterator[None]:
    """Within it things are made that stay."""
    hold()
    try:
        yield
    finally:
        set_aside()


def take_back() -> None:
    """Walk everything again: what was set aside has come to its end."""
    gc.set_threshold(*_USUAL)
    gc.unfreeze()
