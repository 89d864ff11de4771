"""The SQLite file of an index: opened, migrated, read as one generation, written all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import IndexBusy, IndexDamaged, IndexMismatch, NoIndex, storage_errors
from rag.indexing import sums
from rag.indexing.private import private_folder

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
# Some data folders of format 1 have them already.
_NAMES = """
CREATE TABLE IF NOT EXISTS names (
    name TEXT NOT NULL, note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    PRIMARY KEY (name, note)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linked (
    name TEXT NOT NULL, note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    PRIMARY KEY (name, note)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS other_script (
    note INTEGER PRIMARY KEY REFERENCES notes(id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS names_by_note ON names(note);
CREATE INDEX IF NOT EXISTS linked_by_note ON linked(note);
"""
# Where pages, slides and cells of a note begin.
_ADDED = """
CREATE TABLE IF NOT EXISTS places (
    note INTEGER NOT NULL REFERENCES notes(id) ON DELETE CASCADE,
    line INTEGER NOT NULL, label TEXT NOT NULL, PRIMARY KEY (note, line)
) WITHOUT ROWID;
"""
# Ids of chunks that are gone, kept until no derived index holds them. A trigger writes them, so
# that the account is right whoever removes a chunk.
_REMOVED = """
CREATE TABLE IF NOT EXISTS removed (id INTEGER PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS chunk_removed AFTER DELETE ON chunks
BEGIN INSERT INTO removed VALUES (old.id); END;
"""
# From each older format to the next. With format 2 the rules of chunks and words changed, too, so
# that all notes are read anew and fill what is new.
_MIGRATIONS = {
    1: f"{_NAMES} ALTER TABLE vectors ADD COLUMN sentences BLOB NOT NULL DEFAULT x'';",
}


class Database:
    """The database of one index. A writer creates it; readers may open it read-only."""

    def __init__(self, file: Path, write: bool = False) -> None:
        self.file = file
        with storage_errors(file.parent):
            if write:
                private_folder(file.parent)
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
                raise damaged(self.file) from error
            raise

    def verify(self) -> None:
        """Read all of the database. Raises IndexDamaged when any of it is damaged."""
        with damage_errors():
            (found,) = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise damaged(self.file)

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
                raise damaged(self.file)
            db.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} {_NAMES} PRAGMA application_id = {_APPLICATION_ID};"
                f"PRAGMA user_version = {FORMAT}; COMMIT;"
            )
        elif version < FORMAT:
            steps = "".join(_MIGRATIONS[each] for each in range(version, FORMAT))
            db.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {FORMAT}; COMMIT;")
        if version <= FORMAT:
            db.executescript(_REMOVED + _ADDED)

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
            raise damaged(self.file)
        if sums.meta_differs(db):
            raise damaged(self.file)
        if version < FORMAT:  # a reader cannot mend it
            raise NoIndex("This index was written by an older version of rag.", "Run: rag index")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; what the disk refuses becomes a StorageError."""
        with storage_errors(self.file.parent):
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                yield

    def erase(self, whole: bool = False) -> None:
        """Leave nothing of what was deleted in the files: empty the log, with `whole` write the
        database anew. Where a reader has it open, a later run empties the log; with `whole` that
        raises IndexBusy."""
        with storage_errors(self.file.parent):
            if whole:
                self._db.execute("VACUUM")
            (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy and whole:
            raise IndexBusy(
                "Another rag reads the index, so that old text cannot be overwritten yet.",
                "Close it and run the command again.",
            )

    def add_sums(self) -> None:
        """Checksums for the chunks that were added; see `rag.indexing.sums`."""
        sums.add_sums(self._db)

    def find_harm(self) -> sums.Harm:
        """Compare all chunks and vectors with their checksums. Raises IndexDamaged where the
        database cannot even be read."""
        with damage_errors():
            return sums.find_harm(self._db)

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
        total = sums.meta_sum(self._db)
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('sum', ?)", (total,))

    @property
    def generation(self) -> int:
        """Raised by one with each change of notes or chunks; 0 before the first."""
        return int(self.get("generation", "0"))

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question about notes that no method here answers; it changes nothing."""
        return self._db.execute(sql, values).fetchall()


@contextmanager
def damage_errors() -> Iterator[None]:
    """Turn what SQLite finds broken, which may be any page at any time, into an IndexDamaged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _means_damage(error):
            raise damaged("The index") from error
        raise


_DAMAGE = ("not a database", "malformed", "no such table", "no such column", "Could not decode")
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _means_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGE_CODES or any(sign in str(error) for sign in _DAMAGE)


def damaged(what: Path | str) -> IndexDamaged:
    """The error for a file, or a part of the index, that is not as it was written."""
    name = f"The index file {what}" if isinstance(what, Path) else what
    return IndexDamaged(
        f"{name} is damaged.", "Your notes are safe; to mend it from them: rag index --check"
    )
