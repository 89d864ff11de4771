"""Loads a GGUF file and takes one step with it: `python -m rag.models.probe FILE`.

Run in a process of its own before a file is used for the first time. Ends with 0, or with what is
wrong on standard error; a file that was made to break its reader breaks this process alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rag.errors import ModelError
from rag.models.weights import REFUSED

_CONTEXT = 512  # tokens


def main(arguments: list[str]) -> int:
    """Load the file, read a prompt, write a token."""
    from rag.answering.generation import LlamaGenerator
    from rag.answering.messages import Message

    file = Path(arguments[0])
    generator = LlamaGenerator(file, file.name, _CONTEXT, 1)
    try:
        for _ in generator.stream([Message("user", "Hello")], 1):
            pass
    except ModelError as error:
        sys.stderr.write(error.message)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
