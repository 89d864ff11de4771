"""Filters that leave nothing: which one it is, and what is nearest to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from rag.errors import QuestionError
from rag.indexing.filtering import (
    Filters,
    Span,
    field_values,
    find_notes,
    known_fields,
    known_places,
    known_tags,
)
from rag.indexing.store import Store
from rag.nearest import nearest
from rag.retrieval.filters import described
from rag.retrieval.times import named


def check_fields(store: Store, filters: Filters) -> None:
    """Raise QuestionError where a filter names a front-matter field that no note has."""
    if not filters.fields:
        return
    known = {key.casefold(): key for key in reversed(known_fields(store))}
    for test in filters.fields:
        if test.key not in known:
            raise _no_field(test.key, sorted(known.values(), key=str.casefold))


def _no_field(key: str, known: Sequence[str]) -> QuestionError:
    shown = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    near = nearest(key, known)
    return QuestionError(
        f"No note has a front-matter field {key!r}; "
        + (f"there are: {shown}." if known else "your notes have none."),
        f"Did you mean {near!r}?" if near else "",
    )


def nothing_left(store: Store, filters: Filters) -> QuestionError:
    """Which of the filters leaves no note, and what is nearest to it."""
    if _contradictory(filters.written) or _contradictory(filters.changed):
        return QuestionError("The dates leave no day between them.", "Swap since and until.")
    for part, explain in (
        *((Filters(tags=(each,)), _no_tag) for each in filters.tags),
        *((Filters(paths=(each,)), _no_place) for each in filters.paths),
        *((Filters(fields=(each,)), _no_value) for each in filters.fields),
        *((Filters(written=(each,)), _no_day) for each in filters.written),
        *((Filters(changed=(each,)), _no_day) for each in filters.changed),
    ):
        if not find_notes(store, part):
            return explain(store, part)
    dates = Filters(written=filters.written, changed=filters.changed)
    if not find_notes(store, dates):
        return _no_day(store, dates)
    return QuestionError(f"No note is {described(filters)}.", "Leave one of these filters out.")


def _no_tag(store: Store, part: Filters) -> QuestionError:
    (tag,) = part.tags
    return unknown_tag(tag, known_tags(store))


def unknown_tag(tag: str, known: Mapping[str, int]) -> QuestionError:
    """What to say of a tag that no note has; `known` are those that there are, with how many notes
    have each."""
    if near := nearest(tag, known):
        remedy = f"Did you mean {near!r}?"
    else:
        common = ", ".join(sorted(known, key=lambda name: (-known[name], name))[:8])
        remedy = f"The most common tags: {common}." if common else "Your notes have no tags."
    return QuestionError(f"No note is tagged {tag!r}.", remedy)


def _no_place(store: Store, part: Filters) -> QuestionError:
    (place,) = part.paths
    return unknown_place(place, [*(f"{name}/" for name in store.folders), *known_places(store)])


def unknown_place(place: str, places: Sequence[str]) -> QuestionError:
    """What to say of a path at which no note lies; `places` are the folders, with "/" at their
    end, and the notes' paths."""
    names: dict[str, str] = {}  # a folder may be named by its path or by its own name alone
    for known in places:
        names.setdefault(known.rstrip("/").rpartition("/")[2], known)
        names.setdefault(known.rstrip("/"), known)
    near = nearest(place.strip("/"), names)
    folders = ", ".join([each for each in places if each.endswith("/")][:8])
    remedy = f"There are the folders {folders}." if folders else "Your notes lie in one folder."
    return QuestionError(
        f"No note lies in {place!r}.", f"Did you mean {names[near]!r}?" if near else remedy
    )


def _no_value(store: Store, part: Filters) -> QuestionError:
    (test,) = part.fields
    values = field_values(store, test.key)
    near = nearest(test.value, values)
    some = ", ".join(values[:8])
    remedy = f"Did you mean {near!r}?" if near else f"Among its values: {some}."
    sign = test.op if test.op != "=" else "is"
    return QuestionError(f"There is no note whose {test.key} {sign} {test.value!r}.", remedy)


def _common(spans: Sequence[Span]) -> tuple[date | None, date | None]:
    """The first and the last day that some spans have in common; None for no bound."""
    return (
        max((span.first for span in spans if span.first), default=None),
        min((span.last for span in spans if span.last), default=None),
    )


def _contradictory(spans: Sequence[Span]) -> bool:
    first, last = _common(spans)
    return bool(first and last and first > last)


def _no_day(store: Store, part: Filters) -> QuestionError:
    days = sorted(note.day for note in find_notes(store, Filters()))
    spans = part.written or part.changed
    first, last = _common(spans)
    verb = "was changed" if part.changed else "is dated"
    what = "" if part.changed else "Your notes are from "
    reach = f"{what}{named(Span(days[0], days[-1]))}." if days and what else ""
    return QuestionError(
        f"No note {verb} {named(Span(first, last))}.", reach or "Ask for an earlier time."
    )
