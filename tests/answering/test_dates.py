"""A question for a time is not answered by a name."""

from __future__ import annotations

import pytest

from rag.answering.dates import asks_when, nearest_time, tells_when
from rag.answering.phrases import find_phrase
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage

NOTE = "Anna Berg named it. The name dates from 1902."


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("When was it named?", True),
        ("and when?", True),
        ("Since when has it been called that?", True),
        ("When violence is used, what is it called?", False),
        ("Who named it when it opened?", False),
        ("Whenever did that happen", False),
    ],
)
def test_what_asks_for_a_time(question, asks):
    assert asks_when(question) is asks


@pytest.mark.parametrize(
    "text",
    [
        "1902", "in May", "the 19th century", "after the war", "at night", "tonight", "on weekends",
        "the ninth", "on the first", "the Twelfth", "the twenty-third", "the thirtieth",
    ],
)  # fmt: skip
def test_what_tells_a_time(text):
    assert tells_when(text)
    assert not tells_when("Anna Berg")


def test_a_name_gives_way_to_the_sentence_that_tells_when():
    first, second = "Anna Berg named it.", "The name dates from 1902."
    evidence = [
        Evidence(1, first, 1, 1, 0, len(first), 1.0),
        Evidence(1, second, 1, 1, len(first) + 1, len(NOTE), 0.9),
    ]
    passages = [Passage(1, "l.md", "Library", (), 1, 1, NOTE, 1.0, 0.6, None)]
    assert find_phrase("Anna Berg [1]", passages, evidence, "and when?") is None
    assert nearest_time(evidence).text == second
    assert nearest_time(evidence[:1]).text == first
    said = find_phrase("1902 [1]", passages, evidence, "and when?")
    assert said is not None
    assert said.text == "1902 [1]"


def test_a_day_in_words_is_a_time():
    note = "The queen was marked blue on the ninth. North | 11"
    best, row = note[:39], note[40:]
    evidence = [
        Evidence(1, best, 1, 1, 0, len(best), 1.8),
        Evidence(1, row, 1, 1, len(best) + 1, len(note), 1.0),
    ]
    passages = [Passage(1, "bees.docx", "Bee log", (), 1, 1, note, 1.0, 0.6, None)]
    assert nearest_time(evidence).text == best
    said = find_phrase("the ninth [1]", passages, evidence, "When was the queen marked?")
    assert said is not None
    assert said.text == "the ninth [1]"
