"""A passage against its note as it is now: still there, changed since, or gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.reading.code import blank_comments
from rag.reading.front_matter import front_matter_size
from rag.reading.notes import Skipped, read_note
from rag.reading.texts import Recent

if TYPE_CHECKING:
    from rag.retrieval.found import Passage

State = Literal["current", "edited", "moved", "lost", "gone"]
_CHANGED = {
    "edited": "the note changed {since}",
    "moved": "the note changed {since}; this moved",
    "lost": "the note changed: it no longer says this",
    "gone": "the note is no longer there",
}
_LONGEST_LINE = 400  # characters shown of a line around a passage


@dataclass(frozen=True, slots=True)
class Standing:
    """How a passage stands in its note.

    current: there, word for word, at its lines. edited: the note changed elsewhere.
    moved: what was quoted stands at other lines now. lost: the note no longer says it.
    gone: the note cannot be read. `first` is the line of the passage as it is now, `before` and
    `after` are lines around it. What is quoted stands `moved` lines further down. `known`: the
    index holds the note as it is now, so that it changed after the passage was found.
    """

    state: State
    first: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    moved: int = 0
    known: bool = False

    @property
    def since(self) -> str:
        """Since when the note changed, in words."""
        return "since this was answered" if self.known else "since it was indexed"

    @property
    def warning(self) -> str:
        """What to tell of a note that is not as it was; "" where nothing is amiss."""
        return _CHANGED.get(self.state, "").format(since=self.since)


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
    known = indexed == read.raw_hash
    whole = _find(lines, passage.text)
    first = whole or _uppermost(lines, quotes)
    if first and all(_find(lines, quote) for quote in quotes):
        if first == passage.first:  # part of a long line
            same = known or not indexed
            return _around("current" if same else "edited", lines, first, size, margin)
        inside = 0 if whole else max(0, _uppermost(passage.text.split("\n"), quotes) - 1)
        moved = first - passage.first - inside
        return replace(_around("moved", lines, first, size, margin), moved=moved, known=known)
    return Standing("lost", min(passage.first, len(lines)), known=known)


def _uppermost(lines: Sequence[str], quotes: Sequence[str]) -> int:
    """The line of the first of the quotes that stand in these lines; 0 for none."""
    return min(filter(None, (_find(lines, quote) for quote in quotes)), default=0)


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
