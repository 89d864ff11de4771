"""The command `rag`, also as `python -m rag`: what lies around `rag.cli.main`."""

from __future__ import annotations

import os
import sys

# Python puts the current folder first among the places where it looks for modules. It may be a
# folder of notes, and hold a `json.py`.
if (
    __name__ == "__main__"
    and not sys.flags.safe_path
    and sys.path[0] != os.path.dirname(os.path.dirname(__file__))
):
    del sys.path[0]

import atexit
import io
import signal
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn, TextIO

_STOPPED, _FAILED = 130, 2
_LATER_S = 0.02


def run() -> NoReturn:
    """Run a command and end the process. Ctrl-C says "Stopped.", whenever it comes: also while
    modules are imported and after the last word."""
    _heed_interrupts()
    for name in ("stdout", "stderr"):  # closed by whoever started it
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        _write_what_can_be(getattr(sys, name))
    status: int | None = None
    with suppress(KeyboardInterrupt):
        status = _status()
        _ignore_interrupts()
    _ignore_interrupts()
    if status is None:
        with suppress(OSError, AttributeError):
            sys.stderr.write("Stopped.\n")
        status = _STOPPED
    _leave(status)


def _write_what_can_be(stream: TextIO) -> None:
    """Have an output that cannot write a letter, as PYTHONIOENCODING may set it, write a ? in its
    place; whoever named how to go about it is heeded."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")


def _status() -> int:
    """The exit status of the command."""
    try:
        from rag.cli import main

        return main()
    except SystemExit as ended:  # argparse, after --help
        return ended.code if isinstance(ended.code, int) else _FAILED if ended.code else 0


def _ignore_interrupts() -> None:
    """Heed no Ctrl-C from here on. One that came in the last moment is too late, and Python raises
    it here before it changes anything."""
    ignored = False
    while not ignored:
        with suppress(KeyboardInterrupt):
            for number in (signal.SIGINT, signal.SIGALRM):
                signal.signal(number, signal.SIG_IGN)
            ignored = True


def _heed_interrupts() -> None:
    """Have Ctrl-C wait where Python would lose it, or never come out of it again."""
    sys.unraisablehook = _unraisable
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGALRM, _interrupt)


def _interrupt(_: int, frame: FrameType | None) -> None:
    """Interrupted between taking and giving back its locks, Python's importer would wait for
    itself for ever: the next moment will do."""
    if frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        signal.setitimer(signal.ITIMER_REAL, _LATER_S)
    else:
        raise KeyboardInterrupt


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    """Ctrl-C that met a destructor, where Python would only print it, comes again after it."""
    if isinstance(what.exc_value, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _LATER_S)
    else:
        sys.__unraisablehook__(what)


def _leave(status: int) -> NoReturn:
    """End without taking the process apart: a thread that is loading a model behind would be
    torn down in the middle of it, and the process would die of that."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            with suppress(ValueError):  # it is closed
                stream.flush()
        except BrokenPipeError:
            pass
        except OSError:
            status = status or _FAILED
    os._exit(status)


if __name__ == "__main__":
    run()
