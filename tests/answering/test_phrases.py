"""The taught model's phrases as the notes have them."""

from dataclasses import replace

import pytest

from rag.answering.grounding import Sentence
from rag.answering.phrases import agreed, find_phrase, pointed_phrase
from rag.retrieval.evidence import Evidence
from rag.retrieval.pointing import Answering
from rag.retrieval.search import Passage

NOTE = "The hive stands behind the shed, near the old pear tree. It was painted in 2019."


def found(said: str, question: str) -> str:
    passages = [Passage(1, "b.md", "Bees", (), 1, 1, NOTE, 1.0, 0.5, None)]
    sentence = find_phrase(
        said, passages, [Evidence(1, NOTE, 1, 1, 0, len(NOTE), 1.0, 0.5)], question
    )
    assert sentence is not None
    return sentence.text


@pytest.mark.parametrize(
    ("said", "question", "text"),
    [
        ("the shed [1]", "Where does the hive stand?", "behind the shed [1]"),
        ("behind the shed [1]", "Where does the hive stand?", "behind the shed [1]"),
        ("old pear tree", "Where is the hive?", "old pear tree [1]"),
        ("the shed", "What is the hive behind?", "the shed [1]"),
        ("2019 [1]", "When was it painted?", "2019 [1]"),
    ],
)
def test_a_place_keeps_its_preposition(said: str, question: str, text: str):
    assert found(said, question) == text


def pointed(place: str, question: str, odds: float = 3.0) -> Sentence | None:
    """What is made of a reader that points at `place` in the note."""
    start = NOTE.index(place)
    answering = Answering(start, start + len(place), odds)
    other = Passage(1, "a.md", "Ants", (), 1, 1, "Ants live in hills.", 1.0, 0.5, None)
    bees = Passage(2, "b.md", "Bees", (), 1, 1, NOTE, 0.9, 0.5, None, answering=answering)
    end = NOTE.index(" It was")
    read = [
        Evidence(2, NOTE[end + 1 :], 1, 1, end + 1, len(NOTE), 1.0, 0.5),
        Evidence(2, NOTE[:end], 1, 1, 0, end, 0.9, 0.5),
    ]
    return pointed_phrase([other, bees], read, question)


@pytest.mark.parametrize(
    ("place", "question", "text"),
    [
        ("the old pear tree", "What is the hive near?", "the old pear tree [2]"),
        ("shed, ", "What does the hive stand behind?", "shed [2]"),
        ("the shed", "Where does the hive stand?", "behind the shed [2]"),
        ("2019", "When was it painted?", "2019 [2]"),
    ],
)
def test_what_a_reader_points_at_is_cited_with_its_sentence(place, question, text):
    sentence = pointed(place, question)
    assert sentence is not None
    assert sentence.text == text
    assert place.strip(", ") in sentence.citations[0].quote


@pytest.mark.parametrize(
    ("place", "question"),
    [
        ("the hive".capitalize(), "Where is the hive?"),  # says what the question says
        ("the shed", "When was the hive painted?"),  # no time
    ],
)
def test_what_answers_nothing_is_no_phrase(place: str, question: str):
    assert pointed(place, question) is None


def test_a_choice_is_answered_by_one_of_its_words():
    chosen = pointed("the shed", "Does the hive stand behind the shed or the barn?")
    assert chosen is not None


def test_nothing_is_pointed_at_where_nothing_was_read_or_shown():
    passages = [Passage(1, "b.md", "Bees", (), 1, 1, NOTE, 1.0, 0.5, None)]
    whole = Evidence(1, NOTE, 1, 1, 0, len(NOTE), 1.0, 0.5)
    assert pointed_phrase(passages, [whole]) is None
    read = [replace(passages[0], answering=Answering(0, 8, 3.0))]
    assert pointed_phrase(read, []) is None


@pytest.mark.parametrize(
    ("written", "shown", "odds", "text"),
    [
        ("a pear tree [1]", "the old pear tree [1]", 3.0, "the old pear tree [1]"),
        ("the old pear tree [1]", "pear tree [1]", -3.0, "the old pear tree [1]"),
        ("Otto [1]", "Anna Berg [2]", 0.5, "Anna Berg [2]"),
        ("Otto [1]", "Anna Berg [2]", -2.0, "Otto [1]"),
        ("the shed [1]", "the barn [1]", -2.0, "the shed [1]"),  # an article is nothing shared
        ("", "Anna Berg [2]", -2.0, "Anna Berg [2]"),
        ("Otto [1]", "", 5.0, "Otto [1]"),
    ],
)
def test_two_answers_become_one(written: str, shown: str, odds: float, text: str):
    one, other = (Sentence(each, (), "supported") if each else None for each in (written, shown))
    chosen = agreed(one, other, odds)
    assert chosen is not None
    assert chosen.text == text


def test_where_neither_answers_nothing_does():
    assert agreed(None, None) is None
