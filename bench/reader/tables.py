"""Training pairs of tables and of lines with a label: `tables.py OUT FOLDER [--seed N]`

FOLDER is WikiTableQuestions (Pasupat and Liang 2015, CC BY-SA 4.0). Of its questions those are
taken whose answer is one cell, in a row that the question names by another cell: what a person asks
a table in their notes, neither counted nor compared. To them come questions by rule, of a few
words, about some cells of each table. A pair is as in `pairs.py`; the text is some rows around the
one meant, as `rag.reading.rows` reads them, or the row alone as a note of lines "Column: cell".
Not answered are the same questions beside other rows of the table, beside rows without the column
asked for, and of a row that is not there.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.reader.pairs import Pair
from rag.reading.rows import as_read

_FILES = ("training.tsv", "pristine-seen-tables.tsv", "pristine-unseen-tables.tsv")
_COUNTS = re.compile(
    r"\b(?:most|least|total|first|last|next|previous|before|after|above|below|more|less|fewer|"
    r"difference|times|consecutive|average|highest|lowest|longest|shortest|earliest|latest|only|"
    r"other|same|besides|than|largest|smallest|greatest|top|bottom|listed|"
    r"each|both|or)\b|\w+est\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z][a-z]{2,}(?: [A-Za-z]+){0,2}")
_ASKED = (
    "what is the {name} of {of}?",
    "{name} of {of}",
    "{of} {name}",
    "{name} for {of}",
    "what's the {name} of {of}",
    "which {name} does {of} have?",
    "{of}'s {name}",
)
_BY_RULE = 3  # questions about each table
_MOST_COLUMNS = 6
_MOST_CHARS = 60  # of a cell
_BEFORE, _AFTER = 1, 2  # rows that the reader sees beside the nearest one


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question for the cell at `row` and `column` of a table, and the column whose cell it names
    the row by; `rows[0]` are the names of the columns."""

    question: str
    rows: tuple[tuple[str, ...], ...]
    row: int
    column: int
    named: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    found = [*_lookups(options.folder), *_by_rule(options.folder, chance)]
    pairs = [pair for each in found for pair in _pairs(each, chance)]
    chance.shuffle(pairs)
    with options.out.open("w", encoding="utf-8") as out:
        for pair in pairs:
            out.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
    answered = sum(pair.start >= 0 for pair in pairs)
    print(f"{len(found)} questions, {len(pairs)} pairs, {answered} of them answered")


def _lookups(folder: Path) -> Iterator[Lookup]:
    for name in _FILES:
        with (folder / "data" / name).open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if _COUNTS.search(line["utterance"]) or "|" in line["targetValue"]:
                    continue
                rows = _table(folder / line["context"])
                if found := _lookup(line["utterance"], rows, line["targetValue"]):
                    yield found


def _by_rule(folder: Path, chance: random.Random) -> Iterator[Lookup]:
    """Questions for a cell by the names of its column and of its row, the first cell that names
    one."""
    for file in sorted((folder / "csv").glob("*/*.csv")):
        rows = _table(file)
        width = len(rows[0])
        columns = [n for n in range(width) if _NAME.fullmatch(rows[0][n])]
        naming = [n for n in columns if _names_rows(rows, n)]
        told = [n for n in columns if naming and n > naming[0]]
        for _ in range(_BY_RULE if told and len(rows) > 2 else 0):
            row, column = chance.randrange(1, len(rows)), chance.choice(told)
            cell = rows[row][column] if column < len(rows[row]) else ""
            if cell and len(cell) <= _MOST_CHARS and _bare(cell):
                name, of = rows[0][column], rows[row][naming[0]]
                question = chance.choice(_ASKED).format(name=name.lower(), of=of)
                yield Lookup(question, rows, row, column, naming[0])


def _names_rows(rows: Sequence[Sequence[str]], n: int) -> bool:
    cells = [row[n] if n < len(row) else "" for row in rows[1:]]
    return len({*cells}) == len(cells) and all(
        2 < len(each) <= _MOST_CHARS and re.search(r"[^\W\d_]{3}", each) for each in cells
    )


def _table(file: Path) -> tuple[tuple[str, ...], ...]:
    text = file.read_text(encoding="utf-8")
    read = csv.reader(io.StringIO(text, newline=""), escapechar="\\", doublequote=False)
    return tuple(
        tuple(" ".join(cell.replace("\\n", " ").replace("|", "/").split()) for cell in row)
        for row in read
    )


def _lookup(question: str, rows: Sequence[tuple[str, ...]], answer: str) -> Lookup | None:
    """The cell that is asked for; None where it is not one, or no other cell names its row."""
    width = len(rows[0])
    said = f" {_bare(question)} "
    if not _bare(answer) or f" {_bare(answer)} " in said:
        return None
    names = [frozenset(_named(row[:width], said)) for row in rows]
    places = [
        (n, column)
        for n, row in enumerate(rows[1:], 1)
        for column, cell in enumerate(row[:width])
        if cell.casefold() == answer.casefold() and len(cell) <= _MOST_CHARS and names[n]
    ]
    if len(places) != 1:
        return None
    row, column = places[0]
    alone = sum(names[row] <= each for each in names[1:]) == 1
    return Lookup(question, tuple(rows), row, column, min(names[row])) if alone else None


def _named(row: Sequence[str], said: str) -> Iterator[int]:
    """The cells of a row that a question says, some of them without what follows a comma."""
    for n, cell in enumerate(row):
        for part in (cell, re.split(r"[,(]", cell)[0]):
            if len(_bare(part)) > 2 and f" {_bare(part)} " in said:
                yield n
                break


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _pairs(each: Lookup, chance: random.Random) -> Iterator[Pair]:
    columns = _columns(each, chance)
    title = each.rows[0][each.named]
    own = _shown(each, each.row)
    yield _pair(each, title, own, columns)
    lines = "\n".join(
        f"{each.rows[0][n]}: {each.rows[each.row][n]}" for n in columns if each.rows[each.row][n]
    )
    yield _answered(each, each.rows[each.row][each.named], lines, lines)
    others = [n for n in range(1, len(each.rows)) if abs(n - each.row) > _AFTER + 1]
    if others:
        yield _pair(each, title, _shown(each, chance.choice(others)), columns)
    kept = [n for n in columns if n != each.column]
    if len(kept) > 1:
        yield _pair(each, title, own, kept)
        if chance.random() < 0.5:
            left = [line for line in lines.split("\n") if f": {_cell(each)}" not in line]
            yield Pair(each.question, each.rows[each.row][each.named], "\n".join(left))
    if others and (other := _of_another(each, chance.choice(others))):
        yield Pair(other, title, _read(each, own, columns))


def _cell(each: Lookup) -> str:
    return each.rows[each.row][each.column]


def _columns(each: Lookup, chance: random.Random) -> list[int]:
    """Which columns are shown: the two that matter and some others, in their order."""
    width = len(each.rows[0])
    more = [n for n in range(width) if n not in (each.column, each.named) and each.rows[0][n]]
    chance.shuffle(more)
    return sorted([each.column, each.named, *more[: _MOST_COLUMNS - 2]])


def _shown(each: Lookup, row: int) -> range:
    return range(max(1, row - _BEFORE), min(len(each.rows), row + _AFTER + 1))


def _read(each: Lookup, rows: Sequence[int], columns: Sequence[int]) -> str:
    def line(row: Sequence[str]) -> str:
        return f"| {' | '.join(row[n] if n < len(row) else '' for n in columns)} |"

    table = [line(each.rows[0]), "|" + "---|" * len(columns)]
    text = "\n".join([*table, *(line(each.rows[n]) for n in rows)])
    return as_read(text).text.strip()


def _pair(each: Lookup, title: str, rows: Sequence[int], columns: Sequence[int]) -> Pair:
    text = _read(each, rows, columns)
    if each.row not in rows or each.column not in columns:
        return Pair(each.question, title, text)
    return _answered(each, title, text, text.split("\n")[rows.index(each.row)])


def _answered(each: Lookup, title: str, text: str, line: str) -> Pair:
    """The pair with the place of the cell in its line, behind its column's name."""
    before = f"{each.rows[0][each.column]}: "
    inside = line.find(before + _cell(each))
    if inside < 0:
        return Pair(each.question, title, "")  # a name of a column that is twice there, say
    start = text.find(line) + inside + len(before)
    return Pair(each.question, title, text, start, start + len(_cell(each)))


def _of_another(each: Lookup, row: int) -> str:
    """The question asked of a row that is not shown."""
    cell = each.rows[row][each.named] if each.named < len(each.rows[row]) else ""
    old = re.escape(each.rows[each.row][each.named])
    changed, count = re.subn(rf"(?<!\w){old}(?!\w)", lambda _: cell, each.question, flags=re.I)
    return changed if count == 1 and len(cell) > 2 else ""


if __name__ == "__main__":
    main()
