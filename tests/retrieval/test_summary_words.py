"""Which notes a person wants summed up."""

from datetime import date

import pytest

from rag.indexing.filtering import Filters
from rag.retrieval.intent import understand
from rag.retrieval.summary_words import Summary, find_summary


@pytest.mark.parametrize(
    ("asked", "names", "sure"),
    [
        ("Summarise [[RAG]]", ("RAG",), True),
        ("summarize [[RAG|the note]]?", ("RAG",), True),
        ("Please summarise my note [[work/Plan#Costs]]", ("work/Plan#Costs",), True),
        ("summarise [[A]] and [[B]]", ("A", "B"), True),
        ("summarize my note on X", ("X",), True),
        ("summarise the rain barrel note", ("rain barrel",), True),
        ("sum up the note called “Rain barrel” for me", ("Rain barrel",), True),
        ("give me a short summary of plan.md", ("plan.md",), True),
        ("TL;DR [[RAG]]", ("RAG",), True),
        ("[[RAG]]?", ("RAG",), True),
        ("[[A]] and [[B]]", ("A", "B"), True),
        ("what are the key points of my note on bees?", ("bees",), True),
        ("what is [[RAG]] about?", ("RAG",), True),
        ("summarise RAG", ("RAG",), False),
        ("summarise my notes on RAG", ("RAG",), False),
    ],
)
def test_notes_by_name(asked: str, names: tuple[str, ...], sure: bool):
    assert find_summary(asked) == (Summary(names, sure=sure), Filters())


@pytest.mark.parametrize(
    ("asked", "filters"),
    [
        ("summarise work/", Filters(paths=("work/",))),
        ("summarise the folder work", Filters(paths=("work",))),
        ("Summarise my notes in the work folder", Filters(paths=("work",))),
        ("summarise everything in work/ tagged ml", Filters(tags=("ml",), paths=("work/",))),
        ("sum up all my notes", Filters()),
    ],
)
def test_folders_and_all(asked: str, filters: Filters):
    assert find_summary(asked) == (Summary(), filters)


@pytest.mark.parametrize(
    ("asked", "points"),
    [
        ("summarise [[RAG]] in 5 points", 5),
        ("summarise [[RAG]] in three short sentences", 3),
        ("summarise [[RAG]] briefly", None),
        ("summarise [[RAG]] in 100 words", None),
    ],
)
def test_how_many_points(asked: str, points: int | None):
    found = find_summary(asked)
    assert found is not None
    assert found[0] == Summary(("RAG",), points)


@pytest.mark.parametrize(
    "asked",
    [
        "What is RAG?",
        "summarise",
        "what does [[RAG]] say about cost?",
        "which notes link to [[RAG]]",
    ],
)
def test_other_questions_are_left_alone(asked: str):
    assert find_summary(asked) is None


def test_time_and_filters_say_which_notes():
    today = date(2024, 5, 1)
    asked = understand("summarise what I wrote last week", (), today)
    assert asked.summary == Summary()
    (span,) = asked.filters.written
    assert (span.first, span.last) == (date(2024, 4, 22), date(2024, 4, 28))
    assert understand("summarise tag:ml", (), today).filters.tags == ("ml",)
    named = understand("summarise my note on the trip in May", (), today)
    assert named.summary == Summary(("the trip in May",))
    assert not named.filters
