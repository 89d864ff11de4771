"""Whether FAISS's and tantivy's files are those that were derived from this very database.

After each derivation the names, sizes and CRC-32 of the files go into SQLite. That tells a file
that was damaged, and one of an older copy of the index, whose ids may mean other passages.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from rag.indexing.store import Store

WORDS, VECTORS = "words", "vectors"
ALWAYS = 1 << 24  # bytes: a file up to this is read at each opening, which takes some 10 ms
GLANCE = 1 << 16  # where there is no time for more
_CHANGING = (".lock", ".managed.json")  # tantivy's own, of no consequence to a search
_AT_ONCE = 1 << 20

Seal = dict[str, list[int]]  # name below the index folder to size, mtime in ns, CRC-32


def write_seal(folder: Path, store: Store) -> None:
    """Record the derived files as they are. A file that was recorded is not read again."""
    old = read_seal(store) or {}
    new: Seal = {}
    for name, file in _files(folder, (WORDS, VECTORS)):
        stat = file.stat()
        state = [stat.st_size, stat.st_mtime_ns]
        known = old.get(name)
        new[name] = known if known and known[:2] == state else [*state, checksum(file)]
    if new != old:
        with store.transaction():
            store.put(seal=json.dumps(new))


def read_seal(store: Store) -> Seal | None:
    """What was recorded, None when nothing ever was or it cannot be read."""
    try:
        found = json.loads(store.get("seal", "null"))
        return {name: list(map(int, entry)) for name, entry in found.items()} if found else None
    except (ValueError, TypeError, AttributeError):
        return None


def is_sealed(folder: Path, store: Store, part: str, upto: int = ALWAYS) -> bool:
    """Whether the files of WORDS or VECTORS look as recorded; true when nothing was recorded.

    All sizes are compared, and the content of files up to `upto` bytes; `broken_files` reads all.
    """
    seal = read_seal(store)
    if seal is None:
        return True
    found = dict(_files(folder, (part,)))
    expected = {name for name in seal if name.startswith(f"{part}/")}
    return found.keys() == expected and not any(
        _differs(found[name], seal[name], upto) for name in expected
    )


def broken_files(folder: Path, store: Store) -> list[str]:
    """The names of derived files that are not as they were written, that are missing or foreign."""
    seal = read_seal(store) or {}
    found = dict(_files(folder, (WORDS, VECTORS)))
    return sorted(
        name
        for name in {*seal, *found}
        if name not in seal or name not in found or _differs(found[name], seal[name])
    )


def checksum(file: Path) -> int:
    """The CRC-32 of a file. Raises OSError."""
    value = 0
    with file.open("rb") as handle:
        while part := handle.read(_AT_ONCE):
            value = zlib.crc32(part, value)
    return value


def _differs(file: Path, entry: list[int], upto: int | None = None) -> bool:
    try:
        size = os.stat(file).st_size
        if size != entry[0]:
            return True
        return (upto is None or size <= upto) and checksum(file) != entry[2]
    except OSError:
        return True


def _files(folder: Path, parts: Iterable[str]) -> Iterable[tuple[str, Path]]:
    for part in parts:
        for file in (folder / part).glob("*"):
            if not file.name.endswith(_CHANGING) and not file.name.startswith("partial-"):
                yield f"{part}/{file.name}", file
