"""A note's bytes as text, or why they cannot be read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.reading.formats import Format, format_of
from rag.reading.readable import Readable, Unreadable
from rag.reading.texts import Recent, Texts

LARGEST = 20_000_000  # bytes

# Reasons that complete the sentence "PATH …".
OUTSIDE = "leads out of the notes folder"
CIRCULAR = "is a link that leads back to itself"
NEEDS = (
    "cannot be read without an extra. Install it, in the folder of rag: "
    "pip install -c constraints.txt '.[documents]'"
)
EMPTY = "is empty"
SPECIAL = "is not a regular file"
_NO_TEXT = "holds no text"
_BINARY = "looks binary"

# Without O_NONBLOCK, opening a FIFO would wait for someone to write to it.
_OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v")) + b"\x7f"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that was left out; `reason` completes the sentence "PATH …". `raw_hash` is
    that of a file whose bytes were read in vain, else ""."""

    path: str
    reason: str
    raw_hash: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class NoteText:
    """A note's text: lines end in "\\n" alone; `raw_hash` is the SHA-256 of its bytes in hex.

    `warning` is empty, or a clause such as "is not UTF-8; read as Windows-1252". Of a note that is
    not Markdown or plain text, `text` is what a person reads, as Markdown: see `readable`, which
    holds what else it says.
    """

    text: str
    raw_hash: str
    warning: str
    readable: Readable | None = None


def read_note(folder: Path, path: str, texts: Texts | Recent | None = None) -> NoteText | Skipped:
    """The text of the note at `path` below `folder`, or why it cannot be read.

    What was converted from a PDF and the like is looked up in `texts`, and kept there: in memory
    where none are given.
    """
    raw = _read_bytes(folder, path)
    if isinstance(raw, Skipped):
        return raw
    read = _read_text(path, raw, texts)
    if isinstance(read, Skipped):
        return replace(read, raw_hash=hashlib.sha256(raw).hexdigest())
    return read


def _read_text(path: str, raw: bytes, texts: Texts | Recent | None) -> NoteText | Skipped:
    known = format_of(path)
    if known is not None and known.convert is not None:
        return _converted(path, raw, known, texts or Recent())
    text, warning = _decode(raw)
    body = text.encode("utf-8", "replace")
    control = len(body) - len(body.translate(None, _CONTROL))
    if "\0" in text or control * 10 > len(text):
        return Skipped(path, _BINARY)
    if not text.strip():
        return Skipped(path, EMPTY)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    digest = hashlib.sha256(raw).hexdigest()
    if known is None or known.read is None:
        return NoteText(text, digest, warning)
    try:
        readable = known.read(text)
    except Unreadable as error:
        return Skipped(path, error.reason)
    if not readable.text.strip():
        return Skipped(path, _NO_TEXT)
    readable = readable.sound()
    return NoteText(readable.text, digest, warning, readable)


def _converted(path: str, raw: bytes, known: Format, texts: Texts | Recent) -> NoteText | Skipped:
    digest = hashlib.sha256(raw).hexdigest()
    readable = texts.get(digest)
    if readable is None:
        if known.convert is None or not known.available():
            return Skipped(path, NEEDS)
        try:
            readable = known.convert(raw).sound()
        except Unreadable as error:
            return Skipped(path, error.reason)
        if not readable.text.strip():
            return Skipped(path, _NO_TEXT)
        texts.put(digest, readable)
    return NoteText(readable.text, digest, "", readable)


def hash_note(folder: Path, path: str) -> str | Skipped:
    """The `raw_hash` of the note at `path`, without decoding it, or why it cannot be read."""
    raw = _read_bytes(folder, path)
    return raw if isinstance(raw, Skipped) else hashlib.sha256(raw).hexdigest()


def _read_bytes(folder: Path, path: str) -> bytes | Skipped:
    """All bytes of a note; checked again, since the file may have changed since the scan."""
    try:
        root = os.path.realpath(folder)
        real = os.path.realpath(os.path.join(root, path), strict=True)
        if not inside(real, root):
            return Skipped(path, OUTSIDE)
        with open(os.open(real, _OPEN), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Skipped(path, SPECIAL)
            largest = largest_of(path)
            raw = file.read(largest + 1)
    except FileNotFoundError:
        return Skipped(path, "is gone")
    except OSError as error:
        reason = CIRCULAR if error.errno == errno.ELOOP else f"cannot be read: {why(error)}"
        return Skipped(path, reason)
    if not raw:
        return Skipped(path, EMPTY)
    return raw if len(raw) <= largest else Skipped(path, too_large(largest))


def _decode(raw: bytes) -> tuple[str, str]:
    """The text of `raw` and a warning; never fails, since every byte means something in cp1252."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return raw.decode(encoding), ""
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), "is not UTF-8; read as Windows-1252"


def largest_of(path: str) -> int:
    """How many bytes a note of this name may have."""
    known = format_of(path)
    return known.largest if known else LARGEST


def too_large(largest: int) -> str:
    return f"is larger than {largest // 1_000_000} MB"


def inside(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies below it; both absolute."""
    return path == folder or path.startswith(os.path.join(folder, ""))


def why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
