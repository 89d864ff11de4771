"""Markdown as one reads it who was taught sentences: without marks, rows naming their columns.

"| Agatha | blue | 21 kg |" says little; "Hive: Agatha; Marked: blue; Honey: 21 kg", as rows of CSV
files are read, says what it means. Every letter knows where it stands in the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.reading.links import blanked, next_fence
from rag.reading.marks import ROW, RULE

_MARK = re.compile(r"(?<!\\)\|")
_NOTHING = re.compile(r"[-–—./\s]*")


Place = tuple[int, int]  # of a cell, where it begins and ends


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


@dataclass(frozen=True, slots=True)
class Line:
    """A line at `text[start:end]`. In a table: where its cells stand and, of a row, the names of
    its columns, if it has any."""

    start: int
    end: int
    kind: Literal["text", "names", "rule", "row"] = "text"
    cells: Sequence[Place] = ()
    names: Sequence[Place] = ()


def lines_of(text: str) -> Iterator[Line]:
    """The lines of Markdown `text`, those of its tables with their cells; code has none. Rows
    below the names of their columns may do without a mark at their beginning, as GFM has it."""
    lines = text.split("\n")
    names: list[Place] = []
    fence, offset = "", 0
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        start, end = offset, offset + len(line)
        offset = end + 1
        inside, fence = fence, next_fence(line, fence)
        cells = _cells(line, start) if "|" in line and not (inside or fence) else []
        if cells and _is_rule(line):
            yield Line(start, end, "rule")
        elif cells and not names and _is_rule(below) and (ROW.match(line) or len(cells) > 1):
            names = cells
            yield Line(start, end, "names", cells)
        elif cells and (names or ROW.match(line)):
            yield Line(start, end, "row", cells, names)
        else:
            names = []
            yield Line(start, end)


def _pieces(text: str, flat: str) -> Iterator[tuple[str, int, bool]]:
    """Pieces of what is read, where they stand, and whether they are names put before a cell."""
    for line in lines_of(text):
        if line.kind == "text":
            yield flat[line.start : line.end + 1], line.start, False
            continue
        if line.kind == "row":
            yield from _row(flat, line)
        if line.kind != "rule" and line.end < len(flat):
            yield "\n", line.end, False


def _row(flat: str, line: Line) -> Iterator[tuple[str, int, bool]]:
    begun = False
    for n, (start, end) in enumerate(line.cells):
        cell = flat[start:end]
        if _NOTHING.fullmatch(cell):
            continue
        start += len(cell) - len(cell.lstrip())
        name = flat[slice(*line.names[n])].strip() if n < len(line.names) else ""
        yield ("; " if begun else "") + (f"{name}: " if name else ""), start, True
        yield cell.strip(), start, False
        begun = True


def _is_rule(line: str) -> bool:
    return "-" in line and "|" in line and bool(RULE.fullmatch(line))


def _cells(line: str, offset: int) -> list[Place]:
    """Where the cells of a row stand."""
    begin, end = len(line) - len(line.lstrip()), len(line.rstrip())
    marks = [mark.start() for mark in _MARK.finditer(line)]
    if marks and marks[0] == begin:
        begin, marks = begin + 1, marks[1:]
    if marks and marks[-1] == end - 1:
        end, marks = end - 1, marks[:-1]
    starts, ends = [begin, *(mark + 1 for mark in marks)], [*marks, end]
    return [(offset + a, offset + b) for a, b in zip(starts, ends, strict=True) if a <= b]
