"""Completing filters in a question: `tag:` with the tags of the notes, `path:` with folders."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from rag.indexing.library import NoteEntry, count_tags

FIELDS = ("tag:", "path:")
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Names:
    """What can be completed: tags by how common they are, folders and notes by path."""

    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def names_of(notes: Sequence[NoteEntry]) -> Names:
    """The tags of the notes, and their folders (ending in "/") before the notes themselves."""
    folders: set[str] = set()
    for note in notes:
        folder = posixpath.dirname(note.path)
        while folder and f"{folder}/" not in folders:
            folders.add(f"{folder}/")
            folder = posixpath.dirname(folder)
    return Names(
        tuple(tag for tag, _ in count_tags(notes)),
        (*sorted(folders, key=str.casefold), *(note.path for note in notes)),
    )


def completions(before: str, names: Names) -> list[str]:
    """What the filter that ends `before`, the text up to the cursor, can be completed to.

    A value with a space is quoted, as the search wants it.
    """
    field, value = _filter_at_end(before)
    if not field:
        return []
    known = names.tags if field.endswith("tag:") else names.paths
    wanted = value.lstrip('"').casefold()
    starting = [each for each in known if each.casefold().startswith(wanted)]
    holding = [each for each in known if wanted in each.casefold() and each not in starting]
    found = [field + _quoted(each) for each in (*starting, *holding)[: SHOWN + 1]]
    return [each for each in found if each != field + value][:SHOWN]


def complete(before: str, choice: str) -> str:
    """`before` with its last filter replaced by `choice`; a space unless a folder may go on."""
    field, value = _filter_at_end(before)
    kept = before[: len(before) - len(field) - len(value)]
    return kept + choice + ("" if choice.endswith("/") else " ")


def _filter_at_end(text: str) -> tuple[str, str]:
    """The field, with its minus sign, and the value typed so far; empty when there is none."""
    for field in (f"{sign}{name}" for name in FIELDS for sign in ("-", "")):
        start = text.casefold().rfind(field)
        if start < 0 or (start and not text[start - 1].isspace()):
            continue
        value = text[start + len(field) :]
        open_quote = value.startswith('"') and value.count('"') == 1
        if open_quote or not any(character.isspace() for character in value):
            return text[start : start + len(field)], value
    return "", ""


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character.isspace() for character in value) else value
