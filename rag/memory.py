"""What the C library keeps of memory that was freed, held down where a process lives for days.

glibc gives each thread that allocates an arena of its own, up to eight a core, and returns little
of them. Models are loaded, and notes indexed, in threads that come and go: over eight simulated
hours `bench/soak.py` found 6 MB an hour more, of which nothing was in use. Elsewhere than on glibc
nothing happens.
"""

from __future__ import annotations

_M_ARENA_MAX = -8  # malloc.h


def share_arenas() -> None:
    """Let all threads that are yet to come allocate from two arenas. For a program's start."""
    _call("mallopt", _M_ARENA_MAX, 2)


def give_back() -> None:
    """Return freed memory to the system: after a model was closed, say."""
    _call("malloc_trim", 0)


def _call(name: str, *values: int) -> None:
    import ctypes

    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # no glibc
        return
    function(*values)
