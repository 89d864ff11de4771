"""Of notes that have the wanted properties, those that come first in an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from rag.retrieval.extremes import Extreme
from rag.retrieval.property_match import (
    YEARLY,
    Met,
    PropertyNote,
    days_of,
    ending_keys,
    field_keys,
    in_unit,
    tells,
)
from rag.retrieval.when import in_year, next_of

_SEVERAL = 5  # notes are shown where several are asked for

Match = tuple[PropertyNote, Met]
Place = tuple[float, str, str]  # where a note stands, in which unit, and the field that says so


def first_of(
    matches: Sequence[Match],
    extreme: Extreme,
    today: date,
    stems: Callable[[str], frozenset[str]],
) -> list[Match] | None:
    """The notes that come first, all that share the place, or the first few where several are asked
    for; None where no note has such a value, or the values cannot be compared."""
    try:
        placed = [
            (place, match)
            for match in matches
            if (place := _place(match[0], match[1], extreme, today, stems))
        ]
    except _Unreadable:
        return None
    units = {unit for (_, unit, _), _ in placed}
    if not placed or len(units - {""} if all(each[:1] in "/" for each in units) else units) > 1:
        return None
    sign = -1 if extreme.most else 1
    placed.sort(key=lambda each: sign * each[0][0])
    last = placed[: _SEVERAL if extreme.several else 1][-1][0][0]
    chosen = [each for each in placed if sign * each[0][0] <= sign * last]
    return [
        (note, replace(met, met={key: met.met.get(key, []), **met.met}) if key else met)
        for (_, _, key), (note, met) in chosen
    ]


class _Unreadable(Exception):
    """A field that orders notes holds something that cannot be compared."""


def _place(
    note: PropertyNote,
    met: Met,
    extreme: Extreme,
    today: date,
    stems: Callable[[str], frozenset[str]],
) -> Place | None:
    """Where a note stands in the order; None where it has no such field. Raises _Unreadable."""
    if extreme.days:
        return _day(note, met, extreme.days, today)
    keys = [key for key in note.fields if key in extreme.keys]
    for key in keys or field_keys(note, extreme.field, stems):
        values = [value for value in note.fields[key] if tells(value)]
        if days := days_of(values):
            return float(days[0][0].toordinal()), "day", key
        if values:
            if (measured := in_unit(values[0])) is None:
                raise _Unreadable
            return (*measured, key)
    return None


def _day(note: PropertyNote, met: Met, side: str, today: date) -> Place | None:
    """The day of a note, or of the field that was asked for, that is nearest on the side of today
    that is asked for."""
    ahead = side == "next"
    if note.written and not met.alone:
        days = [(date.fromisoformat(note.written), "")]
    else:
        keys = met.alone or ending_keys(note, met)
        days = [
            (_again(first, ahead, today) if key in YEARLY else first, key)
            for key in keys
            for first, _ in days_of(note.fields[key])
        ]
    if not (side == "latest" and met.alone):
        days = [each for each in days if (each[0] >= today if ahead else each[0] <= today)]
    if not days:
        return None
    day, key = min(days) if ahead else max(days)
    return float(day.toordinal()), "day", key


def _again(day: date, ahead: bool, today: date) -> date:
    """The next time that a day of every year comes, or the last time that it was."""
    return next_of(day, today) if ahead else next_of(day, in_year(today, today.year - 1))
