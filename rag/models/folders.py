"""A sentence-transformers folder checked before a library opens it: it may hold numbers alone.

Such a folder names the classes that it is made of and may carry code and pickles of its own;
loading a pickle runs whatever it says.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from rag.errors import ModelError

_OURS = "sentence_transformers."
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_PARTS = frozenset(
    "Transformer Pooling Normalize Dense LayerNorm Dropout WeightedLayerPooling CNN LSTM "
    "StaticEmbedding".split()
)
_REMEDY = "Name another in rag.toml, table [embedder], key model."


def check_folder(folder: Path, name: str = "") -> None:
    """Raises ModelError for a folder that asks for code of its own or keeps weights as pickles,
    and for a model that does not turn a text into one vector. `name` is what it is called, if not
    as its folder: that may be a number of the hub's."""
    name = name or folder.name
    config = _read(folder / "config.json")
    modules = _read(folder / "modules.json")
    kinds = [each.get("type") for each in modules if isinstance(each, dict)]
    if any(not str(kind).startswith(_OURS) for kind in kinds) or "auto_map" in config:
        raise ModelError(
            f"The embedder {name} asks to run code of its own, which rag never does.",
            _REMEDY,
        )
    _check_parts(name, [str(kind).rpartition(".")[2] for kind in kinds], config)
    for place, _, names in os.walk(folder):
        pickles = [each for each in names if each.endswith(_PICKLES)]
        if pickles and "model.safetensors" not in names:
            raise ModelError(
                f"The embedder {name} keeps weights as a pickle "
                f"({os.path.join(os.path.relpath(place, folder), pickles[0])}), which could run "
                "programs; rag reads safetensors alone.",
                _REMEDY,
            )


def _check_parts(name: str, kinds: list[str], config: object) -> None:
    other = next((kind for kind in kinds if kind not in _PARTS), "")
    if other:
        raise ModelError(
            f"The embedder {name} has a part of the kind {other}, which rag cannot use.",
            "Name one that turns text into one vector: Transformer and Pooling, or "
            "StaticEmbedding.",
        )
    classes = config.get("architectures") if isinstance(config, dict) else None
    named = str(classes[0]) if isinstance(classes, list) and classes else ""
    if not kinds and named.endswith("ForSequenceClassification"):
        raise ModelError(
            f"{name} scores pairs of texts; it is no embedder.",
            "It may be a reranker: table [rerank] in rag.toml, key model.",
        )


def _read(file: Path) -> dict[str, object] | list[object]:
    """What a JSON file holds; nothing where there is none. Raises ModelError."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} cannot be read as JSON.", _REMEDY) from error
    return value if isinstance(value, (dict, list)) else {}
