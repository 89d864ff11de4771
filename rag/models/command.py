"""`rag models`: what stands behind each of its words."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rag.config import ENDPOINT, Config
from rag.config_files import load_config, own_config
from rag.errors import Cancelled, ModelError
from rag.models.begun import Begun, all_begun, begin, complete, discard, end
from rag.models.catalog import BUNDLED, find_model, folder_of, remedy_for, weights_in
from rag.models.download import check_space, delete, size_text
from rag.models.fetching import described, fetched
from rag.models.installed import Installed, forget, installed, remember
from rag.models.naming import check_name
from rag.models.prepared import sha256_of
from rag.models.replies import ask, tell, warn_of_variable
from rag.nearest import nearest
from rag.output import at_work, one_line, show, show_json, width


def show_models(arguments: argparse.Namespace) -> int:
    """The table, or its rows as JSON."""
    from rag.models.endpoint_choice import with_fault
    from rag.models.listing import rows
    from rag.models.table import legend, spared, table

    config = _config()
    found = [with_fault(row, config) for row in rows(config)]
    if arguments.json:
        show_json([row.as_json() for row in found])
    else:
        show(table(found, without := spared(width())), legend(found, without))
    return 0


def show_model(arguments: argparse.Namespace) -> int:
    """The row of one model, or the same as JSON."""
    from rag.models.listing import named, rows
    from rag.models.table import more, spared, table

    row = named(arguments.model, rows(_config()))
    if arguments.json:
        show_json(row.as_json())
    else:
        show(table([row], spared(width())), more(row))
    return 0


def pull(arguments: argparse.Namespace) -> int:
    """Download a model after a yes, and keep its name."""
    from rag.models.source import look_up, parse_source

    config = _config()
    source = parse_source(arguments.model)
    if arguments.sha256 and not source.url:
        raise ModelError("--sha256 is for URLs.", "The hub says itself what a file hashes to.")
    offer = look_up(source, config.data_dir, arguments.sha256)
    offer = replace(offer, name=arguments.name) if arguments.name else offer
    check_name(offer.name, offer.source)
    check_space(offer.files)
    missing = sum(each.missing for each in offer.files)
    if missing or not all(each.here for each in offer.files):
        ask(f"{described(offer, missing)} Download it?", arguments.yes, "Nothing was downloaded.")
    known = {each.target for each in offer.files if each.here}
    begun = begin(config.data_dir, offer, _again(arguments))
    try:
        paths = fetched(offer)
    except KeyboardInterrupt as stopped:
        if not begun.left:
            raise
        raise Cancelled(
            f"Stopped. {begun.name} is partly here, {begun.share}; the same command goes on from "
            f"there. Delete it: rag models remove {shlex.quote(begun.name)}"
        ) from stopped
    finally:
        if not begun.left:
            end(config.data_dir, begun)
    try:
        model = _inspected(offer.name, offer.kind, paths[0], offer.licence, offer.source)
    except ModelError as error:
        for each, path in zip(offer.files, paths, strict=True):
            if each.target not in known:
                delete(path)
        end(config.data_dir, begun)
        raise ModelError(
            f"{error.message} What was fetched is deleted again.", "Name another file."
        ) from error
    model = _as_known(model)
    model = replace(model, fetched=tuple(map(str, paths)), sha256=offer.files[0].sha256)
    remember(config.data_dir, replace(model, size=offer.size or model.size))
    complete(config.data_dir, begun)
    return _done(
        arguments,
        model,
        f"{model.name} is here. Use it with: rag models use {shlex.quote(model.name)}",
    )


def _as_known(model: Installed) -> Installed:
    """The model with what the list of known ones says of it."""
    from rag.models.known import EMBEDDERS

    known = next((each for each in EMBEDDERS if each.source == model.source), None)
    if known is None:
        return model
    return replace(
        model,
        query_prompt=known.query_prompt,
        document_prompt=known.document_prompt,
        languages=known.languages,
    )


def _again(arguments: argparse.Namespace) -> str:
    """The command that goes on with a download."""
    given = {"--name": arguments.name, "--sha256": arguments.sha256}
    flags = [word for flag, value in given.items() if value for word in (flag, value)]
    return shlex.join(["rag", "models", "pull", arguments.model, *flags])


def add(arguments: argparse.Namespace) -> int:
    """Keep the name of a file, or an embedder's folder, that is here already."""
    config = _config()
    if not arguments.file.strip():
        raise ModelError("No file is named.", "Name a GGUF file or a model's folder.")
    path = Path(os.path.abspath(os.path.expanduser(arguments.file)))
    if not path.exists():
        raise ModelError(f"{path} is not there.", "Name a GGUF file or a model's folder.")
    kind: str = "embedder" if path.is_dir() else "generator"
    weights = weights_in(path) if path.is_dir() else path
    name = arguments.name or (path.name if path.is_dir() else path.stem)
    check_name(name)
    model = _inspected(name, kind, weights, "", "added by hand")
    remember(config.data_dir, model)
    return _done(arguments, model, f"{name} can be used: rag models use {shlex.quote(name)}")


def _inspected(name: str, kind: str, weights: Path, licence: str, source: str) -> Installed:
    """What is to be known of a model, from its files. Raises ModelError where it cannot work."""
    if kind == "generator":
        from rag.models.header import read_header

        head = read_header(weights)
        return Installed(
            name,
            "generator",
            str(weights),
            weights.stat().st_size,
            "",
            licence if licence not in ("", "unknown") else head.licence or "unknown",
            source,
            head.parameters,
            head.context,
            head.kv,
        )
    from rag.indexing.model_folder import ModelFolder
    from rag.models.folders import check_folder
    from rag.models.header import parameters_of
    from rag.models.weights import EmbedderFiles, locate

    place = folder_of(weights)
    locate(replace(find_model(str(place), "embedder"), name=name))
    check_folder(place, name)
    folder = ModelFolder(EmbedderFiles(name, place, "", None))
    folder.check()
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return Installed(
        name,
        "embedder",
        str(weights),
        size,
        "",
        licence or "unknown",
        source,
        parameters_of(weights),
        folder.max_tokens,
        dimension=folder.dimension,
    )


def use(arguments: argparse.Namespace) -> int:
    """Write the model into the settings, where it counts."""
    from rag.models.endpoint_choice import use_endpoint
    from rag.settings import file_for, set_values

    config = _config()
    given = {
        key: value
        for key in ("url", "model", "key_env")
        if (value := getattr(arguments, f"endpoint_{key}")) is not None
    }
    if arguments.model == ENDPOINT:
        return use_endpoint(arguments, config, given)
    if given:
        raise ModelError("--url, --model and --key-env are for: rag models use endpoint")
    kind, place = _chosen(arguments.model, config)
    file = file_for(kind, "model", Path.cwd(), os.environ)
    set_values(file, kind, {"model": place})
    if f"{kind}_model" in _config().unread:  # a file among notes may not name it: one's own does
        set_values(file, kind, {"model": None})
        file = own_config(os.environ)
        set_values(file, kind, {"model": place})
    sentence = f"{place} answers from now on; {file} says so."
    if kind == "embedder":
        sentence = (
            f"{place} searches from now on; {file} says so. Where notes were indexed with another, "
            "the next question asks before it indexes them anew; the old index stays until then."
        )
    tell(arguments, {"name": place, "kind": kind, "file": str(file)}, sentence)
    warn_of_variable(f"RAG_{kind.upper()}_MODEL")
    return 0


def _chosen(name: str, config: Config) -> tuple[str, str]:
    """The kind of a model, and what the settings call it. Raises ModelError."""
    if not name.strip():
        raise ModelError("The name of the model is empty.", "See what there is: rag models")
    specs = [each.spec for each in installed(config.data_dir)]
    path = Path(os.path.abspath(os.path.expanduser(name)))
    for spec in (*specs, *BUNDLED):
        if spec.name.casefold() == name.casefold() or spec.file == str(path):
            if not spec.package and not os.path.exists(spec.file):
                typed = shlex.quote(spec.name)
                raise ModelError(
                    f"{spec.name} is not there any more: {spec.file}.",
                    f"Fetch or add it again, or forget it: rag models remove {typed}",
                )
            return spec.kind, spec.name
    if path.is_dir():
        _inspected(path.name, "embedder", weights_in(path), "", "")
        return "embedder", str(path)
    if path.is_file():
        _inspected(path.stem, "generator", path, "", "")
        return "generator", str(path)
    for begun in all_begun(config.data_dir):
        if begun.name.casefold() == name.casefold():
            raise ModelError(f"{begun.name} is partly here, {begun.share}.", begun.remedy)
    try:
        find_model(name, "generator", specs)
    except ModelError as error:  # it may have been an embedder's
        if not error.message.startswith("No generator"):
            raise
        raise ModelError(
            f"No model is called {name!r}, and no GGUF file or folder lies there.",
            remedy_for(name, "", [spec.name for spec in (*specs, *BUNDLED)]),
        ) from error
    raise AssertionError("a name that is neither a model's nor a path's is refused")


def remove(arguments: argparse.Namespace) -> int:
    """Delete what was fetched; forget what was added, and leave its file alone."""
    config = _config()
    if any(spec.name == arguments.model for spec in BUNDLED):
        raise ModelError(f"{arguments.model} came with rag and stays.")
    mine = {each.name: each for each in installed(config.data_dir)}
    model = mine.get(arguments.model)
    begun = {each.name: each for each in all_begun(config.data_dir)}
    if arguments.model in begun:
        came = _discarded(arguments, config, begun[arguments.model], list(mine.values()))
        if model is None:
            return _done(arguments, came, f"{came.name}: what had come of it is deleted.")
    if model is None:
        near = nearest(arguments.model, [*mine, *begun])
        raise ModelError(
            f"No model called {arguments.model!r} was fetched or added.",
            f"Did you mean {near!r}?" if near else "rag models lists what is there.",
        )
    if model.name in (config.generator_model, config.embedder_model):
        bundled = next(spec.name for spec in BUNDLED if spec.kind == model.kind)
        raise ModelError(f"{model.name} is in use.", f"First: rag models use {bundled}")
    if model.fetched:
        question = f"{size_text(model.size)} would be deleted: {model.name}. Delete it?"
        ask(question, arguments.yes, "Nothing was deleted.")
    others = [each for each in mine.values() if each is not model]
    shared = {file for each in others for file in each.fetched}
    weights = Path(model.path)
    sha256 = model.sha256 or (sha256_of(weights) if weights.is_file() else "")
    for file in model.fetched:
        if file not in shared:
            delete(Path(file))
    known = {each.sha256 for each in BUNDLED} | {each.sha256 for each in others}
    if sha256 and sha256 not in known:
        for prepared in (config.cache_dir / "models").rglob(f"*-{sha256[:12]}*"):
            prepared.unlink(missing_ok=True)
    forget(config.data_dir, model)
    gone = "is gone." if model.fetched else "is forgotten; its file stays."
    return _done(arguments, model, f"{model.name} {gone}")


def _discarded(
    arguments: argparse.Namespace, config: Config, begun: Begun, mine: Sequence[Installed]
) -> Installed:
    """Delete what has come of a download, after a yes; what it was to become, with its size."""
    question = f"{begun.name} is partly here, {begun.share}. Delete it?"
    ask(question, arguments.yes, "Nothing was deleted.")
    path, size = begun.files[0].target, begun.here
    discard(config.data_dir, begun, [file for each in mine for file in each.fetched])
    return Installed(begun.name, begun.kind, path, size, "", begun.licence, begun.source)


def bench(arguments: argparse.Namespace) -> int:
    """Measure a model here, and keep the figures for the table."""
    from rag.models.bench import measure
    from rag.models.installed import remember_speed
    from rag.wiring import generator_opener

    config = _config()
    name = arguments.model or config.generator_model
    if name == ENDPOINT:
        raise ModelError("An endpoint does not run here.", "Name a model: rag models bench NAME")
    spec = find_model(name, "generator", [each.spec for each in installed(config.data_dir)])
    with at_work(f"measuring {one_line(name)}"):
        speed = measure(generator_opener(config, spec)())
    remember_speed(config.data_dir, name, speed)
    read = f"{speed.prefill:.0f} tokens a second here and writes {speed.decode:.0f}"
    values = {"name": name, "prefill": speed.prefill, "decode": speed.decode}
    tell(arguments, values, f"{one_line(name)} reads {read}.")
    return 0


def _config() -> Config:
    return load_config(Path.cwd(), os.environ)


def _done(arguments: argparse.Namespace, model: Installed, sentence: str) -> int:
    tell(arguments, {"name": model.name, "path": model.path, "size": model.size}, sentence)
    return 0
