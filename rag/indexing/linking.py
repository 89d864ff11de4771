"""What links to a note and what it links to, by the names that people call it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from rag.indexing.names import find_notes
from rag.indexing.names import links_to as backlinks
from rag.indexing.store import Store
from rag.reading.formats import is_attachment
from rag.reading.naming import bare_name, name_key


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A note by id, and the line of the link in the note that holds it; 0 for none."""

    note: int
    line: int


def notes_named(store: Store, name: str) -> set[int]:
    """The notes that a link of this name may lead to: by path, file name, title or alias."""
    return {note.id for note in find_notes(store, name)}


def links_to(store: Store, name: str) -> list[LinkLine]:
    """The first link to that name, or to another name of the same note, in every other note.

    A name without a note can be linked to all the same.
    """
    meant = find_notes(store, name)
    if meant:
        places = [(each.note.id, each.line) for note in meant for each in backlinks(store, note)]
    else:
        key = name_key(bare_name(name))
        places = [
            (source.id, line)
            for source, links in store.notes_linking([key])
            for target, _, _, line in links
            if target and name_key(bare_name(target)) == key
        ]
    first: dict[int, int] = {}
    for note, line in places:
        first.setdefault(note, line)
    return [LinkLine(note, line) for note, line in first.items()]


def links_from(store: Store, sources: Collection[int]) -> list[LinkLine]:
    """The notes that some notes link to, in the order of their links."""
    found: dict[int, None] = {}
    for source in sources:
        for path, links in store.query("SELECT path, links FROM notes WHERE id = ?", (source,)):
            for target, *_ in json.loads(links):
                found |= dict.fromkeys(note.id for note in find_notes(store, target, path)[:1])
    return [LinkLine(note, 0) for note in found if note not in sources]


def attachments_of(store: Store, notes: Collection[int]) -> list[int]:
    """The tables, PDF files and the like that some notes embed or link to, in that order."""
    found: dict[int, None] = {}
    for source in notes:
        for path, links in store.query("SELECT path, links FROM notes WHERE id = ?", (source,)):
            wanted = (target for target, *_ in json.loads(links) if is_attachment(target))
            for target in wanted:
                found |= dict.fromkeys(note.id for note in find_notes(store, target, path)[:1])
    return [note for note in found if note not in notes]


def all_names(store: Store) -> list[str]:
    """The titles, aliases and file names of all notes, to find the nearest to a wrong one."""
    names: dict[str, None] = {}
    for path, title, aliases in store.query("SELECT path, title, aliases FROM notes"):
        names |= dict.fromkeys([title, *json.loads(aliases), bare_name(path)])
    return list(names)
