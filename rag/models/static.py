"""Embedders that are a table of vectors, one a token: static embeddings, as model2vec makes them.

What a folder says of such a model is read from its files; nothing is loaded.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

from rag.errors import ModelError

TABLES = ("embedding.weight", "embeddings")  # what sentence-transformers and model2vec call it
_LENGTH = 512  # tokens: the table has no limit of its own, but a longer text means less and less
_HEADER = 1 << 24  # bytes


def static_place(folder: Path) -> Path | None:
    """The folder of the table and its tokenizer; None for a model of another kind."""
    try:
        parts = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [str(each["type"]).rpartition(".")[2] for each in parts]
        if kinds[:1] == ["StaticEmbedding"] and set(kinds[1:]) <= {"Normalize"}:
            return folder / str(parts[0]["path"])
    except (OSError, ValueError, TypeError, KeyError):
        pass  # said elsewhere, of models of every kind
    return None


def static_dimension(place: Path) -> int:
    """Numbers in a vector, from the head of the weights; 0 where there is no table.

    Raises ModelError for a damaged file.
    """
    file = place / "model.safetensors"
    try:
        with file.open("rb") as handle:
            (size,) = struct.unpack("<Q", handle.read(8))
            head = json.loads(handle.read(min(size, _HEADER)))
        shapes = [head[name]["shape"] for name in TABLES if name in head]
        return int(shapes[0][1]) if shapes else 0
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, TypeError, KeyError, IndexError, struct.error) as error:
        raise ModelError(f"{file} is damaged.", "Install the embedder again.") from error


def static_length(place: Path) -> int:
    """Tokens that are read of a text: as many as the tokenizer says, if it does."""
    try:
        known = json.loads((place / "tokenizer.json").read_text(encoding="utf-8"))
        return int(known["truncation"]["max_length"])
    except (OSError, ValueError, TypeError, KeyError):
        return _LENGTH
