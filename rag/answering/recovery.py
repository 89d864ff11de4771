"""What can be read of a damaged file of conversations, saved into a new one.

The damaged file is set aside, never deleted: what this program cannot read, another may.
"""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

TURN_SUMS = """
CREATE TABLE IF NOT EXISTS turn_sums (
    turn INTEGER PRIMARY KEY REFERENCES turns(id) ON DELETE CASCADE, sum INTEGER NOT NULL
);
"""
ALTERED = "(This turn was damaged on the disk: it may not be as it was.)"
_TABLES = {
    "folders": "id, path, device, inode",
    "folder_homes": "folder, home",
    "conversations": "id, folder, title, created, updated, deleted, branched_from",
    "turns": "id, conversation, question, answer, model, tokens_per_s, asked, shown",
    "turn_sums": "turn, sum",
}
_FILES = ("", "-wal", "-shm", "-journal")
_MOST = 1_000_000  # ids that are tried where nothing says how many there are
_PATIENCE = 2000  # ids without a row after which there are no more

Make = Callable[[Path], sqlite3.Connection]  # a new, empty file of conversations


def turn_sum(values: Sequence[object]) -> int:
    """Of a turn as it is kept."""
    return zlib.crc32("\0".join(map(str, values)).encode("utf-8", "surrogatepass"))


def readable(raw: bytes) -> str:
    """Text as it was kept; a letter that was damaged costs no more than itself."""
    return raw.decode("utf-8", "replace")


def recover(file: Path, inode: int, make: Make) -> str:
    """Set `file` aside, put into a new one what can be read of it, and say so.

    "" where it is no longer the file of that inode: another process has done it. Raises OSError,
    sqlite3.OperationalError where the disk refuses: then `file` stays.
    """
    with _alone(file):
        if not file.exists() or file.stat().st_ino != inode:
            return ""
        aside = _free_name(file)
        fresh = file.with_name(f"{file.name}.recovered")
        _remove(fresh)
        for suffix in _FILES:
            with suppress(FileNotFoundError):
                shutil.copy2(f"{file}{suffix}", f"{aside}{suffix}")
        with closing(make(fresh)) as new:
            copied = _copy(aside, new, make)
            new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in _FILES[1:]:
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        fresh.replace(file)
        _remove(fresh)
    return (
        f"The file that keeps your conversations was damaged; {copied:,} "
        f"turn{'' if copied == 1 else 's'} could be read and are here again. "
        f"The damaged file is kept: {aside}"
    )


def _copy(aside: Path, new: sqlite3.Connection, make: Make) -> int:
    """Copy all rows that can be read; how many turns there were."""
    copy = aside.with_name(f"{aside.name}.reading")
    shutil.copy2(aside, copy)
    with suppress(FileNotFoundError):
        shutil.copy2(f"{aside}-wal", f"{copy}-wal")
    try:
        if not _readable(copy):
            _mend_first_page(copy, make)
        new.execute("PRAGMA foreign_keys = OFF")
        new.execute("BEGIN IMMEDIATE")
        with closing(sqlite3.connect(copy)) as old:
            old.text_factory = readable
            old.execute("PRAGMA writable_schema = ON")  # reads on in a file that was cut short
            for table, columns in _TABLES.items():
                marks = ",".join("?" * (columns.count(",") + 1))
                for row in _rows(old, table, columns):
                    with suppress(sqlite3.IntegrityError):
                        new.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)
        _adopt_orphans(new)
        new.execute("COMMIT")
    finally:
        _remove(copy)
    return int(new.execute("SELECT count(*) FROM turns").fetchone()[0])


def _rows(db: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    """Rows one by one, by id: a page that cannot be read costs its own rows alone."""
    key = columns.partition(",")[0]
    last, missed = _last_id(db, table, key), 0
    for number in range(1, (last or _MOST) + 1):
        row = None
        with suppress(sqlite3.DatabaseError):
            query = f"SELECT {columns} FROM {table} WHERE {key} = ?"
            row = db.execute(query, (number,)).fetchone()
        missed = 0 if row else missed + 1
        if row:
            yield row
        elif not last and missed > _PATIENCE:
            return


def _last_id(db: sqlite3.Connection, table: str, key: str) -> int:
    found = [0]
    for query, values in (
        ("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)),
        (f"SELECT max({key}) FROM {table}", ()),
    ):
        with suppress(sqlite3.DatabaseError, TypeError, ValueError):
            row = db.execute(query, values).fetchone()
            found.append(int(row[0]) if row and row[0] else 0)
    return min(max(found), _MOST)


def _adopt_orphans(new: sqlite3.Connection) -> None:
    """Turns whose conversation, and conversations whose folder, could not be read stay."""
    now = time.time()
    for (lost,) in new.execute(
        "SELECT DISTINCT conversation FROM turns WHERE conversation NOT IN"
        " (SELECT id FROM conversations)"
    ).fetchall():
        folder = new.execute("SELECT min(id) FROM folders").fetchone()[0] or 1
        new.execute(
            "INSERT INTO conversations (id, folder, title, created, updated) VALUES (?,?,?,?,?)",
            (lost, folder, "Recovered conversation", now, now),
        )
    new.execute(
        "INSERT INTO folders (id, path, device, inode) SELECT DISTINCT folder, '?' || folder, 0, 0"
        " FROM conversations WHERE folder NOT IN (SELECT id FROM folders)"
    )
    new.execute("DELETE FROM turn_sums WHERE turn NOT IN (SELECT id FROM turns)")
    new.execute("DELETE FROM folder_homes WHERE folder NOT IN (SELECT id FROM folders)")


def _readable(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as db, suppress(sqlite3.DatabaseError):
        db.execute("PRAGMA writable_schema = ON")
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        return {"conversations", "turns"} <= tables
    return False


def _mend_first_page(file: Path, make: Make) -> None:
    """The first page says where the tables begin: that of a new file says the same."""
    model = file.with_name(f"{file.name}.model")
    with closing(make(model)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = db.execute("PRAGMA page_size").fetchone()
    page = bytearray(model.read_bytes()[:size])
    _remove(model)
    pages = file.stat().st_size // size
    page[28:32] = pages.to_bytes(4, "big")
    page[32:40] = bytes(8)  # no list of free pages: they are not needed to read
    with file.open("r+b") as handle:
        handle.write(page)


def _free_name(file: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{file.name}.damaged-{stamp}{extra}" for extra in ("", *range(2, 1000)))
    return next(path for path in map(file.with_name, names) if not path.exists())


def _remove(file: Path) -> None:
    for suffix in _FILES:
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def emptied(file: Path) -> bool:
    """Whether a file of conversations that once was made holds nothing now. SQLite would take it
    for a new one."""
    return _lock(file).exists() and file.exists() and not file.stat().st_size


def remember_made(file: Path) -> None:
    """Leave a sign that the file of conversations was made."""
    with suppress(OSError):
        _lock(file).touch()


def _lock(file: Path) -> Path:
    return file.with_name(f"{file.stem}.lock")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with _lock(file).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def inspect(file: Path) -> tuple[int, int]:
    """How many turns are kept, and how many of them are not as they were written.

    Raises sqlite3.DatabaseError for a file that is damaged as a whole.
    """
    if not file.exists():
        return 0, 0
    with closing(sqlite3.connect(file)) as db:
        db.text_factory = readable
        (sound,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)
        db.execute("INSERT INTO turn_words (turn_words) VALUES ('integrity-check')")
        db.rollback()
        (turns,) = db.execute("SELECT count(*) FROM turns").fetchone()
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'turn_sums'").fetchone():
            return int(turns), 0
        rows = db.execute(
            "SELECT sum, question, answer, model, tokens_per_s, asked, shown"
            " FROM turns JOIN turn_sums ON turn = id"
        )
        return int(turns), sum(row[0] != turn_sum(row[1:]) for row in rows)
