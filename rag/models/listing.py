"""The models that can be had, side by side: those at hand, those known, the endpoint."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rag.config import ENDPOINT, Config
from rag.errors import ModelError
from rag.models.begun import Begun, all_begun
from rag.models.catalog import BUNDLED, ModelSpec, find_model, folder_of
from rag.models.header import context_for, free_memory, memory_needed, parameters_of, read_header
from rag.models.installed import Installed, Speed, installed, speed_of
from rag.models.known import EMBEDDERS, KNOWN, KnownEmbedder
from rag.models.weights import locate
from rag.nearest import nearest


@dataclass(frozen=True, slots=True)
class Row:
    """One model. `size` and `memory` in bytes, `context` in tokens, None where unknown;
    `fits` tells whether the memory that is free now would hold it, `fault` why it cannot be
    used, though it was fetched or added, and what mends that. `partial` are the bytes that have
    come of a download that is not complete. `dimension` and `languages` are an embedder's."""

    name: str
    kind: str
    installed: bool
    in_use: bool
    parameters: str
    size: int | None
    memory: int | None
    fits: bool
    context: int | None
    licence: str
    speed: Speed | None
    source: str
    fault: str = ""
    partial: int = 0
    dimension: int | None = None
    languages: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def rows(config: Config) -> list[Row]:
    """Generators by size, then embedders. Reads headers, loads nothing, asks nobody."""
    free = free_memory()
    mine = installed(config.data_dir)
    at_hand = [_bundled(spec, config, free) for spec in BUNDLED]
    at_hand += [_installed(each, config, free) for each in mine]
    at_hand += [_begun(each, config, free) for each in all_begun(config.data_dir)]
    at_hand += _by_path(config, {each.name for each in at_hand}, free)
    names = {each.name for each in at_hand}
    known = [
        Row(
            each.name,
            "generator",
            False,
            False,
            each.parameters,
            each.size * 1_000_000,
            memory := memory_needed(each.size * 1_000_000, each.kv, 4096),
            memory < free,
            each.context,
            each.licence,
            None,
            each.source,
        )
        for each in KNOWN
        if each.name not in names
    ]
    known += [
        _embedder(each, free)
        for each in EMBEDDERS
        if each.name not in names and each.source not in {one.source for one in at_hand}
    ]
    ordered = sorted((*at_hand, *known), key=lambda row: (row.kind != "generator", row.size or 0))
    return [*ordered, *_endpoint(config)]


def named(name: str, found: Sequence[Row]) -> Row:
    """The row of a model; "endpoint" is that of the server. Raises ModelError with the nearest."""
    wanted = name.strip().casefold()
    for row in found:
        if wanted == row.name.casefold() or (
            wanted == ENDPOINT and row.name.startswith(f"{ENDPOINT}: ")
        ):
            return row
    near = nearest(name, (each.name for each in found))
    perhaps = f"Did you mean {near!r}? " if near else ""
    raise ModelError(f"No model is called {name!r}.", f"{perhaps}rag models lists them all.")


def _embedder(each: KnownEmbedder, free: int) -> Row:
    size = each.size * 1_000_000
    return Row(
        each.name,
        "embedder",
        False,
        False,
        each.parameters,
        size,
        size,
        size < free,
        each.context,
        each.licence,
        None,
        each.source,
        dimension=each.dimension,
        languages=each.languages,
    )


def _bundled(spec: ModelSpec, config: Config, free: int) -> Row:
    try:
        path = locate(spec)
    except ModelError as error:
        row = _row(spec.name, spec.kind, config, free, "", 0, 0, 0, spec.licence, spec.package)
        return replace(row, fault=str(error))
    size, parameters, context, kv, dimension = path.stat().st_size, "", 0, 0, 0
    if spec.kind == "generator":
        header = read_header(path)
        parameters, context, kv = header.parameters, header.context, header.kv
    else:
        from rag.indexing.model_folder import ModelFolder
        from rag.models.weights import EmbedderFiles

        folder = ModelFolder(EmbedderFiles(spec.name, folder_of(path), "", None))
        parameters, context, dimension = parameters_of(path), folder.max_tokens, folder.dimension
    place = f"package {spec.package}"
    row = _row(
        spec.name, spec.kind, config, free, parameters, size, context, kv, spec.licence, place
    )
    return replace(row, dimension=dimension or None, languages=spec.languages)


def _installed(each: Installed, config: Config, free: int) -> Row:
    there = Path(each.path).is_file()
    row = _row(
        each.name,
        each.kind,
        config,
        free,
        each.parameters,
        each.size if there else 0,
        each.context,
        each.kv,
        each.licence,
        each.source if there else f"{each.path} is not there any more",
    )
    row = replace(row, dimension=each.dimension or None, languages=each.languages)
    typed = shlex.quote(each.name)
    gone = f"{each.path} is gone. Fetch or add it again, or forget it: rag models remove {typed}"
    return row if there else replace(row, fault=gone)


def _begun(each: Begun, config: Config, free: int) -> Row:
    known = next((one for one in (*KNOWN, *EMBEDDERS) if one.name == each.name), None)
    row = _row(
        each.name,
        each.kind,
        config,
        free,
        known.parameters if known else "",
        0,
        known.context if known else 0,
        0,
        each.licence,
        each.source,
    )
    fault = f"partly here, {each.share}. {each.remedy}"
    return replace(row, size=each.size or None, fault=fault, partial=each.here)


def _by_path(config: Config, names: set[str], free: int) -> list[Row]:
    """A file that the settings name and nobody added."""
    model = config.generator_model
    if model in names or model == ENDPOINT:
        return []
    try:
        spec = find_model(model, "generator")
        path = locate(spec)
        head = read_header(path)
    except ModelError as error:
        row = _row(model, "generator", config, free, "", 0, 0, 0, "unknown", model)
        return [replace(row, fault=str(error))]
    size = path.stat().st_size
    return [
        _row(
            model,
            "generator",
            config,
            free,
            head.parameters,
            size,
            head.context,
            head.kv,
            head.licence or "unknown",
            str(path),
        )
    ]


def _row(
    name: str,
    kind: str,
    config: Config,
    free: int,
    parameters: str,
    size: int,
    context: int,
    kv: int,
    licence: str,
    source: str,
) -> Row:
    used = context_for(config.generator_context, context, kv, size, free, False)
    memory = memory_needed(size, kv, used) if kind == "generator" and size else size or None
    in_use = name == (config.generator_model if kind == "generator" else config.embedder_model)
    return Row(
        name,
        kind,
        bool(size),
        in_use,
        parameters,
        size or None,
        memory,
        memory is None or memory < free,
        context or None,
        licence,
        speed_of(config.data_dir, name),
        source,
    )


def _endpoint(config: Config) -> list[Row]:
    if not config.endpoint_url:
        return []
    in_use = config.generator_model == ENDPOINT
    name = f"{ENDPOINT}: {config.endpoint_model or '(no model named)'}"
    return [
        Row(
            name,
            "generator",
            True,
            in_use,
            "",
            None,
            None,
            True,
            None,
            "the server's",
            None,
            config.endpoint_url,
        )
    ]
