"""Turns, kept: conversations that can be searched, reopened, renamed, branched and exported.

A database of its own in the data folder, so that deleting an index deletes no conversation. A
conversation belongs to a notes folder and follows it when it is moved or renamed. What a turn
showed (passages, evidence, citations) is kept with it: it can be seen again without the index.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answering.saved import SavedTurn, from_json, to_json
from rag.errors import RagError, StorageError, storage_errors

DATABASE = "conversations.db"
FORMAT = 1  # of the schema below; a newer one is refused
TITLE_CHARS = 80
_UNTITLED = "New conversation"
_APPLICATION_ID = 0x72616763
_WORD = re.compile(r"[^\W_]+")

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


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of a list. Times are epoch seconds; `found` is where a search matched, or ""."""

    id: int
    title: str
    created: float
    updated: float
    turns: int
    found: str = ""


class Conversations:
    """The conversations about one notes folder. May be used from several threads.

    Raises StorageError where the data folder refuses, RagError where the file is not ours.
    """

    def __init__(self, data_dir: Path, notes_folder: Path) -> None:
        self.file = data_dir / DATABASE
        self.notes_folder = notes_folder
        self._lock = threading.RLock()
        with storage_errors(data_dir), _damage(self.file):
            data_dir.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                self.file, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._migrate()
            self._folder = self._find_folder(notes_folder)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # Turns

    def add(self, conversation: int | None, turn: SavedTurn) -> int:
        """Append a turn, to a new conversation for None; the conversation's id."""
        with self._transaction():
            if conversation is None:
                conversation = self._create(title_of(turn.question), turn.asked)
            self._insert(conversation, turn)
            self._db.execute(
                "UPDATE conversations SET updated = ? WHERE id = ?", (turn.asked, conversation)
            )
        return conversation

    def turns(self, conversation: int) -> tuple[SavedTurn, ...]:
        """The turns of a conversation, oldest first."""
        rows = self._rows(
            "SELECT question, answer, model, tokens_per_s, asked, shown FROM turns"
            " WHERE conversation = ? ORDER BY id",
            (conversation,),
        )
        return tuple(from_json(*row) for row in rows)

    def drop_last(self, conversation: int) -> None:
        """Forget the last turn; a conversation without turns is not listed."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM turns WHERE id = (SELECT max(id) FROM turns WHERE conversation = ?)",
                (conversation,),
            )

    def branch(self, conversation: int, keep: int) -> int:
        """A new conversation that begins with the first `keep` turns of another; its id."""
        old = self.get(conversation)
        kept = self.turns(conversation)[:keep]
        with self._transaction():
            new = self._create(shortened(f"{old.title} (branch)"), time.time(), conversation)
            for turn in kept:
                self._insert(new, turn)
        return new

    def questions(self, limit: int = 100) -> list[str]:
        """The last questions about this folder, oldest first, each once."""
        rows = self._rows(
            "SELECT t.question FROM turns t JOIN conversations c ON c.id = t.conversation"
            " WHERE c.folder = ? AND c.deleted = 0 GROUP BY t.question"
            " ORDER BY max(t.id) DESC LIMIT ?",
            (self._folder, limit),
        )
        return [str(question) for (question,) in reversed(rows)]

    def speeds(self) -> dict[str, float]:
        """Tokens a second of each model, over its last answers on this machine."""
        rows = self._rows(
            "SELECT model, avg(tokens_per_s) FROM (SELECT model, tokens_per_s, row_number()"
            " OVER (PARTITION BY model ORDER BY id DESC) AS age FROM turns WHERE tokens_per_s > 0)"
            " WHERE age <= 20 GROUP BY model"
        )
        return {str(model): float(speed) for model, speed in rows}

    # Conversations

    def get(self, conversation: int) -> Conversation:
        """One conversation. Raises RagError when there is none with this id."""
        found = self._list("c.id = ?", (conversation,))
        if not found:
            raise RagError(
                f"There is no conversation {conversation} about these notes.",
                "List them with Ctrl+L in: rag chat",
            )
        return found[0]

    def latest(self) -> Conversation | None:
        """The one that was continued last."""
        return next(iter(self._list("1", (), limit=1)), None)

    def all(self) -> list[Conversation]:
        """Every conversation that is not deleted, latest first."""
        return self._list("1", ())

    def search(self, text: str) -> list[Conversation]:
        """Those whose questions, answers or title hold every word of `text`, latest first.

        The last word may be the beginning of one. An empty text finds all.
        """
        words = _WORD.findall(text)
        if not words:
            return self.all()
        match = " ".join(f'"{word}"' for word in words) + "*"
        rows = self._rows(
            "SELECT t.conversation, snippet(turn_words, -1, '', '', '…', 12) FROM turn_words"
            " JOIN turns t ON t.id = turn_words.rowid WHERE turn_words MATCH ?"
            " ORDER BY rank LIMIT 2000",
            (match,),
        )
        snippets: dict[int, str] = {}
        for conversation, snippet in rows:
            snippets.setdefault(conversation, snippet)
        wanted = [word.casefold() for word in words]
        return [
            Conversation(
                each.id,
                each.title,
                each.created,
                each.updated,
                each.turns,
                snippets.get(each.id, ""),
            )
            for each in self.all()
            if each.id in snippets or all(word in each.title.casefold() for word in wanted)
        ]

    def rename(self, conversation: int, title: str) -> None:
        """Give it another title; a blank one changes nothing."""
        if title.strip():
            with self._transaction():
                self._db.execute(
                    "UPDATE conversations SET title = ? WHERE id = ?",
                    (shortened(title), conversation),
                )

    def delete(self, conversation: int) -> None:
        """Hide it; `restore` brings it back until `purge`."""
        self._mark_deleted(conversation, time.time())

    def restore(self, conversation: int) -> None:
        """Undo `delete`."""
        self._mark_deleted(conversation, 0)

    def purge(self, before: float) -> None:
        """Forget for good what was deleted before a time, in epoch seconds."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM conversations WHERE deleted > 0 AND deleted < ?", (before,)
            )

    def _mark_deleted(self, conversation: int, deleted: float) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE conversations SET deleted = ? WHERE id = ?", (deleted, conversation)
            )

    # SQL

    def _create(self, title: str, when: float, branched_from: int | None = None) -> int:
        cursor = self._db.execute(
            "INSERT INTO conversations (folder, title, created, updated, branched_from)"
            " VALUES (?, ?, ?, ?, ?)",
            (self._folder, title, when, when, branched_from),
        )
        return int(cursor.lastrowid or 0)

    def _insert(self, conversation: int, turn: SavedTurn) -> None:
        self._db.execute(
            "INSERT INTO turns (conversation, question, answer, model, tokens_per_s, asked, shown)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (conversation, *to_json(turn)),
        )

    def _list(
        self, condition: str, values: tuple[object, ...], limit: int = -1
    ) -> list[Conversation]:
        rows = self._rows(
            "SELECT c.id, c.title, c.created, c.updated,"
            " (SELECT count(*) FROM turns t WHERE t.conversation = c.id)"
            f" FROM conversations c WHERE c.folder = ? AND c.deleted = 0 AND {condition}"
            " AND EXISTS (SELECT 1 FROM turns t WHERE t.conversation = c.id)"
            " ORDER BY c.updated DESC, c.id DESC LIMIT ?",
            (self._folder, *values, limit),
        )
        return [Conversation(*row) for row in rows]

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _damage(self.file):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, storage_errors(self.file.parent), _damage(self.file):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise RagError(
                "Your conversations were written by a newer version of rag.", "Update rag."
            )
        with self._transaction():
            if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _statements(_SCHEMA):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {FORMAT}")

    def _find_folder(self, folder: Path) -> int:
        """The folder's row: by path, else by inode if nothing lies at the old path, else new."""
        path = str(folder).encode("utf-8", "backslashreplace").decode()  # half a character
        try:
            stat = folder.stat()
            device, inode = stat.st_dev, stat.st_ino
        except OSError:
            device = inode = 0
        with self._transaction():
            for row, known in self._db.execute("SELECT id, path FROM folders").fetchall():
                if known == path:
                    return int(row)
            for row, known in self._db.execute(
                "SELECT id, path FROM folders WHERE inode = ? AND device = ? AND inode != 0",
                (inode, device),
            ).fetchall():
                if not os.path.exists(known):
                    self._db.execute("UPDATE folders SET path = ? WHERE id = ?", (path, row))
                    return int(row)
            cursor = self._db.execute(
                "INSERT INTO folders (path, device, inode) VALUES (?, ?, ?)", (path, device, inode)
            )
            return int(cursor.lastrowid or 0)


def title_of(question: str) -> str:
    """A title: the question's first words, on one line."""
    return shortened(question) or _UNTITLED


def shortened(text: str) -> str:
    """`text` on one line, cut at a word to `TITLE_CHARS`."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    if len(line) <= TITLE_CHARS:
        return line
    cut = line[: TITLE_CHARS - 1]
    return f"{cut.rsplit(' ', 1)[0] or cut}…"


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
        if any(sign in str(error) for sign in ("not a database", "malformed", "no such table")):
            raise StorageError(
                f"The file that keeps your conversations is damaged: {file}.",
                "Move it away to begin a new one; the notes and the index are untouched.",
            ) from error
        raise
