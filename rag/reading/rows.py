"""Markdown as one reads it who was taught sentences: without marks, rows naming their columns.

"| Agatha | blue | 21 kg |" says little; "Hive: Agatha; Marked: blue; Honey: 21 kg", as rows of CSV
files are read, says what it means. A line that ends without a full stop gets one: to a model that
takes a new line for a blank, the items of a list are one sentence. Every letter knows where it
stands in the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rag.reading.code import next_fence
from rag.reading.links import blanked, plain
from rag.reading.marks import ROW, RULE

_MARK = re.compile(r"(?<!\\)\|")
_NOTHING = re.compile(r"[-–—./\s]*")
_ENDED = frozenset(".:;,!?…|-–—")
_WRAPPED = 50  # letters or more of a line that a sentence may go on after


Place = tuple[int, int]  # of a cell, where it begins and ends


@dataclass(frozen=True, slots=True)
class AsRead:
    """A text, and where each letter of it stands in the Markdown; what is put in (the name of a
    column, a full stop) stands, with a minus and less one, at the cell or at the line's end."""

    text: str
    places: Sequence[int]

    def window(self, start: int, end: int) -> AsRead:
        """What stands in `[start:end]` of the Markdown."""
        kept = [n for n, at in enumerate(self.places) if start <= _place(at) < end]
        first, last = (kept[0], kept[-1] + 1) if kept else (0, 0)
        return AsRead(self.text[first:last], self.places[first:last])

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where `text[start:end]` stands in the Markdown; None for what stands nowhere: the name of
        a column, and what goes from one cell or line to the next."""
        if end > start and self.places[end - 1] < 0 and self.text[end - 1] == ".":
            end -= 1
        own = [at for at in self.places[start:end] if at >= 0]
        named = any(at < 0 for at in self.places[start + 1 : end] if own and _place(at) > own[0])
        return (own[0], own[-1] + 1) if own and not named else None


def as_read(text: str) -> AsRead:
    """Markdown `text` without marks, in the rows of tables each cell behind its column's name, and
    a full stop after each line that needs one."""
    flat = blanked(text)
    letters: list[str] = []
    places: list[int] = []
    for piece, at, named in _pieces(text, flat):
        letters.append(piece)
        places += [-1 - at] * len(piece) if named else range(at, at + len(piece))
    return AsRead("".join(letters), places)


def spoken(text: str) -> str:
    """Markdown `text` as one line to read, without marks: "Hive: Agatha; Honey: 21 kg"."""
    said = []
    for line in lines_of(text):
        if line.kind == "row":
            said.append("; ".join(cells_said(text, line)))
        elif line.kind == "text":
            said.append(plain(text[line.start : line.end]))
    return " ".join(" ".join(said).split())


def cells_said(text: str, row: Line) -> list[str]:
    """The cells of a row that say something, each behind its column's name."""
    names, cells = (
        [plain(text[start:end]).strip() for start, end in places]
        for places in (row.names, row.cells)
    )
    named = zip_longest(names[: len(cells)], cells, fillvalue="")
    return [f"{name}: {cell}" if name else cell for name, cell in named if cell]


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
    """Pieces of what is read, where they stand, and whether they are put in."""
    for line in lines_of(text):
        if line.kind == "rule":
            continue
        pieces = list(_row(flat, line) if line.kind == "row" else _line(flat, line))
        yield from pieces
        if pieces and _wants_stop(pieces[-1][0], text[line.end + 1 : line.end + 2]):
            said, at, _ = pieces[-1]
            yield ".", at + len(said) - 1, True
        if line.end < len(flat):
            yield "\n", line.end, False


def _line(flat: str, line: Line) -> Iterator[tuple[str, int, bool]]:
    said = flat[line.start : line.end].rstrip()
    if said and line.kind == "text":
        yield said, line.start, False


def _wants_stop(said: str, after: str) -> bool:
    """Whether a line ends without a full stop, and no sentence goes on in the next one."""
    return said[-1] not in _ENDED and (len(said) < _WRAPPED or not after.islower())


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
