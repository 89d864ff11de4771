"""Filters into notes: which of them the store holds, and the ids of their chunks.

The day of a note is the date in its front matter (`created`, `date`), else the one in its file
name, else a `modified` in its front matter, else the day on which its file was last written. A
date that a person wrote counts before one that copying or syncing a folder changes. A note was
changed on the `modified` of its front matter, else on the day of its file.
"""

from __future__ import annotations

import calendar
import fnmatch
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

from rag.indexing.store import Store
from rag.reading.dates import parse_date

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
_FILE_DAY = "date(n.mtime_ns / 1000000000, 'unixepoch', 'localtime')"
_DAY = f"coalesce(n.created, n.modified, {_FILE_DAY})"
_CHANGED = f"coalesce(n.modified, {_FILE_DAY})"


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both inclusive; None is open."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class FieldTest:
    """A front-matter field against a value: `status = draft`, `rating >= 4`. `span` are the days
    that the value names, if any: a field that holds a date is compared with these."""

    key: str
    op: Operator
    value: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a note must be to be searched.

    It has all `tags` and none of `without_tags`, lies in one of `paths` and in none of
    `without_paths`, its day is in every span of `written` and that of its last change in every
    one of `changed`. Tests of one field for equality are met by any of their values.
    """

    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    without_paths: tuple[str, ...] = ()
    written: tuple[Span, ...] = ()
    changed: tuple[Span, ...] = ()
    fields: tuple[FieldTest, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))

    def joined(self, other: Filters) -> Filters:
        """Both sets of filters at once."""
        names = [each.name for each in fields(self)]
        return Filters(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True)
class FoundNote:
    """A note that the filters leave, and its day."""

    id: int
    path: str
    title: str
    day: date


def find_notes(store: Store, filters: Filters) -> tuple[FoundNote, ...]:
    """The notes that `filters` leave, the newest first."""
    terms, values = _date_terms(filters)
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    rows = store.query(
        f"SELECT n.id, n.path, n.title, {_DAY}, n.tags, n.fields FROM notes n {where}"
        f" ORDER BY {_DAY} DESC, n.path",
        values,
    )
    return tuple(
        FoundNote(note, path, title, date.fromisoformat(day))
        for note, path, title, day, tags, front in rows
        if _right_path([path, *(f"{name}/{path}" for name in store.folders[:1])], filters)
        and _right_tags(tags, filters)
        and _right_fields(front, filters)
    )


def chunks_of(store: Store, notes: Sequence[FoundNote]) -> list[int]:
    """The ids of all chunks of `notes`, ascending."""
    ids = json.dumps([each.id for each in notes])
    rows = store.query(
        "SELECT id FROM chunks WHERE note IN (SELECT value FROM json_each(?)) ORDER BY id", (ids,)
    )
    return [row[0] for row in rows]


def chunks_in(store: Store, path: str) -> list[int]:
    """The ids of the chunks of the note at `path`, ascending."""
    rows = store.query(
        "SELECT id FROM chunks WHERE note = (SELECT id FROM notes WHERE path = ?) ORDER BY id",
        (path,),
    )
    return [row[0] for row in rows]


def _date_terms(filters: Filters) -> tuple[list[str], list[str]]:
    terms, values = [], []
    for column, spans in ((_DAY, filters.written), (_CHANGED, filters.changed)):
        for span in spans:
            for sign, day in ((">=", span.first), ("<=", span.last)):
                if day is not None:
                    terms.append(f"{column} {sign} ?")
                    values.append(day.isoformat())
    return terms, values


# One note against the filters


def _right_path(paths: Sequence[str], filters: Filters) -> bool:
    """Whether a note lies where it should, by one of the paths that it is known by."""

    def in_any(places: Sequence[str]) -> bool:
        return any(lies_in(path, each) for path in paths for each in places)

    return (not filters.paths or in_any(filters.paths)) and not in_any(filters.without_paths)


def lies_in(path: str, place: str) -> bool:
    """Whether the note at `path` lies in the folder `place`, at any depth, or is that file.

    Case does not count, nor does a suffix such as .md. A leading "/" or "./" means the top of the
    notes folder; with `*` or `?`, the place is a pattern for the whole path or its end.
    """
    path, place = f"/{path.casefold()}", place.replace("\\", "/").casefold()
    anchored = place.startswith(("/", "./"))
    place = place.removeprefix(".").strip("/")
    if not place:
        return True
    if any(sign in place for sign in "*?"):
        patterns = [place] if anchored else [place, f"*/{place}"]
        return any(fnmatch.fnmatchcase(path[1:], each) for each in patterns)
    starts = [0] if anchored else [match.start() for match in re.finditer("/", path)]
    ends = (f"{place}/", place)
    return any(
        path.startswith(ends[0], at + 1) or place in (path[at + 1 :], _stem(path[at + 1 :]))
        for at in starts
    )


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def right_tags(own: Sequence[str], filters: Filters) -> bool:
    """Whether what has these tags has all that `filters` ask for, and none that they leave out."""
    own = [tag.casefold() for tag in own]
    return all(_has_tag(own, tag) for tag in filters.tags) and not any(
        _has_tag(own, tag) for tag in filters.without_tags
    )


def _right_tags(stored: str, filters: Filters) -> bool:
    if not (filters.tags or filters.without_tags):
        return True
    return right_tags(json.loads(stored), filters)


def _has_tag(own: Sequence[str], wanted: str) -> bool:
    """Whether a note with these tags has the wanted one or one nested in it."""
    wanted = wanted.casefold()
    return any(tag == wanted or tag.startswith(f"{wanted}/") for tag in own)


def _right_fields(stored: str, filters: Filters) -> bool:
    if not filters.fields:
        return True
    own = read_fields(stored)
    wanted: dict[str, list[FieldTest]] = {}
    for test in filters.fields:
        values = own.get(test.key.casefold(), [])
        if test.op == "=":
            wanted.setdefault(test.key.casefold(), []).append(test)
        elif test.op == "!=":
            if any(_holds(value, test, "=") for value in values):
                return False
        elif not any(_holds(value, test, test.op) for value in values):
            return False
    return all(
        any(_holds(value, test, "=") for value in own.get(key, []) for test in tests)
        for key, tests in wanted.items()
    )


def read_fields(stored: str) -> dict[str, list[str]]:
    """The front matter of a note as the store has it: the values of each field as they would be
    typed, by its name in lower case."""
    fields = json.loads(stored) if stored != "{}" else {}
    return {key.casefold(): _flat(value) for key, value in fields.items()}


def _flat(value: Any) -> list[str]:
    """The values of a field as they would be typed, its lists taken apart."""
    if isinstance(value, list):
        return [text for each in value for text in _flat(each)]
    if value is None or isinstance(value, dict):
        return []
    return [str(value).lower() if isinstance(value, bool) else str(value)]


_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    "=": lambda own, wanted: bool(own == wanted),
    "<": lambda own, wanted: bool(own < wanted),
    "<=": lambda own, wanted: bool(own <= wanted),
    ">": lambda own, wanted: bool(own > wanted),
    ">=": lambda own, wanted: bool(own >= wanted),
}


def _holds(own: str, test: FieldTest, op: Operator) -> bool:
    """Compare as numbers, else as dates, else as text whose case does not count."""
    wanted = test.value
    if op == "=" and "*" in wanted:
        return fnmatch.fnmatchcase(_folded(own), _folded(wanted))
    left, right = _number(own), _number(wanted)
    if left is not None and right is not None:
        return _COMPARE[op](left, right)
    named = parse_date(wanted)
    span = test.span or (Span(named, named) if named else None)
    if span and (days := _days(own)):
        return _is_of(*days, op, span)
    return _COMPARE[op](_folded(own), _folded(wanted))


def _days(text: str) -> tuple[date, date] | None:
    """The first and last day that a field names: a day, or a month such as 2024-03."""
    if day := parse_date(text):
        return day, day
    month = re.fullmatch(r"(\d{4})[-/.](\d{1,2})", text.strip())
    if not month or not (first := parse_date(f"{month[1]}-{month[2]}-01")):
        return None
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _is_of(first: date, last: date, op: Operator, span: Span) -> bool:
    """Whether days are in a span, before or after it."""
    before = span.first is not None and last < span.first
    after = span.last is not None and first > span.last
    if op in ("<", "<="):
        return before or (op == "<=" and not after)
    return after or (op == ">=" and not before) if op != "=" else not (before or after)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).removeprefix("[[").removesuffix("]]")


# What there is to filter by


def known_tags(store: Store) -> Counter[str]:
    """Every tag and every tag that one is nested in, as written, and how many notes have it."""
    counts: Counter[str] = Counter()
    for (stored,) in store.query("SELECT tags FROM notes WHERE tags != '[]'"):
        parts = [tag.split("/") for tag in json.loads(stored)]
        counts.update({"/".join(part[: n + 1]) for part in parts for n in range(len(part))})
    return counts


def known_places(store: Store) -> list[str]:
    """Every folder, its "/" at the end, and every note's path."""
    paths = [path for (path,) in store.query("SELECT path FROM notes")]
    folders = {path[: match.end()] for path in paths for match in re.finditer("/", path)}
    return [*sorted(folders), *paths]


def known_fields(store: Store) -> list[str]:
    """The front-matter fields of all notes, the most common first."""
    rows = store.query(
        "SELECT f.key FROM notes n, json_each(n.fields) f WHERE n.fields != '{}'"
        " GROUP BY f.key ORDER BY count(*) DESC, f.key"
    )
    return [key for (key,) in rows if key]


def field_values(store: Store, key: str) -> list[str]:
    """The values that a front-matter field has, as they would be typed."""
    rows = store.query("SELECT fields FROM notes WHERE fields != '{}'")
    found = (json.loads(stored) for (stored,) in rows)
    values = (
        _flat(value) for own in found for name, value in own.items() if name.casefold() == key
    )
    return list(dict.fromkeys(text for each in values for text in each))
