"""Passages and a question into an answer, sentence by sentence, each borne out by the notes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.abstention import REFUSE_BELOW, answerable
from rag.answering.generation import Generator, Token
from rag.answering.grounding import Sentence, ground, quote
from rag.answering.prompt import ANSWER_TOKENS, REFUSAL, build_prompt
from rag.reading.sentences import split_sentences
from rag.retrieval.evidence import Evidence, whole_list
from rag.retrieval.query import Turn
from rag.retrieval.search import Passage

_MAX_SENTENCES = 4
# Sentences of the notes that the model reads: more made the small model's answers no better
# (50 and 60 questions, six prompts).
PROMPT_EVIDENCE = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """How much of the prompt the model has read, in tokens."""

    tokens_done: int
    tokens_total: int


@dataclass(frozen=True, slots=True)
class Drafted:
    """The end of an answer. `text` joins its sentences; `tokens_per_s` is of the decoding."""

    text: str
    answered: bool
    sentences: tuple[Sentence, ...]
    first_token: float | None  # time.perf_counter() of the model's first token
    tokens_per_s: float


Step = Reading | Sentence | Drafted


def answer(
    question: str,
    terms: Sequence[str],
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    history: Sequence[Turn],
    open_generator: Callable[[], Generator],
    analyze: Callable[[str], list[str]],
    cancel: Callable[[], bool] | None = None,
) -> Iterator[Step]:
    """Answer from `passages`, or say that they do not hold it.

    `terms` are the analyzed words of the question as it was searched. Whether to refuse is
    settled before the first sentence. Raises Cancelled, ModelError.
    """
    if answerable(terms, passages, evidence, analyze) < REFUSE_BELOW:
        yield Drafted(REFUSAL, False, (), None, 0.0)
        return
    generator = open_generator()
    prompt = build_prompt(
        question,
        passages,
        evidence[:PROMPT_EVIDENCE],
        history,
        generator.count_tokens,
        generator.context_size,
    )
    # Against the best sentence alone: measured on 80 questions, what the untaught model made of
    # the second and third held a gold answer in 23 of 100 cases, the best one verbatim in 73.
    candidates = evidence[:1]
    asked = {*terms, *analyze(question)}
    written: list[Sentence] = []
    draft = _Draft()
    for token in generator.stream(prompt.messages, ANSWER_TOKENS, cancel):
        if not token.text:
            yield Reading(token.prompt_done, token.prompt_total)
            continue
        for text in draft.add(token):
            sentence = ground(text, asked, passages, candidates, analyze)
            if sentence.support != "unsupported" and _new(sentence, written):
                written.append(sentence)
                yield sentence
        if draft.loops or len(written) >= _MAX_SENTENCES:
            break
    for text in draft.rest():
        sentence = ground(text, asked, passages, candidates, analyze)
        if sentence.support != "unsupported" and _new(sentence, written):
            written.append(sentence)
            yield sentence
    if not written:  # what the model said is not in the notes: the notes themselves answer
        best = whole_list(evidence[0], passages[evidence[0].n - 1])
        sentence = quote(best, passages)
        written.append(sentence)
        yield sentence
    text = " ".join(sentence.text for sentence in written)
    yield Drafted(text, True, tuple(written), draft.first_token, draft.tokens_per_s)


def _new(sentence: Sentence, written: Sequence[Sentence]) -> bool:
    return all(sentence.text != each.text for each in written)


def _split(text: str) -> list[str]:
    """Sentences, then the unfinished rest, which may be empty."""
    *lines, last = text.split("\n")
    parts = [part for line in lines for part in split_sentences(line)]
    # With a letter behind it, a full stop at the very end is seen for what it is.
    parts += split_sentences(f"{last}x")
    return [*parts[:-1], parts[-1][:-1]]


class _Draft:
    """The model's words as they come, cut into sentences."""

    def __init__(self) -> None:
        self._buffer = ""
        self._seen: set[str] = set()
        self.loops = False
        self.first_token: float | None = None
        self._tokens = 0

    def add(self, token: Token) -> Iterator[str]:
        """The sentences that this token completes."""
        if self.first_token is None:
            self.first_token = time.perf_counter()
        self._tokens += 1
        self._buffer += token.text
        *whole, self._buffer = _split(self._buffer)
        for text in whole:
            yield from self._once(text)

    def rest(self) -> Iterator[str]:
        """What is left when the model has ended, if it is a whole sentence or all there is."""
        text, self._buffer = self._buffer, ""
        yield from self._once(text)

    def _once(self, text: str) -> Iterator[str]:
        key = " ".join(text.casefold().split())
        if not key:
            return
        if key in self._seen:
            self.loops = True
            return
        self._seen.add(key)
        yield text.strip()

    @property
    def tokens_per_s(self) -> float:
        if self.first_token is None or self._tokens < 2:
            return 0.0
        return (self._tokens - 1) / max(1e-6, time.perf_counter() - self.first_token)
