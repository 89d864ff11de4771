"""Settings: defaults, then the reader's own `rag.toml`, then that of the folder, then the
environment, then flags.

The reader's own lies in the user's configuration folder (`RAG_CONFIG_DIR` moves it), the other is
looked for in the current folder and the folders above it::

    notes = "~/vault"            # the folder to ask; relative to this file

    serve = "manual"             # "auto": the first question starts `rag serve`; "off": not used

Or several, by name; all are asked unless `--notes NAME` picks some::

    [notes]
    work = "~/office/notes"
    garden = "~/garden"
    formats = ["md", "org"]      # kinds of files that are notes; all that can be read if not given

The other tables::

    [embedder]
    model = "all-MiniLM-L6-v2"   # a known name, or a sentence-transformers folder
    query_prompt = "query: "     # in front of each question, where the model does not say itself
    document_prompt = "passage: "

    [generator]
    model = "SmolLM2-135M-Instruct"   # a known name, a GGUF file, or "endpoint"
    context = 0                  # tokens; 0: what the model was made for and memory allows
    thinking = "off"             # "on": a model that can think before it answers does
    threads = 0                  # 0: the machine's physical cores
    adapter = true               # false: the bundled model as it was before it was taught

    [search]
    k = 5                        # passages shown and read

    [rerank]
    model = ""                   # a sentence-transformers cross-encoder: a folder, or a name in
                                 # Hugging Face's cache; none: passages stay as they were found
    budget_ms = 300              # milliseconds that it may take for a question

    [answer]
    caution = "balanced"         # careful, balanced or generous
    strict = false               # true: say only what the notes bear out

    [grounding]
    model = ""                   # an NLI cross-encoder that judges each sentence; off

    [chat]
    theme = "rag-dark"           # colours of the terminal interface

    [keys]
    sources = "ctrl+o,f2"        # an action and its keys; `?` in the interface lists both

What the reader alone may decide stands in their own file, or in the environment: a folder of
notes that came from elsewhere must not choose where notes are sent. So it is with the generator
"endpoint" and with this table::

    [endpoint]
    url = "http://localhost:8080/v1"   # a server that speaks OpenAI's protocol
    model = "qwen3-4b"
    key_env = "MY_API_KEY"       # the variable that holds the key

A key `model` of the table `embedder` is `RAG_EMBEDDER_MODEL` in the environment.

From a `rag.toml` that lies in a notes folder only what does no harm is read: see `rag.trust`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rag.errors import ConfigError, NotesError
from rag.trust import lies_among_notes, without_harm

CONFIG_NAME = "rag.toml"
ENDPOINT = "endpoint"  # as `generator.model`: the server of the table `endpoint`
LEAVES = "leaves this machine"  # begins the name on the screen of a model that is elsewhere
Caution = Literal["careful", "balanced", "generous"]  # how soon to say that the notes do not say
Thinking = Literal["off", "on"]
Serve = Literal["off", "manual", "auto"]  # whether `rag serve` is used, and started by itself


def _user_folder(kind: str) -> Path:
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("rag", appauthor=False))


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Paths are absolute; `file` is the `rag.toml` in use.

    `folders` are the notes folders of the table `notes`, by name.
    """

    notes: Path | None = None
    data_dir: Path = field(default_factory=lambda: _user_folder("data"))
    cache_dir: Path = field(default_factory=lambda: _user_folder("cache"))
    embedder_model: str = "all-MiniLM-L6-v2"
    generator_model: str = "SmolLM2-135M-Instruct"
    embedder_query_prompt: str = ""
    embedder_document_prompt: str = ""
    generator_context: int = 0
    generator_threads: int = 0
    generator_thinking: Thinking = "off"
    endpoint_url: str = ""
    endpoint_model: str = ""
    endpoint_key_env: str = ""
    generator_adapter: bool = True
    search_k: int = 5
    rerank_model: str = ""
    rerank_budget_ms: int = 300
    answer_caution: Caution = "balanced"
    answer_strict: bool = False
    grounding_model: str = ""
    chat_theme: str = ""
    serve: Serve = "manual"
    keys: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    folders: Mapping[str, Path] = field(default_factory=dict)
    notes_formats: tuple[str, ...] = ()  # names in rag.reading.formats; none: all
    unread: tuple[str, ...] = ()  # what `file` sets and may not, since it lies among notes


_TABLES = ("embedder", "generator", ENDPOINT, "search", "rerank", "answer", "grounding", "chat")
_CHOICES = {
    "answer_caution": get_args(Caution),
    "generator_thinking": get_args(Thinking),
    "serve": get_args(Serve),
}
_LIMITS = {
    "generator_context": (512, 1 << 20),
    "generator_threads": (0, 1024),
    "search_k": (1, 50),
    "rerank_budget_ms": (1, 600_000),
}
_AUTOMATIC = {"generator_context": 0}  # outside the limits, and allowed
_VERBATIM = ("embedder_query_prompt", "embedder_document_prompt", "endpoint_url", "endpoint_model")
_NOT_SET = ("file", "folders", "keys", "unread")  # as a single value
_SETTABLE = tuple(each.name for each in fields(Config) if each.name not in _NOT_SET)


def load_config(
    start: Path,
    environ: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
    asked: Sequence[Path] = (),
) -> Config:
    """Read the settings in force in the folder `start`.

    `flags` maps field names to values that win over all else; None means not given. `asked` are
    the notes folders that the reader named, as far as they are known already.
    Raises ConfigError for an unknown key, a wrong type or a value out of range.
    """
    settings: dict[str, Any] = {}
    folders: dict[str, Path] = {}
    unread: tuple[str, ...] = ()
    own, file = own_config(environ), find_config(start)
    chosen = _from_environment(environ)
    chosen.update({key: value for key, value in (flags or {}).items() if value is not None})
    if os.path.isfile(own):
        found, folders = _from_file(own)
        settings.update(found)
    if file is not None and file != own:
        found, named = _from_file(file)
        _refuse_endpoint(found, file, own)
        places = [each["notes"] for each in (found, settings, chosen) if "notes" in each]
        if lies_among_notes(file, (*asked, *named.values(), *places)):
            found, unread = without_harm(found)
        if named or "notes" in found:  # one file alone says which folders there are
            settings.pop("notes", None)
            folders = named
        settings.update(found)
    elif os.path.isfile(own):
        file = own
    settings.update(chosen)
    config = replace(Config(), file=file, folders=folders, unread=unread, **settings)
    for name, (low, high) in _LIMITS.items():
        value = getattr(config, name)
        if not low <= value <= high and value != _AUTOMATIC.get(name):
            raise ConfigError(f"{dotted(name)} = {value} is out of range: {low} to {high}.")
    for name, known in _CHOICES.items():
        if getattr(config, name) not in known:
            raise ConfigError(
                f"{dotted(name)} = {getattr(config, name)!r} is none of {', '.join(known)}."
            )
    return config


def find_config(start: Path) -> Path | None:
    """The `rag.toml` of `start` or of the nearest folder above it."""
    for folder in (start, *start.parents):
        if os.path.isfile(folder / CONFIG_NAME):  # False where a folder above cannot be read
            return folder / CONFIG_NAME
    return None


def own_config(environ: Mapping[str, str]) -> Path:
    """The reader's own `rag.toml`, which need not exist."""
    named = environ.get("RAG_CONFIG_DIR")
    folder = Path(os.path.abspath(os.path.expanduser(named))) if named else _user_folder("config")
    return folder / CONFIG_NAME


def _refuse_endpoint(settings: Mapping[str, Any], file: Path, own: Path) -> None:
    """Where notes are sent is not for a file that may have come with the notes to say."""
    sets = [name for name in settings if name.startswith(f"{ENDPOINT}_")]
    if settings.get("generator_model") == ENDPOINT:
        sets.append("generator_model")
    if sets:
        raise ConfigError(
            f"{file} sets {dotted(sets[0])}: a folder may not choose where your notes are sent.",
            f"Take it out there; if you want it, set it in {own}.",
        )


def choose_folders(config: Config, wanted: Sequence[str], base: Path) -> list[tuple[str, Path]]:
    """The notes folders to use, each with its name, "" for one that has none in `rag.toml`.

    `wanted` are names or paths, the latter relative to `base`; with none, all that the settings
    name. Raises NotesError for an empty or unknown name.
    """
    if not wanted:
        return [("", config.notes)] if config.notes else list(config.folders.items())
    return [_choose(config, each, base) for each in wanted]


def _choose(config: Config, wanted: str, base: Path) -> tuple[str, Path]:
    if not wanted.strip():
        raise NotesError("The name of the notes folder is empty.", "Name one: --notes PATH")
    if wanted in config.folders:
        return wanted, config.folders[wanted]
    path = Path(os.path.abspath(base / os.path.expanduser(wanted)))
    looks_like_path = wanted.startswith(("~", ".")) or os.sep in wanted
    if config.folders and not looks_like_path and not os.path.lexists(path):
        near = difflib.get_close_matches(wanted, config.folders, n=1, cutoff=0.0)
        raise NotesError(
            f"There is no notes folder {wanted!r}: {config.file} names "
            f"{', '.join(config.folders)}.",
            f"Did you mean {near[0]!r}?",
        )
    return "", path


def _from_file(file: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """The settings of a file, and the notes folders that it names."""
    try:
        with file.open("rb") as handle:
            tree = tomllib.load(handle)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    if isinstance(tree.get("notes"), dict) and isinstance(tree["notes"].get("formats"), list):
        tree["notes_formats"] = tree["notes"].pop("formats")
    folders = _folders(tree.pop("notes"), file) if isinstance(tree.get("notes"), dict) else {}
    keys = _keys(tree.pop("keys", {}), file)
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if key in _TABLES and isinstance(value, dict):
            flat.update({f"{key}_{inner}": each for inner, each in value.items()})
        else:
            flat[key] = value
    settings = {
        _known(key, file): _typed(key, value, str(file), file.parent) for key, value in flat.items()
    }
    return ({**settings, "keys": keys} if keys else settings), folders


def _folders(table: dict[str, Any], file: Path) -> dict[str, Path]:
    for name in table:
        if not name.strip() or "/" in name or name.startswith(("~", ".")):
            raise ConfigError(
                f"{file} names a notes folder {name!r}, which reads like a path.",
                'Write name = "path", as in: garden = "~/garden"',
            )
        if not isinstance(table[name], str) or not table[name].strip():
            raise ConfigError(f"{file}: notes.{name} must be text, not {table[name]!r}.")
    return {name: _typed("notes", path, str(file), file.parent) for name, path in table.items()}


def _keys(table: Any, file: Path) -> dict[str, str]:
    """The table of keys; whether an action is known is for the interface to say."""
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise ConfigError(
            f"{file}: [keys] must name keys as text.", 'For example: sources = "ctrl+o,f2"'
        )
    return dict(table)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: _typed(name, environ[variable], variable, Path.cwd())
        for name in _SETTABLE
        if environ.get(variable := f"RAG_{name.upper()}")
    }


def _known(key: str, file: Path) -> str:
    if key in _SETTABLE:
        return key
    names = {dotted(name): name for name in _SETTABLE}
    near = difflib.get_close_matches(dotted(key), names, n=1, cutoff=0.0)
    raise ConfigError(
        f"{file} sets {dotted(key)!r}, which is not a setting.", f"Did you mean {near[0]!r}?"
    )


def _typed(name: str, value: Any, where: str, base: Path) -> Any:
    if name not in _SETTABLE:
        return value
    if name == "notes_formats":
        return _formats(value, where)
    wanted = type(getattr(Config(), name))
    if wanted is bool:
        known = {"true": True, "1": True, "false": False, "0": False}
        if (said := str(value).strip().casefold()) not in known:
            raise ConfigError(f"{where}: {dotted(name)} must be true or false, not {value!r}.")
        return known[said]
    if name == "notes" or wanted is not int:
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{where}: {dotted(name)} must be text, not {value!r}.")
        if name in ("notes", "data_dir", "cache_dir"):
            return Path(os.path.abspath(base / os.path.expanduser(value)))
        if name in _VERBATIM:
            return value
        return _model_place(value, base) if name.endswith("_model") else value
    try:
        if isinstance(value, (bool, float)):
            raise ValueError
        return int(value)
    except (TypeError, ValueError):
        raise ConfigError(
            f"{where}: {dotted(name)} must be a whole number, not {value!r}."
        ) from None


def _formats(value: Any, where: str) -> tuple[str, ...]:
    """Names of formats, from a list or from text with commas; a suffix such as ".md" is one too."""
    from rag.reading.formats import FORMATS

    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ConfigError(f"{where}: notes.formats must be a list of names, not {value!r}.")
    known = {
        suffix[1:]: each.name for each in FORMATS for suffix in (*each.suffixes, f".{each.name}")
    }
    chosen = [each.strip().lower().removeprefix(".") for each in names]
    for each in chosen:
        if each not in known:
            near = difflib.get_close_matches(each, known, n=1, cutoff=0.0)
            raise ConfigError(
                f"{where}: notes.formats names {each!r}, which rag cannot read.",
                f"Did you mean {near[0]!r}? It reads {', '.join(each.name for each in FORMATS)}.",
            )
    return tuple(dict.fromkeys(known[each] for each in chosen))


def _model_place(value: str, base: Path) -> str:
    """A path relative to the file; "org/name" that is no folder here is a name of the hub."""
    looks_like_path = value.startswith(("~", ".")) or os.sep in value
    place = base / os.path.expanduser(value)
    named = value.count("/") == 1 and value[0] not in "~./" and not value.endswith(".gguf")
    if not looks_like_path or (named and not place.exists()):
        return value
    return str(place)


def dotted(name: str) -> str:
    """A setting as `rag.toml` names it: `generator.model`."""
    table, _, rest = name.partition("_")
    return f"{table}.{rest}" if table in _TABLES and rest else name
