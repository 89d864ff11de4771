"""Answers in the notes' own words: a whole list, an explanation, both sides of a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from rag.answering.grounding import cite, marked, own_words, quote
from rag.answering.kinds import Kind
from rag.answering.steps import Citation, Sentence
from rag.reading.code import next_fence
from rag.reading.links import plain
from rag.reading.marks import ITEM, ROW, RULE
from rag.reading.rows import Line, lines_of
from rag.reading.sentences import LEANING, whole_sentence
from rag.retrieval.evidence import whole_list
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.orders import is_order
from rag.retrieval.query import spaced

_MAX_QUOTES = 3
_NEAR_BEST = (
    0.15  # of the score: a sentence beside the best one that is hardly worse is quoted, too
)
_EACH_SIDE = 2  # sentences about each side of a comparison
_ABOUT = 0.5  # share of a side's words that a sentence about it holds
# Behind the best sentence, a list may be so much further from the question and still be the answer
# to a question for one; a member named in another passage, so much.
_LIST_BEHIND, _MEMBER_BEHIND = 0.3, 0.2
_LIST_MEMBERS = 3  # whose mean score is the list's
_MAX_OTHERS = 2  # members from other passages, where the best list is short
_WHO = re.compile(r"\W*(?:and )?who(?![’']?s? (?:is|was|are|were)\b)\b", re.IGNORECASE)
_PERSON = re.compile(r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][^\W\d]+(?:[ -][A-Z][^\W\d]*\.?){1,3}")
# Beginnings of a sentence whose subject is left out.
_NO_SUBJECT = re.compile(
    r"(?:also |now |still )?(?:has|had|is|was|lent|lives|works|knows|owns|plays|speaks|runs|keeps|"
    r"gave|brought|told|made|wrote|bought|sold|takes|teaches|met|can|\w{3,}ed)\b",
    re.IGNORECASE,
)
_MOST_SAID = 0.5  # of the question's words, weighed by their rarity
_NEGATED = re.compile(
    r"\b(?:not|never|neither|nor|no|without|except|besides|other|else)\b|n[’']t\b", re.IGNORECASE
)
_NUMBERS = re.compile(r"\d+")
_SHORTEST = 3  # letters of a word in the plural
_NAMES = re.compile(r"[A-Z]\w*[a-z]{2}")  # whoever or whatever has a name
_CODE_LINES = 12  # with its fences
_NO_SENTENCE = re.compile(r"^\s*(?:\||#{1,6}\s)|:\s*$")
_LINES = re.compile(r"\n\s*(?:[-*+•|]|\d{1,3}[.)])")
_BETWEEN_MEMBERS = re.compile(r",? (?:and|or) |, ")
_COLUMNS = re.compile(r"\S {3,}\S")


@dataclass(frozen=True, slots=True)
class Sides:
    """What a question compares, and for each side the sentences found for it, best first."""

    names: tuple[str, ...] = ()
    evidence: tuple[tuple[Evidence, ...], ...] = ()


def quotes(
    kind: Kind,
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    sides: Sides,
    analyze: Callable[[str], list[str]],
    question: str = "",
) -> list[Sentence]:
    """What the notes say themselves, `evidence` best first, each sentence cited."""
    if kind == "comparison" and sides.names:
        chosen = _both_sides(evidence, sides, passages, analyze)
    elif kind == "list":
        chosen = _members(evidence, passages)
    else:
        chosen = [whole(each, passages) for each in _beside_best(evidence)]
        chosen = [*_leant_on(chosen[0], passages, question), *chosen][:_MAX_QUOTES]
    return [quote(each, passages) for each in _apart(chosen)]


def whole(evidence: Evidence, passages: Sequence[Passage]) -> Evidence:
    """The whole of what a sentence belongs to: its list, or the lines that it is broken over."""
    passage = passages[evidence.n - 1]
    listed = whole_list(evidence, passage)
    return _sentence(evidence, passages) if listed is evidence else listed


def of_title(
    question: str, read: Sequence[Evidence], passages: Sequence[Passage]
) -> Sentence | None:
    """What a note says of whom it is called after, without naming them: "Has our spare key." of the
    note "Jonas Lindqvist" tells who has it. None where it was not asked who, or is said of others.
    """
    if not _WHO.match(question):
        return None
    best = max(read, key=lambda each: (not each.order, each.share, each.score))
    title = passages[best.n - 1].title
    named = _PERSON.fullmatch(title) and title.casefold() not in question.casefold()
    if not named or best.share < _MOST_SAID or not _NO_SUBJECT.match(plain(best.text)):
        return None
    told = quote(_sentence(best, passages), passages)
    return replace(told, text=f"**{own_words(title)}:** {told.text}")


def members_around(sentence: Sentence, passages: Sequence[Passage]) -> Sentence | None:
    """All of the list whose item a phrase is of, or of the line "Present: …" whose member it is;
    None where it is of none."""
    (cited, *_) = sentence.citations
    passage = passages[cited.n - 1]
    at = cited.first - passage.first
    line = _lines_of(cited.n, passage, at, at)
    every = whole_list(line, passage) if ITEM.match(line.text) else line
    said = plain(sentence.text).rpartition(" [")[0].strip()
    members = [each.strip(" .") for each in _BETWEEN_MEMBERS.split(plain(cited.quote))]
    if "\n" not in every.text:
        _, colon, first = members[0].partition(": ")
        taken = {each.strip(" .") for each in _BETWEEN_MEMBERS.split(said)}
        if not colon or len(members) < _LIST_MEMBERS or not taken <= {first, *members[1:]}:
            return None
        return replace(quote(_sentence(line, passages), passages), support=sentence.support)
    return replace(quote(every, passages), support=sentence.support)


def code_around(citation: Citation, passages: Sequence[Passage]) -> Sentence | None:
    """The fenced code that a citation stands in, of a long one the line; None where it is in none.
    A word of a command is no answer, and half of one is a false one."""
    passage = passages[citation.n - 1]
    lines = passage.text.split("\n")
    at = citation.first - passage.first
    fence, top = "", -1
    for number, line in enumerate(lines):
        inside, fence = fence, next_fence(line, fence)
        if not inside and fence:
            top = number
        elif inside and not fence and top < at < number:
            if number - top <= _CODE_LINES:
                return quote(_lines_of(citation.n, passage, top, number), passages)
            told = quote(_lines_of(citation.n, passage, at, at), passages)
            code = f"```\n{own_words(lines[at].rstrip())}\n```"
            return replace(told, text=marked(code, citation.n))
    return None


def row_around(citation: Citation, passages: Sequence[Passage]) -> Sentence | None:
    """The row of a table that a citation stands in, below the names of its columns; the whole table
    where it is these names; None where it is in none. A cell alone says little, and a reader that
    was taught sentences often takes its neighbour."""
    passage = passages[citation.n - 1]
    lines = passage.text.split("\n")
    at = citation.first - passage.first
    if not (0 <= at < len(lines) and ROW.match(lines[at])):
        return None
    top = bottom = at
    while top > 0 and ROW.match(lines[top - 1]):
        top -= 1
    while bottom + 1 < len(lines) and ROW.match(lines[bottom + 1]):
        bottom += 1
    if bottom - top < 2 or not RULE.fullmatch(lines[top + 1].strip()):
        return None
    if at <= top + 1:
        return quote(_lines_of(citation.n, passage, top, bottom), passages)
    row = quote(_lines_of(citation.n, passage, at, at), passages)
    text = own_words("\n".join((*lines[top : top + 2], lines[at])))
    return replace(row, text=marked(text, citation.n))


def rows_named(question: str, best: Evidence, passages: Sequence[Passage]) -> Sentence | None:
    """Of the table in which the best sentence stands, the rows of what a question for several
    things names, where they are two or more but not all: "what tablets is Ada on?". Each is cited;
    only where the table says that it is of such things are they sure."""
    passage = passages[best.n - 1]
    rows = [line for line in lines_of(passage.text) if line.kind == "row" and line.names]
    in_table = any(row.start <= best.start <= row.end for row in rows)
    if not in_table or _NEGATED.search(question):
        return None
    asked, numbers = spaced(question), set(_NUMBERS.findall(question))
    named = [row for row in rows if _is_named(passage.text, row, asked, numbers)]
    if not 2 <= len(named) < len(rows):
        return None
    at = [passage.text.count("\n", 0, row.start) for row in named]
    lines = passage.text.split("\n")
    top = passage.text.count("\n", 0, named[0].names[0][0])
    text = own_words("\n".join((*lines[top : top + 2], *(lines[each] for each in at))))
    said = [cite(_lines_of(best.n, passage, each, each), passages) for each in at]
    about = spaced("\n".join((passage.title, *passage.headings, lines[top])))
    things = (word for word in asked.split() if word.endswith("s") and len(word) > _SHORTEST)
    sure = any(f" {word.removesuffix('s')}" in about for word in things)
    return Sentence(marked(text, best.n), tuple(said), "supported" if sure else "weak")


def _is_named(text: str, row: Line, asked: str, numbers: Collection[str]) -> bool:
    """Whether a cell of a row is a name that was asked for, and the row holds the numbers, too."""
    cells = [plain(text[start:end]).strip() for start, end in row.cells]
    held = set(_NUMBERS.findall(" ".join(cells)))
    return held.issuperset(numbers) and any(
        _NAMES.search(cell) and spaced(cell) in asked for cell in cells
    )


def _lines_of(n: int, passage: Passage, top: int, bottom: int) -> Evidence:
    """Lines of a passage, counted from 0."""
    lines = passage.text.split("\n")
    start = sum(len(line) + 1 for line in lines[:top])
    text = "\n".join(lines[top : bottom + 1])
    first = min(passage.first + top, passage.last)
    last = min(passage.first + bottom, passage.last)
    return Evidence(n, text, first, last, start, start + len(text), 0.0)


def _sentence(evidence: Evidence, passages: Sequence[Passage]) -> Evidence:
    """The sentence that a line holds a part of; the whole line where it is set in columns."""
    passage = passages[evidence.n - 1]
    top = passage.text.rfind("\n", 0, evidence.start) + 1
    line = passage.text[top:].split("\n")[0]
    if _COLUMNS.search(line.strip()):
        start, end = top + len(line) - len(line.lstrip()), top + len(line.rstrip())
    else:
        start, end = whole_sentence(passage.text, evidence.start, evidence.end)
    first = min(passage.first + passage.text.count("\n", 0, start), passage.last)
    last = min(first + passage.text.count("\n", start, end), passage.last)
    text = passage.text[start:end]
    return replace(evidence, text=text, start=start, end=end, first=first, last=last)


def _beside_best(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The best sentence and those of its passage that are hardly worse, in the note's order."""
    best = evidence[0]
    near = [
        each for each in evidence[1:] if each.n == best.n and each.score >= best.score - _NEAR_BEST
    ][: _MAX_QUOTES - 1]
    return sorted([best, *near], key=lambda each: each.start)


def _leant_on(evidence: Evidence, passages: Sequence[Passage], question: str) -> list[Evidence]:
    """The sentence before one that says nothing without it: "Those spells are called winters.";
    none that speaks to the model."""
    passage = passages[evidence.n - 1]
    if not LEANING.match(plain(evidence.text)):
        return []
    for each in reversed(passage.sentences):
        if each.end <= evidence.start:
            between = passage.text[each.end : evidence.start]
            before = _sentence(replace(evidence, start=each.start, end=each.end), passages)
            if "\n\n" in between or _NO_SENTENCE.search(before.text) or before.end > evidence.start:
                return []
            order = is_order(passage.text, before.start, before.end, question)
            return [] if order else [before]
    return []


def _both_sides(
    evidence: Sequence[Evidence],
    sides: Sides,
    passages: Sequence[Passage],
    analyze: Callable[[str], list[str]],
) -> list[Evidence]:
    """The list, table or sentence that speaks of both sides, then the best about each."""

    words = [set(analyze(name)) for name in sides.names]
    shared = set.intersection(*words)  # "tea", of green and black tea, tells neither
    wanted = [own - shared or own for own in words]

    def about(each: Evidence, own: set[str]) -> bool:
        return len(own & set(analyze(plain(each.text)))) >= _ABOUT * len(own)

    near = [each for each in evidence if each.score >= evidence[0].score - _LIST_BEHIND]
    wholes = [whole(each, passages) for each in near]
    chosen = [each for each in wholes if all(about(each, own) for own in wanted)][:1]
    if chosen and _LINES.search(chosen[0].text):
        return chosen  # a table or list of both
    for own, side in zip(wanted, sides.evidence, strict=True):
        said = [each for each in side if about(each, own) and not _NO_SENTENCE.search(each.text)]
        best = [each for each in said if each.score >= said[0].score - _NEAR_BEST]
        chosen += [_sentence(each, passages) for each in best[:_EACH_SIDE]]
    return chosen or [whole(evidence[0], passages)]


def _members(evidence: Sequence[Evidence], passages: Sequence[Passage]) -> list[Evidence]:
    """The list that its own sentences, together, bring nearest to the question; with it, where it
    is short, what other passages name."""
    best = evidence[0]
    lists: list[tuple[Evidence, list[float]]] = []
    for each in evidence:
        found = whole_list(each, passages[each.n - 1])
        if found is each or "\n" not in found.text:
            continue
        for place, (other, scores) in enumerate(lists):
            if _same(found, other):
                longer = max(found, other, key=lambda one: len(one.text))
                lists[place] = longer, [*scores, each.score]
                break
        else:
            lists.append((found, [each.score]))
    least = evidence[-1].score

    def score(scores: Sequence[float]) -> float:
        top = [*scores, *[least] * _LIST_MEMBERS][:_LIST_MEMBERS]
        return sum(top) / _LIST_MEMBERS

    near = [
        (found, score(scores))
        for found, scores in lists
        if found.n == best.n or score(scores) >= best.score - _LIST_BEHIND
    ]
    chosen = max(near, key=lambda pair: pair[1])[0] if near else _sentence(best, passages)
    if chosen.text.count("\n") >= _LIST_MEMBERS - 1:
        return [chosen]
    first = {each.n: each for each in reversed(evidence)}  # the best of each passage
    others = [
        _sentence(each, passages)
        for each in first.values()
        if each.n != chosen.n and each.score >= best.score - _MEMBER_BEHIND
    ]
    return [chosen, *sorted(others, key=lambda each: -each.score)[:_MAX_OTHERS]]


def _apart(parts: Iterable[Evidence]) -> list[Evidence]:
    """Parts without those that overlap or repeat one before them."""
    kept: list[Evidence] = []
    for each in parts:
        if not any(_same(each, other) for other in kept):
            kept.append(each)
    return kept


def _same(one: Evidence, other: Evidence) -> bool:
    overlap = one.n == other.n and one.start < other.end and other.start < one.end
    return overlap or " ".join(one.text.split()) == " ".join(other.text.split())
