"""Write settings into a `rag.toml` without losing its comments, its order or, if the disk is
full, its content."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config_files import CONFIG_NAME, find_config, own_config
from rag.errors import ConfigError, storage_errors

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_HEAD = "# Settings of rag, for all notes folders. docs/settings.md says what can stand here.\n"


def set_values(file: Path, table: str, values: Mapping[str, str | None]) -> None:
    """Set the keys of a table, or take out those of None; the file and its folder are made where
    there are none.

    All else stays as it is. A link is followed, permissions are kept. Raises ConfigError for a
    file that is not TOML, StorageError.
    """
    import tomlkit

    target = Path(os.path.realpath(file))
    document = _read(target)
    held = document.get(table)
    if held is None:
        held = tomlkit.table()
        document.add(table, held)
    elif not isinstance(held, dict):
        raise ConfigError(f"{file} sets {table}, which is not a table.", f"Write [{table}] there.")
    for key, value in values.items():
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
    _write(target, tomlkit.dumps(document))


def file_for(table: str, key: str, start: Path, environ: Mapping[str, str]) -> Path:
    """The file in which a setting counts: the folder's `rag.toml` where that sets it already,
    the reader's own otherwise."""
    nearest = find_config(start)
    if nearest is not None:
        held = _tree(nearest).get(table)
        if isinstance(held, dict) and key in held:
            return nearest
    return own_config(environ)


def _tree(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.", "Mend it first.") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error


def _read(file: Path) -> TOMLDocument:
    import tomlkit

    if not file.exists():
        return tomlkit.parse(_HEAD)
    _tree(file)  # says what is wrong with it
    return tomlkit.parse(file.read_bytes())


def _write(file: Path, text: str) -> None:
    with storage_errors(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{CONFIG_NAME}.{os.getpid()}.partial")
        try:
            with partial.open("w", encoding="utf-8", newline="") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            if file.exists():
                partial.chmod(file.stat().st_mode & 0o7777)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)
