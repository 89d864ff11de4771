"""Passages that speak of a day: a log has a line for each, whatever the day of its note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from rag.indexing.local import PassageIndex

_MOST = 64  # passages; more speak of it in passing


@dataclass(frozen=True, slots=True)
class Dated:
    """The ids of chunks that speak of a day, and the day as the first of them has it."""

    chunks: tuple[int, ...]
    written: str


def speaking_of(
    index: PassageIndex, day: date, analyze: Callable[[str], list[str]]
) -> Dated | None:
    """The chunks whose text names a day with its year; None where none does."""
    forms = _forms(day)
    words = (forms[0], f"{day.day} {day:%B} {day.year}")
    ids = dict.fromkeys(
        chunk for each in words for chunk, _ in index.search_words(analyze(each), _MOST, every=True)
    )
    texts = {chunk: each.text.casefold() for chunk, each in index.passages([*ids]).items()}
    found = {
        chunk: next((form for form in forms if form.casefold() in texts.get(chunk, "")), "")
        for chunk in ids
    }
    said = [chunk for chunk, form in found.items() if form]
    return Dated(tuple(sorted(said)), found[said[0]]) if said else None


def _forms(day: date) -> tuple[str, ...]:
    """A day as people write it, as a program does first."""
    d, m, y = day.day, day.month, day.year
    return (
        day.isoformat(), f"{y}/{m:02}/{d:02}", f"{y}-{m}-{d}", f"{d:02}.{m:02}.{y}", f"{d}.{m}.{y}",
        f"{d} {day:%B} {y}", f"{d}. {day:%B} {y}", f"{day:%B} {d}, {y}", f"{d} {day:%b} {y}",
        f"{day:%b} {d}, {y}", f"{d:02}/{m:02}/{y}",
    )  # fmt: skip
