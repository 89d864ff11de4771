"""Verify all of an index: its database, every passage against its note, every derived file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import IndexDamaged
from rag.indexing.database import damage_errors
from rag.indexing.local import LocalIndex
from rag.indexing.seal import broken_files, read_seal
from rag.reading.notes import NoteText, read_note
from rag.reading.texts import FOLDER, Texts

if TYPE_CHECKING:
    from rag.indexing.rows import StoredPassage
    from rag.indexing.store import Store

Damage = str  # a sentence about something that is not as it should be
_AT_ONCE = 1000
_UNIT = 0.01  # how far from one the length of a vector in half precision may be
_NAMED = 3  # of what is wrong, by name


@dataclass(frozen=True, slots=True)
class Verified:
    """How much was verified: notes, passages, vectors, derived files; and what is not sound.

    `changed` counts the notes that were edited since they were indexed: of those, checksums alone.
    """

    notes: int
    changed: int
    passages: int
    vectors: int
    files: int
    damage: tuple[Damage, ...]


def verify_index(folder: Path, notes_folder: Path) -> Verified:
    """Read everything. Raises NoIndex, IndexMismatch; damage is in the result."""
    try:
        with closing(LocalIndex(folder)) as index, damage_errors(), index.store.snapshot():
            return _verify(index, notes_folder)
    except IndexDamaged as error:
        return Verified(0, 0, 0, 0, 0, (error.message,))


def _verify(index: LocalIndex, notes_folder: Path) -> Verified:
    store = index.store
    store.verify()
    harm = store.find_harm()
    notes, passages = store.counts()
    damage: list[Damage] = []
    if harm.passages:
        damage.append(f"{len(harm.passages):,} passages are not as they were written.")
    if harm.vectors:
        damage.append(f"{len(harm.vectors):,} vectors are not as they were written.")
    changed, differing = (0, []) if harm.passages else _compare_notes(store, notes_folder)
    damage += _some(differing, "passages that do not stand in their note:")
    vectors, wrong = _check_vectors(store)
    damage += wrong
    damage += _check_names(store)
    damage += _some(broken_files(index.folder, store), "derived files that are damaged:")
    texts = [each.name for each in Texts(index.folder / FOLDER).damaged()]
    damage += _some(texts, "converted texts that are damaged:")
    if not damage:
        damage += _check_words(index)
    return Verified(notes, changed, passages, vectors, len(read_seal(store) or {}), tuple(damage))


def _compare_notes(store: Store, folder: Path) -> tuple[int, list[str]]:
    """How many notes changed since they were indexed, and the places, in the others, that do not
    hold the passage that is said to stand there."""
    changed = 0
    differing: list[str] = []
    hashes = {path: state.hash for path, state in store.note_states().items()}
    lines: dict[str, list[str] | None] = {}
    for passage in store.all_passages():
        if passage.path not in lines:
            lines = {passage.path: _lines(folder, passage.path, hashes[passage.path])}
            changed += lines[passage.path] is None
        text = lines[passage.path]
        if text is not None and not _stands(passage, text):
            differing.append(f"{passage.path}:{passage.first}")
    return changed, differing


def _lines(folder: Path, path: str, known: str) -> list[str] | None:
    """The lines of a note as it was indexed, without comments; None when it changed or cannot be
    read."""
    from rag.reading.code import blank_comments

    note = read_note(folder, path)
    if not isinstance(note, NoteText) or note.raw_hash != known:
        return None
    return blank_comments(note.text.split("\n"))


def _stands(passage: StoredPassage, lines: Sequence[str]) -> bool:
    """Whether the words of a passage stand, in their order, at its lines."""
    there = " ".join(" ".join(lines[passage.first - 1 : passage.last]).split())
    return " ".join(passage.text.split()) in there or _in_order(passage.text.split(), there)


def _in_order(words: Sequence[str], text: str) -> bool:
    at = 0
    for word in words:
        at = text.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True


def _check_vectors(store: Store) -> tuple[int, list[Damage]]:
    """How many chunks have a vector, and what is wrong with them."""
    import numpy as np

    dimension = int(store.get("dimension"))
    ids = store.chunk_ids()
    seen, bad = 0, 0
    for start in range(0, len(ids), _AT_ONCE):
        for vector in store.vectors_of(ids[start : start + _AT_ONCE]).values():
            seen += 1
            length = float(np.linalg.norm(vector))
            bad += not (len(vector) == dimension and abs(length - 1.0) < _UNIT)
    damage = [f"{bad:,} vectors are of a wrong length or not finite."] if bad else []
    if seen < len(ids):
        damage.append(f"{len(ids) - seen:,} passages have no vector.")
    return seen, damage


def _check_names(store: Store) -> list[Damage]:
    """Whether each note is found by its path."""
    rows = store.query(
        "SELECT path FROM notes n WHERE NOT EXISTS (SELECT 1 FROM names WHERE note = n.id)"
    )
    return _some([str(row[0]) for row in rows], "notes that cannot be found by name:")


def _check_words(index: LocalIndex) -> list[Damage]:
    """Whether the index of words holds each chunk once, and no other."""
    if index.derived_lags:
        return ["The index of words is behind the notes."]
    found, expected = Counter(index.word_ids()), set(index.store.chunk_ids())
    wrong = len(expected ^ set(found)) + sum(count > 1 for count in found.values())
    return [f"The index of words differs in {wrong:,} passages."] if wrong else []


def _some(names: Sequence[str], what: str) -> list[Damage]:
    if not names:
        return []
    more = ", …" if len(names) > _NAMED else ""
    return [f"{len(names):,} {what} {', '.join(names[:_NAMED])}{more}."]
