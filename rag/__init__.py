"""Ask your own notes: passages found, answered and cited on this machine.

    from rag import open_notes

    open_notes("~/notes").ask("What did I decide about the garden?")

Importing this loads nothing: the names below are looked up when they are used.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing itself takes milliseconds, in which no Ctrl-C is heeded yet
if TYPE_CHECKING:
    from typing import Any, Final

    from rag.answering.steps import Citation
    from rag.api import Notes, open_notes
    from rag.errors import RagError
    from rag.events import Status
    from rag.indexing.library import NoteEntry
    from rag.results import Answer, Entries, Passages, Statuses
    from rag.retrieval.found import Passage

# ONNX Runtime's wheels report their use to Microsoft, and keep a number of the machine in the cache
# folder for that, unless they are told not to before they are loaded. Children inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

__version__: Final = "0.1.0"
# Where a name is found; one that is not here stands in rag.api.
_PLACES = {
    "RagError": "rag.errors",
    "Citation": "rag.answering.steps",
    "NoteEntry": "rag.indexing.library",
    "Passage": "rag.retrieval.found",
    "Status": "rag.events",
}
__all__ = [
    "Answer", "Citation", "Entries", "NoteEntry", "Notes", "Passage", "Passages", "RagError",
    "Status", "Statuses", "__version__", "open_notes",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES.get(name, "rag.api")), name)


def __dir__() -> list[str]:
    return __all__
