"""The taught model's phrases as the notes have them."""

import pytest

from rag.answering.phrases import find_phrase
from rag.retrieval.evidence import Evidence
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
