"""Completing filters in a question: tags and folders of the notes, and days in words."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag.indexing.library import NoteEntry, count_tags

_DAYS = ("since:", "until:", "date:", "created:", "modified:")
FIELDS = ("tag:", "path:", *_DAYS)
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Names:
    """What can be completed: tags by how common they are, folders and notes by path, days."""

    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    days: tuple[str, ...] = ()


def names_of(notes: Sequence[NoteEntry], today: date) -> Names:
    """The tags of the notes, their folders (ending in "/") before the notes themselves, and times
    counted from `today`, the latest first."""
    folders: set[str] = set()
    for note in notes:
        folder = posixpath.dirname(note.path)
        while folder and f"{folder}/" not in folders:
            folders.add(f"{folder}/")
            folder = posixpath.dirname(folder)
    return Names(
        tuple(tag for tag, _ in count_tags(notes)),
        (*sorted(folders, key=str.casefold), *(note.path for note in notes)),
        ("today", "yesterday", "last week", f"{today:%Y-%m}", "last month", f"{today:%Y}"),
    )


def completions(before: str, names: Names) -> list[str]:
    """What the filter that ends `before`, the text up to the cursor, can be completed to.

    A value with a space is quoted, as the search wants it.
    """
    field, value = _filter_at_end(before)
    if not field:
        return []
    known = _known(field.removeprefix("-"), names)
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


def _known(field: str, names: Names) -> Sequence[str]:
    if field in _DAYS:
        return names.days
    return names.tags if field == "tag:" else names.paths


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character.isspace() for character in value) else value
