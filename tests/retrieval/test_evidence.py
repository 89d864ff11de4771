"""Sentences are verbatim, with their lines; a list is quoted whole."""

import pytest

from rag.retrieval.evidence import Evidence, find_evidence, sentences, whole_list, word_shares
from rag.retrieval.search import Passage

LIST = (
    "It works in steps:\n\n- **First**, read.\n- Second, rank.\n- Third, answer.\n\n"
    "That is all. Really."
)


def passage(text: str, first: int = 10) -> Passage:
    return Passage(1, "n.md", "Note", (), first, first + text.count("\n"), text, 1.0, 0.5, None)


@pytest.mark.parametrize("text", [LIST, "One. Two! Three?", "Dr. A. Smith met J. Doe. They spoke."])
def test_sentences_are_verbatim_and_carry_their_lines(text):
    where = passage(text)
    lines = text.split("\n")
    found = list(sentences(where, 1))
    assert found
    for each in found:
        assert each.text == text[each.start : each.end]
        assert each.text in lines[each.first - where.first]
    kept = "".join(each.text for each in found).replace(" ", "")
    assert kept == text.replace("\n", "").replace(" ", "")


def test_an_abbreviation_ends_no_sentence():
    found = [each.text for each in sentences(passage("Dr. A. Smith met J. Doe. They spoke."), 1)]
    assert found == ["Dr. A. Smith met J. Doe.", "They spoke."]


def test_a_line_of_markup_is_no_sentence():
    assert [e.text for e in sentences(passage("| --- | --- |\n***\nText."), 1)] == ["Text."]


@pytest.mark.parametrize("start", ["It works", "- **First**", "- Second"])
def test_an_item_stands_for_its_whole_list(start):
    where = passage(LIST)
    one = next(each for each in sentences(where, 1) if each.text.startswith(start))
    whole = whole_list(one, where)
    assert "read." in whole.text
    assert "Third, answer." in whole.text
    assert "That is all" not in whole.text
    assert whole.text == where.text[whole.start : whole.end]
    assert whole.last == 14


def test_prose_is_left_as_it_is():
    where = passage(LIST)
    one = next(each for each in sentences(where, 1) if each.text.startswith("That"))
    assert whole_list(one, where) == one


def test_rare_words_count_for_more():
    common, rare = word_shares(
        ["river", "loreley"], [["river"], ["loreley"], ["river"], ["river"]]
    )[:2]
    assert rare > common


@pytest.mark.model
def test_the_nearest_sentence_answers(corpus_engine):
    question = "Who won first place at the Colorado State Fair?"
    found = corpus_engine.search(question)
    best = find_evidence(question, found, corpus_engine._open_embedder(), corpus_engine.analyze)[0]
    assert "Jason Allen" in best.text
    assert isinstance(best, Evidence)


def test_a_sentence_without_spaces_says_something_too(embedder):
    where = passage("An English sentence comes first.\n東京都庁は新宿にある。\nBERT")
    found = find_evidence("東京都庁はどこ", [where], embedder, lambda text: text.split())
    assert {each.text for each in found} == {
        "An English sentence comes first.",
        "東京都庁は新宿にある。",
    }
