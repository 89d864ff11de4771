"""Questions proposed from notes by rule: what they define, what they say under a heading, what
they link. Each has its answer in the text at its lines, and is there to be edited by hand."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rag.evaluation.matching import holds, normalise
from rag.evaluation.sensible import ELSEWHERE
from rag.reading.blocks import Block
from rag.reading.documents import Document
from rag.reading.links import plain
from rag.reading.sentences import sentence_spans

Kind = Literal["definition", "heading", "link", "model"]
_FEWEST, _MOST = 5, 40  # words of a sentence that is an answer, or that holds one
_FEWEST_AROUND = 9  # words of a sentence that says enough with one name left out
_DEFINES = re.compile(
    r"(?P<article>(?:the|an?)\s+)?(?P<term>\w[\w'’./+-]*(?:\s+[\w'’./+-]+){0,4}?)\s+"
    r"(?P<verb>is|are|was|were)\s+(?P<what>(?:an?|the|one of)\s+[^.;:,()\[\]]{8,})",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s*[-*+]\s+\*\*(?P<term>[^*]{2,60}?):?\*\*\s*[:–—-]?\s+(?P<what>\S.{7,})")
_LINK = re.compile(r"(?<!!)\[\[(?:[^\]|]*\|)?(?P<shown>[^\]|#]+)(?:#[^\]]*)?\]\]")
_ADDED = re.compile(r"\s*\[[^\]]*\](?=:?\s*\Z)")
_NUMBER = re.compile(r"\A\s*(?:\d+[.)])+\s+")
# What such a word refers to stands elsewhere, so that the question alone says too little.
_REFERS = frozenset(
    "it this that these those there here he she they we i you who what which when where how why "
    "one another each both all some his her its their our my your such no".split()
)
_YEAR = re.compile(r"(?:in )?\d{4}", re.IGNORECASE)
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
_GAP = "What is missing in “"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question with its answer, verbatim in lines `first` to `last` of `note`."""

    question: str
    answer: str
    note: str
    first: int
    last: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence as it stands in a note, on which lines."""

    text: str
    first: int
    last: int


def propose(document: Document) -> list[Proposal]:
    """All that a note gives, definitions first."""
    found = [*_definitions(document), *_links(document), *_headings(document)]
    once = {each.question.casefold(): each for each in reversed(found)}
    return [each for each in found if once[each.question.casefold()] is each]


def checked(proposals: Iterable[Proposal], text: str) -> list[Proposal]:
    """Those whose answer stands in the note's `text` at its lines, and not in the question."""
    lines = text.split("\n")
    return [
        each
        for each in proposals
        if holds("\n".join(lines[each.first - 1 : each.last]), [each.answer])
        and not holds(each.question, [each.answer])
    ]


def choose(by_note: Sequence[Sequence[Proposal]], count: int, seed: int = 0) -> list[Proposal]:
    """`count` of them, from as many notes as can be, the same for the same seed; those that nobody
    would ask, with a gap, where the others are too few."""
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    shuffled = [draw.sample(list(each), len(each)) for each in by_note]
    draw.shuffle(shuffled)
    asking = [[each for each in note if not each.question.startswith(_GAP)] for note in shuffled]
    gaps = [[each for each in note if each.question.startswith(_GAP)] for note in shuffled]
    chosen: dict[str, Proposal] = {}
    for turn in (*zip_longest(*asking), *zip_longest(*gaps)):
        for each in turn:
            if each is not None and len(chosen) < count:
                chosen.setdefault(each.question.casefold(), each)
    return list(chosen.values())


def _definitions(document: Document) -> Iterator[Proposal]:
    """ "The barrel is a tank of oak." and "- **Barrel**: a tank of oak"."""
    for block in document.blocks:
        for number, line in enumerate(block.text.split("\n") if block.kind == "list" else ()):
            item = _ITEM.match(line)
            if item and not item["what"].startswith(("and ", "or ")):
                at = min(block.first + number, block.last)
                question = _of_item(_even(item["term"]), document.title)
                answer = _even(_first_sentence(item["what"]))
                yield Proposal(question, answer, document.path, at, at, "definition")
        for each in _sentences(block):
            match = _DEFINES.match(_even(each.text))
            if match and _is_term(match["article"] or "", match["term"]):
                term = f"{(match['article'] or '').lower()}{match['term']}"
                yield Proposal(
                    f"What {match['verb'].lower()} {term}?",
                    match["what"].strip(),
                    document.path,
                    each.first,
                    each.last,
                    "definition",
                )


def _of_item(term: str, title: str) -> str:
    """The question that the item of a list answers: not all of them define."""
    if _YEAR.fullmatch(term):
        return f"What happened in {term[-4:]}, according to my notes on {_bare(title)}?"
    return f"What do my notes on {_bare(title)} say about {term}?"


def _first_sentence(text: str) -> str:
    first = next(iter(sentence_spans(text)))
    return text[first.start : first.end].strip()


def _is_term(article: str, term: str) -> bool:
    """Whether a question can name it: "a token" or "Basel", but not "it", nor "the result"."""
    if term.split()[0].casefold() in _REFERS:
        return False
    return article.strip().casefold() != "the" or term != term.lower()


def _headings(document: Document) -> Iterator[Proposal]:
    """What the paragraph right under each heading says first; a heading may be a question."""
    seen: set[tuple[str, ...]] = set()
    for block in document.blocks:
        if block.headings in seen:
            continue
        first = next(iter(_sentences(block)), None)
        seen.add(block.headings)
        if first is not None and block.text.lstrip().startswith(first.text.strip()):
            if first.text.split()[0].casefold() in ELSEWHERE:
                continue
            yield Proposal(
                _about(document.title, block.headings[-1] if block.headings else ""),
                _even(first.text),
                document.path,
                first.first,
                first.last,
                "heading",
            )


def _about(title: str, heading: str) -> str:
    title, heading = _bare(title), _bare(_NUMBER.sub("", heading))
    asks = bool(_ASKS.match(heading))
    if heading.endswith("?"):
        if asks or " or " in heading:
            return heading
        heading = heading.rstrip("? ")
    if not heading or normalise(heading) == normalise(title.replace("-", " ")):
        return f"What do my notes say about {title}?"
    if asks:
        heading = heading[0].lower() + heading[1:]
    return f"What do my notes on {title} say about {heading}?"


def _bare(text: str) -> str:
    """A title or heading without what it adds in brackets, and without a colon at its end."""
    return _ADDED.sub("", text).strip().rstrip(":").strip() or text


def _links(document: Document) -> Iterator[Proposal]:
    """Who or what a sentence speaks of that begins with a link; else the linked name left out."""
    for block in document.blocks:
        for each in _sentences(block):
            if subject := _SUBJECT.match(each.text):
                question = f"Who or what {_even(subject['rest']).rstrip('.!')}?"
                answer = subject["shown"].strip()
                yield Proposal(question, answer, document.path, each.first, each.last, "link")
                continue
            for match in _LINK.finditer(each.text):
                if len(each.text.split()) < _FEWEST_AROUND:
                    continue
                gap = f"{each.text[: match.start()]}___{each.text[match.end() :]}"
                yield Proposal(
                    f"{_GAP}{_even(gap)}”?",
                    match["shown"].strip(),
                    document.path,
                    each.first,
                    each.last,
                    "link",
                )


def _sentences(block: Block) -> Iterator[_Sentence]:
    """The whole sentences of a paragraph that are neither scraps nor pages."""
    if block.kind != "paragraph":
        return
    for span in sentence_spans(block.text):
        text = block.text[span.start : span.end]
        if not _FEWEST <= len(text.split()) <= _MOST or not text.rstrip().endswith((".", "!")):
            continue
        first = min(block.first + block.text.count("\n", 0, span.start), block.last)
        yield _Sentence(text, first, min(first + text.rstrip().count("\n"), block.last))


def _even(text: str) -> str:
    return " ".join(plain(text).split())
