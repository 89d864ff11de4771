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
    month_of,
    says_nothing,
    unnamed_fields,
)
from rag.answering.grounding import cite, marked, own_words
from rag.answering.steps import Sentence
from rag.reading.links import plain
from rag.reading.rows import lines_of
from rag.retrieval.expected import expected
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.query import content_words
from rag.retrieval.surroundings import Neighbours, section_of

_PASSAGES = 5  # are looked at
_DENIES = re.compile(
    r"\b(?:not?|never|without|was|were|former|old|until|except|ex)\b", re.IGNORECASE
)
_LABELLED = re.compile(r"^\s*+[-*+•]\s++(?=[^;:]+: )")  # a row as tables in CSV files are read
_OTHERWISE = re.compile(
    r"^\W*(?:why|did|do|does|is|are|was|were|has|have|had|can|could|will|would|should|may|explain|"
    r"describe|compare|how(?! (?:many|much|old|big|large|tall|high|long|far|heavy|deep|wide|fast|"
    r"often|loud|noisy|hot|cold|"
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
_ENDS = re.compile(r"\b(?:expir(?:es?|ed|y)|(?:runs?|ran) out|end(?:s|ed)?|valid)\b", re.IGNORECASE)
_DUE = re.compile(r"\b(?:due|deadline|by when|until when)\b", re.IGNORECASE)
# Words of a question that name nothing: what one does with everything.
_LIGHT = (
    "use uses used run runs running have has had cost costs get gets got take takes hold holds "
    "need needs listen listens live lives belong belongs give given make made set start started "
    "begin began go goes went put puts pay paid buy bought weigh weighs be been come came out "
    "release released publish published launch launched appear appeared mine current currently "
    "number people out end ends ended expire expires last lasts"
)
_PARTICLES = {"up", "down", "off"}  # "came up with" is no matter of "computing time up front"
# What a column is called that answers how something is, and the word that asks for it.
_MEASURES = {
    "often": "how often|often|frequency|interval|every",
    "loud": "noise|loudness|volume",
    "noisy": "noise|loudness|volume",
    "heavy": "weight",
    "tall": "height",
    "high": "height",
    "big": "size|area",
    "large": "size|area",
    "far": "distance",
    "fast": "speed|pace",
    "old": "age",
    "long": "length|duration|time",
}
_HOW = re.compile(rf"\W*how ({'|'.join(_MEASURES)})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_WHAT = re.compile(r"\W*(?:what|who)\b", re.IGNORECASE)
# Of the name of a column, what need not be said: "Warranty until", "Honey 2026".
_SAID_BESIDE = re.compile(r"\b(?:until|till|by|from|since|date|no|nr|\d+)\b", re.IGNORECASE)


Place = tuple[int, int, str]  # where a row or a line stands in a passage, and what it answers


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
    how = measure[1].casefold() if (measure := _HOW.match(question)) else ""
    asked = Asked(
        typed,
        set(analyze(question)),
        {*analyze(" ".join(content_words(question)))} - _PARTICLES,
        set(analyze(f"{_LIGHT} {how}")),
        _columns(question) | set(_MEASURES.get(how, "").split("|")),
        unnamed_fields(question, analyze),
        kind[1].casefold() if (kind := _KIND.match(question)) else "",
    )
    empty: Empty | None = None
    for n, passage in enumerate(passages[:_PASSAGES], 1):
        found = _in_table(asked, passage, neighbours, analyze)
        try:
            field = None if found else find_field(asked, passage, analyze)
        except Empty as nothing:
            empty, field = nothing, None
        if found or field:
            return _cited(n, [field] if field else found, passages)
    if empty:
        raise empty
    return None


def _cited(n: int, cells: Sequence[Place], passages: Sequence[Passage]) -> Sentence:
    """Cells of passage `n`, each cited with its row."""
    passage = passages[n - 1]
    said, citations = [], []
    for start, end, cell in cells:
        line = min(passage.first + passage.text.count("\n", 0, start), passage.last)
        shown = passage.text[start:end]
        last = min(line + shown.count("\n"), passage.last)
        citations.append(cite(Evidence(n, shown, line, last, start, end, 0.0), passages))
        said.append(own_words(" ".join(plain(cell).split())))
    return Sentence(marked(", ".join(said), n), tuple(citations), "supported")


def _columns(question: str) -> set[str]:
    """What a column may be called that answers a question without being named in it."""
    kind = expected(question)
    columns = set(_COLUMNS.get(kind or "", ()))
    if kind in ("time", "year", "date"):
        columns |= {"since"} if _SINCE.search(question) else set()
        columns |= {"due", "deadline"} if _DUE.search(question) else set()
        columns |= {"expires", "expiry", "until"} if _ENDS.search(question) else set()
    return columns


def _in_table(
    asked: Asked, passage: Passage, neighbours: Neighbours, analyze: Analyze
) -> list[Place]:
    """The cells of a table that are asked for, and where their rows stand in the passage."""
    if "|" not in passage.text and "; " not in passage.text:
        return []
    beside = neighbours(passage)
    section = section_of(passage, beside)  # the names may stand in the one before
    texts = [passage.text, *(each.text for each in beside if each.path == passage.path)]
    whole = not any(map(_goes_on, texts))
    names = "\n".join((passage.title, *passage.headings))
    about = set(analyze(f"{names}\n{month_of(passage)}"))
    # "Which server has 16 GB?" is what a table of "Servers" has rows of; "which servers", several.
    kinds = {f"{asked.kind}s", f"{asked.kind}es", f"{asked.kind[:-1]}ies"} if asked.kind else set()
    if asked.kind.endswith("s"):
        kinds |= {asked.kind, asked.kind[:-1]}
    rows_asked = not kinds.isdisjoint(names.casefold().split())
    for table in _tables(section.text):
        crossings = _crossings(asked, about, table, analyze, rows_asked, whole)
        places = [
            (row.start - section.start, row.end - section.start, cell) for row, cell in crossings
        ]
        # Not of the passage beside, which has no number.
        if places and all(0 <= start < end <= len(passage.text) for start, end, _ in places):
            return places
    return []


def _crossings(
    asked: Asked,
    about: set[str],
    table: Sequence[_Row],
    analyze: Analyze,
    rows_asked: bool,
    whole: bool,
) -> list[tuple[_Row, str]]:
    """The row and the cell that a question asks a table for; `about` are words of its title. Where
    no column is named and `rows_asked`, the first cell, which names the row: then of several, if it
    is the `whole` table."""
    bare = {name: _UNIT.sub("", plain(name)).strip() for row in table for name, _ in row.cells}
    columns = {name: set(analyze(bare[name])) for name in bare}
    least_said = {
        name: {*analyze(_SAID_BESIDE.sub(" ", bare[name]))} or columns[name] for name in bare
    }
    named = {
        name
        for name, words in least_said.items()
        if words and words <= asked.words and not _of_other_years(bare[name], asked.question)
    }
    sought = asked.telling.difference(*(columns[name] for name in named))
    held = [{name: sought & {*analyze(plain(cell))} for name, cell in row.cells} for row in table]
    scores = [
        (len(words - asked.light), len(words)) for words in (_union(row.values()) for row in held)
    ]
    best = max(scores, default=(0, 0))
    if best == (0, 0) or (scores.count(best) > 1 and not rows_asked):
        return []
    at = [place for place, score in enumerate(scores) if score == best]
    row, cells = table[at[0]], held[at[0]]
    columns_held = {frozenset(name for name, words in held[each].items() if words) for each in at}
    if len(columns_held) > 1:
        return []  # in another column it is another thing
    if sought - asked.light - about - _union(cells.values()):
        return []  # it speaks of something that is not in the table
    least = asked.light if best[0] else set[str]()
    known = {name for name, words in cells.items() if words - least}
    answering = named - known or {
        name
        for name in columns.keys() - known
        if not asked.columns.isdisjoint(each.strip() for each in bare[name].casefold().split("/"))
    }
    if len(answering) > 1:  # "insurance" is the table here, though a column is called "insurer"
        answering = {name for name in answering if not columns[name] <= about}
    first = row.cells[0][0]
    # "What runs on port 8123?" asks for what has that port.
    by_column = bool(named & known) and len(at) == 1 and _WHAT.match(asked.question)
    if not answering and (rows_asked or by_column) and first not in known:
        answering = {first}
    if len(at) > 1 and (answering != {first} or not whole or _denied(held, at, table)):
        return []
    found = [
        (table[each], cell) for each in at for name, cell in table[each].cells if name in answering
    ]
    # Two columns may have one name, and then it is not known which is asked for.
    return [] if len(found) != len(at) or any(says_nothing(cell) for _, cell in found) else found


def _of_other_years(column: str, question: str) -> bool:
    """Whether a column is of years, and the question of others."""
    years, wanted = ({*_YEAR.findall(text)} for text in (column, question))
    return bool(years and wanted) and not wanted <= years


def _goes_on(text: str) -> bool:
    """Whether a passage begins in the midst of a table."""
    return next(lines_of(text.lstrip())).kind == "row"


def _denied(held: Sequence[dict[str, set[str]]], at: Sequence[int], table: Sequence[_Row]) -> bool:
    """Whether a cell that holds what is asked for may say that it is not so: "no Debian"."""
    return any(
        _DENIES.search(cell)
        for each in at
        for name, cell in table[each].cells
        if held[each].get(name)
    )


def _union(sets: Iterable[set[str]]) -> set[str]:
    return set[str]().union(*sets)


def _tables(text: str) -> Iterator[list[_Row]]:
    """The tables of a text, with the names of their columns; those without are none."""
    rows: list[_Row] = []
    for line in lines_of(text):
        labelled = _labelled(text[line.start : line.end]) if line.kind == "text" else ()
        if labelled or (line.kind == "row" and line.names):
            names, cells = (
                [text[start:end].strip().replace("\\|", "|") for start, end in places]
                for places in (line.names, line.cells)
            )
            end = line.start + len(text[line.start : line.end].rstrip())
            rows.append(_Row(line.start, end, labelled or tuple(zip(names, cells, strict=False))))
        elif rows and line.kind != "rule":
            yield rows
            rows = []
    if rows:
        yield rows


def _labelled(line: str) -> tuple[tuple[str, str], ...]:
    """The cells of "- Service: Gitea; Port: 3001", of two columns or more."""
    if not (begin := _LABELLED.match(line)):
        return ()
    parts = [each.partition(": ") for each in line[begin.end() :].split("; ")]
    if len(parts) < 2 or not all(mark and len(name.split()) <= 4 for name, mark, _ in parts):
        return ()
    return tuple((name.strip(), cell.strip()) for name, _, cell in parts)
