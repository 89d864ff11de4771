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
    query_prompt = ""            # in front of each question, where the model does not say itself
    document_prompt = ""         # as "query: " and "passage: " for the e5 family

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

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, get_args

from rag.errors import ConfigError, NotesError
from rag.nearest import nearest

ENDPOINT = "endpoint"  # as `generator.model`: the server of the table `endpoint`
LEAVES = "leaves this machine"  # begins the name on the screen of a model that is elsewhere


def sent_to(name: str) -> str:
    """Where what the language model of this name reads is sent; "" where it stays here."""
    return name.removeprefix(f"{LEAVES}: ") if name.startswith(LEAVES) else ""


Caution = Literal["careful", "balanced", "generous"]  # how soon to say that the notes do not say
Thinking = Literal["off", "on"]
Serve = Literal["off", "manual", "auto"]  # whether `rag serve` is used, and started by itself


def user_folder(kind: str) -> Path:
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("rag", appauthor=False))


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Paths are absolute; `file` is the `rag.toml` in use.

    `folders` are the notes folders of the table `notes`, by name.
    """

    notes: Path | None = None
    data_dir: Path = field(default_factory=lambda: user_folder("data"))
    cache_dir: Path = field(default_factory=lambda: user_folder("cache"))
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
    strays: tuple[Path, ...] = ()  # notes folders that it names, and that lie outside its own


TABLES = ("embedder", "generator", ENDPOINT, "search", "rerank", "answer", "grounding", "chat")
_CHOICES = {
    "answer_caution": get_args(Caution),
    "generator_thinking": get_args(Thinking),
    "serve": get_args(Serve),
}
MOST_PASSAGES = 50  # found for one question
_LIMITS = {
    "generator_context": (512, 1 << 20),
    "generator_threads": (0, 1024),
    "search_k": (1, MOST_PASSAGES),
    "rerank_budget_ms": (1, 600_000),
}
_AUTOMATIC = {"generator_context": 0}  # outside the limits, and allowed
_NOT_SET = ("file", "folders", "keys", "unread", "strays")  # as a single value
SETTABLE = tuple(each.name for each in fields(Config) if each.name not in _NOT_SET)


def dotted(name: str) -> str:
    """A setting as `rag.toml` names it: `generator.model`."""
    table, _, rest = name.partition("_")
    return f"{table}.{rest}" if table in TABLES and rest else name


def check(config: Config, sources: Mapping[str, str]) -> None:
    """Raises ConfigError for a value out of range; `sources` say of each setting which file or
    variable it is from."""
    for name, (low, high) in _LIMITS.items():
        value = getattr(config, name)
        if not low <= value <= high and value != _AUTOMATIC.get(name):
            automatic = f"{_AUTOMATIC[name]} (automatic), or " if name in _AUTOMATIC else ""
            raise ConfigError(
                f"{_said_in(sources, name)}{dotted(name)} = {value} is out of range: "
                f"{automatic}{low} to {high}."
            )
    for name, known in _CHOICES.items():
        if getattr(config, name) not in known:
            raise ConfigError(
                f"{_said_in(sources, name)}{dotted(name)} = {getattr(config, name)!r} is none of "
                f"{', '.join(known)}."
            )


def _said_in(sources: Mapping[str, str], name: str) -> str:
    return f"{sources[name]}: " if name in sources else ""


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
        near = nearest(wanted, config.folders)
        raise NotesError(
            f"There is no notes folder {wanted!r}: rag.toml names {', '.join(config.folders)}.",
            f"Did you mean {near!r}?" if near else "Name one of these, or a path: --notes PATH",
        )
    return "", path
