"""What Rust calls a panic, as an error that Python's callers expect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_panics() -> Iterator[None]:
    """Raise ValueError, as tantivy does for what it finds wrong itself, where it panics instead:
    it does so at a file cut short. The class is no Exception, and cannot be imported."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"tantivy gave up: {error}") from error
