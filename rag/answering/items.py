"""The whole list of a note: "what's on my packing list?", "what goes into the pancakes?".

An item such as "passport" is near to no question about its list, so that search and reader take it
for no answer. The list is looked up by rule, where a question names the note and nothing else, and
all of the note is read for it: half a list is a false answer, and half a count all the more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.fields import is_front_matter
from rag.answering.grounding import before_marks, cite, own_words
from rag.answering.steps import Citation, Sentence
from rag.reading.links import plain
from rag.reading.marks import HEADING, ITEM, NUMBERED, ROW, RULE
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.query import content_words

Analyze = Callable[[str], list[str]]

_MAKE = r"(?:make|bake|cook|build|brew|prepare)"
_I = re.IGNORECASE
# The list of a note that is called so, or of one whose title holds it.
_HELD = re.compile(
    r"what(?:[’']s| is| are) (?:(?P<still>still) )?on (?:my |our |the )(?P<on>.+)|"
    r"what do(?:es)? (?:my|our|the) (?P<of>.+) (?:contain|include|list|hold)|"
    r"what (?:do|should|must) (?:i|we) (?:(?P<left>still) )?(?:have to |need to )?(?P<to>pack)",
    _I,
)
# The same of a note that is called just so: other notes may tell of such things, too.
_HAD = re.compile(
    r"(?:what|which) (?P<things>.+) (?:do (?:i|we) have|are there)|"
    r"(?:list|show)(?: me)? (?:all )?(?:of )?(?:my|our|the) (?P<all>.+)|"
    r"how many (?P<counted>.+) (?:do (?:i|we) have|are there)(?: in total)?",
    _I,
)
_INGREDIENTS = re.compile(
    r"(?:what|which) (?:are the )?ingredients "
    rf"(?:(?:do|does|will) (?:i|we|you|one) need |(?:are|is|go|goes|come) )?"
    rf"(?:for|in|into|of|to {_MAKE}) (?P<for>.+)|"
    r"(?:what|which) ingredients do(?:es)? (?P<take>.+) (?:need|have|contain|take)|"
    r"(?:list|show)(?: me)? (?:all )?the ingredients (?:of|for|in) (?P<list>.+)|"
    r"(?:the )?ingredients (?:of|for|in) (?P<bare>.+)|"
    r"what (?:goes|go|comes|is|are) (?:in|into) (?P<into>.+)",
    _I,
)
_STEPS = re.compile(
    r"(?:(?:what|which) are |list |show(?: me)? )?(?:all )?(?:the )?steps "
    r"(?:to|for|of|in|when) (?P<steps>.+)",
    _I,
)
_NEEDS = re.compile(
    r"what (?:do|does|will) (?:i|we|you|one) (?:need|have)(?: to (?:buy|get|have))? "
    rf"(?:for|to {_MAKE}) (?P<need>.+)",
    _I,
)
# The list that a line of a note leads to: "Grab bag holds:".
_INSIDE = re.compile(
    r"what(?:[’']s| is| are| was| were) (?:(?:packed|kept|stored|all) )?(?:in|inside|into) "
    r"(?:my |our |the )(?P<inside>.+)",
    _I,
)
# The list of a note that is called so by the line above it, or its heading: "which exercises am I
# supposed to do for the knee?" under "Exercises" of the note "Knee".
_HEADED = re.compile(
    r"(?:what|which) (?P<things>(?:[\w’'-]+ ){0,3}?[a-z]{2,}[^su\W]s) "
    r"(?:am|are|is|were|was|do|did|have|had|should|must|can)\b(?P<rest>.*)",
    _I,
)
_HOLDS_INGREDIENTS = re.compile(r"\b(?:ingredients?|zutaten)\b", _I)
_HOLDS_NEEDS = re.compile(
    r"\b(?:ingredients?|zutaten|need(?:ed|s)?|materials?|tools?|equipment|supplies|shopping|parts)\b",
    _I,
)
_LIGHT = "recipe note list dish page my"  # which say that it is a note
_LEADING = "list hold contain include pack keep store"  # and those that only lead to a list
# And that ask for no other.
_MEANT = "suppose mean meant need must do get give use want current now still all"
_TASK = re.compile(r"\s*[-*+]\s+\[[ xX]\]")
_DONE = re.compile(r"\s*[-*+]\s+\[[xX]\]")
_MOST = 4  # lists of a note


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lists of the note that is called `name` are asked for: those under a heading that
    `under` finds, else any. With `exact` the note is called just so, `counted` tells whether the
    items are to be counted, `still` whether those that are done do not matter, `ordered` whether
    the items are numbered; with `led` a line of that name leads to the list, which with `headed`
    holds these words and leaves others to the title of its note."""

    name: str
    under: re.Pattern[str] | None = None
    exact: bool = False
    counted: bool = False
    still: bool = False
    ordered: bool = False
    led: bool = False
    headed: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of passage `n`, at `start` in its text."""

    n: int
    start: int
    text: str


def find_wanted(question: str) -> Wanted | None:
    """The list that a question asks for; None where it asks for none."""
    text = question.strip().rstrip("?!. ")
    if match := _INGREDIENTS.fullmatch(text):
        return Wanted(_said(match), _HOLDS_INGREDIENTS)
    if match := _NEEDS.fullmatch(text):
        return Wanted(_said(match), _HOLDS_NEEDS)
    if match := _STEPS.fullmatch(text):
        return Wanted(_said(match), ordered=True)
    if match := _HAD.fullmatch(text):
        return Wanted(_said(match), exact=True, counted=bool(match["counted"]))
    if match := _HELD.fullmatch(text):
        return Wanted(_said(match), still=bool(match["still"] or match["left"]))
    if match := _INSIDE.fullmatch(text):
        return Wanted(_said(match), led=True)
    if match := _HEADED.fullmatch(text):
        return Wanted(f"{match['things']}{match['rest']}", led=True, headed=match["things"])
    return None


def _said(match: re.Match[str]) -> str:
    said = (text for name, text in match.groupdict().items() if name not in ("still", "left"))
    return str(next(filter(None, said)))


def named_note(wanted: Wanted, passages: Sequence[Passage], analyze: Analyze) -> str:
    """The path of the only note that was found and is called as it is wanted; "" for none."""
    if wanted.led:
        return ""
    light = set(analyze(_LIGHT))
    words = _words(wanted.name, analyze) - light
    titles = {each.path: {*analyze(each.title)} - light for each in passages}
    same = [path for path, title in titles.items() if words and words == title]
    # The last word says what it is: "Pumpkin soup" is a soup, "Bike rides" are no bike.
    heads = {
        each.path: {*analyze(each.title.split()[-1])} - light for each in passages if each.title
    }
    holding = [
        path
        for path, title in titles.items()
        if words and words <= title and heads.get(path, set()) <= words
    ]
    chosen = same if same or wanted.exact else holding
    return chosen[0] if len(chosen) == 1 else ""


def led_note(wanted: Wanted, notes: Iterable[Sequence[Passage]], analyze: Analyze) -> str:
    """The path of the only note of which a line leads to the list that is wanted; "" for none.
    Each note is all its passages."""
    holding = [
        note[0].path
        for note in notes
        if any(
            _leads(wanted, under, _called(note), analyze)
            for under, _ in _lists(_own(note[0].path, note))
        )
    ]
    return holding[0] if len(holding) == 1 else ""


def find_items(
    wanted: Wanted, path: str, passages: Sequence[Passage], analyze: Analyze
) -> tuple[Sentence, ...]:
    """The lists of the note at `path`, all of whose passages are there, each cited; none where it
    has no such list, or several are to be counted together."""
    own = _own(path, passages)
    called = _called([each for _, each in own])
    found = [
        lines
        for under, lines in _lists(own)
        if (
            _leads(wanted, under, called, analyze)
            if wanted.led
            else _is_wanted(wanted, under, lines)
        )
    ]
    if wanted.counted and len(found) > 1:
        return ()
    return tuple(_listed(lines, wanted, passages) for lines in found[:_MOST])


def _own(path: str, passages: Sequence[Passage]) -> list[tuple[int, Passage]]:
    """The passages of a note in its order, with their numbers."""
    own = [
        (n, each)
        for n, each in enumerate(passages, 1)
        if each.path == path and not is_front_matter(each)
    ]
    return sorted(own, key=lambda pair: pair[1].first)


def _called(note: Sequence[Passage]) -> str:
    """What a note is called, and where it lies."""
    return f"{note[0].title}\n{note[0].path}" if note else ""


def _leads(wanted: Wanted, under: str, called: str, analyze: Analyze) -> bool:
    """Whether the line above a list, or its heading, says what is wanted and nothing else."""
    light = set(analyze(_LEADING))
    words = _words(wanted.name, analyze) - light
    parts = [_words(part, analyze) - light for part in under.split("\n")]
    if not wanted.headed:
        return bool(words) and words in parts
    light = set(analyze(_MEANT))
    heading, lead = (part - light for part in parts)
    things = _words(wanted.headed.split()[-1], analyze)
    return things <= lead <= words and words - light <= lead | heading | _words(called, analyze)


def _words(text: str, analyze: Analyze) -> set[str]:
    return {*analyze(" ".join(content_words(text)))}


def _is_wanted(wanted: Wanted, under: str, lines: Sequence[_Line]) -> bool:
    """Whether a list is of the kind that is asked for; a table tells it by the names of columns."""
    first = lines[0].text
    if wanted.ordered and not NUMBERED.match(first):
        return False
    told = f"{under}\n{first}" if ROW.match(first) else under
    return wanted.under is None or wanted.under.search(told) is not None


def _lists(passages: Sequence[tuple[int, Passage]]) -> Iterator[tuple[str, list[_Line]]]:
    """The lists of two items or more and the tables of a note, and what each stands under."""
    headings: tuple[str, ...] = ()
    heading, before, blank = "", "", False
    block: list[_Line] = []
    for n, passage in passages:
        if passage.headings != headings:  # another section: no list goes on there
            if _count(block) > 1:
                yield f"{heading}\n{before}", block
            headings, block, before = passage.headings, [], ""
            heading = headings[-1] if headings else ""
        for line in _lines(n, passage):
            if not line.text.strip():
                blank = True
                continue
            item, row = ITEM.match(line.text), ROW.match(line.text)
            in_table = bool(block) and ROW.match(block[0].text) is not None
            inside = item or line.text[0] in " \t"
            # Tasks below a list of things, points below steps.
            other = bool(block) and _kind(line.text) != _kind(block[0].text)
            apart = blank and item and line.text[0] not in " \t" and other
            if block and (apart or not (row and not blank if in_table else inside)):
                if _count(block) > 1:
                    yield f"{heading}\n{before}", block
                block, before = [], ""
            if block or item or row:
                block.append(line)
            elif found := HEADING.match(line.text):
                heading, before = found[1], ""
            else:
                before = plain(line.text)
            blank = False
    if _count(block) > 1:
        yield f"{heading}\n{before}", block


def _lines(n: int, passage: Passage) -> Iterator[_Line]:
    start = 0
    for text in passage.text.split("\n"):
        yield _Line(n, start, text)
        start += len(text) + 1


def _kind(line: str) -> tuple[bool, bool]:
    """Whether an item is a task, and whether it is numbered."""
    return _TASK.match(line) is not None, NUMBERED.match(line) is not None


def _count(lines: Sequence[_Line]) -> int:
    """The items of a list, without those of lists inside it; the rows of a table."""
    if lines and ROW.match(lines[0].text):
        ruled = len(lines) > 2 and RULE.fullmatch(lines[1].text.strip())
        return len(lines) - 2 if ruled else 0
    items = [each.text for each in lines if ITEM.match(each.text)]
    indents = [len(each) - len(each.lstrip()) for each in items]
    return indents.count(min(indents, default=0))


def _listed(lines: Sequence[_Line], wanted: Wanted, passages: Sequence[Passage]) -> Sentence:
    """A list as it stands in the note, or how many items it has."""
    shown = [each.text.rstrip() for each in lines if not (wanted.still and _DONE.match(each.text))]
    citations = _citations(lines, passages)
    marks = " ".join(f"[{each.n}]" for each in citations)
    text = f"{_count(lines)}" if wanted.counted else own_words("\n".join(shown))
    return Sentence(f"{text}{before_marks(text)}{marks}", citations, "supported")


def _citations(lines: Sequence[_Line], passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The lines of each passage, cited as they stand there."""
    citations = []
    for n in dict.fromkeys(each.n for each in lines):
        passage = passages[n - 1]
        own = [each for each in lines if each.n == n]
        start, end = own[0].start, own[-1].start + len(own[-1].text.rstrip())
        text = passage.text[start:end]
        first = min(passage.first + passage.text.count("\n", 0, start), passage.last)
        last = min(first + text.count("\n"), passage.last)
        citations.append(cite(Evidence(n, text, first, last, start, end, 0.0), passages))
    return tuple(citations)
