"""Questions that a note's layout answers: its headings, the items of its lists, the rows of its
tables, and sentences that begin with a link."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.evaluation.matching import normalise
from rag.evaluation.proposal import Proposal, even, sentences
from rag.evaluation.sensible import ELSEWHERE, POINTS
from rag.evaluation.subjects import Subjects
from rag.reading.blocks import Block
from rag.reading.documents import Document
from rag.reading.links import plain
from rag.reading.rows import cells_said, lines_of
from rag.reading.sentences import sentence_spans
from rag.retrieval.query import content_words

_ITEM = re.compile(
    r"\s*(?:[-*+]|\d+[.)])\s+\*\*(?P<term>[^*]{2,60}?):?\*\*\s*[:–—-]?\s+(?P<what>\S.{7,})"
)
_PAIR = re.compile(
    r"\s*(?:[-*+]\s+)?(?:\*\*)?(?P<key>[A-Za-z][\w -]{2,30}?)(?:\*\*)?:(?:\*\*)?\s+(?P<value>\S.*)"
)
_ADDED = re.compile(r"\s*\[[^\]]*\](?=:?\s*\Z)")
_NUMBER = re.compile(r"\A\s*(?:\d+[.)])+\s+")
_YEAR = re.compile(r"(?:in )?\d{4}", re.IGNORECASE)
# "a program that offers …", but not "an agent tries things".
_DEFINING = re.compile(
    r"(?:(?:an?|the)\s(?![\w-]+\s(?:\w+[^s\W]s|is|are|can|has)\b)|how (?:many|much|far|long)\s)",
    re.IGNORECASE,
)
# A heading that asks may be asked as it stands; one that only begins so goes on in lower case.
_ASKS = re.compile(
    r"(?:so |and |but )?(?:what|which|who|whose|when|where|why|how|is|are|was|were|do|does|did|can|"
    r"could|should|will|would|has|have)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\A(?:the |an? )?\[\[(?:[^\]|]*\|)?(?P<shown>[^\]|#]+)(?:#[^\]]*)?\]\]\s+"
    r"(?P<rest>(?:is|are|was|were|has|have|had|does|did|can|could|will|may|"
    r"bought|built|came|found|gave|held|led|made|sold|took|won|wrote|[a-z]{3,}(?:ed|s))\s.+)",
    re.IGNORECASE | re.DOTALL,
)
_MOST = 20  # words of a question
_WORDS = 15  # of a section whose heading is worth a question
# Such a heading says nothing of what stands under it.
_BARE = frozenset(
    """introduction intro overview summary conclusion conclusions background notes note misc
    miscellaneous other others further more links link references reference sources source see
    todo todos tasks log diary contents example examples details detail general areas thoughts
    ideas resources reading today yesterday part chapter section appendix abstract""".split()
)
# What a thing has one of: "the volume of the barrel".
_HELD = frozenset(
    """price cost weight volume capacity size length width height depth colour color phone number
    address email author owner deadline budget birthday model warranty temperature version
    status manufacturer brand publisher editor serial date password room seller voltage isbn
    dosage dose rent insurer landlord doctor dentist supplier mileage headquarters capital
    population language currency founder director manager""".split()
)
_NO_NOUN = frozenset(
    """when where who what why how which until since from to by with for notes note comment comments
    remark remarks done yes no ok description used use example examples in out on off up down about
    before after at of link links born died""".split()
)
_FILE = re.compile(r"\w+_\w+|\w+\.\w{2,4}\Z")


def from_layout(document: Document, subjects: Subjects) -> Iterator[Proposal]:
    """What the note's rows, items, links and headings give, in this order."""
    yield from _rows(document)
    yield from _items(document, subjects)
    yield from _links(document)
    yield from _headings(document, subjects)


def _rows(document: Document) -> Iterator[Proposal]:
    """ "What is the volume of the barrel?" from a table, whose first column names its rows."""
    for block in document.blocks:
        for number, said in _cells(document, block):
            at = min(block.first + number, block.last)
            (_, row), *others = said
            if not 1 < len(row) <= 60 or len(row.split()) > 6:
                continue
            for column, cell in others:
                if _is_column(column) and _is_value(cell):
                    question = _of_cell(_lower(column), row)
                    yield Proposal(question, cell, document.path, at, at, "cell", row)


def _of_cell(column: str, row: str) -> str:
    if column.split()[-1] in ("year", "date", "day", "month", "time"):
        return f"What {column} is given for {row}?"
    of = "for" if row[0].isdigit() else "of"
    return f"What is the {column} {of} {row}?"


def _cells(document: Document, block: Block) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """Each row of a table: its line in the block, and its cells with their columns' names."""
    if block.kind == "table":
        for number, line in enumerate(lines_of(block.text)):
            if line.kind == "row" and line.names:
                cells = (each.partition(": ") for each in cells_said(block.text, line))
                pairs = [(name.strip(), even(cell)) for name, mark, cell in cells if mark]
                first = block.text[slice(*line.cells[0])]
                if len(pairs) > 1 and even(first) == pairs[0][1]:  # the row has a name
                    yield number, pairs
    elif block.kind == "list" and document.path.lower().endswith((".csv", ".tsv")):
        for number, text in enumerate(block.text.split("\n")):
            parts = [each.partition(": ") for each in text.removeprefix("- ").split("; ")]
            pairs = [(name.strip(), cell.strip()) for name, mark, cell in parts if mark]
            if len(pairs) > 1 and len(pairs) == len(parts):
                yield number, pairs


def _is_column(name: str) -> bool:
    words = name.casefold().split()
    return (
        1 <= len(words) <= 3
        and all(each.replace("-", "").isalpha() for each in words)
        and not _NO_NOUN.intersection(words)
        and not words[0].endswith(("ed", "ing"))
    )


def _is_value(cell: str) -> bool:
    return any(map(str.isalnum, cell)) and len(cell) > 1 and len(cell.split()) <= 12


def _items(document: Document, subjects: Subjects) -> Iterator[Proposal]:
    """ "- **Barrel**: a tank of oak", "- **1821**: it is rebuilt", "- Price: 300 €"."""
    for block in document.blocks:
        lines = block.text.split("\n") if block.kind in ("list", "fields") else ()
        for number, line in enumerate(lines):
            at = min(block.first + number, block.last)
            if pair := _pair(line, block, subjects):
                question, answer, about = pair
                yield Proposal(question, answer, document.path, at, at, "item", about)
            item = _ITEM.match(line) if block.kind == "list" else None
            if not item or not subjects.title or item["what"].startswith(("and ", "or ")):
                continue
            term, what = even(item["term"]).rstrip(" .:"), even(_first_sentence(item["what"]))
            if not what or what.split()[0].casefold() in ELSEWHERE - {"it", "they"}:
                continue
            title = _bare(subjects.title)
            if _YEAR.fullmatch(term):
                question = f"What happened in {term[-4:]}, according to my notes on {title}?"
                yield Proposal(question, what, document.path, at, at, "item", term[-4:])
            elif _is_term(term) and _DEFINING.match(what) and len(what.split()) > 3:
                question = f"What does {term} mean in my notes on {title}?"
                yield Proposal(question, what, document.path, at, at, "definition", term)
            elif _is_term(term) and len(term.split()) > 1 and len(what.split()) > 5:
                question = f"What do my notes on {title} say about {_lower(term)}?"
                yield Proposal(question, what, document.path, at, at, "heading")


def _pair(line: str, block: Block, subjects: Subjects) -> tuple[str, str, str] | None:
    """The question that "Price: 300 €" answers under a heading or a title, and its answer."""
    match = _PAIR.fullmatch(line)
    thing = block.headings[-1] if len(block.headings) > 1 else subjects.title
    if not match or not thing or len(thing.split()) > 6 or not _means(thing):
        return None
    key, value = match["key"].strip(), even(match["value"]).strip("\"'")
    words = key.casefold().split()
    if len(words) > 3 or words[-1] not in _HELD or not _is_value(value):
        return None
    return f"What is the {_lower(key)} of {_bare(thing)}?", value, thing


def _is_term(term: str) -> bool:
    return len(term.split()) <= 5 and "," not in term and any(map(str.isalpha, term))


def _first_sentence(text: str) -> str:
    first = next(iter(sentence_spans(text)), None)
    return text[first.start : first.end].strip() if first else ""


def _headings(document: Document, subjects: Subjects) -> Iterator[Proposal]:
    """What the paragraph right under each heading says first; a heading may be a question."""
    length: dict[tuple[str, ...], int] = {}
    for block in document.blocks:
        words = len(plain(block.text).split())
        length[block.headings] = length.get(block.headings, 0) + words
    seen: set[tuple[str, ...]] = set()
    for block in document.blocks:
        if block.headings in seen:
            continue
        seen.add(block.headings)
        first = next(iter(sentences(block)), None)
        if first is None or not block.text.lstrip().startswith(first.text.strip()):
            continue
        question = _about(subjects.title, block.headings[-1] if block.headings else "")
        asks = not question.startswith("What do my notes ")
        if first.text.split()[0].casefold() in ELSEWHERE or not question:
            continue
        if asks or length[block.headings] >= _WORDS:
            yield Proposal(
                question, even(first.text), document.path, first.first, first.last, "heading"
            )


def _about(title: str, heading: str) -> str:
    """The question that a section answers; "" where its heading says too little for one."""
    title, heading = _bare(title), _bare(_NUMBER.sub("", heading))
    asks = bool(_ASKS.match(heading))
    if heading.endswith("?"):
        if asks and not POINTS.intersection(heading.casefold().rstrip("? ").split()):
            heading = re.sub(r"\A(?:so|and|but)\s+", "", heading, flags=re.IGNORECASE)
            return f"{heading[0].upper()}{heading[1:].rstrip('? ')}?"
        return ""
    if not heading or normalise(heading) == normalise(title.replace("-", " ")):
        return f"What do my notes say about {title}?" if title and _means(title) else ""
    if not _means(heading):
        return ""
    if asks:
        heading = heading[0].lower() + heading[1:]
    on = f"on {title} " if title else ""
    return f"What do my notes {on}say about {heading}?"


def _means(heading: str) -> bool:
    """Whether a heading names what it heads: no sentence, no name of a file, no "Overview"."""
    words = set(content_words(heading))
    return (
        bool(words - _BARE)
        and any(map(str.isalpha, heading))
        and len(heading.split()) <= 8
        and not heading.rstrip().endswith((".", "!", ":", ","))
        and not _FILE.search(heading)
    )


def _bare(text: str) -> str:
    """A title or heading without what it adds in brackets, and without a colon at its end."""
    return _ADDED.sub("", text).strip().rstrip(":").strip() or text


def _lower(text: str) -> str:
    """Words that begin a cell or an item, as they stand in a sentence; "GPU load" stays."""
    return text[0].lower() + text[1:] if text[1:2].islower() and text[1:].islower() else text


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'’-]+", text.casefold())


def _links(document: Document) -> Iterator[Proposal]:
    """Who or what a sentence speaks of that begins with a link."""
    for block in document.blocks:
        for each in sentences(block):
            subject = _SUBJECT.match(each.text)
            rest = even(subject["rest"]).rstrip(".!") if subject else ""
            if subject and len(rest.split()) <= _MOST and not POINTS.intersection(_words(rest)):
                answer = subject["shown"].strip()
                yield Proposal(
                    f"Who or what {rest}?", answer, document.path, each.first, each.last, "link"
                )
