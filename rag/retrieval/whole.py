"""Whole notes to be summed up: which they are, and all their passages with sentence vectors."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rag.errors import QuestionError
from rag.indexing.filtering import Filters, FoundNote, find_notes, known_places
from rag.indexing.linking import all_names
from rag.indexing.names import find_notes as find_named
from rag.indexing.names import resolve_link
from rag.indexing.rows import NamedNote, StoredPassage
from rag.indexing.store import Store
from rag.reading.naming import bare_name, name_key
from rag.retrieval.filters import described
from rag.retrieval.found import Passage
from rag.retrieval.summary_words import Summary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.indexing.local import LocalIndex

IN_ALL = "in all"
MOST_NOTES = 24  # of a folder that are named in its summary
_MOST_NEAR = 3  # names offered for one that is not there

# A passage and the directions of its sentences, shape (sentences, dimension), None where the
# index holds none.
Piece = tuple[Passage, "NDArray[np.int8] | None"]


@dataclass(frozen=True, slots=True)
class WholeNote:
    """A note to be read to its end; `read` gives its passages in order."""

    path: str
    title: str
    read: Callable[[], list[Piece]]


@dataclass(frozen=True, slots=True)
class ToSum:
    """The notes to sum up. `place` says in words which they are, empty where they were named;
    `total` is how many there are, of which `notes` are the most central."""

    notes: tuple[WholeNote, ...]
    total: int
    place: str = ""
    points: int | None = None


def names_something(store: Store, summary: Summary) -> bool:
    """Whether there is a note, or a folder, of the name that is to be summed up."""
    (name,) = summary.names
    return bool(find_named(store, name)) or _folder(store, name) is not None


def whole_notes(index: LocalIndex, summary: Summary, filters: Filters) -> ToSum:
    """The notes that `summary` means among those that `filters` leave.

    Raises QuestionError, with the nearest names, for a note or a heading that is not there.
    """
    store = index.store
    if not summary.names:
        return _all_notes(index, filters, summary.points)
    if not summary.sure and not find_named(store, summary.names[0]):
        place = _folder(store, summary.names[0])
        assert place is not None, "asked only of what names_something"
        return _all_notes(index, filters.joined(Filters(paths=(place,))), summary.points)
    notes = tuple(_named_note(index, name) for name in dict.fromkeys(summary.names))
    return ToSum(notes, len(notes), points=summary.points)


def _named_note(index: LocalIndex, name: str) -> WholeNote:
    """The note of a name, or the part of it under `Name#Heading`."""
    target, _, heading = name.partition("#")
    found = find_named(index.store, target) or _nearly(index.store, target)
    if not found:
        raise _no_note(index.store, target)
    lines = None
    if heading:
        block, heading = (heading[1:], "") if heading.startswith("^") else ("", heading)
        place = resolve_link(index.store, found[0].path, heading, block)
        if place is None or not place.part:
            what = f"heading “{heading}”" if heading else f"block “{block}”"
            raise QuestionError(
                f"There is no {what} in {found[0].path}.", f"Ask for the whole note: [[{target}]]"
            )
        lines = place.first, place.last
    note = found[0]
    return WholeNote(note.path, note.title, partial(_pieces, index, note.id, lines))


def _nearly(store: Store, name: str) -> tuple[NamedNote, ...]:
    """The only note with all words of `name` in one of its own: "rain" for "Rain barrel"."""
    words = set(name_key(name).split())
    named = [each for each in all_names(store) if words and words <= set(name_key(each).split())]
    notes = {note.id: note for each in named for note in find_named(store, each)}
    return tuple(notes.values()) if len(notes) == 1 else ()


def _no_note(store: Store, name: str) -> QuestionError:
    """What to say of a name that no note has, with the nearest names."""
    names: dict[str, str] = {}
    for each in all_names(store):
        names.setdefault(name_key(each), each)
    wanted = name_key(name)
    near = [names[key] for key in names if set(wanted.split()) & set(key.split())][:_MOST_NEAR]
    alike = difflib.get_close_matches(wanted, names, n=_MOST_NEAR, cutoff=0.6)
    near = list(dict.fromkeys([*(names[key] for key in alike), *near]))[:_MOST_NEAR]
    offered = " or ".join(f"“{each}”" for each in near)
    return QuestionError(
        f"There is no note “{name}”.",
        f"Did you mean {offered}?" if near else "Name it by its title or its file name.",
    )


def _folder(store: Store, name: str) -> str | None:
    """The folder of that name, by its path or its own name alone."""
    wanted = name_key(name.strip("/"))
    for place in known_places(store):
        own = name_key(place.rstrip("/"))
        if place.endswith("/") and wanted in (own, own.rpartition("/")[2]):
            return place
    return None


def _all_notes(index: LocalIndex, filters: Filters, points: int | None) -> ToSum:
    """All notes that filters leave, by path; of many, those that are most central."""
    found = sorted(find_notes(index.store, filters), key=lambda note: note.path)
    kept = central_notes(index, found, min(MOST_NOTES, points or MOST_NOTES))
    notes = tuple(
        WholeNote(note.path, note.title, partial(_pieces, index, note.id, None)) for note in kept
    )
    return ToSum(notes, len(found), described(filters) if filters else IN_ALL, points)


def central_notes(index: LocalIndex, notes: Sequence[FoundNote], count: int) -> list[FoundNote]:
    """The `count` notes nearest to what all of them are about, in their order.

    Every passage of every note is counted: a note is the mean of its passages, and what all are
    about is the mean of the notes (the centroid of Radev et al. 2004, MEAD).
    """
    if len(notes) <= count:
        return list(notes)
    import numpy as np

    means: dict[int, NDArray[np.float32]] = {}
    for note in notes:
        vectors = list(index.vectors(index.passages_of([note.id], 1 << 31)).values())
        if vectors:
            means[note.id] = np.mean(vectors, axis=0)
    if not means:
        return list(notes[:count])
    centre = np.mean(list(means.values()), axis=0)
    nearness = {note: float(mean @ centre) for note, mean in means.items()}
    best = sorted(notes, key=lambda note: -nearness.get(note.id, -1.0))[:count]
    return [note for note in notes if note in best]


def _pieces(index: LocalIndex, note: int, lines: tuple[int, int] | None) -> list[Piece]:
    """The passages of a note in order, those that touch `lines` alone if they are given."""
    ids = index.passages_of([note], 1 << 31)
    stored, coarse = index.passages(ids), index.sentences(ids)
    return [
        (_passage(stored[each]), coarse.get(each))
        for each in ids
        if each in stored and (lines is None or _touches(stored[each], lines))
    ]


def _touches(passage: StoredPassage, lines: tuple[int, int]) -> bool:
    return passage.first <= lines[1] and lines[0] <= passage.last


def _passage(each: StoredPassage) -> Passage:
    return Passage(
        each.id, each.path, each.title, each.headings, each.first, each.last, each.text,
        1.0, None, None, place=each.place, later=each.later,
    )  # fmt: skip


def title_of(note: WholeNote) -> str:
    """What a note is called, on one line."""
    return " ".join(note.title.split()).rstrip(":. ") or bare_name(note.path)
