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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from rag.answering.recovery import (
    ALTERED,
    TURN_SUMS,
    emptied,
    readable,
    recover,
    remember_made,
    turn_sum,
)
from rag.answering.saved import SavedTurn, from_json, paths_shown, to_json
from rag.errors import RagError, StorageError, storage_errors
from rag.indexing.private import make_private, private_folder

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


Method = TypeVar("Method", bound=Callable[..., Any])


def _mended(method: Method) -> Method:
    """A method that writes, tried once more on what could be recovered of a damaged file."""

    @wraps(method)
    def tried(self: Conversations, *values: Any, **named: Any) -> Any:
        try:
            return method(self, *values, **named)
        except ConversationsDamaged:
            with self._lock:
                self._db.close()
                self._recover()
            return method(self, *values, **named)

    return cast(Method, tried)


class Conversations:
    """The conversations about one notes folder. May be used from several threads.

    Raises StorageError where the data folder refuses, RagError where the file is not ours.
    """

    def __init__(self, data_dir: Path, notes_folder: Path) -> None:
        self.file = data_dir / DATABASE
        self.notes_folder = notes_folder
        self._lock = threading.RLock()
        self.notice = ""  # a sentence for the reader, where the file was damaged
        with storage_errors(data_dir):
            private_folder(data_dir)
        try:
            self._open()
        except ConversationsDamaged:
            self._recover()
        make_private(data_dir)

    def _open(self) -> None:
        self._inode = _inode(self.file)
        with storage_errors(self.file.parent), _damage(self.file):
            if emptied(self.file):
                raise sqlite3.DatabaseError("malformed: empty")
            self._db = _connect(self.file)
            self._inode = _inode(self.file)
            self._folder = self._find_folder(self.notes_folder)
            remember_made(self.file)

    def _recover(self) -> None:
        """Go on with all that can be read of a damaged file."""
        with storage_errors(self.file.parent):
            self.notice = recover(self.file, self._inode, _connect) or self.notice
        self._open()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # Turns

    @_mended
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
            "SELECT sum, question, answer, model, tokens_per_s, asked, shown FROM turns"
            " LEFT JOIN turn_sums ON turn = id WHERE conversation = ? ORDER BY id",
            (conversation,),
        )
        return tuple(_turn(*row) for row in rows)

    @_mended
    def drop_last(self, conversation: int) -> None:
        """Forget the last turn; a conversation without turns is not listed."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM turns WHERE id = (SELECT max(id) FROM turns WHERE conversation = ?)",
                (conversation,),
            )

    @_mended
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

    @_mended
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

    @_mended
    def purge(self, before: float) -> None:
        """Forget for good what was deleted before a time, in epoch seconds."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM conversations WHERE deleted > 0 AND deleted < ?", (before,)
            )

    @_mended
    def _mark_deleted(self, conversation: int, deleted: float) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE conversations SET deleted = ? WHERE id = ?", (deleted, conversation)
            )

    # Forgetting

    def quoting(self, paths: Sequence[str]) -> list[int]:
        """Ids of the turns, also of deleted conversations, that show a passage of these notes."""
        wanted = set(paths)
        rows = self._rows(
            "SELECT t.id, t.shown, c.folder = ? OR f.path = ? FROM turns t"
            " LEFT JOIN conversations c ON c.id = t.conversation"
            " LEFT JOIN folders f ON f.id = c.folder",
            (self._folder, str(self.notes_folder)),
        )
        found = []
        for turn, shown, here in rows:
            shows = paths_shown(shown)
            if not here:  # several folders asked as one: the folder's name stands in front
                shows = {path.partition("/")[2] for path in shows}
            if shows & wanted:
                found.append(int(turn))
        return found

    @_mended
    def forget_turns(self, turns: Sequence[int]) -> None:
        """Remove turns for good, and leave no text of them in the file."""
        with self._transaction():
            self._db.executemany("DELETE FROM turns WHERE id = ?", [(each,) for each in turns])
            self._db.execute(
                "DELETE FROM conversations WHERE id NOT IN (SELECT conversation FROM turns)"
            )
            self._db.execute("INSERT INTO turn_words (turn_words) VALUES ('rebuild')")
        with storage_errors(self.file.parent), self._lock:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    # SQL

    def _create(self, title: str, when: float, branched_from: int | None = None) -> int:
        cursor = self._db.execute(
            "INSERT INTO conversations (folder, title, created, updated, branched_from)"
            " VALUES (?, ?, ?, ?, ?)",
            (self._folder, title, when, when, branched_from),
        )
        return int(cursor.lastrowid or 0)

    def _insert(self, conversation: int, turn: SavedTurn) -> None:
        values = to_json(turn)
        added = self._db.execute(
            "INSERT INTO turns (conversation, question, answer, model, tokens_per_s, asked, shown)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (conversation, *values),
        )
        sums = (added.lastrowid, turn_sum(values))
        self._db.execute("INSERT OR REPLACE INTO turn_sums VALUES (?, ?)", sums)

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
        with self._lock:
            try:
                with _damage(self.file):
                    return self._db.execute(sql, values).fetchall()
            except ConversationsDamaged:
                self._db.close()
                self._recover()
                with _damage(self.file):
                    return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, storage_errors(self.file.parent), _damage(self.file):
            if not self._db.in_transaction and _inode(self.file) != self._inode:
                self._db.close()  # another process found it damaged and began a new one
                self._open()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

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


def _turn(known: int | None, *values: Any) -> SavedTurn:
    """A turn from its row. One that is not as it was written says so."""
    question, answer, model, tokens_per_s, asked, shown = values
    if known is not None and known != turn_sum(values):
        answer = f"{answer}\n\n{ALTERED}"
    try:
        return from_json(question, answer, model, tokens_per_s, asked, shown)
    except (ValueError, TypeError, KeyError):  # what was shown with it cannot be read
        return SavedTurn(str(question), answer, True, "", (), (), (), (), str(model), 0.0, 0.0, 0.0)


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
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _inode(file: Path) -> int:
    """The file's number, 0 where there is none."""
    return file.stat().st_ino if file.exists() else 0


class ConversationsDamaged(StorageError):
    """The file of conversations is not as it was written."""


_DAMAGE = (
    "not a database",
    "malformed",
    "no such table",
    "no such column",
    "already exists",
    "Could not decode",
)


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
