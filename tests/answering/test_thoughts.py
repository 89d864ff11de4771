"""Thoughts are told apart from answers, however the pieces are cut."""

from __future__ import annotations

import pytest

from rag.answering.thoughts import Folding, opened_by


def fold(text: str, size: int, opened: str = "") -> tuple[str, str]:
    """Thought and answer of a text that comes in pieces of `size` letters."""
    folding = Folding(opened)
    parts = []
    for start in range(0, len(text), size):
        parts += folding.add(text[start : start + size])
    parts += folding.rest()
    assert all(part for part, _ in parts)
    return tuple(
        "".join(part for part, thought in parts if thought is kind) for kind in (True, False)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("text", "opened", "thought", "answer"),
    [
        ("<think>a < b</think>\n\nYes.", "", "a < b", "Yes."),
        ("\n<think>\n</think>\n\nYes.", "", "\n", "Yes."),
        ("[THINK]so[/THINK]No.", "", "so", "No."),
        ("so it is</think>Yes.", "<think>", "so it is", "Yes."),
        ("Yes, a <think>tag</think>.", "", "", "Yes, a <think>tag</think>."),
        ("<think>never done", "", "never done", ""),
        ("<thin air", "", "", "<thin air"),
        ("<b>bold</b>", "", "", "<b>bold</b>"),
        ("<think></think>", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_thought_and_answer(text: str, opened: str, thought: str, answer: str, size: int):
    assert fold(text, size, opened) == (thought, answer)


def test_a_thought_can_be_ended():
    folding = Folding("<think>")
    assert list(folding.add("on and on</thi")) == [("on and on", True)]
    assert folding.inside
    assert folding.closing == "</think>"
    assert list(folding.force()) == [("</thi", True)]
    assert list(folding.add("Yes.")) == [("Yes.", False)]


def test_a_template_that_opens_a_thought():
    assert opened_by("<|assistant|>\n<think>\n") == "<think>"
    assert opened_by("<|assistant|>\n<think>\n\n</think>\n\n") == ""
