"""The notes of an index by name: found by title, alias, path or text, and by the links to them.

Has a connection of its own, so that a screen may look things up while the engine answers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.indexing.database import damage_errors
from rag.indexing.filtering import field_values, known_fields
from rag.indexing.local import LocalIndex
from rag.indexing.names import find_notes

_TYPED = re.compile(r"[^\W_]{2,}$")  # a word that no space follows yet
_LONGER = 30  # words that it may become


@dataclass(frozen=True, slots=True)
class NoteEntry:
    """A note as it was indexed; `hash` is the SHA-256 of its bytes in hex, `size` counts them."""

    path: str
    title: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    hash: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A note that was looked for: `line` to open it at, and `why`: the alias, path or text that
    matched, empty where the title did."""

    path: str
    title: str
    line: int
    why: str


class Library:
    """Raises NoIndex where there is none, IndexFault where it is damaged."""

    def __init__(self, index_folder: Path) -> None:
        self._index = LocalIndex(index_folder)
        self._generation = -1
        self._notes: tuple[NoteEntry, ...] = ()
        self._analyzer: Any = None

    def close(self) -> None:
        self._index.close()

    def notes(self) -> tuple[NoteEntry, ...]:
        """Every note by path, read again when the index has changed."""
        with damage_errors():
            generation = self._index.generation
            if generation != self._generation:
                self._notes = tuple(
                    NoteEntry(path, title, _list(aliases), _list(tags), digest, size)
                    for path, title, aliases, tags, digest, size in self._index.store.note_names()
                )
                self._generation = generation
        return self._notes

    def line_of(self, path: str, place: str) -> int:
        """The line at which a page, slide or cell of a note begins, such as "p. 3"; 0 for none."""
        with damage_errors():
            return self._index.store.line_of(path, place)

    def tags(self) -> list[tuple[str, int]]:
        """Each tag and how many notes have it, the commonest first."""
        return count_tags(self.notes())

    def fields(self) -> list[str]:
        """The fields of front matter that notes have, the commonest first."""
        with damage_errors():
            return known_fields(self._index.store)

    def values_of(self, field: str) -> list[str]:
        """What stands in this field of front matter, each value once."""
        with damage_errors():
            return field_values(self._index.store, field.casefold())

    def find_text(self, text: str, limit: int = 20) -> list[Found]:
        """Notes that hold the words of `text`, the best first; one line of each. The last word may
        be the beginning of one: it is still being typed."""
        if self._analyzer is None:
            from rag.indexing.lexical import Words

            self._analyzer = Words()
        terms = list(self._analyzer(text))
        with damage_errors():
            if typed := _TYPED.search(text):
                longer = self._index.words_beginning(typed[0], _LONGER)
                terms += [term for word in longer for term in self._analyzer(word)]
            hits = [chunk for chunk, _ in self._index.search_words(terms, 4 * limit)]
            stored = self._index.passages(hits)
        found: dict[str, Found] = {}
        for passage in (stored[each] for each in hits if each in stored):
            line, why = _best_line(passage.text, set(terms), self._analyzer)
            found.setdefault(
                passage.path, Found(passage.path, passage.title, passage.first + line, why)
            )
        return list(found.values())[:limit]

    def resolve(self, target: str, source: str) -> str | None:
        """The path of the note that a link in the note `source` leads to, None for none."""
        with damage_errors():
            found = find_notes(self._index.store, target, source)
        return found[0].path if found else None


def find_named(notes: Iterable[NoteEntry], text: str, limit: int = 50) -> list[Found]:
    """Notes whose title, alias or path holds every word of `text`, the nearest names first."""
    words = text.casefold().split()
    ranked = []
    for note in notes:
        others = [(alias, alias) for alias in note.aliases] + [(note.path, note.path)]
        scores = [(2 * _nearness(note.title.casefold(), words), "")]
        scores += [(2 * _nearness(name.casefold(), words) + 1, why) for name, why in others]
        score, why = min(scores, key=lambda pair: pair[0])
        if score < 2 * _NOT_FOUND:
            ranked.append((score, len(note.title), note.path, Found(note.path, note.title, 1, why)))
    ranked.sort(key=lambda each: each[:3])
    return [found for *_, found in ranked[:limit]]


def count_tags(notes: Iterable[NoteEntry]) -> list[tuple[str, int]]:
    written = Counter(tag for note in notes for tag in note.tags)
    counts: dict[str, tuple[str, int]] = {}
    for tag, count in written.most_common():  # a tag is shown as it is written most
        name, before = counts.get(tag.casefold(), (tag, 0))
        counts[tag.casefold()] = name, before + count
    return sorted(counts.values(), key=lambda pair: (-pair[1], pair[0].casefold()))


_NOT_FOUND = 4


def _nearness(name: str, words: Sequence[str]) -> int:
    """0 for the same name, then by how its words begin; `_NOT_FOUND` when one is missing."""
    text = " ".join(words)
    if name == text:
        return 0
    if name.startswith(text):
        return 1
    if not all(word in name for word in words):
        return _NOT_FOUND
    starts = name.replace("/", " ").replace("-", " ").replace("_", " ").split()
    at_start = all(any(each.startswith(word) for each in starts) for word in words)
    return 2 if at_start else 3


def _best_line(text: str, terms: set[str], analyze: Callable[[str], list[str]]) -> tuple[int, str]:
    """The line of a passage that holds most of the words: its number from 0, and its text."""
    lines = text.split("\n")
    held = [len(terms & set(analyze(line))) for line in lines]
    best = max(range(len(lines)), key=lambda number: (held[number], -number))
    return best, lines[best].strip()


def _list(text: str) -> tuple[str, ...]:
    return tuple(str(each) for each in json.loads(text))
