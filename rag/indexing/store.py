"""SQLite: the one source of truth. Everything else in an index folder can be rebuilt from it.

Vectors are kept under the hash of the text that was embedded and are written in batches, each
in a transaction of its own, so that an interrupted run loses nothing. A generation of notes and
chunks is switched in one short transaction, so that a reader sees the old one or the new one.
Chunk ids are never reused: that lets the derived indexes find out by ids alone what they lack.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from rag.errors import IndexDamaged, IndexMismatch, NoIndex, storage_errors
from rag.indexing import sums
from rag.reading.naming import bare_name, name_key

FORMAT = 2  # of the schema below; a newer one is refused, an older one migrated
_APPLICATION_ID = 0x72616721

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    hash TEXT NOT NULL, title TEXT NOT NULL, aliases TEXT NOT NULL, tags TEXT NOT NULL,
    created TEXT, modified TEXT, fields TEXT NOT NULL, links TEXT NOT NULL
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    text TEXT NOT NULL, headings TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX chunks_by_note ON chunks(note);
CREATE INDEX chunks_by_vector ON chunks(vector);
CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL, sentences BLOB NOT NULL);
"""
# Keys under which a note is found, keys it links to, and which notes have other letters than Latin.
_NAMES = """
CREATE TABLE names (
    name TEXT NOT NULL, note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    PRIMARY KEY (name, note)
) WITHOUT ROWID;
CREATE TABLE linked (
    name TEXT NOT NULL, note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    PRIMARY KEY (name, note)
) WITHOUT ROWID;
CREATE TABLE other_script (
    note INTEGER PRIMARY KEY REFERENCES notes(id) ON DELETE CASCADE
);
CREATE INDEX names_by_note ON names(note);
CREATE INDEX linked_by_note ON linked(note);
"""
# From each older format to the next. With format 2 the rules of chunks and words changed, too, so
# that all notes are read anew and fill what is new.
_MIGRATIONS = {
    1: f"{_NAMES} ALTER TABLE vectors ADD COLUMN sentences BLOB NOT NULL DEFAULT x'';",
}


@dataclass(frozen=True, slots=True)
class NoteState:
    """What tells whether a note has changed since it was indexed."""

    id: int
    size: int
    mtime_ns: int
    hash: str


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as it is stored; `aliases`, `tags`, `fields` and `links` are JSON."""

    path: str
    size: int
    mtime_ns: int
    hash: str
    title: str
    aliases: str
    tags: str
    created: str | None
    modified: str | None
    fields: str
    links: str
    other_script: bool = False


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is stored; `vector` is the hash of what was embedded."""

    text: str
    headings: tuple[str, ...]
    first: int
    last: int
    vector: bytes


@dataclass(frozen=True, slots=True)
class NamedNote:
    """A note and what it is called."""

    id: int
    path: str
    title: str
    aliases: tuple[str, ...]


StoredLink = tuple[str, str, str, int]  # target, heading, block, line


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A chunk with what the reader needs to see of its note."""

    id: int
    path: str
    title: str
    aliases: tuple[str, ...]
    headings: tuple[str, ...]
    first: int
    last: int
    text: str


class Store:
    """The database of one index. A writer creates it; readers may open it read-only."""

    def __init__(self, file: Path, write: bool = False) -> None:
        self.file = file
        with storage_errors(file.parent):
            if write:
                file.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._connect(write)

    def _connect(self, write: bool) -> sqlite3.Connection:
        try:
            if write:
                db = sqlite3.connect(
                    self.file, timeout=30, isolation_level=None, check_same_thread=False
                )
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute("PRAGMA foreign_keys = ON")
                # What is deleted is overwritten: see `rag.indexing.forget`.
                db.execute("PRAGMA secure_delete = ON")
                self._migrate(db)
                self._check_format(db)
                self._prepare_sums(db)
            else:
                db = self._open_reader()
            self._check_format(db)
            return db
        except sqlite3.DatabaseError as error:
            if _means_damage(error):
                raise _damaged(self.file) from error
            raise

    def verify(self) -> None:
        """Read all of the database. Raises IndexDamaged when any of it is damaged."""
        with damage_errors():
            (found,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise _damaged(self.file)

    def _open_reader(self) -> sqlite3.Connection:
        """Read-only; also where the folder cannot be written and WAL cannot make its files."""
        quoted = str(self.file).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        for options in ("mode=ro", "mode=ro&immutable=1"):
            db = sqlite3.connect(
                f"file:{quoted}?{options}",
                uri=True,
                timeout=30,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                db.execute("SELECT 1 FROM sqlite_master").fetchone()
                return db
            except sqlite3.OperationalError:
                db.close()
                if options != "mode=ro":
                    raise
        raise AssertionError("unreachable")

    def _migrate(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            if db.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise _damaged(self.file)
            db.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} {_NAMES} PRAGMA application_id = {_APPLICATION_ID};"
                f"PRAGMA user_version = {FORMAT}; COMMIT;"
            )
        elif version < FORMAT:
            steps = "".join(_MIGRATIONS[each] for each in range(version, FORMAT))
            db.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {FORMAT}; COMMIT;")

    def _prepare_sums(self, db: sqlite3.Connection) -> None:
        """Checksums for an index that was written before there were any."""
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sums'").fetchone():
            with db:
                db.executescript(f"BEGIN IMMEDIATE; {sums.TABLE}")
                sums.add_sums(db)

    def _check_format(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise IndexMismatch(
                "This index was written by a newer version of rag.",
                "Update rag, or build a new index with: rag index --rebuild",
            )
        if version == 0:
            raise _damaged(self.file)
        if sums.meta_differs(db):
            raise _damaged(self.file)
        if version < FORMAT:  # a reader cannot mend it
            raise NoIndex("This index was written by an older version of rag.", "Run: rag index")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; what the disk refuses becomes a StorageError."""
        with storage_errors(self.file.parent):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def erase(self, whole: bool = False) -> None:
        """Leave nothing of what was deleted in the files: empty the log, with `whole` write the
        database anew. Where a reader has it open, the log is emptied by a later run."""
        with storage_errors(self.file.parent):
            if whole:
                self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One generation for all reads inside; one within another is the outer one."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    # What the index is made with

    def get(self, key: str, default: str = "") -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else default

    def put(self, **values: object) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(key, str(value)) for key, value in values.items()],
        )
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('sum', ?)", (sums.meta_sum(self._db),))

    @property
    def generation(self) -> int:
        """Raised by one with each change of notes or chunks; 0 before the first."""
        return int(self.get("generation", "0"))

    # Notes

    def note_states(self) -> dict[str, NoteState]:
        """Path to state, of every note."""
        rows = self._db.execute("SELECT path, id, size, mtime_ns, hash FROM notes")
        return {row[0]: NoteState(*row[1:]) for row in rows}

    def note_names(self) -> list[tuple[str, str, str, str, str]]:
        """Path, title, aliases and tags (as JSON) and hash of every note, by path."""
        return self._db.execute(
            "SELECT path, title, aliases, tags, hash FROM notes ORDER BY path"
        ).fetchall()

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

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question about notes that no method here answers; it changes nothing."""
        return self._db.execute(sql, values).fetchall()

    # Chunks

    def chunk_ids(self, above: int = 0) -> list[int]:
        """Ids of all chunks whose id is greater than `above`, ascending."""
        rows = self._db.execute("SELECT id FROM chunks WHERE id > ? ORDER BY id", (above,))
        return [row[0] for row in rows]

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by id; ids that are gone are left out."""
        found: dict[int, StoredPassage] = {}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ",".join("?" * len(part))
            for row in self._db.execute(
                f"{self._passage_query()} WHERE c.id IN ({marks})", part
            ):
                found[row[0]] = _stored(row)
        return found

    def all_passages(self, above: int = 0) -> Iterator[StoredPassage]:
        """Every passage whose id is greater than `above`, ascending."""
        query = f"{self._passage_query()} WHERE c.id > ? ORDER BY c.id"
        for row in self._db.execute(query, (above,)):
            yield _stored(row)

    def _passage_query(self) -> str:
        checked = self._has("sums")
        return (
            f"SELECT {sums.PASSAGE}, {'s.passage' if checked else 'NULL'}"
            " FROM chunks c JOIN notes n ON n.id = c.note"
            f"{' LEFT JOIN sums s ON s.chunk = c.id' if checked else ''}"
        )

    def add_sums(self) -> None:
        """Checksums for the chunks that were added; see `rag.indexing.sums`."""
        sums.add_sums(self._db)

    def find_harm(self) -> sums.Harm:
        """Compare all chunks and vectors with their checksums. Raises IndexDamaged where the
        database cannot even be read."""
        with damage_errors():
            return sums.find_harm(self._db)

    # Vectors

    def missing_vectors(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of `hashes` that have not been embedded yet."""
        return {
            each
            for each in set(hashes)
            if not self._db.execute("SELECT 1 FROM vectors WHERE hash = ?", (each,)).fetchone()
        }

    def add_vectors(
        self,
        hashes: Sequence[bytes],
        vectors: NDArray[np.float32],
        sentences: Sequence[NDArray[np.int8]],
    ) -> None:
        """Keep unit vectors, in half precision: the cosine to the original is above 0.9999.

        `sentences` are the directions of each passage's sentences, shape (n, dimension).
        """
        self._db.executemany(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            [
                (key, row.tobytes(), coarse.tobytes())
                for key, row, coarse in zip(
                    hashes, vectors.astype("float16"), sentences, strict=True
                )
            ],
        )

    def chunk_vectors(
        self, above: int, dimension: int, upto: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and vectors, shape (n, dimension), of the chunks above an id."""
        rows = self._db.execute(
            "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.hash = c.vector"
            " WHERE c.id > ? AND c.id <= ? ORDER BY c.id",
            (above, (1 << 62) if upto is None else upto),
        ).fetchall()
        import numpy as np  # not for a scan that finds nothing changed

        ids = np.array([row[0] for row in rows], dtype=np.int64)
        data = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16)
        return ids, data.reshape(len(rows), dimension).astype(np.float32)

    def vectors_of(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Vectors of some chunks, by id."""
        import numpy as np

        return {
            chunk: np.frombuffer(blob, dtype=np.float16).astype(np.float32)
            for chunk, blob in self._vector_column("vector", ids)
        }

    def sentences_of(self, ids: Sequence[int], dimension: int) -> dict[int, NDArray[np.int8]]:
        """Directions of the sentences of some chunks, shape (sentences, dimension), by id."""
        import numpy as np

        return {
            chunk: np.frombuffer(blob, dtype=np.int8).reshape(-1, dimension)
            for chunk, blob in self._vector_column("sentences", ids)
        }

    def _vector_column(self, column: str, ids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ",".join("?" * len(part))
            yield from self._db.execute(
                f"SELECT c.id, v.{column} FROM chunks c JOIN vectors v ON v.hash = c.vector"
                f" WHERE c.id IN ({marks})",
                part,
            )

    def copy_vectors(self, rows: Sequence[tuple[bytes, bytes, bytes]]) -> int:
        """Keep vectors that another database kept; how many there were."""
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
        return len(rows)

    def drop_vectors(self, hashes: Iterable[bytes]) -> None:
        """Forget some vectors, so that their texts are embedded again."""
        self._db.executemany("DELETE FROM vectors WHERE hash = ?", [(each,) for each in hashes])

    def drop_unused_vectors(self) -> None:
        """Forget vectors that no chunk refers to."""
        self._db.execute("DELETE FROM vectors WHERE hash NOT IN (SELECT vector FROM chunks)")


def _stored(row: Sequence[Any]) -> StoredPassage:
    """A passage from its row, whose last value is its checksum, None for none."""
    if row[8] is not None and row[8] != sums.passage_sum(row[1:8]):
        raise _damaged("A passage of the index")
    names, headings = json.loads(row[3]), json.loads(row[4])
    return StoredPassage(row[0], row[1], row[2], tuple(names), tuple(headings), *row[5:8])


def _named(row: Sequence[Any]) -> NamedNote:
    return NamedNote(row[0], row[1], row[2], tuple(json.loads(row[3])))


@contextmanager
def damage_errors() -> Iterator[None]:
    """Turn what SQLite finds broken, which may be any page at any time, into an IndexDamaged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _means_damage(error):
            raise _damaged("The index") from error
        raise


_DAMAGE = ("not a database", "malformed", "no such table", "no such column", "Could not decode")
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _means_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGE_CODES or any(sign in str(error) for sign in _DAMAGE)


def _damaged(what: Path | str) -> IndexDamaged:
    name = f"The index file {what}" if isinstance(what, Path) else what
    return IndexDamaged(
        f"{name} is damaged.", "Your notes are safe; to build it again from them: rag index"
    )
