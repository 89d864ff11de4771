"""Tables of reStructuredText, line for line: a row is read on its first line, as rows of CSV files
are, "- Item: Rope; Cost: 14 euros". Cells over several columns or rows stand where they begin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rag.reading.tables import named_row

_GRID = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*$")
_GRID_INSIDE = re.compile(r"\+[-=]{2,}\+")  # a border of some of the cells
_SIMPLE = re.compile(r"[ \t]*=+(?:[ \t]+=+)+[ \t]*$")
_SPAN = re.compile(r"[ \t]*-+(?:[ \t]+-+)*[ \t]*$")
_MOST_COLUMNS = 200
_LIST_ROW = re.compile(r"[ \t]*[*+-][ \t]+([*+-])(?:[ \t]|$)")


@dataclass(slots=True)
class _Row:
    """A row whose first line is the one at `at`; cells are gathered line by line."""

    at: int
    cells: list[list[str]] = field(default_factory=list)

    def texts(self) -> list[str]:
        return [" ".join(" ".join(each).split()) for each in self.cells]


def table_at(lines: Sequence[str], at: int) -> list[str] | None:
    """What the lines of the grid or simple table that begins at `at` read as; None for none."""
    if _GRID.match(lines[at]):
        return _grid(lines, at)
    return _simple(lines, at) if _SIMPLE.match(lines[at]) else None


def list_table(lines: Sequence[str], heads: int) -> list[str]:
    """What the `lines` inside a list-table read as, the first `heads` rows of which name columns.
    Lines above the first row are blank."""
    rows: list[_Row] = []
    row_at = cell_at = -1
    for number, line in enumerate(lines):
        found = _LIST_ROW.match(line)
        indent = len(line) - len(line.lstrip())
        if found and (row_at < 0 or indent == row_at):
            row_at, cell_at = indent, found.start(1)
            rows.append(_Row(number, [[line[found.end(1) :]]]))
        elif rows and indent == cell_at and re.match(r"[*+-](?:[ \t]|$)", line.lstrip()):
            rows[-1].cells.append([line[cell_at + 1 :]])
        elif rows and line.strip():
            rows[-1].cells[-1].append(line.strip())
    return _written(rows, heads, len(lines))


def _grid(lines: Sequence[str], at: int) -> list[str] | None:
    end = at
    while end < len(lines) and lines[end].strip().startswith(("+", "|")):
        end += 1
    indent = len(lines[at]) - len(lines[at].lstrip())
    body = [line[indent:].rstrip() for line in lines[at:end]]
    while not _GRID.match(body[-1]):  # what never closes stays text
        body.pop()
    # Borders of single columns count: where some cells go on, others end.
    marks = sorted({n for line in body if _GRID.match(line) for n in _places(line, "+")})
    if len(body) < 3 or len(marks) > _MOST_COLUMNS:
        return None
    rows: list[_Row] = []
    heads, begun = 0, False
    for number, line in enumerate(body):
        if _GRID.match(line) or _GRID_INSIDE.search(line):
            heads = len(rows) if "=" in line and _GRID.match(line) else heads
            begun = False
            continue
        if not begun:
            rows.append(_Row(number, [[] for _ in marks[1:]]))
            begun = True
        for column, text in _grid_cells(line, marks):
            rows[-1].cells[column].append(text)
    return _written(rows, heads, len(body))


def _grid_cells(line: str, marks: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The cells on a line, by their column. Letters that are two columns wide, as those of Chinese,
    move the marks; then they are counted."""
    parts = line.strip("|").split("|")
    if len(parts) == len(marks) - 1:
        yield from enumerate(parts)
        return
    walls = [n for n in marks if line[n : n + 1] in ("|", "+")]
    for start, stop in pairwise(walls):
        yield marks.index(start), line[start + 1 : stop]


def _simple(lines: Sequence[str], at: int) -> list[str] | None:
    """Rows below a line of "=", whose gaps part the columns, down to one before a blank line."""
    borders = []
    for number in range(at, len(lines)):
        if _SIMPLE.match(lines[number]):
            borders.append(number)
            if number > at and not "".join(lines[number + 1 : number + 2]).strip():
                break
    if len(borders) < 2:
        return None
    end = borders[-1]
    starts = [found.start() for found in re.finditer("=+", lines[at])]
    if len(starts) > _MOST_COLUMNS:
        return None
    rows: list[_Row] = []
    heads = 0
    for number in range(at + 1, end):
        line = lines[number]
        if _SIMPLE.match(line):
            heads = len(rows)
        elif line.strip() and not _SPAN.match(line):
            if line[: starts[1]].strip() or not rows:
                rows.append(_Row(number - at, [[] for _ in starts]))
            # A word across a gap belongs to a cell over both columns.
            walls = [0, *(n for n in starts[1:] if not line[n - 1 : n].strip()), len(line) + 1]
            for start, stop in pairwise(walls):
                column = starts.index(start) if start else 0
                rows[-1].cells[column].append(line[start:stop])
    return _written(rows, heads, end + 1 - at)


def _written(rows: Sequence[_Row], heads: int, size: int) -> list[str]:
    """`size` lines with the rows on theirs; the first `heads` name the columns."""
    result = [""] * size
    columns: list[str] = []
    if rows and heads:
        widest = max(len(row.cells) for row in rows)
        texts = [[*row.texts(), *[""] * widest] for row in rows[:heads]]
        columns = [
            " ".join(filter(None, each)) for each in list(zip(*texts, strict=False))[:widest]
        ]
        result[rows[0].at] = f"Columns: {', '.join(filter(None, columns))}"
    for row in rows[heads:]:
        result[row.at] = f"- {named_row(columns, row.texts())}"
    return result


def _places(line: str, mark: str) -> list[int]:
    return [number for number, letter in enumerate(line) if letter == mark]
