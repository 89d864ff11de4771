"""A cell of a table: "Which port does Jellyfin use?" names a column and a row, and asks for the
cell where they cross. Likewise a line "Password: …": "What is the wifi password?" names it and its
note.

Embedder, reader and language model were taught sentences; "| Jellyfin | 8096 | 2023 |" says little
to them. So cells are looked up by rule, and only where every word of the question is accounted for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.fields import (
    Analyze,
    Asked,
    Empty,
    even,
    find_field,
    says_nothing,
    unnamed_fields,
)
from rag.answering.grounding import cite, marked, own_words
from rag.answering.steps import Sentence
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.expected import expected
from rag.retrieval.query import content_words
from rag.retrieval.search import Passage
from rag.retrieval.surroundings import Neighbours, section_of

_PASSAGES = 5  # are looked at
_RULE = re.compile(r"\|?\s*+:?-+:?\s*+(?:[|+]\s*+:?-+:?\s*+)*+\|?")
_CELL = re.compile(r"(?<!\\)\|")
_LABELLED = re.compile(r"^\s*+[-*+•]\s++(?=[^;:]+: )")  # a row as tables in CSV files are read
_OTHERWISE = re.compile(
    r"^\W*(?:why|did|do|does|is|are|was|were|has|have|had|can|could|will|would|should|may|explain|"
    r"describe|compare|how(?! (?:many|much|old|big|large|tall|high|long|far|heavy|deep|wide|fast|"
    r"(?:did|do|would) (?:i|we) rate|can (?:i|we) (?:call|reach)|to reach)\b))\b|"
    r"\b(?:not|never|no|neither|nor|other|else|than|except|without|besides|before|after|until)\b|"
    r"n't\b",
    re.IGNORECASE,
)
_UNIT = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*$")  # "Cost (EUR)"
_KIND = re.compile(r"\W*(?:which|what) (\w+)\b", re.IGNORECASE)
# What a column is called that answers "when" and "how much does it cost" without being named; and
# those that answer only where the question speaks of a beginning or an end.
_COLUMNS = {
    "time": {"date", "when", "time", "year", "day"},
    "year": {"date", "when", "year"},
    "date": {"date", "when", "day"},
    "price": {"price", "cost", "costs", "amount", "paid"},
}
_SINCE = re.compile(r"\b(?:since|start(?:s|ed)?|beg[ia]n|join(?:s|ed)?)\b", re.IGNORECASE)
_DUE = re.compile(r"\b(?:due|deadline|by when|until when)\b", re.IGNORECASE)
# Words of a question that name nothing: what one does with everything.
_LIGHT = (
    "use uses used run runs running have has had cost costs get gets got take takes hold holds "
    "need needs listen listens live lives belong belongs give given make made set start started "
    "begin began go goes went put puts pay paid buy bought weigh weighs be been come came out "
    "release released publish published launch launched appear appeared mine current currently "
    "number people"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table that stands at `text[start:end]`: its cells, by the names of columns."""

    start: int
    end: int
    cells: tuple[tuple[str, str], ...]


def find_cell(
    question: str, passages: Sequence[Passage], neighbours: Neighbours, analyze: Analyze
) -> Sentence | None:
    """The cell that a question asks for, cited with its row; None where none or several may be
    meant, or where the question says more than the table.

    The row is the one that holds most words of the question, the column the only one that the
    question names, or the only one that can answer it, beside those whose cells it names. Raises
    Empty where it asks for a field of the front matter in which nothing stands.
    """
    said = question
    for passage in passages[:_PASSAGES]:  # "Never Let Me Go" denies nothing; "Not" may
        if " " in passage.title:
            said = re.sub(rf"(?<!\w){re.escape(passage.title)}(?!\w)", " ", said, flags=re.I)
    if _OTHERWISE.search(said):
        return None
    typed, question = question, even(question)
    asked = Asked(
        typed,
        set(analyze(question)),
        set(analyze(" ".join(content_words(question)))),
        set(analyze(_LIGHT)),
        _columns(question),
        unnamed_fields(question, analyze),
        kind[1].casefold() if (kind := _KIND.match(question)) else "",
    )
    empty: Empty | None = None
    for n, passage in enumerate(passages[:_PASSAGES], 1):
        found = _in_table(asked, passage, neighbours, analyze)
        try:
            found = found or find_field(asked, passage, analyze)
        except Empty as nothing:
            empty = nothing
        if found:
            start, end, cell = found
            line = passage.first + passage.text.count("\n", 0, start)
            shown = passage.text[start:end]
            last = line + shown.count("\n")
            evidence = Evidence(n, shown, line, last, start, end, 0.0)
            text = own_words(" ".join(plain(cell).split()))
            return Sentence(marked(text, n), (cite(evidence, passages),), "supported")
    if empty:
        raise empty
    return None


def _columns(question: str) -> set[str]:
    """What a column may be called that answers a question without being named in it."""
    kind = expected(question)
    columns = set(_COLUMNS.get(kind or "", ()))
    if kind in ("time", "year", "date"):
        columns |= {"since"} if _SINCE.search(question) else set()
        columns |= {"due", "deadline"} if _DUE.search(question) else set()
    return columns


def _in_table(
    asked: Asked, passage: Passage, neighbours: Neighbours, analyze: Analyze
) -> tuple[int, int, str] | None:
    """A cell of a table and where its row stands in the passage."""
    if "|" not in passage.text and "; " not in passage.text:
        return None
    section = section_of(passage, neighbours(passage))  # the names may stand in the one before
    names = "\n".join((passage.title, *passage.headings))
    about = set(analyze(names))
    # "Which server has 16 GB?" is what a table of "Servers" has rows of.
    rows_asked = bool(asked.kind) and not {*names.casefold().split()}.isdisjoint(
        (f"{asked.kind}s", f"{asked.kind}es", f"{asked.kind[:-1]}ies")
    )
    for table in _tables(section.text):
        if crossing := _crossing(asked, about, table, analyze, rows_asked):
            row, cell = crossing
            start, end = row.start - section.start, row.end - section.start
            if 0 <= start < end <= len(passage.text):  # not of the one beside, which has no number
                return start, end, cell
    return None


def _crossing(
    asked: Asked, about: set[str], table: Sequence[_Row], analyze: Analyze, rows_asked: bool
) -> tuple[_Row, str] | None:
    """The row and the cell that a question asks a table for; `about` are words of its title. Where
    no column is named and `rows_asked`, the first cell, which names the row."""
    bare = {name: _UNIT.sub("", plain(name)).strip() for row in table for name, _ in row.cells}
    columns = {name: set(analyze(bare[name])) for name in bare}
    named = {name for name, words in columns.items() if words and words <= asked.words}
    sought = asked.telling.difference(*(columns[name] for name in named))
    held = [{name: sought & {*analyze(plain(cell))} for name, cell in row.cells} for row in table]
    scores = [
        (len(words - asked.light), len(words)) for words in (_union(row.values()) for row in held)
    ]
    best = max(scores, default=(0, 0))
    if best == (0, 0) or scores.count(best) > 1:
        return None
    row, cells = table[scores.index(best)], held[scores.index(best)]
    if sought - asked.light - about - _union(cells.values()):
        return None  # it speaks of something that is not in the table
    least = asked.light if best[0] else set[str]()
    known = {name for name, words in cells.items() if words - least}
    answering = named - known or {
        name for name in columns.keys() - known if bare[name].casefold() in asked.columns
    }
    if len(answering) > 1:  # "insurance" is the table here, though a column is called "insurer"
        answering = {name for name in answering if not columns[name] <= about}
    if not answering and rows_asked and (first := row.cells[0][0]) not in known:
        answering = {first}
    found = [cell for name, cell in row.cells if name in answering]
    if len(found) != 1 or says_nothing(found[0]):
        return None
    return row, found[0]


def _union(sets: Iterable[set[str]]) -> set[str]:
    return set[str]().union(*sets)


def _tables(text: str) -> Iterator[list[_Row]]:
    """The tables of a text, with the names of their columns; those without are none."""
    names: list[str] = []
    rows: list[_Row] = []
    above, offset = "", 0
    for line in [*text.split("\n"), ""]:
        start, end = offset, offset + len(line.rstrip())
        offset += len(line) + 1
        if "|" in above and _RULE.fullmatch(line.strip()):
            names = _cells(above)
        elif labelled := _labelled(line):
            rows.append(_Row(start, end, labelled))
        elif names and "|" in line:
            rows.append(_Row(start, end, tuple(zip(names, _cells(line), strict=False))))
        elif rows or names:
            if rows:
                yield rows
            names, rows = [], []
        above = line


def _cells(line: str) -> list[str]:
    inside = line.strip().removeprefix("|")
    if inside.endswith("|") and not inside.endswith("\\|"):
        inside = inside[:-1]
    return [each.strip().replace("\\|", "|") for each in _CELL.split(inside)]


def _labelled(line: str) -> tuple[tuple[str, str], ...]:
    """The cells of "- Service: Gitea; Port: 3001", of two columns or more."""
    if not (begin := _LABELLED.match(line)):
        return ()
    parts = [each.partition(": ") for each in line[begin.end() :].split("; ")]
    if len(parts) < 2 or not all(mark and len(name.split()) <= 4 for name, mark, _ in parts):
        return ()
    return tuple((name.strip(), cell.strip()) for name, _, cell in parts)
