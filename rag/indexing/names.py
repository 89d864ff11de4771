"""Notes by name, and where links lead: as Obsidian resolves them, and then by alias and title."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.indexing.rows import NamedNote, StoredPassage
from rag.indexing.store import Store
from rag.reading.links import plain
from rag.reading.naming import bare_name, exact_key, heading_key, name_key, without_suffix

_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,9}[.)])\s")
_NOT_UNDER = re.compile(r"\s*(?:#{1,6}\s.*)?")
_HEADING_LINE = re.compile(r"\s*#{1,6}\s+(.*)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link leads: lines of a note, counted from 1 and inclusive.

    `part` is whether they are those of the heading or block that the link names; where it names
    none, or one that is not there, they are those of the whole note.
    """

    note: NamedNote
    first: int
    last: int
    part: bool


@dataclass(frozen=True, slots=True)
class Backlink:
    """A link that leads to a note: where it stands, and the part that it names, "" for none."""

    note: NamedNote
    line: int
    heading: str
    block: str


def find_notes(store: Store, name: str, from_path: str | None = None) -> tuple[NamedNote, ...]:
    """The notes that `name` means, written in the note at `from_path`; the best first.

    A name is a path from the notes folder, one from the folder of `from_path` ("../plan"), the
    end of a path ("garden/plan", "plan"), an alias, or a title; with or without suffix, in any
    case, accents or not. Of several, those below the folder of `from_path` come first, then
    those with the shortest path.
    """
    name = name.strip()
    if not name:
        return store.notes_at(from_path) if from_path else ()
    keys = {name_key(bare_name(name)), name_key(name), name_key(name.rpartition("/")[2])}
    here = posixpath.dirname(from_path or "")
    ranked = [
        (rank, note)
        for note in store.notes_named(sorted(keys))
        if (rank := _rank(note, name, here)) is not None
    ]
    return tuple(note for _, note in sorted(ranked, key=lambda pair: pair[0]))


def resolve_link(
    store: Store, target: str, heading: str = "", block: str = "", from_path: str | None = None
) -> Place | None:
    """Where the link `[[target#heading]]` or `[[target#^block]]` leads; None if to no note.

    `heading` may be a path of headings ("Care#Winter").
    """
    notes = find_notes(store, target, from_path)
    if not notes:
        return None
    passages = store.note_passages(notes[0].id)
    lines = None
    if block:
        lines = _block_lines(passages, block)
    elif heading:
        lines = _heading_lines(passages, heading)
    whole = (1, max((each.last for each in passages), default=1))
    return Place(notes[0], *(lines or whole), part=lines is not None)


def links_to(store: Store, note: NamedNote) -> tuple[Backlink, ...]:
    """The links in other notes that lead to `note`, by path and line."""
    names = (bare_name(note.path), note.title, *note.aliases)
    keys = {name_key(each) for each in names} | {name_key(bare_name(each)) for each in names}
    leads_here: dict[tuple[str, str], bool] = {}
    found = []
    for source, links in store.notes_linking(sorted(keys)):
        here = posixpath.dirname(source.path)
        for target, heading, block, line in links if source.id != note.id else ():
            if not target or name_key(bare_name(target)) not in keys:
                continue
            if (target, here) not in leads_here:
                first = find_notes(store, target, source.path)[:1]
                leads_here[target, here] = [each.id for each in first] == [note.id]
            if leads_here[target, here]:
                found.append(Backlink(source, line, heading, block))
    return tuple(sorted(found, key=lambda each: (each.note.path, each.line)))


def _rank(note: NamedNote, name: str, here: str) -> tuple[int, bool, bool, int, str] | None:
    """How well a note answers to `name`, the least best: by the way it does, then exactness,
    then nearness to the folder `here`, then length of its path. None where it does not."""
    for fold in (exact_key, name_key):
        way = _way(note, name, here, fold)
        if way is not None:
            near = bool(here) and note.path.startswith(f"{here}/")
            inexact = fold is name_key
            return way, inexact, not near, len(note.path), note.path
    return None


def _way(note: NamedNote, name: str, here: str, fold: Callable[[str], str]) -> int | None:
    """0 by its path, 1 by its path from `here`, 2 by the end of it, 3 by alias, 4 by title."""
    path, wanted = fold(note.path), fold(name)
    bare = without_suffix(path)
    if wanted.startswith(("./", "../")):
        place = posixpath.normpath(posixpath.join(fold(here), wanted))
        return 0 if place in (path, bare) else None
    place = wanted.removeprefix("/")
    if place in (path, bare):
        return 0
    if not wanted.startswith("/"):
        if posixpath.normpath(posixpath.join(fold(here), place)) in (path, bare):
            return 1
        if f"/{path}".endswith(f"/{place}") or f"/{bare}".endswith(f"/{place}"):
            return 2
    if wanted in map(fold, note.aliases):
        return 3
    return 4 if wanted == fold(note.title) else None


# Parts of a note


def _heading_lines(passages: Sequence[StoredPassage], heading: str) -> tuple[int, int] | None:
    """The lines under the first heading that has this path of headings."""
    wanted = [heading_key(each) for each in heading.split("#") if each.strip()]
    lines: tuple[int, int] | None = None
    trail: tuple[str, ...] = ()
    for each in passages:
        if lines is None:
            depth = _depth(each.headings, wanted)
            if depth:
                trail, lines = each.headings[:depth], (each.first, each.last)
        elif each.headings[: len(trail)] == trail:
            lines = lines[0], each.last
        else:
            break
    if lines is None:
        return _bare_heading(passages, wanted)
    first, last = lines
    text = _lines(passages)
    while last > first and _NOT_UNDER.fullmatch(text.get(last, "")):
        last -= 1  # a bare heading that comes next stands in the passage before it
    return first, last


def _depth(headings: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of `headings` it takes to hold all that are wanted, in order; 0 if they do not."""
    left = list(wanted)
    for depth, each in enumerate(headings, 1):
        if left and heading_key(each) == left[0]:
            left.pop(0)
            if not left:
                return depth
    return 0


def _bare_heading(
    passages: Sequence[StoredPassage], wanted: Sequence[str]
) -> tuple[int, int] | None:
    """The line of a heading that has no text under it, and so stands within a passage."""
    for number, line in _lines(passages).items():
        found = _HEADING_LINE.fullmatch(line)
        if found and wanted and heading_key(plain(found[1])) == wanted[-1]:
            return number, number
    return None


def _block_lines(passages: Sequence[StoredPassage], block: str) -> tuple[int, int] | None:
    """The paragraph or list item that ends in `^block`."""
    mark = re.compile(rf"(?:^|\s)\^{re.escape(block)}\s*$", re.IGNORECASE)
    lines = _lines(passages)
    last = next((number for number, line in lines.items() if mark.search(line)), None)
    if last is None:
        return None
    alone = lines[last].strip().startswith("^")  # then it names the block above
    if alone:
        last = max((n for n in lines if n < last and lines[n].strip()), default=last)
    first = last
    while lines.get(first - 1, "").strip() and (alone or not _ITEM.match(lines[first])):
        first -= 1
    return first, last


def _lines(passages: Sequence[StoredPassage]) -> dict[int, str]:
    """The lines of a note that passages hold, by number, ascending."""
    lines: dict[int, str] = {}
    for each in passages:
        for number, line in enumerate(each.text.split("\n"), each.first):
            lines[number] = lines.get(number, "") + line
    return dict(sorted(lines.items()))
