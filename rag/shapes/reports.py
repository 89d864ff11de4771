"""The shapes of what is told of notes, models and the machine."""

from __future__ import annotations

from typing import Literal, NotRequired

# Not Python's own: pydantic, which makes JSON Schema of these, cannot read that of Python 3.11.
from typing_extensions import TypedDict


class NoteJson(TypedDict):
    """A note by name. `id` is its path; `text` is there where one note was asked for."""

    id: str
    path: str
    title: str
    aliases: list[str]
    tags: list[str]
    text: NotRequired[str]


class SkippedJson(TypedDict):
    path: str
    reason: str


class IndexJson(TypedDict):
    """What indexing did. One of `notes_folder` and `notes_folders` is there."""

    notes_folder: NotRequired[str]
    notes_folders: NotRequired[list[str]]
    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    skipped: list[SkippedJson]
    warnings: list[SkippedJson]
    chunks: int
    seconds: float
    sentence: str


class StatusJson(TypedDict):
    """What is indexed, and where it lies. Sizes in bytes, times in seconds since 1970."""

    notes_folder: str
    notes: int
    chunks: int
    index_bytes: int
    indexed_at: float | None
    embedder: str
    generator: str
    index_dir: str
    cache_dir: str
    config_file: str | None
    other_scripts: int
    other_script_notes: list[str]
    next_embedder: str
    generator_fault: str


class OpenJson(TypedDict):
    """Where `rag open` jumps to; `file` is the absolute path, `place` the page, slide or cell."""

    path: str
    line: int
    place: str
    file: str


class SpeedJson(TypedDict):
    """Tokens a second that a model read and wrote here, and the day when it was measured."""

    prefill: float
    decode: float
    day: str


class ModelJson(TypedDict):
    """A model of the table. Sizes in bytes, `context` in tokens, null where unknown; `fits` says
    whether the memory that is free now would hold it. `partial` are the bytes that have come of a
    download that is not complete, else 0. `dimension` and `languages` are an embedder's, null
    and "" where unknown."""

    name: str
    kind: Literal["generator", "embedder"]
    installed: bool
    in_use: bool
    parameters: str
    size: int | None
    memory: int | None
    fits: bool
    context: int | None
    licence: str
    speed: SpeedJson | None
    source: str
    fault: str
    partial: int
    dimension: int | None
    languages: str


class FindingJson(TypedDict):
    """One thing that the doctor looked at; `cure` is empty where nothing needs one."""

    about: str
    state: Literal["sound", "warning", "broken"]
    found: str
    cure: str


class ForgottenJson(TypedDict):
    """Notes that were forgotten: how many of them the folder still holds, and how many turns of
    conversations quoted them, which were removed or not."""

    notes: list[str]
    present: int
    turns: int
    turns_removed: bool


class RememberedJson(TypedDict):
    """How many forgotten notes will be indexed again."""

    remembered: int


class ModelHereJson(TypedDict):
    """A model that was fetched, added or removed; `size` in bytes."""

    name: str
    path: str
    size: int


class ModelInUseJson(TypedDict):
    """A model that is used from now on, and the settings file that says so."""

    name: str
    kind: Literal["generator", "embedder"]
    file: str


class ModelSpeedJson(TypedDict):
    """Tokens a second that a model reads and writes here."""

    name: str
    prefill: float
    decode: float


class ServiceJson(TypedDict):
    """Whether the background service is installed, and runs; `file` is, or would be, its own, and
    `text` what would be written into it, with --print."""

    installed: bool
    running: bool
    file: str
    text: NotRequired[str]


class MadeJson(TypedDict):
    """How many questions were written, how many of each of the `kinds`, and the file that holds
    them. Those of the kind "unanswerable" are answered in no note."""

    questions: int
    kinds: dict[str, int]
    file: str


class EvalJson(TypedDict):
    """How many questions were asked. Beside them stand the figures by name, all numbers."""

    n: int
    answerable: int
