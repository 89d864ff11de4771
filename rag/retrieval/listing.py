"""Lists of notes: what mentions a topic, what links to a note, the newest, what filters leave.

Words are looked up, nothing is embedded and no model reads: the list is complete.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from rag.errors import QuestionError
from rag.indexing.filtering import Filters, FoundNote, chunks_of, find_notes
from rag.indexing.linking import all_names, links_from, links_to, notes_named
from rag.indexing.rows import StoredPassage
from rag.indexing.store import Store
from rag.nearest import nearest
from rag.reading.links import plain
from rag.retrieval.filters import described
from rag.retrieval.found import Passage
from rag.retrieval.intent import Listing

if TYPE_CHECKING:
    from rag.indexing.local import LocalIndex

SHOWN = 50  # notes in the text and among the passages; `notes` holds all
_QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~!&])")


@dataclass(frozen=True, slots=True)
class ListedNote:
    """A note of a list. `n` is its passage, counted from 1, 0 where it has none; `line` and
    `text` are where it says what was asked for, 0 and empty where only the note counts."""

    n: int
    path: str
    title: str
    day: date
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of notes: `head` says what they are, as plain text, `notes` are all of them and
    `passages` hold one for each that is shown."""

    head: str
    notes: tuple[ListedNote, ...]
    passages: tuple[Passage, ...]

    @property
    def text(self) -> str:
        """The list as Markdown, in which `[2]` is passage 2; without notes the head alone."""
        return "\n".join([_escaped(self.head), "", *self._items()]) if self.notes else self.head

    def _items(self) -> list[str]:
        items = []
        for each in self.notes[:SHOWN]:
            place = f"{each.path}:{each.line}" if each.line else each.path
            source = f"[{each.n}] " if each.n else ""
            said = f": {_escaped(each.text)}" if each.text else ""
            items.append(
                f"- {source}**{_escaped(each.title)}** {_escaped(place)}, {each.day}{said}"
            )
        more = len(self.notes) - SHOWN
        return [*items, f"- … and {more:,} more"] if more > 0 else items


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a note says what was asked for: a chunk and a line, 0 where neither matters."""

    chunk: int = 0
    line: int = 0


def list_notes(
    index: LocalIndex, listing: Listing, filters: Filters, analyze: Callable[[str], list[str]]
) -> Listed:
    """The notes that `listing` asks for among those that `filters` leave.

    Raises QuestionError for a note that is named and not there.
    """
    notes = find_notes(index.store, filters)
    places = _places(index, listing, notes if filters else None, analyze)
    if places is not None:
        known = {each.id: each for each in notes}
        notes = tuple(known[note] for note in places if note in known)
    if listing.order != "best":
        sign = -1 if listing.order == "newest" else 1
        notes = tuple(sorted(notes, key=lambda note: sign * note.day.toordinal()))
    total = len(notes)
    notes = notes[: listing.limit]
    head = _head(listing, filters, len(notes), total)
    return _listed(index.store, head, notes, places or {}, _terms(listing.topic, analyze), analyze)


def _places(
    index: LocalIndex,
    listing: Listing,
    among: Sequence[FoundNote] | None,
    analyze: Callable[[str], list[str]],
) -> dict[int, _Place] | None:
    """By note, best first, where it meets the listing; None when every note does."""
    store = index.store
    if name := listing.links_to:
        found = links_to(store, name)
        if not found and not notes_named(store, name):
            raise no_note(store, name, " and nothing links to it")
        return {each.note: _Place(line=each.line) for each in found}
    if name := listing.links_from:
        sources = notes_named(store, name)
        if not sources:
            raise no_note(store, name)
        return {each.note: _Place() for each in links_from(store, sources)}
    if listing.topic:
        places = _mentions(index, listing.topic, among, analyze)
        if notes_named(store, listing.topic):  # "[[Marta Moss|her]]" speaks of Marta Moss, too
            for each in links_to(store, listing.topic):
                places.setdefault(each.note, _Place(line=each.line))
        return places
    return None


def _mentions(
    index: LocalIndex,
    topic: str,
    among: Sequence[FoundNote] | None,
    analyze: Callable[[str], list[str]],
) -> dict[int, _Place]:
    """The notes with a passage that holds all words of the topic, and its quoted words as such."""
    allowed = None if among is None else chunks_of(index.store, among)
    chunks = index.store.counts()[1]
    hits = index.search_words(_terms(topic, analyze), max(1, chunks), allowed, every=True)
    phrases = [_even(phrase) for phrase in _QUOTED.findall(topic)]
    if phrases:
        passages = index.passages([chunk for chunk, _ in hits])
        hits = [hit for hit in hits if hit[0] in passages and _says(passages[hit[0]], phrases)]
    owners = dict(
        index.store.query(
            "SELECT id, note FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([chunk for chunk, _ in hits]),),
        )
    )
    places: dict[int, _Place] = {}
    for chunk, _ in hits:
        if chunk in owners:
            places.setdefault(owners[chunk], _Place(chunk))
    return places


def _terms(topic: str, analyze: Callable[[str], list[str]]) -> list[str]:
    return list(dict.fromkeys(analyze(topic)))


def _even(text: str) -> str:
    return " ".join(plain(text).casefold().split())


def _says(passage: StoredPassage, phrases: Sequence[str]) -> bool:
    texts = [
        _even(text) for text in (passage.title, *passage.aliases, *passage.headings, passage.text)
    ]
    return all(any(phrase in text for text in texts) for phrase in phrases)


def _listed(
    store: Store,
    head: str,
    notes: Sequence[FoundNote],
    places: dict[int, _Place],
    terms: Sequence[str],
    analyze: Callable[[str], list[str]],
) -> Listed:
    """The list with a passage for each note that is shown."""
    shown = {note.id: places.get(note.id, _Place()) for note in notes[:SHOWN]}
    chunks = {
        note: place.chunk or _chunk_at(store, note, place.line) for note, place in shown.items()
    }
    stored = store.passages([chunk for chunk in chunks.values() if chunk])
    passages: list[Passage] = []
    listed: list[ListedNote] = []
    for note in notes:
        passage = stored.get(chunks.get(note.id, 0))
        line, text = 0, ""
        if passage is not None:
            passages.append(passage_of(passage))
            line, text = _line(passage, places.get(note.id, _Place()).line, terms, analyze)
        n = len(passages) if passage is not None else 0
        listed.append(ListedNote(n, note.path, note.title, note.day, line, text))
    return Listed(head, tuple(listed), tuple(passages))


def _chunk_at(store: Store, note: int, line: int) -> int:
    """The chunk of a note that holds `line`, else its first; 0 where it has none."""
    rows = store.query(
        "SELECT id FROM chunks WHERE note = ? ORDER BY first <= ? AND last >= ? DESC, id LIMIT 1",
        (note, line, line),
    )
    return int(rows[0][0]) if rows else 0


def _line(
    passage: StoredPassage, line: int, terms: Sequence[str], analyze: Callable[[str], list[str]]
) -> tuple[int, str]:
    """The line with the link, or the one with most of the terms; 0 and "" where none has any."""
    lines = passage.text.split("\n")
    if passage.first <= line < passage.first + len(lines):
        return line, shortened(lines[line - passage.first])
    shares = [len(set(terms) & set(analyze(plain(each)))) for each in lines]
    if not max(shares, default=0):
        return 0, ""
    best = shares.index(max(shares))
    return min(passage.first + best, passage.last), shortened(lines[best])


def shortened(line: str, width: int = 160) -> str:
    """A line as plain text, at most `width` characters of it."""
    text = " ".join(plain(line).split())
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def passage_of(each: StoredPassage) -> Passage:
    """A passage of a list: nothing was searched, so it has no score of its own."""
    return Passage(
        each.id, each.path, each.title, each.headings, each.first, each.last, each.text,
        1.0, None, None, place=each.place, later=each.later,
    )  # fmt: skip


def _head(listing: Listing, filters: Filters, shown: int, total: int) -> str:
    """One sentence that says what is listed."""
    which = f" {described(filters)}" if filters else ""
    if not total:
        return f"No note{which}{_verb(listing, 'mentions', 'links', 'is')}."
    many = _verb(listing, "mention", "link", "are")
    if shown < total:
        end = f"{which}{many and f' that{many}'}"
        return f"The {listing.order} {'' if shown == 1 else f'{shown} '}of {total:,} notes{end}:"
    if total == 1:
        return f"1 note{which}{_verb(listing, 'mentions', 'links', 'is')}:"
    return f"{total:,} notes{which}{many}:"


def _verb(listing: Listing, mention: str, link: str, are: str) -> str:
    """What the listed notes do; the words are given in the number that is wanted."""
    if listing.links_to:
        return f" {link} to “{listing.links_to}”"
    if listing.links_from:
        return f" {are} linked from “{listing.links_from}”"
    quoted = listing.topic if _QUOTED.fullmatch(listing.topic) else f"“{listing.topic}”"
    return f" {mention} {quoted}" if listing.topic else ""


def no_note(store: Store, name: str, more: str = "") -> QuestionError:
    """What to say of a name that no note has, with the nearest."""
    near = nearest(name, all_names(store))
    return QuestionError(
        f"There is no note “{name}”{more}.",
        f"Did you mean “{near}”?" if near else "Name it by its title or its file name.",
    )


def _escaped(text: str) -> str:
    """`text` as Markdown that shows it as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
