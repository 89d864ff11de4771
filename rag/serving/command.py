"""`rag serve`: listen, stop, and start by itself behind the first question."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.errors import NoIndex, RagError, for_folders

if TYPE_CHECKING:
    from rag.engine import Engine

IDLE_MIN = 15.0  # minutes after which a server that nobody asks goes away


def run(engine: Engine, idle_min: float, quiet: bool, notes: Sequence[str] = ()) -> None:
    """Serve the notes of `engine` until it has been idle for so many minutes.

    `notes` are the folders as they were named on the command line.
    """
    from rag.serving.address import address
    from rag.serving.server import serve

    place = address(engine)  # before the folder is left that its settings were found in
    if not 0 < idle_min < 1e6:
        raise RagError(f"--idle {idle_min:g} is out of range: more than 0 minutes.")
    if not engine.has_index():
        raise NoIndex("These notes have not been indexed yet.", "Run: rag index")
    if quiet:
        os.chdir("/")  # so that no disk is kept from being unmounted

    def ready() -> None:
        if not quiet:
            names = ", ".join(str(each) for each in engine.folders)
            from rag.output import safe

            # Said where the folder may no longer be the one indexed last; several have their names.
            named = [str(engine.folders[0])] if len(engine.folders) == 1 else notes
            stop = for_folders(RagError("", "rag serve --stop"), named).remedy
            text = safe(f"Models stay ready for {names}. Stop with Ctrl-C, or: {stop}")
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    serve(engine, place, 60 * idle_min, ready)


def warmed(engine: Engine) -> Engine:
    """`engine`, or one that lets a server answer, as `serve` in `rag.toml` has it."""
    if engine.parts.settings.serve == "off":
        return engine
    from rag.serving.client import warm

    return warm(engine)


def start_behind(engine: Engine, notes: Sequence[str]) -> None:
    """After a question: start a server for the next one, if `rag.toml` says `serve = "auto"`."""
    if engine.parts.settings.serve == "auto":
        from rag.serving.client import start

        start(engine, notes, IDLE_MIN)
