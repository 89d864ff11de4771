"""The part of a note that a question asks for by its heading: "How does RAG work?" under "How it
works" of the note RAG, "What are the drawbacks of heat pumps?" under "Disadvantages".

What stands under a heading does not say again what it is about, so that search and reader may take
another sentence for nearer. A part answers only where the names of its note and its headings hold
every word of the question, and the question every word of the heading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.fields import is_front_matter
from rag.answering.grounding import own_words, quote
from rag.answering.kinds import kind_of
from rag.answering.steps import Sentence
from rag.reading.code import next_fence
from rag.reading.links import plain
from rag.reading.marks import HEADING, ITEM, ROW
from rag.reading.sentences import sentence_spans, whole_sentence
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.orders import is_order
from rag.retrieval.query import content_words

Analyze = Callable[[str], list[str]]

# What is said in a phrase, or in yes or no.
_AUXILIARY = "is are do does did can could should would"
_ASKS_FACT = re.compile(
    r"\W*(?:(?:and|but|so) )?(?:who|whom|whose|when|where|"
    rf"how (?!(?:{'|'.join(_AUXILIARY.split())}|to|i|the|[\w-]+ works?)\b)|"
    rf"(?:{'|'.join(_AUXILIARY.split())}|am|was|were|has|have|had|will|may|must)\b|"
    r"(?:what|which) (?:day|date|year|time|number|step|stage|phase|part|kind|type|option)\b)",
    re.IGNORECASE,
)
_HOW = re.compile(r"how (?:do|does|did|can|could|should|is|are|to)\b", re.IGNORECASE)
_NAME = re.compile(
    r"(?:[wW]hat(?: is| are|[’']s)|[eE]xplain|[dD]escribe|[dD]efine|[tT]ell me about) "
    r"(?:an? |the )?(?=\S*[A-Z\d])\S+[ ?!.]*"
)
_HAVE = re.compile(
    r"(?:(?:what|which) [\w-]+ (?:do|did|have) (?:i|we)(?: have| got)?|"
    r"(?:list|show)(?: me)? (?:my|our|all) [\w-]+)[ ?!.]*",
    re.IGNORECASE,
)
_ITS_SUBJECT = re.compile(r"\b(?:it|they|he|she)\b", re.IGNORECASE)
_MOST_OF_SUBJECT = 2  # words
_WH = re.compile(r"\b(?:how|why|what|when|where|who)\b", re.IGNORECASE)
# Words of headings and of questions for one thing; the first stands for all.
_ALIKE = (
    "step work method instruction process procedure direction preparation make mechanism",
    "advantage benefit pro pros strength upside",
    "disadvantage drawback con weakness limitation limit downside shortcoming",
    "use usage application",
    "type kind sort variant form",
    "part component element piece",
    "cause reason",
    "symptom sign",
    "risk danger hazard",
    "history origin background",
    "cost price pricing",
    "requirement prerequisite",
    "goal aim objective purpose",
    "offer provide give supply",
    "task todo",
    "example instance",
    "decision decide",
    "alternative option",
)
_LIGHT = (
    "main key important different big possible common typical basic general exactly actually "
    "really usually overall various whole mention section case need see know want check command "
    "get run tell "
    "setting parameter concept term"
)
_NUMBER = re.compile(r"^\W*(?:\d+(?:\.\d+)*[.):]?|[a-z]\))\s+", re.IGNORECASE)
_MOST_SENTENCES, _MOST_LISTS, _MOST_PARTS = 4, 3, 8
_SHORT = 6  # sentences; a paragraph of no more is given whole


@dataclass(frozen=True, slots=True)
class ReadNote:
    """What a note is called, and all its passages in order."""

    names: tuple[str, ...]
    passages: tuple[Passage, ...]


def find_part(question: str, notes: Sequence[ReadNote], analyze: Analyze) -> tuple[Passage, ...]:
    """The passages under the heading that a question asks for, in the first of `notes` that has it;
    none where it asks for something else."""
    words = _Words(analyze, question)
    asked = words.of_question
    implied = words.of("steps") if _HOW.match(question.strip()) else frozenset[str]()
    name = any(each.fullmatch(question.strip()) for each in (_NAME, _HAVE))
    wh = _begins(question)
    titles = [frozenset[str]().union(*map(words.of, note.names)) for note in notes]
    # "What is X?" is answered by the note X, though another has a heading "X".
    about = [asked <= title | implied for title in titles]
    for note, title, meant in zip(notes, titles, about, strict=True):
        if meant or not any(about):
            found = _found(asked, implied, title, note.passages, words, name, wh)
            if found:
                return tuple(
                    each
                    for each in note.passages
                    if any(each.headings[: len(one)] == one for one in found)
                    and not is_front_matter(each)
                )
    return ()


def _found(
    asked: frozenset[str],
    implied: frozenset[str],
    title: frozenset[str],
    passages: Sequence[Passage],
    words: _Words,
    name: bool,
    wh: str,
) -> list[tuple[str, ...]]:
    """The heading that is asked for, or several beside each other. One that says no more than
    itself must be of several words, or be asked for by its `name`."""
    halves: list[tuple[str, ...]] = []
    whole: list[tuple[str, ...]] = []
    for headings in _headings(passages):
        around = title.union(*map(words.of, headings[:-1]))
        said = words.of(headings[-1])
        if _answers_of_its_subject(headings[-1], said, asked - around, wh, passages, words):
            whole.append(headings)
        own = said - around
        if not own or not own <= asked | implied or {wh, _begins(headings[-1])} == {"how", "why"}:
            continue
        named = asked & around
        alone = own == asked and (len(own) > 1 or name)
        if asked <= around | own and (named or alone):
            whole.append(headings)
        elif named:
            halves.append(headings)
    if whole:
        return [next((each for each in whole if _begins(each[-1]) == wh), whole[0])]
    return halves if _together(asked, title, halves, words) else []


def asks_for_part(question: str) -> bool:
    """Whether a question may ask for what stands under a heading: no comparison does, nor what is
    said in a phrase."""
    return kind_of(question) != "comparison" and not _ASKS_FACT.match(question)


def _begins(text: str) -> str:
    """The first question word of a text, "" for none."""
    match = _WH.search(text)
    return match[0].lower() if match else ""


def _answers_of_its_subject(
    heading: str,
    said: frozenset[str],
    asked: frozenset[str],
    wh: str,
    passages: Sequence[Passage],
    words: _Words,
) -> bool:
    """Whether a heading asks the same of what the note is about: "Why they swarm" is why bees do.
    `asked` are the words that the names of the note do not hold; the note must."""
    if not (wh and said and _begins(heading) == wh and _ITS_SUBJECT.search(heading)):
        return False
    rest = asked - said
    if len(rest) > _MOST_OF_SUBJECT or not said & words.of_question:
        return False
    return rest <= words.of("\n".join(each.text for each in passages))


def _together(
    asked: Collection[str], title: frozenset[str], found: Sequence[tuple[str, ...]], words: _Words
) -> bool:
    """Whether headings beside each other are asked for: "the pros and cons of X"."""
    if len({each[:-1] for each in found}) != 1 or len(found) < 2:
        return False
    held = title.union(*(words.of(part) for each in found for part in each))
    return set(asked) <= held


def _headings(passages: Sequence[Passage]) -> Iterator[tuple[str, ...]]:
    """The headings of a note, each below those that it stands under, in order."""
    seen: set[tuple[str, ...]] = set()
    for each in passages:
        for depth in range(1, len(each.headings) + 1):
            if (headings := each.headings[:depth]) not in seen:
                seen.add(headings)
                yield headings


class _Words:
    """The words of texts that say what they are about, those that mean the same made one."""

    def __init__(self, analyze: Analyze, question: str) -> None:
        self._analyze = analyze
        self._light = {*analyze(_LIGHT)}
        self._first = {
            each: stems[0] for group in _ALIKE if (stems := analyze(group)) for each in stems
        }
        self.of_question = self.of(question)

    def of(self, text: str) -> frozenset[str]:
        said = " ".join(content_words(_NUMBER.sub("", plain(text))))
        stems = (each for each in self._analyze(said) if len(each) > 1)
        return frozenset(self._first.get(each, each) for each in stems) - self._light


# Reading the part


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines of passage `n` that belong together: `text[start:end]`; `prose` where they are
    sentences."""

    n: int
    start: int
    end: int
    prose: bool


def read_part(
    question: str, numbers: Sequence[int], passages: Sequence[Passage]
) -> tuple[Sentence, ...]:
    """What a part says, each sentence and list cited: its first sentences, and the lists, tables
    or code that they lead to; where it has parts of its own, what each begins with. `numbers` are
    those of its passages, counted from 1."""
    depth = min(len(passages[n - 1].headings) for n in numbers)
    top = [n for n in numbers if len(passages[n - 1].headings) == depth]
    apart = {passages[n - 1].headings for n in top}
    if len(apart) > 1:  # no text above its parts, or two parts beside each other
        return tuple(_beginnings(question, top, passages))
    return tuple(_said(question, top, passages))


def _beginnings(
    question: str, numbers: Sequence[int], passages: Sequence[Passage]
) -> Iterator[Sentence]:
    """The heading of each part, and what it says first."""
    by_heading: dict[tuple[str, ...], list[int]] = {}
    for n in numbers:
        by_heading.setdefault(passages[n - 1].headings, []).append(n)
    for headings, own in [*by_heading.items()][:_MOST_PARTS]:
        said = _said(question, own, passages)
        if first := next(said, None):
            between = "\n\n" if "\n" in first.text else " "
            title = " ".join(own_words(headings[-1]).split())
            yield replace(first, text=f"**{title}:**{between}{first.text}")


def _said(question: str, numbers: Sequence[int], passages: Sequence[Passage]) -> Iterator[Sentence]:
    blocks = [
        block
        for n in numbers
        for block in _blocks(n, passages[n - 1].text)
        if not is_order(passages[n - 1].text, block.start, block.end, question)
    ]
    others = [block for block in blocks if not block.prose]
    if kind_of(question) == "list" and others:
        blocks = others
    sentences = found = 0
    for at, block in enumerate(blocks):
        after = blocks[at + 1] if at + 1 < len(blocks) else None
        passage = passages[block.n - 1]
        if not block.prose:
            found += 1
            yield quote(_evidence(block.n, passage, block.start, block.end), passages)
        elif found:
            return
        spans = [*_sentences(passage.text, block)] if block.prose else []
        if len(spans) > _SHORT - sentences:
            spans = spans[: _MOST_SENTENCES - sentences]
        for start, end in spans:
            leads = passage.text[start:end].rstrip().endswith(":")
            if not leads or (end == block.end and after and not after.prose):
                sentences += 1
                yield quote(_evidence(block.n, passage, start, end), passages)
        if found >= _MOST_LISTS:
            return


def _blocks(n: int, text: str) -> Iterator[_Block]:
    """The paragraphs, lists, tables and code of a passage, up to a heading inside it."""
    at, start, kind, fence, blank = 0, -1, "", "", False
    for line in text.split("\n"):
        inside, fence = fence, next_fence(line, fence)
        here = "code" if inside or fence else _kind(line, kind)
        if here != "code" and HEADING.match(line):
            break
        # A list goes on after an empty line, a paragraph or a table does not.
        goes_on = here == kind and not (blank and kind in ("prose", "table"))
        if here and not goes_on:
            if kind:
                yield _Block(n, start, _end(text, at), kind == "prose")
            start, kind = at, here
        blank = not here
        at += len(line) + 1
    if kind:
        yield _Block(n, start, _end(text, at), kind == "prose")


def _kind(line: str, before: str) -> str:
    """What a line is, "" for an empty one; what is indented belongs to a list before it."""
    if not line.strip():
        return ""
    if ROW.match(line):
        return "table"
    if ITEM.match(line) or (before == "list" and line[0] in " \t"):
        return "list"
    return "prose"


def _end(text: str, at: int) -> int:
    """Where a block ends whose last line ends before `at`."""
    return len(text[: max(0, at - 1)].rstrip())


def _sentences(text: str, block: _Block) -> Iterator[tuple[int, int]]:
    """The sentences of a paragraph, hard-wrapped ones whole."""
    last = -1
    for span in sentence_spans(text[: block.end]):
        if span.start < block.start or span.start < last:
            continue
        start, last = whole_sentence(text[: block.end], span.start, span.end)
        yield start, last


def _evidence(n: int, passage: Passage, start: int, end: int) -> Evidence:
    first = min(passage.first + passage.text.count("\n", 0, start), passage.last)
    last = min(first + passage.text.count("\n", start, end), passage.last)
    return Evidence(n, passage.text[start:end], first, last, start, end, 0.0)
