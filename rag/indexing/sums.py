"""Checksums of what the index shows: one of each passage as it is read, one of its vectors.

SQLite finds a page whose structure is broken, but not a letter that changed. A passage is compared
with its checksum whenever it is read, its vectors when all is verified.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

TABLE = """
CREATE TABLE IF NOT EXISTS sums (
    chunk INTEGER PRIMARY KEY REFERENCES chunks(id) ON DELETE CASCADE,
    passage INTEGER NOT NULL, vector INTEGER NOT NULL
);
"""
PASSAGE = "c.id, n.path, n.title, n.aliases, c.headings, c.first, c.last, c.text"
_ALL = (
    f"SELECT {PASSAGE}, c.note, c.vector, v.vector, v.sentences, s.passage, s.vector FROM chunks c"
    " JOIN notes n ON n.id = c.note LEFT JOIN vectors v ON v.hash = c.vector"
    " LEFT JOIN sums s ON s.chunk = c.id"
)


@dataclass(frozen=True, slots=True)
class Harm:
    """Rows that are not as they were written: ids of notes and of passages, keys of vectors."""

    notes: frozenset[int]
    passages: frozenset[int]
    vectors: frozenset[bytes]

    def __bool__(self) -> bool:
        return bool(self.notes or self.vectors)


def passage_sum(values: Sequence[object]) -> int:
    """Of what a reader sees: path, title, aliases, headings, first line, last line, text."""
    text = "\0".join(map(str, values)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "big")


def vector_sum(*parts: bytes | None) -> int:
    """Of a passage's vector and those of its sentences, None where there are none."""
    value = 0
    for part in parts:
        value = zlib.crc32(part or b"", value)
    return value


def meta_sum(db: sqlite3.Connection) -> str:
    """Of all that the index says of itself, which is little."""
    rows = db.execute("SELECT key, value FROM meta WHERE key != 'sum' ORDER BY key")
    return str(passage_sum([part for row in rows for part in row]))


def meta_differs(db: sqlite3.Connection) -> bool:
    """Whether that is not as it was written; there was no sum in the first indexes."""
    known = db.execute("SELECT value FROM meta WHERE key = 'sum'").fetchone()
    return known is not None and known[0] != meta_sum(db)


def add_sums(db: sqlite3.Connection) -> None:
    """Checksums for the passages that came after the last one that has them."""
    (last,) = db.execute("SELECT coalesce(max(chunk), 0) FROM sums").fetchone()
    rows = db.execute(f"{_ALL} WHERE c.id > ?", (last,))
    db.executemany(
        "INSERT INTO sums VALUES (?, ?, ?)",
        ((row[0], passage_sum(row[1:8]), vector_sum(*row[10:12])) for row in rows),
    )


def find_harm(db: sqlite3.Connection) -> Harm:
    """Compare every passage and every vector with its checksums. Raises sqlite3.DatabaseError."""
    notes, passages, vectors = set(), set(), set()
    for row in db.execute(_ALL):
        if row[12] != passage_sum(row[1:8]):
            passages.add(row[0])
            notes.add(row[8])
        if row[13] != vector_sum(*row[10:12]):
            vectors.add(row[9])
            notes.add(row[8])
    return Harm(frozenset(notes), frozenset(passages), frozenset(vectors))
