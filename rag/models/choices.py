"""The language models that can be chosen: those known by name, and GGUF files at hand."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.config import ENDPOINT, Config
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


def generator_choices(
    cache: Path, current: str, fetched: Sequence[ModelSpec] = ()
) -> list[ModelChoice]:
    """Bundled models, those `fetched` or added, GGUF files in the cache, and those beside the one
    in use.

    Reads headers only. Files that are missing or cannot be read are left out.
    """
    folders = {cache, Path(os.path.expanduser(current)).parent} if os.sep in current else {cache}
    files = sorted({file for folder in folders for file in _gguf(folder)})
    specs = [(spec, spec.name) for spec in BUNDLED if spec.kind == "generator"]
    specs += [(spec, spec.name) for spec in fetched if spec.kind == "generator"]
    specs += [(find_model(str(file), "generator"), str(file)) for file in files]
    found = [_choice(spec, place) for spec, place in specs]
    return [each for each in found if each is not None]


def endpoint_choice(config: Config) -> list[ModelChoice]:
    """The endpoint of the settings, if one is named; its name says where it is."""
    if not (config.endpoint_url and config.endpoint_model):
        return []
    from rag.answering.endpoint import display_name

    name = display_name(config.endpoint_url, config.endpoint_model)
    return [ModelChoice(name, ENDPOINT, 0, 0, "")]


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
