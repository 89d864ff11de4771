"""Fusion of scores, and the real index asked real questions."""

import json
from pathlib import Path

import pytest

from rag.retrieval.found import Passage

QUESTIONS = Path(__file__).parents[1] / "data" / "corpus-questions.jsonl"


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


@pytest.mark.model
def test_a_passage_says_why_it_was_found(corpus_engine):
    found = corpus_engine.explain("Who won first place at the Colorado State Fair?", 5)
    best = found.passages[0]
    assert {"colorado", "fair"} <= set(best.reasons.terms)
    assert best.reasons.words_rank == 1
    assert best.reasons.meaning_rank >= 1
    assert best.reasons.sentence == max(each.cosine for each in best.sentences)
    assert 0 < best.reasons.share <= 1
    assert found.candidates >= 5
    assert set(found.seconds) == {
        "spelling",
        "embed",
        "meaning",
        "words",
        "fuse",
        "fetch",
        "sentences",
    }


@pytest.fixture
def copies(box):
    """Two notes that say the same, and a third that says it of another year."""
    text = "# Report\n\nThe committee met in the old library and agreed on the {} budget.\n"
    for name, year in (("a.md", 2021), ("b.md", 2021), ("c.md", 2022)):
        (box.notes / name).write_text(text.format(year))
    return box


@pytest.mark.model
def test_a_copied_passage_appears_once_and_names_the_other(copies):
    engine = copies.engine()
    list(engine.index())
    found = engine.search("What did the committee agree on?", 3)
    assert {found[0].path, found[1].path} == {"a.md", "c.md"}, "another year says another thing"
    copied = next(each for each in found if each.path == "a.md")
    assert copied.also == ("b.md:3",) or copied.also == ("b.md:1",)
    engine.close()


@pytest.mark.model
def test_among_passages_that_are_close_the_one_that_answers_comes_first(corpus_engine):
    found = corpus_engine.explain("How many parameters does GPT-4 use for a single query?", 5)
    best = found.passages[0]
    assert "~55B" in best.text
    assert best.answering is not None
    assert (best.reasons.found_at or 0) > 1
    assert "read" in found.seconds
    assert len(found.passages) == 5


@pytest.mark.model
def test_words_that_are_looked_for_are_not_read_for(corpus_engine):
    assert "read" not in corpus_engine.explain("the transformer", 5).seconds
    assert "read" not in corpus_engine.explain("How does a transformer work?", 5).seconds
