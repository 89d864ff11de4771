"""Questions put to an engine, one after the other, as a stream of `Row`s."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.answering.steps import Citation, Sentence
from rag.engine import Engine
from rag.errors import Cancelled, EvaluationError, QuestionError
from rag.evaluation.matching import holds
from rag.evaluation.measures import CONTEXT_TOKENS
from rag.evaluation.questions import Question
from rag.evaluation.rows import Cited, Found, Reply, Row
from rag.events import Answered
from rag.reading.notes import NoteText, read_note

if TYPE_CHECKING:
    from pathlib import Path

    from rag.retrieval.found import Passage

DEPTH = 20  # passages searched: ten for the ranks, more so that short ones fill the context


def run(
    engine: Engine,
    questions: Sequence[Question],
    answers: bool,
    stopped: Callable[[], bool],
    quote: bool = False,
) -> Iterator[Row]:
    """One row a question, until `stopped()`. With `answers` each is also asked, with `quote` too
    by evidence alone.

    Raises RagError, EvaluationError with its place for a question that cannot be asked; a question
    that is stopped in the middle has no row.
    """
    gold = engine.passages_of({question.note for question in questions})
    tokenizer = engine.parts.identity().tokenizer
    tokenizer.no_truncation()
    if answers and not quote:
        engine.models.warm_up()
    elif questions:
        with _placed(questions[0]):
            engine.search(questions[0].question)  # loads what no question should wait for
    for question in questions:
        if stopped():
            return
        started = time.perf_counter()
        with _placed(question):
            ranked = engine.search(question.question, DEPTH)
        search_ms = (time.perf_counter() - started) * 1000
        reply = None
        if answers:
            try:
                with _placed(question):
                    ranked, reply = _ask(engine, question.question, ranked, stopped, quote)
            except Cancelled:
                return
        found = tuple(Found(each.path, (each.first, each.last), each.text) for each in ranked)
        yield Row(
            question.id,
            found,
            sum(holds(text, question.answers) for text in gold[question.note]),
            in_context(tokenizer, [each.text for each in found], question.answers),
            search_ms,
            reply,
        )


@contextmanager
def _placed(question: Question) -> Iterator[None]:
    try:
        yield
    except QuestionError as error:
        place = f"{question.place or 'The question'}, id {question.id!r}"
        raise EvaluationError(f"{place}: {error.message}", error.remedy) from error


def in_context(
    tokenizer: Any, texts: Sequence[str], answers: Sequence[str], budget: int = CONTEXT_TOKENS
) -> bool:
    """Whether a gold answer stands in the first `budget` tokens of these texts, in order."""
    for text in texts:
        ends = [end for _, end in tokenizer.encode(text, add_special_tokens=False).offsets]
        if holds(text[: ends[budget - 1]] if len(ends) > budget else text, answers):
            return True
        budget -= len(ends)
        if budget <= 0:
            return False
    return False


def _ask(
    engine: Engine,
    question: str,
    ranked: Sequence[Passage],
    stopped: Callable[[], bool],
    quote: bool = False,
) -> tuple[tuple[Passage, ...], Reply]:
    """The answer to a question, and its passages in their order, before any others `ranked`."""
    started = time.perf_counter()
    support: list[str] = []
    done: Answered | None = None
    for event in engine.ask(question, cancel=stopped, quote=quote):
        if isinstance(event, Sentence):
            support.append(event.support)
        elif isinstance(event, Answered):
            done = event
    seconds = time.perf_counter() - started
    assert done is not None, "an answer ends with Answered"
    known = {each.id for each in done.passages}
    everything = (*done.passages, *(each for each in ranked if each.id not in known))
    number = {each.id: n for n, each in enumerate(everything, 1)}
    given = tuple(number[each.id] for each in done.passages)
    cited = tuple(_cited(engine.notes_folder, each, given[each.n - 1]) for each in done.citations)
    reply = Reply(
        done.answered, done.answer, cited, tuple(support), given, done.confidence, seconds
    )
    return everything, reply


def _cited(folder: Path, citation: Citation, n: int) -> Cited:
    note = read_note(folder, citation.path)
    lines = note.text.split("\n") if isinstance(note, NoteText) else []
    verbatim = citation.quote in "\n".join(lines[citation.first - 1 : citation.last])
    return Cited(
        n,
        citation.path,
        (citation.first, citation.last),
        citation.quote,
        bool(citation.quote) and verbatim,
    )


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed. The first lets the figures so far be shown, the next ends."""
    pressed = False
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:  # a run in the background
        yield lambda: False
        return

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
