"""Whose conversations they are: a notes folder is known by the id of its index, which follows it.

A folder that was never indexed, or whose index is known no more, is found by its path, failing that
by its inode; so are the folders of files that were written before ids were kept.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.indexing.home import find_home, known_ids

FOLDER_HOMES = """
CREATE TABLE IF NOT EXISTS folder_homes (
    folder INTEGER PRIMARY KEY REFERENCES folders(id), home TEXT NOT NULL UNIQUE
);
"""
_ROWS = (
    "SELECT id, path, device, inode, coalesce(home, '') FROM folders"
    " LEFT JOIN folder_homes ON folder = id ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A notes folder as it is now. `home` is the id of its index, "" where it has none; `known`
    are the ids of all indexes. Device and inode are 0 where nothing can be seen."""

    path: str
    device: int
    inode: int
    home: str
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Row:
    """A notes folder as it was seen last."""

    id: int
    path: str
    device: int
    inode: int
    home: str


def whereabouts(data_dir: Path, folder: Path) -> Whereabouts:
    """Where a notes folder lies, and which index is its own. May read the folder's notes."""
    path = str(folder).encode("utf-8", "backslashreplace").decode()  # half a character
    home = find_home(data_dir, folder)
    known = known_ids(data_dir)
    try:
        stat = folder.stat()
    except OSError:
        return Whereabouts(path, 0, 0, home.id if home else "", known)
    return Whereabouts(path, stat.st_dev, stat.st_ino, home.id if home else "", known)


def folder_row(db: sqlite3.Connection, where: Whereabouts) -> int:
    """The id of the folder's row, made if need be, brought up to date. Within a transaction."""
    row = _its_row([_Row(*each) for each in db.execute(_ROWS)], where)
    place = (where.path, where.device, where.inode)
    if row is None:
        sql = "INSERT INTO folders (path, device, inode) VALUES (?, ?, ?)"
        found = int(db.execute(sql, place).lastrowid or 0)
    else:
        found = row.id
        if where.inode and place != (row.path, row.device, row.inode):
            sql = "UPDATE folders SET path = ?, device = ?, inode = ? WHERE id = ?"
            db.execute(sql, (*place, found))
    if where.home and (row is None or row.home != where.home):
        db.execute("INSERT OR REPLACE INTO folder_homes VALUES (?, ?)", (found, where.home))
    return found


def _its_row(rows: Sequence[_Row], where: Whereabouts) -> _Row | None:
    """By the index, else by path, else by inode if nothing lies at the old path. A row that is an
    index's own is that of no other folder, as long as the index is known."""
    free = [row for row in rows if row.home not in where.known]
    inode = (where.device, where.inode)
    matching = (
        *(row for row in rows if where.home and row.home == where.home),
        *(row for row in free if row.path == where.path),
        *(row for row in free if where.inode and (row.device, row.inode) == inode),
    )
    return next(
        (
            row
            for row in matching
            if where.home == row.home != ""
            or row.path == where.path
            or not os.path.exists(row.path)
        ),
        None,
    )
