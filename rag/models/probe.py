"""Loads a GGUF file and takes one step with it: `python -m rag.models.probe FILE`.

Run in a process of its own before a file is used for the first time. Ends with 0, or with what is
wrong on standard error; a file that was made to break its reader breaks this process alone.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from rag.errors import ModelError
from rag.models.weights import REFUSED

_CONTEXT = 512  # tokens
_RENDERED_S = 10.0
# All chats that are made of prompts: see `rag.answering.prompt` and `rag.evaluation.making`.
_CHATS = (["user"], ["system", "user"], ["system", *["user", "assistant"] * 3, "user"])


def main(arguments: list[str]) -> int:
    """Load the file, write each kind of chat by its template, read a prompt, write a token."""
    from rag.answering.generation import LlamaGenerator
    from rag.answering.messages import Message

    file = Path(arguments[0])
    generator = LlamaGenerator(file, file.name, _CONTEXT, 1)
    try:
        generator.load()
        _render(generator.chat.template)
        for _ in generator.stream([Message("user", "Hello")], 1):
            pass
    except ModelError as error:
        sys.stderr.write(error.message)
        return REFUSED
    return 0


def _render(template: str) -> None:
    """Write each kind of chat: a template is a program, and one that does not come to its end ends
    this process."""
    from rag.answering.templates import render

    if hasattr(signal, "setitimer"):  # not on Windows
        signal.setitimer(signal.ITIMER_REAL, _RENDERED_S)
    for roles in _CHATS:
        for thinks in (False, True):
            render(template, roles, "", "", thinks)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
