"""SQLite: the one source of truth. Everything else in an index folder can be rebuilt from it.

Vectors are kept under the hash of the text that was embedded and are written in batches, each
in a transaction of its own, so that an interrupted run loses nothing. A generation of notes and
chunks is switched in one short transaction, so that a reader sees the old one or the new one.
Chunk ids are never reused: that lets the derived indexes find out by ids alone what they lack.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rag.indexing.database import damaged
from rag.indexing.rows import ChunkRow, NamedNote, NoteRow, NoteState, StoredLink, StoredPassage
from rag.indexing.sums import PASSAGE, passage_sum
from rag.indexing.vector_table import VectorTable
from rag.reading.naming import bare_name, name_key


class Store(VectorTable):
    """Notes, their names, their chunks; with the vectors, all that an index knows.

    Where several notes folders are asked, `folders` are their names, the one of these notes first:
    paths are shown with it in front, and are understood so.
    """

    folders: tuple[str, ...] = ()

    # Notes

    def note_states(self) -> dict[str, NoteState]:
        """Path to state, of every note."""
        rows = self._db.execute("SELECT path, id, size, mtime_ns, hash FROM notes")
        return {row[0]: NoteState(*row[1:]) for row in rows}

    def note_names(self) -> list[tuple[str, str, str, str, str, int]]:
        """Path, title, aliases and tags (as JSON), hash and size of every note, by path."""
        return self._db.execute(
            "SELECT path, title, aliases, tags, hash, size FROM notes ORDER BY path"
        ).fetchall()

    def note_count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM notes").fetchone()[0])

    def counts(self) -> tuple[int, int]:
        """Notes and chunks."""
        row = self._db.execute(
            "SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM chunks)"
        ).fetchone()
        return int(row[0]), int(row[1])

    def touch(self, states: Iterable[tuple[int, int, int]]) -> None:
        """Record (mtime_ns, size, id) of notes whose content did not change."""
        self._db.executemany("UPDATE notes SET mtime_ns = ?, size = ? WHERE id = ?", states)

    def remove_notes(self, ids: Iterable[int]) -> list[int]:
        """Remove notes and give the ids of the chunks that went with them."""
        gone: list[int] = []
        for note in ids:
            gone += [
                row[0] for row in self._db.execute("SELECT id FROM chunks WHERE note = ?", (note,))
            ]
            self._db.execute("DELETE FROM notes WHERE id = ?", (note,))
        return gone

    def add_note(self, note: NoteRow, chunks: Sequence[ChunkRow]) -> None:
        cursor = self._db.execute(
            "INSERT INTO notes (path, size, mtime_ns, hash, title, aliases, tags, created,"
            " modified, fields, links) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                note.path,
                note.size,
                note.mtime_ns,
                note.hash,
                note.title,
                note.aliases,
                note.tags,
                note.created,
                note.modified,
                note.fields,
                note.links,
            ),
        )
        self._db.executemany(
            "INSERT INTO chunks (note, text, headings, first, last, vector) VALUES (?,?,?,?,?,?)",
            [
                (
                    cursor.lastrowid,
                    c.text,
                    json.dumps(c.headings, ensure_ascii=False),
                    c.first,
                    c.last,
                    c.vector,
                )
                for c in chunks
            ],
        )
        if cursor.lastrowid is not None:
            self._add_names(cursor.lastrowid, note)

    # Names

    def _add_names(self, id_: int, note: NoteRow) -> None:
        file = note.path.rpartition("/")[2]
        names = {file, bare_name(file), note.title, *json.loads(note.aliases)}
        targets = {bare_name(target) for target, *_ in json.loads(note.links) if target}
        for table, words in (("names", names), ("linked", targets)):
            self._db.executemany(
                f"INSERT OR IGNORE INTO {table} VALUES (?, ?)",
                [(name_key(each), id_) for each in words],
            )
        self._db.executemany(
            "INSERT INTO places VALUES (?, ?, ?)",
            [(id_, line, label) for line, label in json.loads(note.places)],
        )
        if note.other_script:
            self._db.execute("INSERT OR IGNORE INTO other_script VALUES (?)", (id_,))

    def notes_named(self, keys: Sequence[str]) -> tuple[NamedNote, ...]:
        """The notes whose file name, title or alias has one of these keys."""
        return tuple(note for note, _ in self._keyed("names", "'[]'", keys))

    def notes_linking(self, keys: Sequence[str]) -> list[tuple[NamedNote, list[StoredLink]]]:
        """The notes that link to one of these keys, each with all its links."""
        return self._keyed("linked", "links", keys)

    def _keyed(
        self, table: str, links: str, keys: Sequence[str]
    ) -> list[tuple[NamedNote, list[StoredLink]]]:
        """The notes that `table` has under `keys`, with what the column `links` holds."""
        if not self._has(table):
            return []
        found: dict[int, tuple[NamedNote, list[StoredLink]]] = {}
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            for row in self._db.execute(
                f"SELECT id, path, title, aliases, {links} FROM notes WHERE id IN"
                f" (SELECT note FROM {table} WHERE name IN ({','.join('?' * len(part))}))",
                part,
            ):
                found[row[0]] = _named(row), [tuple(link) for link in json.loads(row[4])]
        return list(found.values())

    def _has(self, table: str) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE name = ?"
        return self._db.execute(query, (table,)).fetchone() is not None

    def other_scripts(self, examples: int) -> tuple[int, tuple[str, ...]]:
        """How many notes are in other than Latin letters, and the paths of a few."""
        if not self._has("other_script"):
            return 0, ()
        (count,) = self._db.execute("SELECT count(*) FROM other_script").fetchone()
        rows = self._db.execute(
            "SELECT path FROM notes WHERE id IN (SELECT note FROM other_script)"
            " ORDER BY id LIMIT ?",
            (examples,),
        )
        return int(count), tuple(row[0] for row in rows)

    def notes_at(self, path: str) -> tuple[NamedNote, ...]:
        """The note at a path, if there is one."""
        query = "SELECT id, path, title, aliases FROM notes WHERE path = ?"
        return tuple(map(_named, self._db.execute(query, (path,))))

    def note_passages(self, note: int) -> list[StoredPassage]:
        """The passages of a note in their order."""
        rows = self._db.execute("SELECT id FROM chunks WHERE note = ? ORDER BY id", (note,))
        found = self.passages([row[0] for row in rows])
        return [found[each] for each in sorted(found)]

    def passages_of(self, notes: Sequence[int], most: int) -> list[int]:
        """The ids of the chunks of some notes, in the order of the notes, at most `most`."""
        found: list[int] = []
        for note in notes:
            query = "SELECT id FROM chunks WHERE note = ? ORDER BY id LIMIT ?"
            found += [row[0] for row in self._db.execute(query, (note, most - len(found)))]
        return found

    # Chunks

    def chunk_ids(self, above: int = 0) -> list[int]:
        """Ids of all chunks whose id is greater than `above`, ascending."""
        if not above:  # unordered, SQLite reads them from its smallest index, not beside the texts
            return sorted(row[0] for row in self._db.execute("SELECT id FROM chunks"))
        rows = self._db.execute("SELECT id FROM chunks WHERE id > ? ORDER BY id", (above,))
        return [row[0] for row in rows]

    def removed_ids(self, upto: int) -> list[int]:
        """Ids up to `upto` of chunks that are gone, as far as there is an account of them."""
        if not self._has("removed"):
            return []
        rows = self._db.execute("SELECT id FROM removed WHERE id <= ?", (upto,))
        return [row[0] for row in rows]

    def forget_removed(self, above: int) -> None:
        """Drop the account of ids above one: no derived index holds those chunks."""
        if self._db.execute("SELECT 1 FROM removed WHERE id > ? LIMIT 1", (above,)).fetchone():
            with self.transaction():
                self._db.execute("DELETE FROM removed WHERE id > ?", (above,))

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by id; ids that are gone are left out."""
        found: dict[int, StoredPassage] = {}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ",".join("?" * len(part))
            for row in self._db.execute(f"{self._passage_query()} WHERE c.id IN ({marks})", part):
                found[row[0]] = _stored(row)
        return found

    @property
    def _place(self) -> str:
        """What gives the page, slide or cell on which a chunk begins, "" for none, and as JSON the
        lines and labels of those that begin further down in it."""
        if not self._has("places"):
            return "'', '[]'"
        return (
            "coalesce((SELECT label FROM places p WHERE p.note = c.note AND p.line <= c.first"
            " ORDER BY p.line DESC LIMIT 1), ''),"
            " (SELECT json_group_array(json_array(line, label)) FROM places p"
            " WHERE p.note = c.note AND p.line > c.first AND p.line <= c.last)"
        )

    def line_of(self, path: str, place: str) -> int:
        """The line at which a page, slide or cell of a note begins; 0 for none."""
        if not self._has("places"):
            return 0
        rows = self._db.execute(
            "SELECT p.line FROM places p JOIN notes n ON n.id = p.note"
            " WHERE n.path = ? AND p.label = ?",
            (path, place),
        ).fetchall()
        return int(rows[0][0]) if rows else 0

    def all_passages(self, above: int = 0) -> Iterator[StoredPassage]:
        """Every passage whose id is greater than `above`, ascending."""
        query = f"{self._passage_query()} WHERE c.id > ? ORDER BY c.id"
        for row in self._db.execute(query, (above,)):
            yield _stored(row)

    def _passage_query(self) -> str:
        checked = self._has("sums")
        return (
            f"SELECT {PASSAGE}, {'s.passage' if checked else 'NULL'}, {self._place}"
            " FROM chunks c JOIN notes n ON n.id = c.note"
            f"{' LEFT JOIN sums s ON s.chunk = c.id' if checked else ''}"
        )


def _stored(row: Sequence[Any]) -> StoredPassage:
    """A passage from its row, whose last values are its checksum, None for none, and its places.

    Raises IndexDamaged when it is not as it was written.
    """
    if row[8] is not None and row[8] != passage_sum(row[1:8]):
        raise damaged("A passage of the index")
    names, headings = json.loads(row[3]), json.loads(row[4])
    first, last, text = row[5:8]
    later = tuple((line, label) for line, label in sorted(json.loads(row[10])))
    return StoredPassage(
        row[0], row[1], row[2], tuple(names), tuple(headings), first, last, text, row[9], later
    )


def _named(row: Sequence[Any]) -> NamedNote:
    return NamedNote(row[0], row[1], row[2], tuple(json.loads(row[3])))
