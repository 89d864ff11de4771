"""A command line that is misspelt: one sentence, and the nearest word that is meant."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from rag.errors import RagError
from rag.nearest import nearest

_LEFT_OUT = re.compile(r"-[^\W\d_][\w-]*:")  # "-tag:ml", a filter of a question

# As argparse says it.
_WRONG_NUMBER = re.compile(
    r"argument (?P<flag>.+?): invalid (?P<kind>int|float) value: (?P<given>.+)", re.DOTALL
)


# What other programs call what rag has under another name.
_LISTS = (
    'Notes: rag ask "list my notes". Models: rag models. What is indexed, and where: rag status.'
)
_ELSEWHERE = {"list": _LISTS, "ls": _LISTS}


class Parser(argparse.ArgumentParser):
    """One that names the nearest command or flag. Raises RagError instead of leaving."""

    def parse_known_args(  # type: ignore[override]  # as argparse has it, in one signature
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """What is left over is told here, where the flags of its command are known."""
        self._given = list(sys.argv[1:] if args is None else args)
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            self._refuse(rest)
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        if "are required" in message:  # a flag that nobody knows is why something is missing
            names = (each.partition("=")[0] for each in self._given if each[:2] == "--" != each)
            if unknown := [each for each in names if each not in self._option_string_actions]:
                self._refuse(unknown)
        if wrong := _WRONG_NUMBER.fullmatch(message):
            kind = "a whole number" if wrong["kind"] == "int" else "a number"
            message = f"{wrong['flag']} takes {kind}, and {wrong['given']} is none"
        raise RagError(f"{message[:1].upper()}{message[1:]}.", self._see)

    @property
    def _see(self) -> str:
        return f"See: {self.prog} --help"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(each) for each in action.choices]
        if isinstance(action, argparse._SubParsersAction) and " " in str(value):
            raise RagError(f"{str(value)!r} is no command.", 'To ask your notes: rag ask "…"')
        if self.prog == "rag" and value in _ELSEWHERE:
            raise RagError(f"{self.prog} knows no {str(value)!r}.", _ELSEWHERE[value])
        near = nearest(str(value), choices)
        meant = f"{self.prog} {near}" if near else ""
        known = ", ".join(choices)
        raise RagError(
            f"{self.prog} knows no {str(value)!r}.",
            f"Did you mean: {meant}? {self._see}" if near else f"It knows {known}. {self._see}",
        )

    def _refuse(self, rest: Sequence[str]) -> NoReturn:
        """Raise RagError for what no flag and no place of this command takes."""
        flag = next((each.partition("=")[0] for each in rest if each.startswith("-")), "")
        if not flag:
            raise RagError(f"{self.prog} has no use for {' '.join(rest)!r}.", self._see)
        shown = [
            name
            for each in self._actions
            if each.help != argparse.SUPPRESS
            for name in each.option_strings
        ]
        filter_ = next((each for each in rest if _LEFT_OUT.match(each)), "")
        if filter_ and any(each.dest == "question" for each in self._actions):
            raise RagError(
                f"{filter_} was taken for a flag.",
                f"Write what leaves notes out behind two dashes: {self.prog} -- {filter_} …",
            )
        near = nearest(flag, shown)
        raise RagError(
            f"{self.prog} knows no {flag}.",
            f"Did you mean {near}? {self._see}" if near else self._see,
        )
