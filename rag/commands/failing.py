"""How a failed command says so: a sentence for people, and JSON where a program reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise, takewhile

from rag.commands.shared import complain
from rag.errors import RagError, for_folders


def tell_failure(error: RagError, given: Sequence[str]) -> None:
    """Say what went wrong on standard error and, where the command line `given` asks for JSON, as
    an object with `error` and `remedy` on standard output, too."""
    error = for_folders(error, _folders(given))
    kind = json_wanted(given)
    if kind:
        from rag.output import show_json
        from rag.schema import error_json

        event = {"event": "error"} if kind == "lines" else {}
        with suppress(OSError, AttributeError):  # nobody reads: the output is closed, or never was
            show_json({**event, **error_json(error)}, indent=None if event else 2)
    complain(str(error))


def _folders(given: Sequence[str]) -> list[str]:
    """The notes folders that a command line names by `--notes`."""
    words = [*takewhile(lambda each: each != "--", given), ""]
    return [
        after if word == "--notes" else word.partition("=")[2]
        for word, after in pairwise(words)
        if word == "--notes" or word.startswith("--notes=")
    ]


def json_wanted(given: Sequence[str]) -> str:
    """What kind of JSON a command line asks for, also one that cannot be parsed: "object" or
    "lines", or "" for none. Flags may be shortened, as argparse has them."""
    for word in takewhile(lambda each: each != "--", given):
        if word.startswith("--js"):
            return "lines" if word.startswith("--json-") else "object"
    return ""
