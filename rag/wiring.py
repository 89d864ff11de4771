"""A `Config` into an `Engine`: the only place that chooses implementations."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import ENDPOINT, Config, choose_folders
from rag.engine import Engine
from rag.errors import ConfigError, ModelError, NotesError
from rag.indexing.home import last_seen, last_used
from rag.indexing.progress import IndexProgress
from rag.loading import Parts
from rag.models.catalog import ModelSpec, find_model
from rag.models.installed import installed
from rag.models.weights import EmbedderFiles, embedder_files, generator_file, locate
from rag.reading.formats import suffixes_of

if TYPE_CHECKING:
    from rag.answering.generation import Generator
    from rag.answering.grounding import Judge
    from rag.indexing.embeddings import ModelFolder, OnnxEmbedder, TorchEmbedder
    from rag.retrieval.pointing import Reader
    from rag.retrieval.rerank import Reranker


def build_engine(config: Config, started: float | None = None, answers: bool = True) -> Engine:
    """The engine for the notes folder of `config`. Loads no model and touches no file.

    `started` is the `time.perf_counter()` at which the process began, for timings.
    Raises NotesError when no folder is named and none was indexed before; ModelError and
    ConfigError where a model is not there, of the language model only if it `answers`.
    """
    embedder = find_model(config.embedder_model, "embedder", _installed(config))
    generator, open_generator, fault = _generator(config, answers)
    models = config.cache_dir / "models"
    prompts = (
        config.embedder_query_prompt or embedder.query_prompt,
        config.embedder_document_prompt or embedder.document_prompt,
    )

    @functools.cache  # of the files that are loaded, whatever becomes of them afterwards
    def identity() -> ModelFolder:
        from rag.indexing.embeddings import ModelFolder

        return ModelFolder(embedder_files(embedder, models, export=False), *prompts)

    def open_embedder() -> OnnxEmbedder | TorchEmbedder:
        from rag.indexing.embeddings import open_embedder

        def prepare() -> EmbedderFiles:
            return embedder_files(embedder, models)

        return open_embedder(prepare(), physical_cores(), *prompts, prepare)

    def open_reader() -> Reader | None:
        from rag.models.reader import prepared_reader

        return prepared_reader(models, physical_cores())

    return Engine(
        choose_notes(config),
        Parts(
            embedder.name,
            generator.name,
            identity,
            open_embedder,
            open_generator,
            config.search_k,
            config.data_dir,
            config.cache_dir,
            config.file,
            config.answer_caution,
            config,
            index_job,
            open_reranker=reranker_opener(config.rerank_model),
            open_reader=open_reader,
            rerank_budget=config.rerank_budget_ms / 1000,
            taught=bool(generator.adapter),
            strict=config.answer_strict,
            judge=open_judge(config),
            suffixes=suffixes_of(config.notes_formats),
            generator_fault=fault,
        ),
        started,
    )


def build_several(
    config: Config,
    folders: Sequence[tuple[str, Path]],
    started: float | None = None,
    answers: bool = True,
) -> Engine:
    """The engine for these notes folders, each with its name or ""; an ordinary one for one."""
    real = [(name, Path(os.path.realpath(path))) for name, path in folders]
    first = build_engine(replace(config, notes=real[0][1]), started, answers)
    if len({path for _, path in real}) == 1:
        return first
    from rag.several import SeveralFolders, name_folders

    return SeveralFolders(name_folders(real), first.parts, started)


def open_judge(config: Config) -> Judge | None:
    """What tells whether a passage entails a sentence, where a model for it is named."""
    if not config.grounding_model:
        return None
    from rag.answering.entailment import EntailmentJudge

    return EntailmentJudge(config.grounding_model)


def _generator(config: Config, answers: bool) -> tuple[ModelSpec, Callable[[], Generator], str]:
    """The language model, what opens it, and what is wrong with it, which is looked for where
    nothing is to be answered. A model that is not there need not be then, and says so when it is
    opened."""
    try:
        spec = chosen_generator(config)
    except (ModelError, ConfigError) as error:
        if answers:
            raise
        fault = error

        def refuse() -> Generator:
            raise fault

        return ModelSpec(config.generator_model, "generator", "", "", "", ""), refuse, str(fault)
    return spec, generator_opener(config, spec), "" if answers else _missing(spec, config)


def _missing(spec: ModelSpec, config: Config) -> str:
    """That the file of a language model or the key of the endpoint is gone, and what mends it; ""
    where it is there. Asks no server."""
    try:
        if spec.package == ENDPOINT:
            endpoint_key(config)
        else:
            locate(spec)
    except ModelError as error:
        return str(error)
    return ""


def generator_opener(config: Config, spec: ModelSpec) -> Callable[[], Generator]:
    """What opens the language model `spec` when it is needed."""

    def open_generator() -> Generator:
        if spec.package == ENDPOINT:
            return open_endpoint(config)
        from rag.answering.generation import LlamaGenerator
        from rag.answering.prompt import opening

        def prepare() -> Path:
            return generator_file(spec, config.cache_dir / "models")

        threads = config.generator_threads or physical_cores()
        taught = bool(spec.adapter)
        thinks = config.generator_thinking == "on"
        begin = (opening(taught),)
        context = config.generator_context
        return LlamaGenerator(
            prepare(), spec.name, context, threads, taught, thinks, begin, prepare
        )

    return open_generator


def untaught(engine: Engine) -> Generator:
    """The language model in use as it was before it was taught to do nothing but answer."""
    generator = engine.models.generator()
    if not generator.taught:
        return generator
    spec = find_model(engine.parts.generator_name, "generator")
    return generator_opener(engine.parts.settings, replace(spec, adapter="", adapter_sha256=""))()


def open_endpoint(config: Config, timeout: float = 120) -> Generator:
    """The server that the reader named as generator, which may say nothing for `timeout` seconds.
    Raises ModelError where its key is missing."""
    from rag.answering.endpoint import EndpointGenerator

    key = endpoint_key(config)
    return EndpointGenerator(
        config.endpoint_url, config.endpoint_model, key, config.generator_context, timeout
    )


def endpoint_key(config: Config) -> str:
    """The endpoint's key, "" where none is named. Raises ModelError where its variable holds none:
    a key goes into a header, which takes letters, digits and signs of ASCII alone."""
    name = config.endpoint_key_env
    key = os.environ.get(name, "").strip() if name else ""  # a file's last line break is no part
    back = f"or go back: rag models use {Config().generator_model}"
    if name and not key:
        raise ModelError(
            f"The variable {name} holds no key for {config.endpoint_url}.", f"Set it, {back}"
        )
    if not re.fullmatch(r"[!-~]*", key):
        raise ModelError(
            f"The variable {name} holds what can be no key: a space, a line break or a letter "
            "that is not ASCII stands in it.",
            f"Set it to the key alone, {back}",
        )
    return key


def reranker_opener(place: str) -> Callable[[], Reranker] | None:
    """What opens the cross-encoder at `place`; None for no place."""

    def open_reranker() -> Reranker:
        from rag.models.cross_encoder import CrossEncoderModel

        return CrossEncoderModel(place)

    return open_reranker if place else None


def use_generator(engine: Engine, name: str) -> None:
    """Answer with another language model from now on. Raises ModelError; the old one then stays."""
    spec = chosen_generator(replace(engine.parts.settings, generator_model=name))
    engine.models.use_generator(spec.name, generator_opener(engine.parts.settings, spec))


def chosen_generator(config: Config) -> ModelSpec:
    """The language model of `config`, without its adapter where that is switched off; of the
    endpoint, a name that tells where it is."""
    if config.generator_model != ENDPOINT:
        spec = find_model(config.generator_model, "generator", _installed(config))
        return spec if config.generator_adapter else replace(spec, adapter="", adapter_sha256="")
    from rag.answering.endpoint import display_name

    if not (config.endpoint_url and config.endpoint_model):
        raise ConfigError(
            "The generator is an endpoint, and none is named.",
            "rag models use endpoint --url http://localhost:8080/v1 --model NAME",
        )
    shown = display_name(config.endpoint_url, config.endpoint_model)
    return ModelSpec(shown, "generator", ENDPOINT, "", "", "")


def _installed(config: Config) -> list[ModelSpec]:
    return [each.spec for each in installed(config.data_dir)]


def open_folder(engine: Engine, folder: Path) -> Engine:
    """An engine for another notes folder, with the models that `engine` has loaded."""
    other = build_engine(replace(engine.parts.settings, notes=folder))
    other.models.share(engine.models)
    return other


def index_job(
    config: Config, folder: Path, rebuild: bool, cancel: Callable[[], bool]
) -> Iterator[IndexProgress]:
    """Index `folder`; run in a spawned process, which can be handed no engine."""
    engine = build_engine(replace(config, notes=folder), answers=False)
    yield from engine.index(rebuild, cancel)


def settle_folders(
    load: Callable[[Sequence[Path]], Config], wanted: Sequence[str], here: Path
) -> tuple[Config, list[tuple[str, Path]]]:
    """The settings for the notes folders `wanted` in the folder `here`, and these by name: none for
    the one indexed last.

    `load` reads the settings twice: what a `rag.toml` may set depends on whether it lies in one of
    the folders. Raises NotesError, ConfigError.
    """
    config = load([Path(os.path.abspath(here / os.path.expanduser(each))) for each in wanted])
    folders = choose_folders(config, wanted, here)
    return load([path for _, path in folders] or [choose_notes(config)]), folders


def choose_notes(config: Config) -> Path:
    """The notes folder: the one named, else the one indexed last."""
    notes = config.notes or last_used(config.data_dir)
    if notes is None and (before := last_seen(config.data_dir)):
        raise NotesError(
            f"{before} is not there any more, nor is another folder that was indexed.",
            "Name it where it is now: rag index PATH",
        )
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
