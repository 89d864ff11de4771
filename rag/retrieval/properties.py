"""Notes looked up by their properties: tags, folders and the fields of their front matter.

A note is listed where every word of the question is accounted for: by what it is (a tag, a folder,
its `type`), by the name of one of its fields or by what stands in it. Where none is, the question
is no such one. No model is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache

from rag.indexing.filtering import Filters, find_notes, read_fields
from rag.indexing.local import LocalIndex
from rag.indexing.rows import StoredPassage
from rag.indexing.store import Store
from rag.reading.front_matter import FOR_PROGRAMS
from rag.retrieval.filters import described
from rag.retrieval.listing import SHOWN, Listed, ListedNote, passage_of, shortened
from rag.retrieval.property_match import NUMBERS, VERBS, Met, PropertyNote, forms, meets
from rag.retrieval.property_order import first_of
from rag.retrieval.property_words import Properties

_KINDS = ("type", "kind", "class")  # of a field that says what a note is

Analyze = Callable[[str], list[str]]


def list_by_properties(
    index: LocalIndex, wanted: Properties, filters: Filters, analyze: Analyze, today: date
) -> Listed | None:
    """The notes that have the wanted properties, the newest first; none of them where all that is
    asked for is known and no note has it; None where notes know no such thing."""
    found = _find(index.store, wanted, filters, analyze)
    if found is None and wanted.noun and wanted.words:  # "active projects"
        first, *others = wanted.words
        turned = replace(wanted, noun=first, words=(wanted.noun, *others))
        found = _find(index.store, turned, filters, analyze)
        wanted = turned if found else wanted
    if found is None and wanted.extreme and not wanted.words:  # "whose birthday is next?"
        wanted = replace(wanted, noun="", words=(wanted.noun,), has=True)
        found = _find(index.store, wanted, filters, analyze)
    if found is None:
        return None
    matches, near = found
    if wanted.extreme and matches:
        chosen = first_of(matches, wanted.extreme, today, lambda text: frozenset(analyze(text)))
        if chosen is None:
            return None
        matches = chosen
    head = _head(wanted, filters, matches[0][1] if matches else near, len(matches))
    return _listed(index.store, head, matches)


def _find(
    store: Store, wanted: Properties, filters: Filters, analyze: Analyze
) -> tuple[list[tuple[PropertyNote, Met]], Met] | None:
    """The notes that match, and how one does that has other numbers or days."""
    stems = cache(lambda text: frozenset(analyze(text)))
    matches: list[tuple[PropertyNote, Met]] = []
    near: Met | None = None
    for note in _notes(store, wanted, filters):
        match, whole = meets(wanted, note, stems)
        if match and whole:
            matches.append((note, match))
        near = near or match
    if any(match.met for _, match in matches):  # "read" is a status, and a field in other notes
        matches = [each for each in matches if each[1].met or not each[1].alone]
    return (matches, near) if near else None


def _notes(store: Store, wanted: Properties, filters: Filters) -> Iterator[PropertyNote]:
    """The notes that may have what is asked for: a look at the letters alone rules out nearly all,
    which takes a large vault milliseconds."""
    terms, values = ["(fields != '{}' OR tags != '[]' OR instr(path, '/'))"], []
    for word in filter(None, (wanted.noun, *wanted.words)):
        parts = [f'"{key}' for key in VERBS.get(word, ())]
        parts += sorted({each[: max(3, len(each) - 3)] for each in forms(word)})
        if all(map(str.isascii, parts)) and word not in NUMBERS:
            terms.append(
                f"({' OR '.join(['instr(lower(tags || path || fields), ?)'] * len(parts))})"
            )
            values += parts
    rows = store.query(
        f"SELECT id, tags, fields, created FROM notes WHERE {' AND '.join(terms)}", values
    )
    stored = {note: rest for note, *rest in rows}
    for found in find_notes(store, filters) if stored else ():
        if found.id not in stored:
            continue
        tags, fields, created = stored[found.id]
        held = read_fields(fields)
        labels = [
            part for tag in (json.loads(tags) if tags != "[]" else ()) for part in tag.split("/")
        ]
        labels += found.path.split("/")[:-1]
        labels += [value.strip("[]") for kind in _KINDS for value in held.get(kind, ())]
        known = {key: values for key, values in held.items() if key not in FOR_PROGRAMS}
        yield PropertyNote(found, frozenset().union(*map(forms, labels)), known, created or "")


def _listed(store: Store, head: str, matches: list[tuple[PropertyNote, Met]]) -> Listed:
    shown = [note.found.id for note, _ in matches[:SHOWN]]
    firsts = {
        note: chunk
        for note in shown
        for (chunk,) in store.query("SELECT min(id) FROM chunks WHERE note = ?", (note,))
        if chunk
    }
    stored = store.passages([*firsts.values()])
    numbers = {note: n for n, note in enumerate(firsts, 1)}
    listed = []
    for note, match in matches:
        found = note.found
        passage = stored.get(firsts.get(found.id, 0))
        keys = [*match.met, *match.alone]
        line, text = _line(note, passage, keys) if passage else (0, "")
        listed.append(
            ListedNote(numbers.get(found.id, 0), found.path, found.title, found.day, line, text)
        )
    return Listed(
        head, tuple(listed), tuple(passage_of(stored[chunk]) for chunk in firsts.values())
    )


def _line(note: PropertyNote, passage: StoredPassage, keys: Iterable[str]) -> tuple[int, str]:
    """The line of the first of these fields that stands in a passage, and what it says."""
    lines = {
        line.partition(":")[0].strip(" \"'").casefold(): passage.first + offset
        for offset, line in enumerate(passage.text.split("\n"))
    }
    key = next((each for each in keys if each in lines), "")
    return (lines[key], shortened(f"{key}: {', '.join(note.fields[key])}")) if key else (0, "")


def _head(wanted: Properties, filters: Filters, match: Met, total: int) -> str:
    """One sentence that says what is listed; with `total` 0 that there is none."""
    days = wanted.when.words if wanted.when else ""
    asked = " ".join(filter(None, (*(each.words for each in wanted.bounds), days)))
    kinds = " and ".join(f"“{each}”" for each in (wanted.noun, *match.labels) if each)
    having = [f"{key} “{' '.join(words)}”" for key, words in match.met.items() if words]
    having += [f"{key} “{asked}”" if asked else f"a field “{key}”" for key in match.alone]
    head = f"{total:,} note{'' if total == 1 else 's'}" if total else "No note"
    head += f" of {kinds}" if kinds else ""
    head += f" with {' and '.join(having)}" if having else ""
    said = match.alone or any(days in words for words in match.met.values())
    head += f", {days}" if days and not said else ""
    head += f", {wanted.extreme.words}" if wanted.extreme else ""
    head += f", {described(filters)}" if filters else ""
    return f"{head}{':' if total else '.'}"
