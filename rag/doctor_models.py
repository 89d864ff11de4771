"""`rag doctor`: whether the models can be used, and whether there is memory for them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from rag.config import ENDPOINT, Config
from rag.engine import Engine
from rag.errors import ModelError, RagError
from rag.finding import Finding

if TYPE_CHECKING:
    from rag.models.catalog import ModelSpec

_SHARE = 1.3  # memory that a model takes, as a multiple of its file
_WAITS_S = 5  # for a server's list of models
_BESIDE = 300_000_000  # bytes for all but the language model


def examine_memory(engine: Engine) -> Finding:
    import psutil

    from rag.models.weights import locate

    free = int(psutil.virtual_memory().available)
    found = f"{free / 1e9:.1f} GB free"
    try:
        name = engine.parts.settings.generator_model
        size = os.path.getsize(locate(_spec(engine, name, "generator")))
    except (RagError, OSError):
        return Finding("Memory", "sound", found)
    needed = int(_SHARE * size) + _BESIDE
    if free < needed:
        return Finding(
            "Memory",
            "warning",
            f"{found}, of {needed / 1e9:.1f} GB that answers take",
            "Close other programs, name a smaller model in rag.toml, or ask with: rag ask --quote",
        )
    return Finding("Memory", "sound", found)


def examine_models(engine: Engine) -> Iterator[Finding]:
    """The models: there, as their makers published them, and to be loaded."""
    from rag.models.begun import all_begun
    from rag.models.prepared import find_damage
    from rag.models.weights import embedder_files, generator_file

    settings, cache = engine.parts.settings, engine.parts.cache_dir / "models"
    damaged = find_damage(cache)
    if damaged:
        found = f"{', '.join(damaged)}: not as written, prepared again"
        yield Finding("Prepared models", "warning", found, "Check the disk.")

    for each in all_begun(engine.parts.data_dir):
        yield Finding(
            "Download", "warning", f"{each.name} is partly here, {each.share}", each.remedy
        )

    def embedder() -> str:
        files = embedder_files(_spec(engine, settings.embedder_model, "embedder"), cache)
        engine.models.embedder().load()
        return files.name + (_speed() if files.onnx else ", on torch: it could not be exported")

    def generator() -> str:
        from rag.models.llama import context_length
        from rag.wiring import chosen_generator

        chosen_generator(settings)  # raises where none is there, or no server is named
        if settings.generator_model == ENDPOINT:
            return _endpoint(settings)
        spec = _spec(engine, settings.generator_model, "generator")
        size = context_length(generator_file(spec, cache))
        return f"{spec.name}, reads {size:,} tokens"

    yield tried("Embedding model", embedder)

    def reader() -> str:
        return "puts passages in order" if engine.models.reader() else "cannot be exported here"

    yield tried("Reader", reader)
    yield tried("Language model", generator)
    if settings.rerank_model:
        yield tried("Reranker", lambda: _reranker(settings.rerank_model))
    if settings.grounding_model:
        yield tried("Judge of sentences", lambda: _judge(settings.grounding_model))


def _reranker(place: str) -> str:
    from rag.models.cross_encoder import CrossEncoderModel

    model = CrossEncoderModel(place)
    model.load()
    return model.name


def _judge(place: str) -> str:
    from rag.answering.entailment import EntailmentJudge

    judge = EntailmentJudge(place)
    judge.load()
    return judge.name


def _speed() -> str:
    """What is to be said of the time that many notes take."""
    from rag.models.bulk import is_installed

    if not any("bf16" in flag for flag in processor_flags()):
        return ""
    if is_installed():
        return ", many notes in bfloat16"
    return "; with OpenVINO (pip install openvino) notes are indexed nearly twice as fast"


def _spec(engine: Engine, name: str, kind: Literal["embedder", "generator"]) -> ModelSpec:
    """A model that came with `rag`, was fetched or added, or lies at a path. Raises ModelError."""
    from rag.models.catalog import find_model
    from rag.models.installed import installed

    return find_model(name, kind, [each.spec for each in installed(engine.parts.data_dir)])


def _endpoint(settings: Config) -> str:
    """The server that answers; its key must be there, and one on this machine must listen.
    Raises ModelError."""
    from rag.answering.endpoint import address_of, leaves_machine
    from rag.wiring import endpoint_key

    where = f"{settings.endpoint_model} at {address_of(settings.endpoint_url)}"
    endpoint_key(settings)  # raises where its variable holds none
    if leaves_machine(settings.endpoint_url):
        return f"{where}, not this machine: it was not asked"
    parts = urlsplit(settings.endpoint_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=3).close()
    except OSError as error:
        raise ModelError(
            f"{where}: nothing listens there.",
            "Start that server, or answer with another model: rag models use NAME",
        ) from error
    from rag.wiring import open_endpoint

    served = open_endpoint(settings, timeout=_WAITS_S)
    try:
        served.load()
    finally:
        served.close()
    return where


def tried(about: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(about, "sound", look())
    except RagError as error:
        return Finding(about, "broken", error.message, error.remedy)


def processor_flags() -> list[str]:
    """What the processor can do, as Linux names it; empty where that cannot be read."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    named = [line for line in lines if line.startswith(("flags", "Features"))]
    return named[0].partition(":")[2].split() if named else []
