"""Passages that speak of a day: a log has a line for each, whatever the day of its note."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from rag.indexing.passage_index import PassageIndex

_MOST = 64  # passages of one way to write a day; more speak of it in passing


@dataclass(frozen=True, slots=True)
class Dated:
    """The ids of chunks that speak of a day, and the day as the first of them has it."""

    chunks: tuple[int, ...]
    written: str


def speaking_of(
    index: PassageIndex, day: date, analyze: Callable[[str], list[str]]
) -> Dated | None:
    """The chunks whose text or headings name a day with its year; None where none does."""
    forms = _forms(day)
    ids = dict.fromkeys(
        chunk
        for words in dict.fromkeys(tuple(analyze(each)) for each in forms)
        for chunk, _ in index.search_words(words, _MOST, every=True)
    )
    named = re.compile("|".join(rf"(?<!\d){re.escape(each)}(?!\d)" for each in forms), re.I)
    found = {
        chunk: match[0]
        for chunk, each in index.passages([*ids]).items()
        if (match := named.search("\n".join((each.text, *each.headings))))
    }
    return Dated(tuple(sorted(found)), next(iter(found.values()))) if found else None


def _forms(day: date) -> tuple[str, ...]:
    """A day as people write it."""
    d, m, y = day.day, day.month, day.year
    return (
        day.isoformat(), f"{y}/{m:02}/{d:02}", f"{y}-{m}-{d}", f"{d:02}.{m:02}.{y}", f"{d}.{m}.{y}",
        f"{d} {day:%B} {y}", f"{d}. {day:%B} {y}", f"{day:%B} {d}, {y}", f"{d} {day:%b} {y}",
        f"{d}. {day:%b} {y}", f"{day:%b} {d}, {y}", f"{d:02}/{m:02}/{y}",
    )  # fmt: skip
