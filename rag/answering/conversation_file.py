"""The file that keeps conversations: its tables, its transactions, and what damage to it costs.

A database of its own in the data folder, so that deleting an index deletes no conversation.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.answering.conversation_folders import FOLDER_HOMES, folder_row, whereabouts
from rag.answering.recovery import TURN_SUMS, emptied, readable, recover, remember_made
from rag.errors import RagError, StorageError, storage_errors
from rag.indexing.private import make_private, private_folder

DATABASE = "conversations.db"
FORMAT = 1  # of the schema below; a newer one is refused
_APPLICATION_ID = 0x72616763

_SCHEMA = """
CREATE TABLE folders (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL
);
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder INTEGER NOT NULL REFERENCES folders(id),
    title TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
    deleted REAL NOT NULL DEFAULT 0,
    branched_from INTEGER
);
CREATE INDEX conversations_by_time ON conversations(folder, deleted, updated);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    question TEXT NOT NULL, answer TEXT NOT NULL, model TEXT NOT NULL,
    tokens_per_s REAL NOT NULL, asked REAL NOT NULL, shown TEXT NOT NULL
);
CREATE INDEX turns_by_conversation ON turns(conversation, id);
CREATE VIRTUAL TABLE turn_words USING fts5(
    question, answer, content = turns, content_rowid = id,
    tokenize = "unicode61 remove_diacritics 2"
);
CREATE TRIGGER turn_added AFTER INSERT ON turns BEGIN
    INSERT INTO turn_words (rowid, question, answer) VALUES (new.id, new.question, new.answer);
END;
CREATE TRIGGER turn_gone AFTER DELETE ON turns BEGIN
    INSERT INTO turn_words (turn_words, rowid, question, answer)
        VALUES ('delete', old.id, old.question, old.answer);
END;
"""

_DAMAGE = (
    "not a database",
    "malformed",
    "no such table",
    "no such column",
    "already exists",
    "Could not decode",
)


class ConversationsDamaged(StorageError):
    """The file of conversations is not as it was written."""


class ConversationFile:
    """The open file, for one notes folder. May be used from several threads.

    `folder` is the row of the notes folder, which follows it as its index does.
    `notice` is a sentence for the reader where the file was damaged, else "".
    Raises StorageError where the data folder refuses, RagError where the file is not ours.
    """

    def __init__(self, data_dir: Path, notes_folder: Path) -> None:
        self.file = data_dir / DATABASE
        self.notes_folder = notes_folder
        self.notice = ""
        self._lock = threading.RLock()
        with storage_errors(data_dir):
            private_folder(data_dir)
        try:
            self._open()
        except ConversationsDamaged:
            self._recover()
        make_private(data_dir)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds; of a damaged file, what could be recovered."""
        with self._lock:
            try:
                with _damage(self.file):
                    return self._db.execute(sql, values).fetchall()
            except ConversationsDamaged:
                self.mend()
                with _damage(self.file):
                    return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Raises ConversationsDamaged: `mend`, then try once more."""
        with self._lock, storage_errors(self.file.parent), _damage(self.file):
            if not self._db.in_transaction and _inode(self.file) != self._inode:
                self._db.close()  # another process found it damaged and began a new one
                self._open()
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:
                yield self._db

    def mend(self) -> None:
        """Go on with all that can be read of a damaged file."""
        with self._lock:
            self._db.close()
            self._recover()

    def follow_index(self) -> None:
        """Know the folder by its index from now on, if it has got one since the file was opened."""
        if not self._followed:
            self._find_folder()

    def erase(self) -> None:
        """Leave no text of what was deleted in the file."""
        with storage_errors(self.file.parent), self._lock:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _open(self) -> None:
        self._inode = _inode(self.file)
        with storage_errors(self.file.parent), _damage(self.file):
            if emptied(self.file):
                raise sqlite3.DatabaseError("malformed: empty")
            self._db = _connect(self.file)
            self._inode = _inode(self.file)
            self._find_folder()
            remember_made(self.file)

    def _recover(self) -> None:
        with storage_errors(self.file.parent):
            self.notice = recover(self.file, self._inode, _connect) or self.notice
        self._open()

    def _find_folder(self) -> None:
        where = whereabouts(self.file.parent, self.notes_folder)
        with self.transaction() as db:
            self.folder = folder_row(db, where)
        self._followed = bool(where.home)


def _connect(file: Path) -> sqlite3.Connection:
    """The file of conversations, made or migrated if need be. Raises sqlite3.DatabaseError,
    RagError for one of a newer version."""
    db = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    db.text_factory = readable
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise RagError(
                "Your conversations were written by a newer version of rag.", "Update rag."
            )
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _statements(_SCHEMA):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {FORMAT}")
        db.execute(TURN_SUMS)
        db.execute(FOLDER_HOMES)
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _statements(script: str) -> Iterator[str]:
    """The statements of an SQL script; `executescript` would end the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if any(sign in str(error) for sign in _DAMAGE):
            raise ConversationsDamaged(
                f"The file that keeps your conversations is damaged: {file}.",
                "What can be read is saved at the next: rag chat",
            ) from error
        raise


def _inode(file: Path) -> int:
    """The file's number, 0 where there is none."""
    return file.stat().st_ino if file.exists() else 0
