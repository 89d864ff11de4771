"""What the tables of an index hold, a row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class KnownSkip(NamedTuple):
    """A file that could not be read, as it was then; no hash where its bytes were not read."""

    size: int
    mtime_ns: int
    reason: str
    hash: str = ""


class NoteState(NamedTuple):
    """What tells whether a note has changed since it was indexed. A tuple, since every run makes
    one for each note."""

    id: int
    size: int
    mtime_ns: int
    hash: str


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as it is stored; `aliases`, `tags`, `fields` and `links` are JSON, and so are
    `places`: the lines at which pages, slides or cells begin, with their names."""

    path: str
    size: int
    mtime_ns: int
    hash: str
    title: str
    aliases: str
    tags: str
    created: str | None
    modified: str | None
    fields: str
    links: str
    other_script: bool = False
    places: str = "[]"


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is stored; `vector` is the hash of what was embedded."""

    text: str
    headings: tuple[str, ...]
    first: int
    last: int
    vector: bytes


@dataclass(frozen=True, slots=True)
class NamedNote:
    """A note and what it is called."""

    id: int
    path: str
    title: str
    aliases: tuple[str, ...]


StoredLink = tuple[str, str, str, int]  # target, heading, block, line


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A chunk with what the reader needs to see of its note."""

    id: int
    path: str
    title: str
    aliases: tuple[str, ...]
    headings: tuple[str, ...]
    first: int
    last: int
    text: str
    place: str = ""  # "p. 3", where its note has pages, slides or cells
    later: tuple[tuple[int, str], ...] = ()  # the cells that begin further down: (line, label)
