"""A question is checked, and made to stand alone by rule."""

import pytest

from rag.errors import QuestionError
from rag.retrieval.query import MAX_QUESTION, Turn, check_question, content_words, stand_alone


def after(question: str, answer: str = "") -> list[Turn]:
    return [Turn(question, answer, question)]


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "???", "— …"])
def test_a_question_without_words_is_refused_with_an_example(text):
    with pytest.raises(QuestionError) as error:
        check_question(text)
    assert "rag ask" in str(error.value)


def test_white_space_is_put_in_order():
    assert check_question("  what\n is\tRAG? ") == "what is RAG?"


def test_a_pasted_page_keeps_its_beginning_and_end():
    text = "First thing. " + "padding " * 10_000 + "What is the last thing?"
    question = check_question(text)
    assert len(question) <= MAX_QUESTION + 3
    assert question.startswith("First thing.")
    assert question.endswith("What is the last thing?")


@pytest.mark.parametrize(
    ("follow_up", "finds"),
    [
        ("and who made it?", "GPT model"),
        ("When was it released?", "GPT model"),
        ("what about its training data?", "GPT model"),
        ("why?", "GPT model"),
    ],
)
def test_a_follow_up_is_searched_with_what_it_refers_to(follow_up, finds):
    query = stand_alone(follow_up, after("What is the GPT model?"))
    assert query.startswith(follow_up)
    for word in finds.split():
        assert word in query


@pytest.mark.parametrize(
    "question",
    [
        "What is retrieval-augmented generation?",
        "Compare diffusion models with adversarial networks",
    ],
)
def test_a_change_of_topic_is_not_dragged_back(question):
    assert stand_alone(question, after("Who discovered oxygen?")) == question


def test_the_thread_is_kept_over_three_turns():
    first = stand_alone("What is the GPT model?", [])
    second = stand_alone("and who made it?", [Turn("What is the GPT model?", "…", first)])
    third = stand_alone("when?", [Turn("and who made it?", "…", second)])
    assert "GPT" in third


def test_content_words_leave_out_the_words_of_asking():
    assert content_words("What is the name of the river in Egypt?") == ["name", "river", "egypt"]
