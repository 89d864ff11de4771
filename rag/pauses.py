"""Python's search for reference cycles, kept from making a screen wait.

A full collection walks every object that can hold another. With the interface and the models
loaded that takes 60 to 110 ms of whichever thread happens to allocate, the screen's included,
several times an answer. Modules, styles and models stay until the end, so they need not be walked:
nothing is collected while they are made, and once there they are set aside. What a conversation
makes later is collected as ever; there is less of it to walk.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def hold() -> None:
    """Collect nothing until `set_aside`: what is made meanwhile is meant to stay."""
    gc.disable()


def set_aside() -> None:
    """Never walk again what there is now; collect what comes from here on."""
    gc.freeze()
    gc.enable()


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
    gc.unfreeze()
