"""Of notes that have the wanted properties, those that come first in an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from rag.retrieval.extremes import Extreme
from rag.retrieval.property_match import (
    YEARLY,
    Met,
    PropertyNote,
    days_of,
    field_keys,
    in_unit,
)
from rag.retrieval.when import next_of

SEVERAL = 5  # notes are shown where several are asked for

Match = tuple[PropertyNote, Met]
Place = tuple[float, str, str]  # where a note stands, in which unit, and the field that says so


def first_of(
    matches: Sequence[Match],
    extreme: Extreme,
    today: date,
    stems: Callable[[str], frozenset[str]],
) -> list[Match] | None:
    """The notes that come first, all that share the place, or the first few where several are asked
    for; None where their values are not of one kind, or none has any."""
    placed = [
        (place, match)
        for match in matches
        if (place := _place(match[0], match[1], extreme, today, stems))
    ]
    if not placed or len({unit for (_, unit, _), _ in placed if unit}) > 1:
        return None
    sign = -1 if extreme.most else 1
    placed.sort(key=lambda each: sign * each[0][0])
    most = placed[: SEVERAL if extreme.several else 1]
    chosen = [each for each in placed if each[0][0] == most[-1][0][0] or each in most]
    return [_telling(note, met, key) for (_, _, key), (note, met) in chosen]


def _telling(note: PropertyNote, met: Met, key: str) -> Match:
    """The match with the field that gives a note its place first among those it shows."""
    if not key:
        return note, met
    return note, replace(met, met={key: met.met.get(key, []), **met.met})


def _place(
    note: PropertyNote,
    met: Met,
    extreme: Extreme,
    today: date,
    stems: Callable[[str], frozenset[str]],
) -> Place | None:
    """Where a note stands in the order; None where nothing of it says so."""
    if extreme.days:
        return _day(note, met, extreme.days == "next", today)
    keys = [key for key in note.fields if key in extreme.keys]
    keys = keys or field_keys(note, extreme.field, stems)
    for key in keys:
        if days := days_of(note.fields[key]):
            return float(days[0][0].toordinal()), "day", key
        for value in note.fields[key]:
            if measured := in_unit(value):
                return (*measured, key)
    return None


def _day(note: PropertyNote, met: Met, ahead: bool, today: date) -> Place | None:
    """The day of a note, of the field that was asked for if any, that is nearest on the side of
    today that is asked for."""
    keys: Iterable[str] = met.alone or note.fields
    days = [
        (day.toordinal(), key)
        for key in keys
        for first, _ in days_of(note.fields[key])
        if (day := next_of(first, today) if ahead and key in YEARLY else first)
        and (day >= today if ahead else day <= today)
    ]
    if not met.alone and note.written:
        written = date.fromisoformat(note.written)
        if written >= today if ahead else written <= today:
            days.append((written.toordinal(), ""))
    if not days:
        return None
    ordinal, key = min(days) if ahead else max(days)
    return float(ordinal), "day", key
