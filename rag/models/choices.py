"""The language models that can be chosen: those known by name, and GGUF files at hand."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelError
from rag.models.catalog import BUNDLED, ModelSpec, find_model
from rag.models.weights import locate

_PREPARED = re.compile(
    r"-[0-9a-f]{12}(?:-[0-9a-f]{8})?\.[A-Z0-9_]+\.gguf$"
)  # made by `generator_file`


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A language model: `place` is its name or path, as `rag.toml` would hold it. Sizes in bytes,
    `context` in tokens, 0 where the file does not say."""

    name: str
    place: str
    size: int
    context: int
    licence: str


def generator_choices(cache: Path, current: str) -> list[ModelChoice]:
    """Bundled models, GGUF files in the cache, and those beside the one in use.

    Reads headers only. Files that are missing or cannot be read are left out.
    """
    folders = {cache, Path(os.path.expanduser(current)).parent} if os.sep in current else {cache}
    files = sorted({file for folder in folders for file in _gguf(folder)})
    specs = [(spec, spec.name) for spec in BUNDLED if spec.kind == "generator"]
    specs += [(find_model(str(file), "generator"), str(file)) for file in files]
    found = [_choice(spec, place) for spec, place in specs]
    return [each for each in found if each is not None]


def _gguf(folder: Path) -> list[Path]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [
        folder / name for name in names if name.endswith(".gguf") and not _PREPARED.search(name)
    ]


def _choice(spec: ModelSpec, place: str) -> ModelChoice | None:
    from rag.models.llama import context_length

    try:
        path = locate(spec)
        return ModelChoice(
            spec.name, place, path.stat().st_size, context_length(path), spec.licence
        )
    except (ModelError, OSError):
        return None
