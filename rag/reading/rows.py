"""Markdown as one reads it who was taught sentences: without marks, rows naming their columns.

"| Agatha | blue | 21 kg |" says little; "Hive: Agatha; Marked: blue; Honey: 21 kg", as rows of CSV
files are read, says what it means. Every letter knows where it stands in the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.reading.links import blanked
from rag.reading.marks import ROW, RULE

_CELL = re.compile(r"(?<!\\)\|")
_NOTHING = re.compile(r"[-–—./\s]*")


@dataclass(frozen=True, slots=True)
class AsRead:
    """A text, and where each letter of it stands in the Markdown; what names a column stands, with
    a minus and less one, at the cell."""

    text: str
    places: Sequence[int]

    def window(self, start: int, end: int) -> AsRead:
        """What stands in `[start:end]` of the Markdown."""
        kept = [n for n, at in enumerate(self.places) if start <= _place(at) < end]
        first, last = (kept[0], kept[-1] + 1) if kept else (0, 0)
        return AsRead(self.text[first:last], self.places[first:last])

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where `text[start:end]` stands in the Markdown; None for what stands nowhere: the name of
        a column, and what goes from one cell to the next."""
        own = [at for at in self.places[start:end] if at >= 0]
        named = any(at < 0 for at in self.places[start + 1 : end] if own and _place(at) > own[0])
        return (own[0], own[-1] + 1) if own and not named else None


def as_read(text: str) -> AsRead:
    """Markdown `text` without marks, in the rows of tables each cell behind its column's name."""
    flat = blanked(text)
    if "|" not in text:
        return AsRead(flat, range(len(flat)))
    letters: list[str] = []
    places: list[int] = []
    for piece, at, named in _pieces(text, flat):
        letters.append(piece)
        places += [-1 - at] * len(piece) if named else range(at, at + len(piece))
    return AsRead("".join(letters), places)


def _place(at: int) -> int:
    return at if at >= 0 else -1 - at


def _pieces(text: str, flat: str) -> Iterator[tuple[str, int, bool]]:
    """Pieces of what is read, where they stand, and whether they are names put before a cell."""
    lines = text.split("\n")
    names: list[str] = []
    offset = 0
    for number, line in enumerate(lines):
        start, end = offset, offset + len(line)
        offset = end + 1
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if not ROW.match(line):
            names = []
            yield flat[start:offset], start, False
        elif _is_rule(below):
            names = [flat[a:b].strip() for a, b in _cells(line, start)]
            yield "\n", end, False
        else:
            if not _is_rule(line.strip()):
                yield from _row(flat, _cells(line, start), names)
            if end < len(flat):
                yield "\n", end, False


def _is_rule(line: str) -> bool:
    return "-" in line and "|" in line and bool(RULE.fullmatch(line))


def _row(
    flat: str, cells: Sequence[tuple[int, int]], names: Sequence[str]
) -> Iterator[tuple[str, int, bool]]:
    begun = False
    for n, (start, end) in enumerate(cells):
        cell = flat[start:end]
        if _NOTHING.fullmatch(cell):
            continue
        start += len(cell) - len(cell.lstrip())
        name = f"{names[n]}: " if n < len(names) and names[n] else ""
        yield ("; " if begun else "") + name, start, True
        yield cell.strip(), start, False
        begun = True


def _cells(line: str, offset: int) -> list[tuple[int, int]]:
    """Where the cells of a row stand."""
    marks = [mark.start() for mark in _CELL.finditer(line)]
    ends = [*marks[1:], len(line.rstrip())]
    return [(offset + a + 1, offset + b) for a, b in zip(marks, ends, strict=True) if a + 1 <= b]
