"""The command line: what every command has in common. The commands are in `rag.commands`.

Exit status: 0 answered or done, 1 the notes do not say or the doctor found something broken, 2 any
error.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from collections.abc import Callable, Sequence

from rag.commands.failing import tell_failure
from rag.commands.parser import build_parser
from rag.commands.shared import ANSWERED, FAILED, NOT_IN_NOTES, STOPPED
from rag.errors import Cancelled, NotInNotes, RagError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status. No error ends in a traceback."""
    given = sys.argv[1:] if argv is None else argv
    try:
        started = _process_start()
        if not given or given[0] == "help":  # "rag help ask", as of many programs
            given = [*given[1:], "--help"]
        arguments = build_parser().parse_args(given)
        command: Callable[[argparse.Namespace, float], int] = arguments.command
        return command(arguments, started)
    except BrokenPipeError:  # the reader of our output, `head` say, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ANSWERED
    except (KeyboardInterrupt, RagError) as error:
        stopped = isinstance(error, Cancelled) or _interrupted(error)
        if isinstance(error, KeyboardInterrupt) or (stopped and not isinstance(error, Cancelled)):
            error = Cancelled()  # whatever a library that was interrupted said
        tell_failure(error, given)
        if stopped:
            return STOPPED
        return NOT_IN_NOTES if isinstance(error, NotInNotes) else FAILED
    except Exception as error:
        if _interrupted(error):
            tell_failure(Cancelled(), given)
            return STOPPED
        if os.environ.get("RAG_DEBUG"):
            raise
        tell_failure(_unforeseen(error), given)
        return FAILED


def _unforeseen(error: Exception) -> RagError:
    """What to say of an error that no part of ours foresaw."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM and not error.filename:
        return RagError(  # what the index's folders refuse is a StorageError
            f"The output could not be written: {(error.strerror or str(error)).lower()}.",
            "Send it elsewhere; your notes and the index are untouched.",
        )
    return RagError(
        f"Something unforeseen happened ({type(error).__name__}: {error}). Your notes "
        "and the index are untouched; RAG_DEBUG=1 shows where it happened."
    )


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: a library that it stops while it loads says otherwise."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _process_start() -> float:
    """`time.perf_counter()` as it stood when this process was created.

    On Linux psutil adds the time since boot to a time of boot in whole seconds, and can be a second
    off; the kernel counts both in the same hundredths (proc_pid_stat(5), field 22).
    """
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):  # macOS, where psutil knows the microsecond
        import psutil

        age = time.time() - psutil.Process().create_time()
    return time.perf_counter() - max(0.0, age)
