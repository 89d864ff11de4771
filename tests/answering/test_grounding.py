"""A sentence is shown only if one sentence of the notes holds what it says."""

import pytest

from rag.answering.grounding import ground, quote
from rag.retrieval.found import Evidence, Passage

NOTE = (
    "In 2022 a work that Jason Allen made with AI took first place in the digital category of "
    "the Colorado State Fair."
)


@pytest.fixture(scope="module")
def analyze():
    from rag.indexing.lexical import analyzer

    return analyzer().analyze


def check(sentence: str, analyze, question: str = "Who won the Colorado State Fair?"):
    found = [Passage(7, "art.md", "Art", ("Is it art?",), 53, 55, NOTE, 1.0, 0.5, None)]
    evidence = [Evidence(1, NOTE, 53, 53, 0, len(NOTE), 1.0)]
    return ground(sentence, set(analyze(question)), found, evidence, analyze)


def test_what_the_note_says_is_cited_with_its_own_words(analyze):
    said = check("Jason Allen took first place in the Colorado State Fair.", analyze)
    assert said.support == "supported"
    assert said.text.endswith("[1]")
    (citation,) = said.citations
    assert (citation.n, citation.path, citation.first, citation.quote) == (1, "art.md", 53, NOTE)


@pytest.mark.parametrize(
    "sentence",
    [
        "Jason Allen, a US-based AI developer, won the Colorado State Fair.",
        "Jason Allen took first place in the Colorado State Fair in 2021.",
        "Maria Keller took first place in the Colorado State Fair.",
        "Who won the Colorado State Fair?",
        "The Colorado State Fair.",
        "The notes do not mention who won.",
        "Jason Allen took first place in the",
        "",
        "[1]",
    ],
)
def test_what_the_note_does_not_say_is_unsupported(sentence, analyze):
    said = check(sentence, analyze)
    assert said.support == "unsupported"
    assert said.citations == ()


@pytest.mark.parametrize(
    ("question", "title", "support"),
    [
        ("Who released ChatGPT?", "GPT", "unsupported"),
        ("What is more in generative models?", "GPT", "supported"),
        ("What released ChatGPT?", "ChatGPT", "supported"),
    ],
)
def test_a_name_that_a_note_holds_for_another_reason_is_no_answer(
    analyze, question: str, title: str, support: str
):
    text = "More in [[Generative AI#Text Generation]]."
    found = [Passage(1, "gpt.md", title, (), 22, 22, text, 1.0, 0.5, None)]
    evidence = [Evidence(1, text, 22, 22, 0, len(text), 1.0)]
    said = ground("Generative AI.", set(analyze(question)), found, evidence, analyze)
    assert said.support == support


def test_marks_of_the_model_are_replaced_by_our_own(analyze):
    said = check(
        "The answer is: Jason Allen took first place in the Colorado State Fair. [9]", analyze
    )
    assert said.text == "Jason Allen took first place in the Colorado State Fair. [1]"


def test_a_quote_is_the_note_without_its_markup():
    text = "**RAG** is [[x|retrieval]]."
    found = [Passage(1, "r.md", "RAG", (), 1, 1, text, 1.0, 0.5, None)]
    said = quote(Evidence(1, text, 1, 1, 0, len(text), 1.0), found)
    assert said.text == "RAG is retrieval. [1]"
    assert said.citations[0].quote == text
