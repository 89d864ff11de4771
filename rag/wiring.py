"""A `Config` into an `Engine`: the only place that chooses implementations."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import Config
from rag.engine import Engine
from rag.errors import NotesError
from rag.indexing.build import IndexProgress
from rag.indexing.home import last_used
from rag.loading import Parts
from rag.models.catalog import ModelSpec, find_model
from rag.models.weights import embedder_files, generator_file

if TYPE_CHECKING:
    from rag.answering.generation import Generator
    from rag.indexing.embeddings import ModelFolder, OnnxEmbedder, TorchEmbedder


def build_engine(config: Config, started: float | None = None) -> Engine:
    """The engine for the notes folder of `config`. Loads no model and touches no file.

    `started` is the `time.perf_counter()` at which the process began, for timings.
    Raises NotesError when no folder is named and none was indexed before.
    """
    embedder = find_model(config.embedder_model, "embedder")
    generator = find_model(config.generator_model, "generator")
    models = config.cache_dir / "models"

    def identity() -> ModelFolder:
        from rag.indexing.embeddings import ModelFolder

        return ModelFolder(embedder_files(embedder, models, export=False))

    def open_embedder() -> OnnxEmbedder | TorchEmbedder:
        from rag.indexing.embeddings import open_embedder

        return open_embedder(embedder_files(embedder, models), physical_cores())

    return Engine(
        choose_notes(config),
        Parts(
            embedder.name,
            generator.name,
            identity,
            open_embedder,
            generator_opener(config, generator),
            config.search_k,
            config.data_dir,
            config.cache_dir,
            config.file,
            config.answer_caution,
            config,
            index_job,
        ),
        started,
    )


def build_several(
    config: Config, folders: Sequence[tuple[str, Path]], started: float | None = None
) -> Engine:
    """The engine for these notes folders, each with its name or ""; an ordinary one for one."""
    from rag.several import SeveralFolders, name_folders

    named = name_folders((name, Path(os.path.realpath(path))) for name, path in folders)
    first = build_engine(replace(config, notes=next(iter(named.values()))), started)
    return first if len(named) == 1 else SeveralFolders(named, first.parts, started)


def generator_opener(config: Config, spec: ModelSpec) -> Callable[[], Generator]:
    """What opens the language model `spec` when it is needed."""
    threads = config.generator_threads or physical_cores()

    def open_generator() -> Generator:
        from rag.answering.generation import LlamaGenerator

        file = generator_file(spec, config.cache_dir / "models")
        taught = bool(spec.adapter)
        return LlamaGenerator(file, spec.name, config.generator_context, threads, taught)

    return open_generator


def use_generator(engine: Engine, name: str) -> None:
    """Answer with another language model from now on. Raises ModelError; the old one then stays."""
    spec = find_model(name, "generator")
    engine.models.use_generator(spec.name, generator_opener(engine.parts.settings, spec))


def open_folder(engine: Engine, folder: Path) -> Engine:
    """An engine for another notes folder, with the models that `engine` has loaded."""
    other = build_engine(replace(engine.parts.settings, notes=folder))
    other.models.share(engine.models)
    return other


def index_job(
    config: Config, folder: Path, rebuild: bool, cancel: Callable[[], bool]
) -> Iterator[IndexProgress]:
    """Index `folder`; run in a spawned process, which can be handed no engine."""
    yield from build_engine(replace(config, notes=folder)).index(rebuild, cancel)


def choose_notes(config: Config) -> Path:
    """The notes folder: the one named, else the one indexed last."""
    notes = config.notes or last_used(config.data_dir)
    if notes is None:
        raise NotesError(
            "No notes folder is named, and none was indexed before.",
            "Name one: rag index PATH, or --notes PATH",
        )
    return Path(os.path.realpath(notes))


def physical_cores() -> int:
    """Cores that this process may use, without hyper-threads: llama.cpp wants those."""
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, min(physical, usable or physical))
