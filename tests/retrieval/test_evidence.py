"""Sentences are verbatim, with their lines; a list is quoted whole."""

from dataclasses import replace

import pytest

from rag.reading.sentences import sentence_spans
from rag.retrieval.evidence import find_evidence, whole_list
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.sentences import SentenceScore, word_share

LIST = (
    "It works in steps:\n\n- **First**, read.\n- Second, rank.\n- Third, answer.\n\n"
    "That is all. Really."
)


def passage(text: str, first: int = 10) -> Passage:
    return Passage(1, "n.md", "Note", (), first, first + text.count("\n"), text, 1.0, 0.5, None)


def evidence_of(where: Passage, start: str) -> Evidence:
    """The sentence of a passage that begins so."""
    at = where.text.index(start)
    span = next(each for each in sentence_spans(where.text) if each.start == at)
    line = where.first + span.line
    return Evidence(1, where.text[at : span.end], line, line, at, span.end, 1.0)


@pytest.mark.parametrize("start", ["It works", "- **First**", "- Second"])
def test_an_item_stands_for_its_whole_list(start):
    where = passage(LIST)
    one = evidence_of(where, start)
    whole = whole_list(one, where)
    assert "read." in whole.text
    assert "Third, answer." in whole.text
    assert "That is all" not in whole.text
    assert whole.text == where.text[whole.start : whole.end]
    assert whole.last == 14


def test_prose_is_left_as_it_is():
    where = passage(LIST)
    one = evidence_of(where, "That")
    assert whole_list(one, where) == one


def scored(text: str, *cosines: float) -> Passage:
    found = [
        SentenceScore(span.start, span.end, span.line, cosine, 0.0)
        for span, cosine in zip(sentence_spans(text), cosines, strict=True)
    ]
    return replace(passage(text), sentences=tuple(found))


def test_the_nearest_sentence_comes_first_whatever_its_passage():
    found = [scored("It is far off. It is nearest.", 0.2, 0.9), scored("It is near.", 0.5)]
    best = find_evidence("?", found, embedder=None)
    assert [(each.n, each.text) for each in best] == [
        (1, "It is nearest."),
        (2, "It is near."),
        (1, "It is far off."),
    ]


def test_a_bare_name_is_no_evidence_beside_a_sentence():
    best = find_evidence("?", [scored("BERT\nIt reads both ways.", 0.9, 0.5)], embedder=None)
    assert [each.text for each in best] == ["It reads both ways."]
    assert find_evidence("?", [scored("BERT", 0.9)], embedder=None)[0].text == "BERT"


def test_rare_words_count_for_more():
    rarity = {"river": 5.0, "loreley": 9.0}
    assert word_share(rarity, {"loreley"}) > word_share(rarity, {"river"}) > 0
    assert word_share(rarity, {"river", "loreley", "x"}) == 1
    assert word_share({}, {"river"}) == 0


@pytest.mark.model
def test_without_vectors_of_sentences_they_are_embedded_now(corpus_engine):
    question = "Who won first place at the Colorado State Fair?"
    bare = [
        replace(each, sentences=tuple(replace(one, cosine=None) for one in each.sentences))
        for each in corpus_engine.search(question)
    ]
    best = find_evidence(question, bare, corpus_engine.models.embedder())[0]
    assert "Jason Allen" in best.text


@pytest.mark.model
def test_the_nearest_sentence_answers(corpus_engine):
    question = "Who won first place at the Colorado State Fair?"
    found = corpus_engine.search(question)
    best = find_evidence(question, found, corpus_engine.models.embedder())[0]
    assert "Jason Allen" in best.text
    assert isinstance(best, Evidence)


def test_a_sentence_without_spaces_says_something_too():
    where = scored("An English sentence comes first.\n東京都庁は新宿にある。\nBERT", 0.1, 0.5, 0.9)
    found = find_evidence("東京都庁はどこ", [where], embedder=None)
    assert [each.text for each in found] == [
        "東京都庁は新宿にある。",
        "An English sentence comes first.",
    ]
