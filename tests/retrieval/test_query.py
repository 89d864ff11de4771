"""A question is checked, and its words are chosen."""

import pytest

from rag.errors import QuestionError
from rag.retrieval.query import MAX_QUESTION, check_question, content_words


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "???", "— …"])
def test_a_question_without_words_is_refused_with_an_example(text):
    with pytest.raises(QuestionError) as error:
        check_question(text)
    assert "What is …?" in str(error.value)
    assert "rag ask" not in str(error.value)  # a program or an agent may have asked


def test_white_space_is_put_in_order():
    assert check_question("  what\n is\tRAG? ") == "what is RAG?"


def test_a_pasted_page_keeps_its_beginning_and_end():
    text = "First thing. " + "padding " * 10_000 + "What is the last thing?"
    question = check_question(text)
    assert len(question) <= MAX_QUESTION + 3
    assert question.startswith("First thing.")
    assert question.endswith("What is the last thing?")


def test_content_words_leave_out_the_words_of_asking():
    assert content_words("What is the name of the river in Egypt?") == ["name", "river", "egypt"]


def test_a_contraction_is_the_word_that_it_begins_with():
    assert content_words("What's Luther's motive, and who’s he?") == ["luther's", "motive"]
