"""A follow-up that asks for a time is answered by what it follows, with the bundled models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rag.events import Answered
from rag.retrieval.query import Turn
from tests.conftest import Box

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


@pytest.mark.model
def test_other_days_are_asked_of_a_list(box: Box):
    for name, day in (("Priya", "1990-07-12"), ("Tom", "1985-12-30")):
        (box.notes / f"{name}.md").write_text(f"---\nbirthday: {day}\n---\nA friend.\n")
    box.index()
    engine = box.engine()
    history: list[Turn] = []
    for question, name in (("Who has a birthday in July?", "Priya"), ("And in December?", "Tom")):
        (done,) = engine.ask(question, history)
        assert isinstance(done, Answered)
        assert done.question == question
        assert done.listed is not None
        assert [each.title for each in done.listed.notes] == [name]
        history.append(Turn(done.question, done.answer, done.query))
    assert engine.explain("and in July?", history=history).query == "Who has a birthday in July?"
    engine.close()


@pytest.mark.model
def test_a_list_that_is_longer_than_a_passage_is_counted_whole(box: Box):
    lines = [
        f"- Magazine number {n} about the keeping of bees in towns: 13 euros" for n in range(60)
    ]
    (box.notes / "Subscriptions.md").write_text("\n".join(["# Subscriptions", "", *lines, ""]))
    box.index()
    engine = box.engine()
    *_, counted = engine.ask("How many subscriptions do I have?")
    assert isinstance(counted, Answered)
    assert counted.answer.split()[0] == "60"
    *_, listed = engine.ask("Which subscriptions do I have?")
    assert isinstance(listed, Answered)
    assert [f"number {n} about" in listed.answer for n in range(60)] == [True] * 60
    assert len({each.n for each in listed.citations}) > 1
    engine.close()


@pytest.mark.model
def test_and_when(box: Box):
    shutil.copytree(CORPUS, box.notes, dirs_exist_ok=True)
    box.index()
    engine = box.engine()
    first = list(engine.ask("Who came up with the name RAG?"))[-1]
    assert isinstance(first, Answered)
    assert first.answer.startswith("Patrick Lewis")
    before = Turn(first.question, first.answer, first.query)
    later = list(engine.ask("and when?", history=[before]))[-1]
    assert isinstance(later, Answered)
    assert "2020" in later.answer
    engine.close()
