"""A passage against its note as it is now: still there, changed since, or gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.reading.code import blank_comments
from rag.reading.front_matter import front_matter_size
from rag.reading.notes import Skipped, read_note
from rag.reading.texts import Recent

if TYPE_CHECKING:
    from rag.retrieval.found import Passage

State = Literal["current", "edited", "moved", "lost", "gone"]
_LONGEST_LINE = 400  # characters shown of a line around a passage


@dataclass(frozen=True, slots=True)
class Standing:
    """How a passage stands in its note.

    current: there, word for word, at its lines. edited: the note changed elsewhere.
    moved: what was quoted stands at other lines now. lost: the note no longer says it.
    gone: the note cannot be read. `first` is the line of the passage as it is now, `before` and
    `after` are lines around it.
    """

    state: State
    first: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def look_up(
    folder: Path,
    passage: Passage,
    quotes: Sequence[str],
    indexed: str,
    margin: int = 3,
    texts: Recent | None = None,
) -> Standing:
    """Compare a passage, and what is quoted of it, with the note on disk.

    `indexed` is the hash of the note when it was indexed, empty when that is not known.
    `texts` are documents that were converted before.
    """
    read = read_note(folder, passage.path, texts)
    if isinstance(read, Skipped):
        return Standing("gone", passage.first)
    lines = blank_comments(read.text.split("\n"))
    size = passage.last - passage.first + 1
    here = lines[passage.first - 1 : passage.last]
    if _same("\n".join(here), passage.text):
        changed = indexed not in ("", read.raw_hash)
        return _around("edited" if changed else "current", lines, passage.first, size, margin)
    first = _find(lines, passage.text) or next(
        (at for quote in quotes if (at := _find(lines, quote))), 0
    )
    if first and all(_find(lines, quote) for quote in quotes):
        if first == passage.first:  # part of a long line
            same = indexed in ("", read.raw_hash)
            return _around("current" if same else "edited", lines, first, size, margin)
        return _around("moved", lines, first, size, margin)
    return Standing("lost", min(passage.first, len(lines)))


def _around(state: State, lines: list[str], first: int, size: int, margin: int) -> Standing:
    start, end = first - 1, first - 1 + size
    top = front_matter_size(lines)  # tags and dates say nothing about what follows them
    before = [each[:_LONGEST_LINE] for each in lines[max(top, start - margin) : start]]
    after = [each[:_LONGEST_LINE] for each in lines[end : end + margin]]
    while before and not before[0].strip():
        before.pop(0)
    while after and not after[-1].strip():
        after.pop()
    return Standing(state, first, tuple(before), tuple(after))


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


def _find(lines: Sequence[str], text: str) -> int:
    """The line, from 1, at which `text` begins, white space taken as one; 0 when nowhere."""
    words = text.split()
    if not words:
        return 0
    whole = "\n".join(lines)
    at = whole.find(text.strip())
    if at < 0:
        found = re.search(r"\s+".join(map(re.escape, words)), whole)
        at = found.start() if found else -1
    return whole.count("\n", 0, at) + 1 if at >= 0 else 0
