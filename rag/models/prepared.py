"""What was prepared for this machine, in the cache: whether it is still as it was written.

Each prepared file has a seal beside it: its size, modification time and SHA-256. One that looks
otherwise is read; one that is otherwise is removed, so that it is prepared again. A byte that
changed on the disk without a trace is found by `rag doctor`, which reads all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_SEAL = ".seal"
_told: list[str] = []


def is_sound(file: Path, thorough: bool = False) -> bool:
    """Whether a prepared file is there, as it was written; with `thorough` all of it is read.

    One that is not is removed, and `take_notices` tells. One without a seal gets it.
    """
    try:
        stat = file.stat()
    except OSError:
        return False
    known = _read_seal(file)
    if known is None:
        seal(file)
        return True
    size, mtime_ns, sha256 = known
    same = stat.st_size == size
    if same and stat.st_mtime_ns == mtime_ns and not thorough:
        return True
    if same and sha256_of(file) == sha256:
        if stat.st_mtime_ns != mtime_ns:
            seal(file)
        return True
    discard(file)
    return False


def seal(file: Path) -> None:
    """Record a prepared file as it is. Where that cannot be written it is done at its next use."""
    with suppress(OSError):
        stat = file.stat()
        _write(_seal_of(file), _line([stat.st_size, stat.st_mtime_ns, sha256_of(file)]))


def discard(file: Path) -> None:
    """Remove a prepared file that is damaged."""
    with suppress(OSError):
        _seal_of(file).unlink(missing_ok=True)
        file.unlink(missing_ok=True)
    _told.append(f"The prepared model {file.name} was damaged; it is prepared again.")


def drop_others(file: Path, pattern: str) -> None:
    """Remove what an older version prepared in place of `file`, and its seal."""
    for other in file.parent.glob(pattern):
        if other != file:
            with suppress(OSError):
                other.unlink(missing_ok=True)
                _seal_of(other).unlink(missing_ok=True)


def found_damaged(file: Path) -> bool:
    """Whether a file has a seal and differs from it; such a one is removed. Reads all of it."""
    return _read_seal(file) is not None and not is_sound(file, thorough=True)


def find_damage(folder: Path) -> list[str]:
    """The names of the prepared files below `folder` that are not as they were written. They are
    removed."""
    files = [seal.with_name(seal.name.removesuffix(_SEAL)) for seal in folder.glob(f"*{_SEAL}")]
    return [file.name for file in sorted(files) if file.is_file() and not is_sound(file, True)]


def take_notices() -> list[str]:
    """Sentences about what was damaged, each given once."""
    taken = list(_told)
    del _told[: len(taken)]
    return taken


def remembered(memory: Path, path: Path, compute: Callable[[], str]) -> str:
    """`compute()` for this state of `path`, or what it gave last time. A lost memory is no loss,
    and a damaged one is a lost one."""
    stat = path.stat()
    known: dict[str, str] = {}
    with suppress(OSError, ValueError, TypeError):
        known = dict(json.loads(memory.read_text(encoding="utf-8")))
        size, mtime_ns, value = _parsed(known.get(str(path)))
        if (size, mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return value
    value = compute()
    known[str(path)] = _line([stat.st_size, stat.st_mtime_ns, value])
    with suppress(OSError):  # a cache that cannot be written costs time, never the answer
        _write(memory, json.dumps(known))
    return value


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _line(entry: list[object]) -> str:
    """Size, time and what is known of a file, behind a checksum of theirs."""
    text = json.dumps(entry)
    return f"{zlib.crc32(text.encode()):08x} {text}"


def _parsed(line: object) -> tuple[int, int, str]:
    """What `_line` wrote. Raises ValueError where it is anything else."""
    if not isinstance(line, str):
        raise ValueError("not a line")
    size, mtime_ns, value = json.loads(line[9:])
    if line != _line([size, mtime_ns, value]):
        raise ValueError("another checksum")
    return int(size), int(mtime_ns), str(value)


def _read_seal(file: Path) -> tuple[int, int, str] | None:
    with suppress(OSError, ValueError, TypeError):
        return _parsed(_seal_of(file).read_text(encoding="utf-8"))
    return None


def _seal_of(file: Path) -> Path:
    return file.with_name(file.name + _SEAL)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, file)
