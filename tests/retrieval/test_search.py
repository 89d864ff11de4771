"""Fusion of scores, and the real index asked real questions."""

import json
from pathlib import Path

import pytest

from rag.retrieval.search import Passage, fuse

QUESTIONS = Path(__file__).parents[1] / "data" / "corpus-questions.jsonl"


def test_a_passage_found_by_both_sides_wins_over_one_found_by_either():
    scores = fuse({1: 0.6, 2: 0.6, 3: 0.1}, {1: 8.0, 3: 8.0}, 0.5)
    assert scores[1] > scores[2] > 0
    assert scores[1] > scores[3]


def test_without_a_word_in_common_the_cosine_alone_ranks():
    assert fuse({1: 0.2, 2: 0.4}, {}, 0.5) == {1: 0.1, 2: 0.2}


def test_where_a_passage_came_from():
    def passage(meaning, words):
        return Passage(1, "a.md", "a", (), 1, 1, "x", 1.0, meaning, words)

    assert passage(0.5, 2.0).source == "both"
    assert passage(0.5, None).source == "meaning"
    assert passage(None, 2.0).source == "words"


@pytest.mark.model
def test_the_example_questions_find_their_lines(corpus_engine):
    """Of the answerable questions over corpus/, nine of ten find a gold line among five."""
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["answers"]]
    assert len(rows) >= 60

    def hit(row, passage):
        places = [row, *row.get("also", [])]
        return any(
            passage.path == place["note"]
            and passage.first <= place["lines"][1]
            and passage.last >= place["lines"][0]
            for place in places
        )

    found = [corpus_engine.search(row["question"], 5) for row in rows]
    hits = sum(any(hit(row, each) for each in five) for row, five in zip(rows, found, strict=True))
    assert hits / len(rows) >= 0.9


@pytest.mark.model
def test_search_is_deterministic_and_sorted(corpus_engine):
    first = corpus_engine.search("diffusion models", 8)
    assert first == corpus_engine.search("diffusion models", 8)
    assert [each.score for each in first] == sorted((e.score for e in first), reverse=True)
    assert len({each.id for each in first}) == len(first) == 8
