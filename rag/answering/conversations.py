"""Turns, kept: conversations that can be searched, reopened, renamed, branched and exported.

A conversation belongs to a notes folder. What a turn showed (passages, evidence, citations) is kept
with it: it can be seen again without the index.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from rag.answering.conversation_file import ConversationFile, ConversationsDamaged
from rag.answering.recovery import ALTERED, turn_sum
from rag.answering.saved import SavedTurn, from_json, paths_shown, to_json
from rag.errors import RagError

TITLE_CHARS = 80
BRANCH = " (branch)"
_UNTITLED = "New conversation"
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One line of a list. Times are epoch seconds; `found` is where a search matched, or "", in
    the turn `found_turn`, counted from 0."""

    id: int
    title: str
    created: float
    updated: float
    turns: int
    found: str = ""
    found_turn: int | None = None


Method = TypeVar("Method", bound=Callable[..., Any])


def _mended(method: Method) -> Method:
    """A method that writes, tried once more on what could be recovered of a damaged file."""

    @wraps(method)
    def tried(self: Conversations, *values: Any, **named: Any) -> Any:
        try:
            return method(self, *values, **named)
        except ConversationsDamaged:
            self._kept.mend()
            return method(self, *values, **named)

    return cast(Method, tried)


class Conversations:
    """The conversations about one notes folder. May be used from several threads.

    Raises StorageError where the data folder refuses, RagError where the file is not ours.
    """

    def __init__(self, data_dir: Path, notes_folder: Path) -> None:
        self.notes_folder = notes_folder
        self._kept = ConversationFile(data_dir, notes_folder)
        self.file = self._kept.file

    @property
    def notice(self) -> str:
        """A sentence for the reader where the file was damaged, else ""."""
        return self._kept.notice

    def close(self) -> None:
        self._kept.close()

    # Turns

    @_mended
    def add(self, conversation: int | None, turn: SavedTurn) -> int:
        """Append a turn, to a new conversation for None or for one that was forgotten meanwhile;
        the conversation's id."""
        self._kept.follow_index()
        with self._kept.transaction() as db:
            return self._append(db, conversation, turn)

    def turns(self, conversation: int) -> tuple[SavedTurn, ...]:
        """The turns of a conversation, oldest first."""
        rows = self._kept.rows(
            "SELECT sum, question, answer, model, tokens_per_s, asked, shown FROM turns"
            " LEFT JOIN turn_sums ON turn = id WHERE conversation = ? ORDER BY id",
            (conversation,),
        )
        return tuple(_turn(*row) for row in rows)

    @_mended
    def replace_last(self, conversation: int, turn: SavedTurn) -> int:
        """Put a turn in place of the last one, which was asked anew; the id as for `add`."""
        last = "SELECT max(id) FROM turns WHERE conversation = ?"
        with self._kept.transaction() as db:
            db.execute(f"DELETE FROM turns WHERE id = ({last})", (conversation,))
            return self._append(db, conversation, turn)

    @_mended
    def branch(self, conversation: int, keep: int) -> int:
        """A new conversation that begins with the first `keep` turns of another; its id."""
        old = self.get(conversation)
        kept = self.turns(conversation)[:keep]
        with self._kept.transaction() as db:
            title = f"{old.title.removesuffix(BRANCH)}{BRANCH}"
            new = self._create(db, shortened(title), time.time(), conversation)
            for turn in kept:
                _insert(db, new, turn)
        return new

    def questions(self, limit: int = 100) -> list[str]:
        """The last questions about this folder, oldest first, each once."""
        rows = self._kept.rows(
            "SELECT t.question FROM turns t JOIN conversations c ON c.id = t.conversation"
            " WHERE c.folder = ? AND c.deleted = 0 GROUP BY t.question"
            " ORDER BY max(t.id) DESC LIMIT ?",
            (self._kept.folder, limit),
        )
        return [str(question) for (question,) in reversed(rows)]

    def speeds(self) -> dict[str, float]:
        """Tokens a second of each model, over its last answers on this machine."""
        rows = self._kept.rows(
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
                "List them with: rag chat --resume",
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
        rows = self._kept.rows(
            "SELECT t.conversation, snippet(turn_words, -1, '', '', '…', 12), (SELECT count(*) FROM"
            " turns b WHERE b.conversation = t.conversation AND b.id < t.id) FROM turn_words"
            " JOIN turns t ON t.id = turn_words.rowid WHERE turn_words MATCH ?"
            " ORDER BY rank LIMIT 2000",
            (match,),
        )
        found: dict[int, tuple[str, int]] = {}
        for conversation, snippet, turn in rows:
            found.setdefault(conversation, (snippet, turn))
        wanted = [word.casefold() for word in words]
        return [
            replace(each, found=found[each.id][0], found_turn=found[each.id][1])
            if each.id in found
            else each
            for each in self.all()
            if each.id in found or all(word in each.title.casefold() for word in wanted)
        ]

    @_mended
    def rename(self, conversation: int, title: str) -> None:
        """Give it another title; a blank one changes nothing."""
        if title.strip():
            with self._kept.transaction() as db:
                db.execute(
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
        with self._kept.transaction() as db:
            db.execute("DELETE FROM conversations WHERE deleted > 0 AND deleted < ?", (before,))

    @_mended
    def _mark_deleted(self, conversation: int, deleted: float) -> None:
        with self._kept.transaction() as db:
            db.execute("UPDATE conversations SET deleted = ? WHERE id = ?", (deleted, conversation))

    # Forgetting

    def quoting(self, paths: Sequence[str], names: Collection[str]) -> list[int]:
        """Ids of the turns, also of deleted conversations, that show a passage of these notes.
        `names` are those under which the folder is asked along with others."""
        wanted = set(paths)
        rows = self._kept.rows(
            "SELECT t.id, t.shown, f.path FROM turns t"
            " LEFT JOIN conversations c ON c.id = t.conversation"
            " LEFT JOIN folders f ON f.id = c.folder"
        )
        return [
            int(turn)
            for turn, shown, place in rows
            if any(wanted & self._meant(path, place, names) for path in paths_shown(shown))
        ]

    def _meant(self, path: str, place: str | None, names: Collection[str]) -> set[str]:
        """What a path may be here that was shown by a conversation about the folder `place`: this
        one, one above it, or that above several that were asked as one, where the folder's name
        stands in front. Of a turn whose conversation is gone nobody knows: any of them."""
        front, _, rest = path.partition("/")
        if place is None:
            return {path, rest}
        if not self.notes_folder.is_relative_to(place):
            return set()
        file = Path(place, path)
        inside = file.is_relative_to(self.notes_folder)
        meant = {file.relative_to(self.notes_folder).as_posix()} if inside else set()
        if re.sub(r"-\d+$", "", front) in names or front in names:
            meant |= set() if file.exists() and not inside else {rest}
        return meant

    @_mended
    def forget_turns(self, turns: Sequence[int]) -> None:
        """Remove turns for good, and leave no text of them in the file."""
        with self._kept.transaction() as db:
            db.executemany("DELETE FROM turns WHERE id = ?", [(each,) for each in turns])
            db.execute("DELETE FROM conversations WHERE id NOT IN (SELECT conversation FROM turns)")
            db.execute("INSERT INTO turn_words (turn_words) VALUES ('rebuild')")
        self._kept.erase()

    # SQL

    def _append(self, db: sqlite3.Connection, conversation: int | None, turn: SavedTurn) -> int:
        there = db.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation,)).fetchone()
        if conversation is None or not there:
            conversation = self._create(db, title_of(turn.question), turn.asked)
        _insert(db, conversation, turn)
        _touch(db, conversation, turn.asked)
        return conversation

    def _create(
        self, db: sqlite3.Connection, title: str, when: float, branched_from: int | None = None
    ) -> int:
        cursor = db.execute(
            "INSERT INTO conversations (folder, title, created, updated, branched_from)"
            " VALUES (?, ?, ?, ?, ?)",
            (self._kept.folder, title, when, when, branched_from),
        )
        return int(cursor.lastrowid or 0)

    def _list(
        self, condition: str, values: tuple[object, ...], limit: int = -1
    ) -> list[Conversation]:
        rows = self._kept.rows(
            "SELECT c.id, c.title, c.created, c.updated,"
            " (SELECT count(*) FROM turns t WHERE t.conversation = c.id)"
            f" FROM conversations c WHERE c.folder = ? AND c.deleted = 0 AND {condition}"
            " AND EXISTS (SELECT 1 FROM turns t WHERE t.conversation = c.id)"
            " ORDER BY c.updated DESC, c.id DESC LIMIT ?",
            (self._kept.folder, *values, limit),
        )
        return [Conversation(*row) for row in rows]


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


def _insert(db: sqlite3.Connection, conversation: int, turn: SavedTurn) -> None:
    values = to_json(turn)
    added = db.execute(
        "INSERT INTO turns (conversation, question, answer, model, tokens_per_s, asked, shown)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (conversation, *values),
    )
    sums = (added.lastrowid, turn_sum(values))
    db.execute("INSERT OR REPLACE INTO turn_sums VALUES (?, ?)", sums)


def _touch(db: sqlite3.Connection, conversation: int, when: float) -> None:
    db.execute("UPDATE conversations SET updated = ? WHERE id = ?", (when, conversation))


def _turn(known: int | None, *values: Any) -> SavedTurn:
    """A turn from its row. One that is not as it was written says so."""
    question, answer, model, tokens_per_s, asked, shown = values
    if known is not None and known != turn_sum(values):
        answer = f"{answer}\n\n{ALTERED}"
    try:
        return from_json(question, answer, model, tokens_per_s, asked, shown)
    except (ValueError, TypeError, KeyError):  # what was shown with it cannot be read
        return SavedTurn(str(question), answer, True, "", (), (), (), (), str(model), 0.0, 0.0, 0.0)
