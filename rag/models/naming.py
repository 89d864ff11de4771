"""What a model may be called."""

from __future__ import annotations

from rag.config import ENDPOINT
from rag.errors import ModelError
from rag.models.catalog import BUNDLED
from rag.models.known import EMBEDDERS, KNOWN

_LONGEST = 120  # bytes: a name is part of a file's
_OTHERWISE = "Name it with: --name NAME"


def check_name(name: str, source: str = "") -> None:
    """Raises ModelError for a name that cannot be one, that comes with rag, or, of a file from a
    `source`, that the list of models has for another one: it would stand in that one's place."""
    if any(spec.name == name for spec in BUNDLED):
        raise ModelError(f"{name} comes with rag.", "Give this one another name: --name NAME")
    if not name.strip() or name == ENDPOINT or name.startswith((".", "~", "/", "-")):
        raise ModelError(f"A model cannot be called {name!r}.", _OTHERWISE)
    if not name.isprintable() or len(name.encode()) > _LONGEST:
        raise ModelError(
            f"A name of a model is at most {_LONGEST} letters of a kind that can be typed.",
            _OTHERWISE,
        )
    for known in (*KNOWN, *EMBEDDERS):
        if source and known.name.casefold() == name.casefold() and known.source != source:
            raise ModelError(
                f"{known.name} is the name of another model: {known.source}.",
                "Give this one another name: --name NAME",
            )
