"""The models that a reader fetched or added: one small file for each, in the data folder."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from rag.errors import ModelError, storage_errors
from rag.models.catalog import ModelSpec


@dataclass(frozen=True, slots=True)
class Installed:
    """A model at hand. `path` are its weights; `size` in bytes, `context` in tokens, `kv` in
    bytes a token, 0 where unknown. `fetched` are the files that `rag` wrote, and may delete;
    a file that was only added stays the reader's. `dimension`, prompts and `languages` are an
    embedder's, 0 or "" where unknown."""

    name: str
    kind: Literal["embedder", "generator"]
    path: str
    size: int
    sha256: str
    licence: str
    source: str
    parameters: str = ""
    context: int = 0
    kv: int = 0
    fetched: tuple[str, ...] = ()
    dimension: int = 0
    query_prompt: str = ""
    document_prompt: str = ""
    languages: str = ""

    @property
    def spec(self) -> ModelSpec:
        return ModelSpec(
            self.name,
            self.kind,
            "",
            self.path,
            self.sha256,
            self.licence,
            query_prompt=self.query_prompt,
            document_prompt=self.document_prompt,
            languages=self.languages,
        )


@dataclass(frozen=True, slots=True)
class Speed:
    """What `rag models bench` measured: tokens a second of reading and of writing, on a day."""

    prefill: float
    decode: float
    day: str


def installed(data_dir: Path) -> list[Installed]:
    """All of them by name; a file that cannot be understood is left out."""
    found = []
    for file in sorted(_folder(data_dir).glob("*.model.json")):
        try:
            tree = json.loads(file.read_text(encoding="utf-8"))
            known = {each.name for each in fields(Installed)}
            tree = {key: value for key, value in tree.items() if key in known}
            found.append(Installed(**{**tree, "fetched": tuple(tree.get("fetched", ()))}))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return sorted(found, key=lambda each: each.name.casefold())


def remember(data_dir: Path, model: Installed) -> None:
    """Keep `model`. Raises ModelError where another one has its name, or one that is written to
    the same file ("a/b" and "a_b"); StorageError."""
    for other in installed(data_dir):
        known = (other.name, other.path) == (model.name, model.path)
        if _slug(other.name) == _slug(model.name) and not known:
            typed = shlex.quote(other.name)
            raise ModelError(
                f"Another model is called {other.name}: {other.path}.",
                f"Give this one a name with --name, or first: rag models remove {typed}",
            )
    write_note(note_file(data_dir, model.name, "model"), asdict(model))


def forget(data_dir: Path, model: Installed) -> None:
    """Keep `model` no longer, nor its speed. Its files are left alone."""
    for kind in ("model", "speed"):
        with storage_errors(_folder(data_dir)):
            note_file(data_dir, model.name, kind).unlink(missing_ok=True)


def remember_speed(data_dir: Path, name: str, speed: Speed) -> None:
    write_note(note_file(data_dir, name, "speed"), asdict(speed))


def speed_of(data_dir: Path, name: str) -> Speed | None:
    """What was measured of the model `name` on this machine."""
    try:
        return Speed(**json.loads(note_file(data_dir, name, "speed").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def note_file(data_dir: Path, name: str, kind: str) -> Path:
    """Where is noted what is known of the model `name`; `kind` says what."""
    return _folder(data_dir) / f"{_slug(name)}.{kind}.json"


def _folder(data_dir: Path) -> Path:
    return data_dir / "models"


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def write_note(file: Path, tree: object) -> None:
    """Write a note whole or not at all. Raises StorageError."""
    with storage_errors(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(tree, ensure_ascii=False, indent=1), encoding="utf-8")
        os.replace(partial, file)
