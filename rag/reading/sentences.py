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


@dataclass(frozen=True, slots=True)
class Span:
    """One sentence: `text[start:end]`, on line `line` of the text, counted from 0."""

    start: int
    end: int
    line: int


def split_sentences(text: str) -> list[str]:
    """Sentences of one line, verbatim: joined they give the line back.

    A full stop after an initial or a common abbreviation ends none.
    """
    cuts = [0]
    for match in _SENTENCE_END.finditer(text):
        stop = match.start() + 1
        if not _ABBREVIATION.search(text, max(0, stop - 12), stop):
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


def find_spans(text: str, parts: Sequence[str], start: int = 0) -> list[tuple[int, int]]:
    """Where each of `parts` stands in `text`, in order; one that does not stand there is empty."""
    found = []
    for part in parts:
        at = text.find(part, start) if part else -1
        found.append((start, start) if at < 0 else (at, at + len(part)))
        start = found[-1][1]
    return found
