"""The sentences of a passage: where each stands, and which say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*\s+|[。！？]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"“])(?:[A-Z]|[A-Z]\.[A-Z]|Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|vs|etc|e\.g|i\.e|cf|c|ca|"
    r"approx|No|no|vol|Vol|pp|p|Fig|fig|al|Inc|Ltd|Co|Gen|Col|Lt|Sgt|Rev|Hon|Sen|Rep)\.$"
)
_MARKUP_ONLY = re.compile(r"^[\s\-*+#>|:=`~_.]*$")
_EMBED = re.compile(r"^\s*!\[\[[^\]]*\]\]\s*$")
_ENDS = re.compile(r"[.!?…:;。！？][\"'”’)\]*_]*\s*$")
# A line "phone: …" of the front matter begins a sentence, too.
_BLOCK = re.compile(r"\s*(?:[-*+•]\s|\d{1,9}[.)]\s|#{1,6}\s|>|\||```|~~~|---|[a-z][\w-]*:\s)")
# "am 14. Mai": in German and its neighbours a full stop behind a day is none.
_DAY = re.compile(r"\b(?:[12]?\d|3[01])\.$")
_MONTH = re.compile(
    r"(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|"
    r"januar|februar|marts|april|maj|juni|juli|august|september|oktober|november|december)\b"
)
_ALONE = re.compile(r"\s*(?:#{1,6}\s|\||```|~~~|---)|.*\S {3,}\S")  # a heading, a row of a table
_WRAPPED = 60  # letters of a line that was broken because it was full
_MOST_LINES = 12
# A sentence that says nothing without the one before it.
LEANING = re.compile(
    r"(?:(?:And|But|So|Or|Yet|Also|However|Then|Thus|Therefore|Here|There|Another|"
    r"(?:Both|Each|All|Some|Most)(?: of)?) )?"
    r"(?:it|its|they|their|them|this|that|these|those|he|his|she|her|such|another|the other)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence: `text[start:end]`, on line `line` of the text, counted from 0."""

    start: int
    end: int
    line: int


def split_sentences(text: str) -> list[str]:
    """Sentences of one line, verbatim: joined they give the line back.

    A full stop after an initial, a common abbreviation or the day of a date ends none.
    """
    cuts = [0]
    for match in _SENTENCE_END.finditer(text):
        stop = match.start() + 1
        before = max(0, stop - 12)
        ends = not _ABBREVIATION.search(text, before, stop)
        if ends and not (_DAY.search(text, before, stop) and _MONTH.match(text, match.end())):
            cuts.append(match.end())
    if cuts[-1] != len(text):
        cuts.append(len(text))
    return [text[start:end] for start, end in pairwise(cuts)] or [text]


def sentence_spans(text: str) -> Iterator[Span]:
    """All sentences of a text, in order, none of them only markup."""
    offset = 0
    for number, line in enumerate(text.split("\n")):
        at = offset
        for sentence in split_sentences(line):
            start = at + len(sentence) - len(sentence.lstrip())
            end = at + len(sentence.rstrip())
            at += len(sentence)
            if end > start and not _MARKUP_ONLY.match(sentence) and not _EMBED.match(sentence):
                yield Span(start, end, number)
        offset += len(line) + 1


def whole_sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence that `text[start:end]`, cut out of one line, is a part of.

    In a hard-wrapped text it begins on a line above or ends on one below. Two lines belong
    together where neither starts a block and the upper one is long, or the lower one goes on in
    lower case: a short line that ends in no full stop is a line of its own.
    """
    for _ in range(_MOST_LINES):
        if text[text.rfind("\n", 0, start) + 1 : start].strip():
            break  # it does not begin its line
        top = text.rfind("\n", 0, start)
        above = text[text.rfind("\n", 0, max(top, 0)) + 1 : max(top, 0)]
        if top < 0 or _ENDS.search(above) or not _goes_on(above, text[start:].split("\n")[0]):
            break
        last = split_sentences(above)[-1]
        start = top - len(last) + len(last) - len(last.lstrip())
    for _ in range(_MOST_LINES):
        stop = text.find("\n", end)
        line = text[text.rfind("\n", 0, end) + 1 : end]
        if stop < 0 or text[end:stop].strip() or _ENDS.search(line):
            break
        below = text[stop + 1 :].split("\n")[0]
        if not _goes_on(line, below):
            break
        end = stop + 1 + len(split_sentences(below)[0].rstrip())
    return start, end


def _goes_on(above: str, below: str) -> bool:
    """Whether the line `below` goes on with the sentence of the line `above`."""
    if not above.strip() or not below.strip() or _BLOCK.match(below) or _ALONE.match(above):
        return False
    return len(above.rstrip()) >= _WRAPPED or below.lstrip()[:1].islower()


def find_spans(text: str, parts: Sequence[str], start: int = 0) -> list[tuple[int, int]]:
    """Where each of `parts` stands in `text`, in order; one that does not stand there is empty."""
    found = []
    for part in parts:
        at = text.find(part, start) if part else -1
        found.append((start, start) if at < 0 else (at, at + len(part)))
        start = found[-1][1]
    return found
