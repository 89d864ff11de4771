"""What `rag models` says and asks, on the terminal or as JSON."""

from __future__ import annotations

import argparse
import os
import sys

from rag.commands.shared import agreed
from rag.errors import ModelError
from rag.output import console, one_line, show_json


def tell(arguments: argparse.Namespace, value: object, sentence: str) -> None:
    """What was done: as JSON for programs, else in a sentence."""
    if getattr(arguments, "json", False):
        show_json(value)
    else:
        say(sentence)


def ask(question: str, yes: bool, otherwise: str) -> None:
    """Go on after a yes alone. Raises ModelError."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ModelError(f"{question} Nobody is here to say yes.", "Say it with --yes.")
    if not agreed(one_line(question)):
        raise ModelError(otherwise)


def warn_of_variable(name: str) -> None:
    if os.environ.get(name):
        say(f"But {name} is set in the environment, and wins while it is.", beside=True)


def say(text: str, beside: bool = False) -> None:
    """A sentence on standard output, or beside it on standard error."""
    from rich.text import Text

    console(stderr=beside).print(Text(one_line(text)), soft_wrap=True)
