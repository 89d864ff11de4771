"""Tables of comma-separated values: each row a line that names its columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from rag.reading.readable import Readable, Unreadable

# More is data, not notes: a passage for every few rows would take hours and drown the rest.
MOST_ROWS = 2000
_DELIMITERS = ",;\t|"
_LONGEST_CELL = 4000  # characters
_NUMBER = re.compile(r"[-+]?[\d.,:/%-]*\d[\d.,:/%-]*")


def read_table(text: str) -> Readable:
    """Rows as "- name: Ada; born: 1815", each on the line on which it begins.

    Raises Unreadable for a table that is too long, or none, or with a quotation mark left open.
    """
    lines = text.split("\n")
    result = [""] * len(lines)
    columns: list[str] | None = None
    delimiter = _delimiter(lines)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = 0
    try:
        number = first = 1
        for cells in reader:
            number, first = first, reader.line_num + 1
            row = [" ".join(each.split())[:_LONGEST_CELL] for each in cells]
            if not any(row):
                continue
            if columns is None:
                columns = _columns(row)
                if columns == row:
                    result[number - 1] = f"Columns: {', '.join(each for each in row if each)}"
                    continue
            rows += 1
            if rows > MOST_ROWS:
                raise Unreadable(f"is a table of more than {MOST_ROWS:,} rows")
            result[number - 1] = f"- {named_row(columns, row)}"
        if _left_open(lines[number - 1 :], delimiter):
            raise Unreadable(f"is not a table: a quotation mark in line {number} is never closed")
    except csv.Error as error:
        raise Unreadable(f"is not a table: {error} (line {reader.line_num})") from error
    return Readable("\n".join(result))


def _left_open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the last row goes on in whatever is written below it."""
    *_, last = csv.reader([*(f"{line}\n" for line in lines), "below"], delimiter=delimiter)
    return last != ["below"]


def _delimiter(lines: Sequence[str]) -> str:
    """The mark that cuts the first lines into equally many cells, and the most."""
    sample = [each for each in lines[:20] if each.strip()]
    return max(_DELIMITERS, key=lambda mark: min((each.count(mark) for each in sample), default=0))


def _columns(row: Sequence[str]) -> list[str]:
    """The names of the columns: the first row, unless it holds data itself."""
    distinct = len({each.casefold() for each in row if each}) == len([each for each in row if each])
    if distinct and not any(_NUMBER.fullmatch(each) for each in row):
        return [*row]
    return [f"column {number}" for number in range(1, len(row) + 1)]


def named_row(columns: Sequence[str], row: Sequence[str]) -> str:
    """The cells of a row that say something, each behind its column's name: "name: Ada; born: 1815"
    in one line."""
    names = [*columns, *([""] * (len(row) - len(columns)))]
    cells = zip(names, row, strict=False)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
