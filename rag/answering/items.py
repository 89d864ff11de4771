"""The whole list of a note: "what's on my packing list?", "what goes into the pancakes?".

An item such as "passport" is near to no question about its list, so that search and reader take it
for no answer. The list is looked up by rule, where a question names the note and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.grounding import marked, quote
from rag.answering.steps import Sentence
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.query import content_words
from rag.retrieval.search import Passage

Analyze = Callable[[str], list[str]]

_MAKE = r"(?:make|bake|cook|build|brew|prepare)"
_ANY = re.compile(
    r"what(?:[’']s| is| are) (?:still )?on (?:my |our |the )(?P<a>.+)|"
    r"what do(?:es)? (?:my|our|the) (?P<b>.+) (?:contain|include|list|hold)|"
    r"what (?:do|should|must) (?:i|we) (?:have to |need to )?(?P<c>pack)|"
    r"(?:what|which) (?P<d>.+) (?:do (?:i|we) have|are there)|"
    r"(?:list|show)(?: me)? (?:all )?(?:of )?(?:my|our|the) (?P<e>.+)|"
    r"how many (?P<f>.+) (?:do (?:i|we) have|are there)(?: in total)?",
    re.IGNORECASE,
)
_NEEDS = re.compile(
    rf"what (?:do|does|will) (?:i|we|you|one) need (?:for|to {_MAKE}) (?P<a>.+)|"
    r"(?:what|which) (?:are the )?ingredients "
    rf"(?:(?:do|does|will) (?:i|we|you|one) need |(?:are|is|go|goes|come) )?"
    rf"(?:for|in|into|of|to {_MAKE}) (?P<b>.+)|"
    r"(?:what|which) ingredients do(?:es)? (?P<c>.+) (?:need|have|contain|take)|"
    r"(?:list|show)(?: me)? (?:all )?the ingredients (?:of|for|in) (?P<d>.+)|"
    r"what (?:goes|go|comes|is|are) (?:in|into) (?P<into>.+)",
    re.IGNORECASE,
)
_HOLDS_NEEDS = re.compile(
    r"\b(?:ingredients?|need(?:ed|s)?|materials?|tools?|equipment|supplies|shopping|parts|zutaten)\b",
    re.IGNORECASE,
)
_LIGHT = "recipe note list dish page my"  # which say that it is a note
_PART = re.compile(r"\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+\S|\|)")
_RULE = re.compile(r"[|:\s-]+")
_HEADING = re.compile(r"\s*#{1,6}\s+(.*)")
_MOST = 4  # lists of a note


@dataclass(frozen=True, slots=True)
class _Items:
    """The list or table at `text[start:end]` of passage `n`, under a heading or behind a line, with
    so many items or rows."""

    n: int
    start: int
    end: int
    under: str
    count: int


def find_items(
    question: str, passages: Sequence[Passage], analyze: Analyze
) -> tuple[Sentence, ...]:
    """The lists that a question asks for, each cited; none where it names no note that was found,
    or several, or asks for something else."""
    text = question.strip().rstrip("?!. ")
    needs = _NEEDS.fullmatch(text)
    asks = needs or _ANY.fullmatch(text)
    if asks is None:
        return ()
    path = _named(next(filter(None, asks.groups())), passages, analyze)
    lists = [
        each
        for n, passage in enumerate(passages, 1)
        if passage.path == path
        for each in _lists(n, passage)
    ]
    lists.sort(key=lambda each: (passages[each.n - 1].first, each.start))
    if needs:
        lists = [each for each in lists if _HOLDS_NEEDS.search(each.under)][:1] or (
            lists if len(lists) == 1 and not needs["into"] else []
        )
    if not needs and asks["f"]:
        return _counted(lists, passages)
    return tuple(quote(_evidence(each, passages), passages) for each in lists[:_MOST])


def _counted(lists: Sequence[_Items], passages: Sequence[Passage]) -> tuple[Sentence, ...]:
    """How many items there are, of one list; what several count together is not known."""
    if len(lists) != 1:
        return ()
    (items,) = lists
    sentence = quote(_evidence(items, passages), passages)
    return (replace(sentence, text=marked(str(items.count), items.n)),)


def _named(said: str, passages: Sequence[Passage], analyze: Analyze) -> str:
    """The path of the only note whose title is `said`, or holds it; "" where there is none."""
    light = set(analyze(_LIGHT))
    words = {*analyze(" ".join(content_words(said)))} - light
    titles = {each.path: {*analyze(each.title)} - light for each in passages}
    holding = [path for path, title in titles.items() if words and words <= title]
    same = [path for path in holding if titles[path] == words]
    chosen = same or holding
    return chosen[0] if len(chosen) == 1 else ""


def _lists(n: int, passage: Passage) -> Iterator[_Items]:
    """The lists of a passage that have two items or more, and its tables."""
    under, block, offset = passage.headings[-1:], list[tuple[int, str]](), 0
    for line in [*passage.text.split("\n"), ""]:
        if _PART.match(line) or (block and line.startswith((" ", "\t")) and line.strip()):
            block.append((offset, line))
        else:
            count = _count([each for _, each in block])
            if count > 1:
                end = block[-1][0] + len(block[-1][1].rstrip())
                yield _Items(n, block[0][0], end, " ".join(under), count)
            block = []
            if heading := _HEADING.match(line):
                under = (heading[1],)
            elif line.strip():
                under = (*under[:1], plain(line))
        offset += len(line) + 1


def _count(lines: Sequence[str]) -> int:
    """The items of a list, without those of lists inside it; the rows of a table."""
    if lines and lines[0].lstrip().startswith("|"):
        return len(lines) - 2 if len(lines) > 2 and _RULE.fullmatch(lines[1].strip()) else 0
    indents = [len(line) - len(line.lstrip()) for line in lines if _PART.match(line)]
    return indents.count(min(indents, default=0))


def _evidence(items: _Items, passages: Sequence[Passage]) -> Evidence:
    passage = passages[items.n - 1]
    text = passage.text[items.start : items.end]
    first = min(passage.first + passage.text.count("\n", 0, items.start), passage.last)
    last = min(first + text.count("\n"), passage.last)
    return Evidence(items.n, text, first, last, items.start, items.end, 0.0)
