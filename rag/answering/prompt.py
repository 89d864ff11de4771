"""Passages, history and a question into a numbered prompt that fits the model's context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answering.generation import Message
from rag.reading.links import plain
from rag.retrieval.evidence import Evidence
from rag.retrieval.query import Turn
from rag.retrieval.search import Passage

SYSTEM = "You are a helpful assistant that answers with facts from the reader's notes."
ANSWER_TOKENS = 160  # kept free in the context for the answer


@dataclass(frozen=True, slots=True)
class Prompt:
    """The chat, and the numbers of the passages that it shows."""

    messages: tuple[Message, ...]
    shown: tuple[int, ...]


def build_prompt(
    question: str,
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    history: Sequence[Turn],
    count_tokens: Callable[[str], int],
    context_size: int,
) -> Prompt:
    """A prompt that leaves room for the answer in `context_size` tokens.

    Passages are dropped from the end, then history from its start, never the question; a
    question that does not fit alone is shortened in its middle.
    """
    notes = _notes(passages, evidence)
    turns = list(history[-2:])
    room = context_size - ANSWER_TOKENS - 64  # 64: what the chat template adds
    question = _shorten(question, room // 2, count_tokens)
    while True:
        messages = _messages(question, notes, turns)
        size = sum(count_tokens(message.text) + 8 for message in messages)
        if size <= room or not (notes or turns):
            return Prompt(messages, tuple(n for n, _ in notes))
        if len(notes) > 1 or not turns:
            notes.pop()
        else:
            turns.pop(0)


def _notes(passages: Sequence[Passage], evidence: Sequence[Evidence]) -> list[tuple[int, str]]:
    """What the model reads of each passage, in order of its number."""
    wanted: dict[int, list[Evidence]] = {}
    for each in evidence:
        wanted.setdefault(each.n, []).append(each)
    notes = []
    for n in sorted(wanted):
        passage = passages[n - 1]
        kept = sorted(wanted[n], key=lambda each: each.start)
        text = " ".join(plain(each.text) for each in kept)
        notes.append((n, f"[{n}] {passage.title}: {text}"))
    return notes


def _messages(
    question: str, notes: Sequence[tuple[int, str]], turns: Sequence[Turn]
) -> tuple[Message, ...]:
    said = [
        message
        for turn in turns
        for message in (Message("user", turn.question), Message("assistant", turn.answer))
    ]
    text = "\n".join(note for _, note in notes)
    asked = f"Using only the notes above, answer in one short sentence: {question}"
    return (Message("system", SYSTEM), *said, Message("user", f"{text}\n\n{asked}"))


def _shorten(question: str, limit: int, count_tokens: Callable[[str], int]) -> str:
    while (size := count_tokens(question)) > limit and len(question) > 40:
        keep = max(20, int(len(question) * limit / size * 0.9) // 2)
        question = f"{question[:keep]} … {question[-keep:]}"
    return question
