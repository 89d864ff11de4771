"""The settings in force: of each `rag.toml`, the environment and flags. `rag.config` says which
there are and in what order they count."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.config import ENDPOINT, SETTABLE, TABLES, Config, check, dotted, user_folder
from rag.errors import ConfigError
from rag.nearest import meant, nearest
from rag.trust import lies_among_notes, strays_of, without_harm

CONFIG_NAME = "rag.toml"
_VERBATIM = ("embedder_query_prompt", "embedder_document_prompt", "endpoint_url", "endpoint_model")


def load_config(
    start: Path,
    environ: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
    asked: Sequence[Path] = (),
    files: bool = True,
) -> Config:
    """Read the settings in force in the folder `start`.

    `flags` maps field names to values that win over all else; None means not given. `asked` are
    the notes folders that the reader named, as far as they are known already. Without `files`
    no `rag.toml` is read.
    Raises ConfigError for an unknown key, a wrong type or a value out of range.
    """
    settings: dict[str, Any] = {}
    folders: dict[str, Path] = {}
    unread: tuple[str, ...] = ()
    strays: tuple[Path, ...] = ()
    own, file = own_config(environ), find_config(start) if files else None
    sources: dict[str, str] = {}  # of each setting: the file or the variable
    chosen = _from_environment(environ)
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    variables = {name: _variable(name) for name in chosen if name not in given}
    chosen.update(given)
    if files and os.path.isfile(own):
        found, folders = _from_file(own)
        settings.update(found)
        sources.update(dict.fromkeys(found, str(own)))
    if file is not None and file != own:
        found, named = _from_file(file)
        places = [each["notes"] for each in (found, settings, chosen) if "notes" in each]
        if lies_among_notes(file, (*asked, *named.values(), *folders.values(), *places)):
            found, unread = without_harm(found)
            strays = strays_of(file, named.values() if named else [found.get("notes")])
        else:
            _refuse_endpoint(found, file, own)
        if named or "notes" in found:  # one file alone says which folders there are
            settings.pop("notes", None)
            folders = named
        settings.update(found)
        sources.update(dict.fromkeys(found, str(file)))
    elif files and os.path.isfile(own):
        file = own
    settings.update(chosen)
    sources = {name: said for name, said in sources.items() if name not in given} | variables
    told: dict[str, Any] = {"file": file, "folders": folders, "unread": unread, "strays": strays}
    config = replace(Config(), **told, **settings)
    check(config, sources)
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
    folder = Path(os.path.abspath(os.path.expanduser(named))) if named else user_folder("config")
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


def _from_file(file: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """The settings of a file, and the notes folders that it names."""
    try:
        with file.open("rb") as handle:
            tree = tomllib.load(handle)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.", "Correct it there.") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    if isinstance(tree.get("notes"), dict) and _names_formats(tree["notes"].get("formats")):
        tree["notes_formats"] = tree["notes"].pop("formats")
        if not isinstance(tree["notes_formats"], list):
            formats = [each.strip() for each in tree["notes_formats"].split(",")]
            raise ConfigError(
                f"{file}: notes.formats must be a list of names, not {tree['notes_formats']!r}.",
                f"Write it as: formats = {json.dumps(formats)}",
            )
    folders = _folders(tree.pop("notes"), file) if isinstance(tree.get("notes"), dict) else {}
    keys = _keys(tree.pop("keys", {}), file)
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if key in TABLES and isinstance(value, dict):
            flat.update({f"{key}_{inner}": each for inner, each in value.items()})
        else:
            flat[key] = value
    settings = {
        _known(key, value, file): _typed(key, value, str(file), file.parent)
        for key, value in flat.items()
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
            raise ConfigError(f"{file}: notes.{name} must be text, not {_shown(table[name])}.")
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
        for name in SETTABLE
        if environ.get(variable := _variable(name))
    }


def _variable(name: str) -> str:
    """The variable of the environment that holds a setting."""
    return f"RAG_{name.upper()}"


def _known(key: str, value: Any, file: Path) -> str:
    if key in SETTABLE:
        return key
    if isinstance(value, dict) and dotted(key) == key:
        raise ConfigError(
            f"{file} has a table {key!r}, which is none of rag's.",
            meant(key, ("notes", "keys", *TABLES), "docs/settings.md lists the settings."),
        )
    raise ConfigError(
        f"{file} sets {dotted(key)!r}, which is not a setting.",
        meant(dotted(key), map(dotted, SETTABLE), "docs/settings.md lists the settings."),
    )


def _typed(name: str, value: Any, where: str, base: Path) -> Any:
    if name not in SETTABLE:
        return value
    if name == "notes_formats":
        return _formats(value, where)
    wanted = type(getattr(Config(), name))
    if wanted is bool:
        known = {"true": True, "1": True, "false": False, "0": False}
        if (said := str(value).strip().casefold()) not in known:
            raise ConfigError(
                f"{where}: {dotted(name)} must be true or false, not {_shown(value)}."
            )
        return known[said]
    if name == "notes" or wanted is not int:
        if value == "" == getattr(Config(), name):  # none, as it is where nothing is said
            return value
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise ConfigError(f"{where}: {dotted(name)} must be text, not {_shown(value)}.")
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
            f"{where}: {dotted(name)} must be a whole number, not {_shown(value)}."
        ) from None


def _names_formats(value: Any) -> bool:
    """Whether what a file says of `notes.formats` are formats, rather than the place of a folder
    that somebody called so."""
    if not isinstance(value, str):
        return isinstance(value, list)
    from rag.reading.formats import FORMATS

    known = {name for each in FORMATS for name in (each.name, *each.suffixes)}
    return {each.strip().lower() for each in value.split(",")} <= known


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
            perhaps = f"Did you mean {near!r}? " if (near := nearest(each, known)) else ""
            raise ConfigError(
                f"{where}: notes.formats names {each!r}, which rag cannot read.",
                f"{perhaps}It reads {', '.join(each.name for each in FORMATS)}.",
            )
    return tuple(dict.fromkeys(known[each] for each in chosen))


def _shown(value: Any) -> str:
    """A value as TOML writes it, where that is another way than Python's."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _model_place(value: str, base: Path) -> str:
    """A path relative to the file; "org/name" that is no folder here is a name of the hub."""
    looks_like_path = value.startswith(("~", ".")) or os.sep in value
    place = base / os.path.expanduser(value)
    named = value.count("/") == 1 and value[0] not in "~./" and not value.endswith(".gguf")
    if not looks_like_path or (named and not place.exists()):
        return value
    return str(place)
