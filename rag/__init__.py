"""Ask your own notes: passages found, answered and cited on this machine.

    from rag import open_notes

    open_notes("~/notes").ask("What did I decide about the garden?")

Importing this loads nothing: the names below are looked up when they are used.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rag.api import Notes, open_notes
    from rag.errors import RagError
    from rag.results import Answer, Passages

__version__: Final = "0.1.0"
__all__ = ["Answer", "Notes", "Passages", "RagError", "__version__", "open_notes"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("rag.errors" if name == "RagError" else "rag.api"), name)


def __dir__() -> list[str]:
    return __all__
