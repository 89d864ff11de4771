"""Links between notes: which note a name means, what links to it, what it links to."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rag.indexing.store import Store


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A note by id, and the line of the link in the note that holds it; 0 for none."""

    note: int
    line: int


def notes_named(store: Store, name: str) -> set[int]:
    """The notes that a link of this name leads to: by path, file name, title or alias."""
    wanted = _target(name)
    return {note for note, names, _ in _notes(store) if wanted in names}


def links_to(store: Store, name: str) -> list[LinkLine]:
    """The first link to that name, or to another name of the same note, in every other note."""
    notes = list(_notes(store))
    meant = [(note, names) for note, names, _ in notes if _target(name) in names]
    wanted = {_target(name)}.union(*(names for _, names in meant))
    found: list[LinkLine] = []
    for note, _, links in notes:
        lines = [line for target, line in links if target in wanted]
        if lines and note not in {each for each, _ in meant}:
            found.append(LinkLine(note, lines[0]))
    return found


def links_from(store: Store, sources: Collection[int]) -> list[LinkLine]:
    """The notes that some notes link to, in the order of their links."""
    notes = list(_notes(store))
    owners: dict[str, int] = {}
    for note, names, _ in notes:
        for name in names:
            owners.setdefault(name, note)
    targets = [target for note, _, links in notes if note in sources for target, _ in links]
    found = dict.fromkeys(owners[target] for target in targets if target in owners)
    return [LinkLine(note, 0) for note in found if note not in sources]


def all_names(store: Store) -> list[str]:
    """The titles, aliases and file names of all notes, to find the nearest to a wrong one."""
    names: dict[str, None] = {}
    for path, title, aliases in store.query("SELECT path, title, aliases FROM notes"):
        names |= dict.fromkeys([title, *json.loads(aliases), _stem(path.rpartition("/")[2])])
    return list(names)


def _notes(store: Store) -> Iterator[tuple[int, set[str], list[tuple[str, int]]]]:
    """Every note: id, the names that lead to it, and where its own links lead, with lines."""
    for note, path, title, aliases, links in store.query(
        "SELECT id, path, title, aliases, links FROM notes"
    ):
        parts = _stem(path).casefold().split("/")
        names = {"/".join(parts[n:]) for n in range(len(parts))}
        names |= {_target(each) for each in (title, *json.loads(aliases))}
        yield note, names, [(_target(link[0]), link[3]) for link in json.loads(links) if link[0]]


def _target(name: str) -> str:
    """A name as links are compared: without case, suffix and the way up the folders."""
    parts = name.strip().casefold().replace("\\", "/").split("/")
    while len(parts) > 1 and parts[0] in ("", ".", ".."):
        parts.pop(0)
    return " ".join(_stem("/".join(parts)).split())


def _stem(path: str) -> str:
    stem, suffix = os.path.splitext(path)
    return stem if suffix.casefold() in (".md", ".markdown", ".txt") else path
