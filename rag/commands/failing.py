"""How a failed command says so: a sentence for people, and JSON where a program reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile

from rag.commands.shared import complain
from rag.errors import RagError


def tell_failure(error: RagError, given: Sequence[str]) -> None:
    """Say what went wrong on standard error and, where the command line `given` asks for JSON, as
    an object with `error` and `remedy` on standard output, too."""
    kind = json_wanted(given)
    if kind:
        from rag.output import show_json
        from rag.schema import error_json

        event = {"event": "error"} if kind == "lines" else {}
        with suppress(OSError, AttributeError):  # nobody reads: the output is closed, or never was
            show_json({**event, **error_json(error)}, indent=None if event else 2)
    complain(str(error))


def json_wanted(given: Sequence[str]) -> str:
    """What kind of JSON a command line asks for, also one that cannot be parsed: "object" or
    "lines", or "" for none. Flags may be shortened, as argparse has them."""
    for word in takewhile(lambda each: each != "--", given):
        if word.startswith("--js"):
            return "lines" if word.startswith("--json-") else "object"
    return ""
