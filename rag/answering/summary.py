"""Whole notes into a list of points, each cited: their own central sentences, or what a larger
model writes of them as far as the notes bear it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answering.draft import Draft
from rag.answering.generation import Generator
from rag.answering.grounding import Judge, cite, ground, marked, own_words
from rag.answering.messages import Message
from rag.answering.points import central_points
from rag.answering.steps import Drafted, Reading, Sentence
from rag.errors import Cancelled
from rag.reading.links import plain
from rag.reading.sentences import sentence_spans
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.whole import IN_ALL, MOST_NOTES, Piece, ToSum, WholeNote, title_of

# More passages than a model reads in some minutes: then the notes' own sentences stand alone.
MOST_READ = 60
SUMMARY_TOKENS = 320
SYSTEM = (
    "Sum up the note in {} short sentences. Use the note's own words, and say nothing that is "
    "not in it. Write plain sentences, one a line, without an introduction."
)
_TEMPLATE_TOKENS = 128  # of instructions, title and chat template
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+")
Analyze = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """What the sentences of a model are checked with; with `strict`, weak ones are left out."""

    analyze: Analyze
    judge: Judge | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    """What was found in the notes before any model reads: passages, and their best sentences.

    `notes` are the titles of the notes, each with the numbers of its `passages`.
    """

    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    notes: tuple[tuple[str, tuple[int, ...]], ...]


def read_points(
    wanted: ToSum,
    analyze: Analyze,
    whole: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Reading | Points]:
    """Read all the notes, and at the end yield their points. Raises Cancelled.

    The passages are those of the points, or with `whole` all of them, as far as MOST_READ goes.
    """
    passages: list[Passage] = []
    evidence: list[Evidence] = []
    notes: list[tuple[str, tuple[int, ...]]] = []
    found: list[tuple[WholeNote, list[Piece], list[Evidence]]] = []
    for done, note in enumerate(wanted.notes, 1):
        if cancel is not None and cancel():
            raise Cancelled
        pieces = note.read()
        found.append((note, pieces, central_points(pieces, analyze, _share(wanted))))
        yield Reading(done, len(wanted.notes), "notes")
    whole = whole and sum(len(pieces) for _, pieces, _ in found) <= MOST_READ
    for note, pieces, points in found:
        kept = range(1, len(pieces) + 1) if whole else sorted({each.n for each in points})
        numbers = {n: len(passages) + at for at, n in enumerate(kept, 1)}
        passages += [pieces[n - 1][0] for n in kept]
        evidence += [replace(each, n=numbers[each.n]) for each in points]
        if numbers:
            notes.append((title_of(note), tuple(numbers.values())))
    yield Points(tuple(passages), tuple(evidence), tuple(notes))


def _share(wanted: ToSum) -> int | None:
    """How many points a note gets; None for as many as its length asks for."""
    if wanted.points is not None:
        return max(1, wanted.points // max(1, len(wanted.notes)))
    if len(wanted.notes) <= 1:
        return None
    return max(1, min(3, MOST_NOTES // len(wanted.notes)))


def summarise(
    wanted: ToSum,
    points: Points,
    open_generator: Callable[[], Generator] | None,
    check: Check,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Reading | Sentence | Drafted]:
    """The points as sentences, in the notes' order, and the summary's end.

    A model that was taught short answers alone writes none; what another writes of a note stands
    in place of its own sentences where the note bears it out. Raises Cancelled, ModelError.
    """
    written: list[Sentence] = []
    draft = Draft()
    generator = open_generator() if open_generator is not None else None
    if generator is not None and generator.taught:
        generator = None
    several = len(points.notes) > 1
    for title, numbers in points.notes:
        own = [each for each in points.evidence if each.n in numbers]
        lead = _lead(wanted, len(points.notes)) if several and not written else ""
        before = f"{lead}{title}:\n\n" if several else ""
        texts: Iterator[Reading | Sentence] = _quoted(own, points.passages)
        if generator is not None:
            texts = _written(generator, draft, points.passages, numbers, own, check, cancel)
        for sentence in texts:
            if isinstance(sentence, Reading):
                yield sentence
                continue
            gap = "" if not written else "\n\n" if before else "\n"
            shown = replace(sentence, text=f"{gap}{before}{sentence.text}")
            before = ""
            written.append(shown)
            yield shown
    text = "".join(each.text for each in written)
    answered = bool(written)
    first = draft.first_token
    yield Drafted(
        text if answered else "There is nothing in these notes to sum up.",
        answered, tuple(written), first, draft.tokens_per_s, by_model=draft.used,
    )  # fmt: skip


def _lead(wanted: ToSum, shown: int) -> str:
    """Which of how many notes these are."""
    if not wanted.place:
        return ""
    if shown < wanted.total:
        total = f"{wanted.total:,} notes"
        which = f"all {total}" if wanted.place == IN_ALL else f"{total} {wanted.place}"
        return f"{shown} of {which}, the most central ones.\n\n"
    return f"{wanted.total:,} notes {wanted.place}.\n\n"


def _quoted(points: Sequence[Evidence], passages: Sequence[Passage]) -> Iterator[Sentence]:
    """Sentences of the notes as points of a list."""
    for each in points:
        citation = cite(each, passages)
        said = own_words(" ".join(plain(each.text).split()))
        yield Sentence(f"- {marked(said, citation.n)}", (citation,), "supported")


def _written(
    generator: Generator,
    draft: Draft,
    passages: Sequence[Passage],
    numbers: Sequence[int],
    own: Sequence[Evidence],
    check: Check,
    cancel: Callable[[], bool] | None,
) -> Iterator[Reading | Sentence]:
    """What the model writes of one note, piece by piece, as far as the note bears it out; the
    note's own points of a piece of which nothing is left."""
    parts = _parts(generator, passages, numbers)
    said: set[str] = set()
    for part in parts:
        sentences = [each for n in part for each in _sentences(n, passages[n - 1])]
        count = max(1, round(len(own) / len(parts)))
        messages = _messages(passages, part, count)
        kept = 0
        for token in generator.stream(messages, SUMMARY_TOKENS, cancel):
            if not token.text:
                yield Reading(token.prompt_done, token.prompt_total)
                continue
            for text in draft.add(token):
                sentence = _grounded(text, passages, sentences, check)
                if sentence is not None and sentence.text not in said:
                    said.add(sentence.text)
                    kept += 1
                    draft.used = True
                    yield sentence
            if draft.loops or kept >= count:
                break
        draft.end()
        if not kept:
            yield from _quoted([each for each in own if each.n in part], passages)


def _grounded(
    text: str, passages: Sequence[Passage], sentences: Sequence[Evidence], check: Check
) -> Sentence | None:
    """A sentence of the model as a point; None where the note does not bear it out."""
    sentence = ground(_BULLET.sub("", text), (), passages, sentences, check.analyze, check.judge)
    if sentence.support == "unsupported" or (check.strict and sentence.support != "supported"):
        return None
    return replace(sentence, text=f"- {sentence.text}")


def _parts(
    generator: Generator, passages: Sequence[Passage], numbers: Sequence[int]
) -> list[list[int]]:
    """The passages of a note in runs that the model's context holds."""
    room = generator.context_size - SUMMARY_TOKENS - _TEMPLATE_TOKENS
    parts: list[list[int]] = []
    used = 0
    for n in numbers:
        size = generator.count_tokens(passages[n - 1].text)
        if not parts or used + size > room:
            parts.append([])
            used = 0
        parts[-1].append(n)
        used += size
    return parts


def _messages(
    passages: Sequence[Passage], part: Sequence[int], count: int
) -> tuple[Message, Message]:
    title = passages[part[0] - 1].title
    text = "\n\n".join(plain(passages[n - 1].text) for n in part)
    return Message("system", SYSTEM.format(count)), Message("user", f"{title}\n\n{text}")


def _sentences(n: int, passage: Passage) -> Iterator[Evidence]:
    """All sentences of a passage, for what the model writes to be held against."""
    for span in sentence_spans(passage.text):
        line = min(passage.first + span.line, passage.last)
        text = passage.text[span.start : span.end]
        yield Evidence(n, text, line, line, span.start, span.end, 0.0)
