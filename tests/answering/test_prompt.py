"""A prompt fits, whatever it is made of."""

import pytest

from rag.answering.prompt import ANSWER_TOKENS, build_prompt
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.query import Turn


def count(text: str) -> int:
    return len(text.split())


def passages(n: int, words: int = 50) -> tuple[list[Passage], list[Evidence]]:
    text = " ".join(["word"] * words)
    made = [Passage(i, f"{i}.md", f"T{i}", (), 1, 1, text, 1.0, 0.5, None) for i in range(1, n + 1)]
    return made, [Evidence(i, text, 1, 1, 0, len(text), 1.0) for i in range(1, n + 1)]


@pytest.mark.parametrize("context", [300, 400, 600, 1000, 4096])
@pytest.mark.parametrize("question", ["Why?", "why " * 2000])
def test_it_always_fits(context, question):
    found, evidence = passages(8, 120)
    history = [Turn("q " * 80, "a " * 80, "q")] * 6
    prompt = build_prompt(question, found, evidence, history, count, context)
    size = sum(count(message.text) + 8 for message in prompt.messages)
    assert size <= context - ANSWER_TOKENS


def test_passages_are_dropped_from_the_end_and_the_question_never():
    found, evidence = passages(8, 60)
    prompt = build_prompt("Which one?", found, evidence, [], count, 460)
    assert prompt.shown == tuple(range(1, len(prompt.shown) + 1))
    assert 0 < len(prompt.shown) < 8
    assert "Which one?" in prompt.messages[-1].text


def test_history_is_dropped_from_its_start_before_the_last_passage():
    found, evidence = passages(1, 60)
    history = [Turn("older " * 60, "x", "q"), Turn("newer", "y", "q")]
    text = " ".join(
        m.text for m in build_prompt("Q?", found, evidence, history, count, 380).messages
    )
    assert "newer" in text
    assert "older" not in text
    assert "[1] T1" in text


def test_passages_are_numbered_as_they_were_found():
    found, evidence = passages(3)
    text = build_prompt("Q?", found, [evidence[2], evidence[0]], [], count, 4096).messages[-1].text
    assert text.index("[1] T1") < text.index("[3] T3")
    assert "[2]" not in text
