"""A follow-up is read with what came before it, and a new topic stays its own."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bench.followups import measure, rates
from rag.events import Retrieved
from rag.retrieval.evidence import find_evidence
from rag.retrieval.followup import (
    continued,
    search_both,
    spoke_for_itself,
    stand_alone,
    stands_alone,
)
from rag.retrieval.found import Found, Passage
from rag.retrieval.query import Turn
from rag.retrieval.sentences import SentenceScore

CONVERSATIONS = Path(__file__).parents[1] / "data" / "conversations.jsonl"
CLOSE = 0.03  # of hit@5, between a follow-up and the same question asked in full


def after(question: str, answer: str = "") -> list[Turn]:
    return [Turn(question, answer, question)]


@pytest.mark.parametrize(
    ("before", "follow_up", "meant"),
    [
        ("When does Elsas passport expire", "and mine?", "When does my passport expire?"),
        ("When does my passport expire?", "and Elsa's?", "When does Elsa's passport expire?"),
        ("What is Ada's address?", "and her birthday?", "what is Ada's birthday?"),
        ("What's Ada's phone number?", "and her email?", "what is Ada's email?"),
        ("What is the price of the boat?", "and its length?", "what is the length of the boat?"),
        ("What are the pros of tea?", "and the cons?", "what are the cons of tea?"),
        (
            "What is the excess on the house insurance?",
            "and for the car?",
            "What is the excess for the car insurance?",
        ),
        ("Where did we eat in Leeds?", "what about in York?", "Where did we eat in York?"),
        ("What did we eat in Leeds with Ada?", "and in York?", "What did we eat in York with Ada?"),
        ("How many parameters has GPT-2?", "and GPT-3?", "How many parameters has GPT-3?"),
        ("When is Ada's birthday?", "how about Ben?", "When is Ben’s birthday?"),
        ("How does RAG work?", "and what about tuning?", "How does tuning work?"),
        ("What did I do on 3 May?", "and the day before?", "What did I do on 2024-05-02?"),
        ("What is the strongest force?", "how about the weakest?", "What is the weakest force?"),
        (
            "What's the best restaurant in Leeds?",
            "and the worst one?",
            "What's the worst restaurant in Leeds?",
        ),
        (
            "How is circuit switching charged for?",
            "and packet switching?",
            "How is packet switching charged for?",
        ),
        ("What colour is the new house?", "and the old house?", "What colour is the old house?"),
        ("What does a host do in MCP?", "And a client?", "What does a client do in MCP?"),
        ("How much does a lesson cost?", "and a workshop?", "How much does a workshop cost?"),
        ("What does retrieval change?", "and fine tuning?", "What does fine tuning change?"),
        ("What is narrow AI?", "and what about general?", "What is general AI?"),
        ("Which tools make music?", "and video?", "Which tools make video?"),
        ("When did Ada leave Paris?", "why?", "why did Ada leave Paris?"),
        ("When did I meet Ada in Paris?", "and where?", "where did I meet Ada in Paris?"),
        ("What did I do yesterday?", "and the next day?", "What did I do on 2024-05-20?"),
    ],
)
def test_another_thing_is_put_in_the_place_of_one(before: str, follow_up: str, meant: str):
    assert continued(follow_up, after(before), date(2024, 5, 20)) == (meant, ())


@pytest.mark.parametrize(
    ("before", "follow_up"),
    [
        ("What is the GPT model?", "what about training data?"),
        ("How much water?", "and then?"),
        ("Who wrote Dune?", "and why?"),
        ("Who wrote Dune?", "and when was it?"),
        ("When did I meet Ada in Paris?", "and with Ben?"),
        ("When did Ada meet Ben?", "and Cleo?"),  # in whose place?
        ("What's on the list?", "and mine?"),
        ("What did I write in May?", "and the bees?"),
        ("What is machine learning?", "and statistics?"),
        ("How does a beaver build a dam?", "and a bear?"),  # in whose place?
        ("Who wrote Dune?", "why?"),
        ("When did Ada leave?", "when?"),
        ("Where is the guest room?", "and the west?"),
        ("What did I do on 9999-12-31?", "and the next day?"),
        ("What did I do on 0001-01-01?", "and the day before?"),
    ],
)
def test_where_the_place_is_not_plain_the_question_is_read_beside_the_one_before(
    before: str, follow_up: str
):
    assert continued(follow_up, after(before), date(2024, 5, 20)) == (follow_up, after(before))


def test_what_its_own_words_found_leans_on_nothing():
    assert spoke_for_itself("effect of salt on bread", "effect of salt on bread")
    assert not spoke_for_itself("effect of salt on bread", "effect of salt on bread (rye)")
    for leaning in ("effect of salt on its crust", "and salt in rye bread", "the same with salt"):
        assert not spoke_for_itself(leaning, leaning)
    assert not spoke_for_itself("the salt", "the salt")


def test_what_a_pronoun_stands_for_is_still_known():
    history = [*after("Who is Ada?"), *after("What is her address?")]
    meant, told = continued("and her birthday?", history, date(2024, 5, 20))
    assert (meant, told) == ("what is her birthday?", history[:1])


def passage(number: int, score: float) -> Passage:
    return Passage(number, "a.md", "a", (), 1, 1, "x", score, score, None)


def found_of(passages: list[Passage], query: str) -> Found:
    return Found(tuple(passages), len(passages), {"embed": 0.001}, query)


@pytest.mark.parametrize(
    "follow_up",
    [
        "and who made it?",
        "When was it released?",
        "what about training data?",
        "why?",
        "and GPT-3?",
    ],
)
def test_a_follow_up_is_read_with_what_it_refers_to(follow_up):
    query = stand_alone(follow_up, after("What is the GPT model?"))
    assert query.startswith(follow_up)
    assert "GPT" in query.removeprefix(follow_up)


def test_a_follow_up_may_refer_to_whom_the_answer_names():
    history = after("who won the art prize?", "The prize went to Jason Allen for his work.")
    assert "Jason Allen" in stand_alone("which tool did he use?", history)


def test_a_pronoun_stands_for_the_names_alone_and_an_ellipsis_for_all():
    history = after("How many parameters did GPT-2 have?")
    assert "parameters" not in stand_alone("who made it?", history)
    assert "parameters" in stand_alone("and GPT-3?", history)


@pytest.mark.parametrize(
    ("before", "follow_up", "meant"),
    [
        ("Who has a birthday in July?", "and in December?", "Who has a birthday in December?"),
        ("Who has a birthday in July?", "What about May?", "Who has a birthday in May?"),
        ("Which tasks are due this week?", "and next week?", "Which tasks are due next week?"),
        ("What did I do yesterday?", "And on Monday?", "What did I do on Monday?"),
        ("Which books did I finish in 2024?", "or 2023?", "Which books did I finish in 2023?"),
    ],
)
def test_other_days_are_asked_of_the_same(before: str, follow_up: str, meant: str):
    assert continued(follow_up, after(before), date(2024, 5, 20)) == (meant, ())


@pytest.mark.parametrize(
    ("before", "follow_up"),
    [
        ("Who has a birthday in July?", "and who wrote it in 1999?"),
        ("When did we meet?", "and in May?"),
        ("Who died in 1999?", "and when?"),
        ("Who died in 1999?", "In May?"),
        ("Which books did I read in 2023?", "but not in 2024?"),
        ("Who won the cup in 1998?", "and where was it in 2003?"),
        ("Who died in 1999?", "and " + "“" * 40_000),
    ],
)
def test_other_questions_are_left_as_they_are(before: str, follow_up: str):
    assert continued(follow_up, after(before), date(2024, 5, 20)) == (follow_up, after(before))
    assert continued(follow_up, (), date(2024, 5, 20)) == (follow_up, ())


def test_days_are_named_again_and_again_with_the_filters_of_the_first():
    today = date(2024, 5, 20)
    first = Turn("Which books did I read in 2022? tag:scifi", "", "Which books did I read")
    second = Turn("and in 2023?", "", "Which books did I read in 2023?")
    meant = ("Which books did I read in 2024? tag:scifi", ())
    assert continued("and in 2024?", [first, second], today) == meant


def test_a_conversation_of_nothing_but_days_has_an_end():
    history = [*after("Who died in 1900?"), *(Turn("and in May?", "", "") for _ in range(5_000))]
    assert continued("and in June?", history, date(2024, 5, 20)) == ("and in June?", history)


def test_its_own_words_are_not_said_again():
    assert stand_alone("Is GPT large?", after("What is GPT?")) == "Is GPT large?"


def test_a_question_that_says_enough_is_left_alone():
    question = "Which colour do diffusion models give generated sunset images?"
    assert stand_alone(question, after("Who discovered oxygen?")) == question


@pytest.mark.parametrize(
    "question",
    [
        "Who made BLOOM?", "When was GPT-3 released?", "explain how RLHF works",
        "Who is the chess player Garry Kasparov?", "what did the painter Piet Mondrian paint?",
    ],
)  # fmt: skip
def test_a_whole_question_about_something_else_stands_alone(question: str):
    before = [Turn("Who won the art prize?", "Jason Allen", "Who won the art prize?")]
    assert stands_alone(question, before)
    assert stand_alone(question, before) == question


@pytest.mark.parametrize(
    "question",
    [
        "and when?", "Who made it?", "and BLOOM?", "What about BLOOM?", "Which year?",
        "what is the first step?", "which tool?", "Who came second, BLOOM?", "Why Jason?",
        "what is the prize for?", "which ones are open source?", "When did Allen begin?", "BLOOM?",
        "Who is responsible?", "What was decided?", "Can I pay with PayPal?",
        "Where was the work in July?",
        "What was the PIN code?", "Is breakfast served on Sunday?", "Who paid with PayPal?",
    ],
)  # fmt: skip
def test_what_may_refer_to_what_was_said_does_not(question: str):
    before = [Turn("Who won the art prize?", "Jason Allen", "Who won the art prize?")]
    assert not stands_alone(question, before)


def test_the_thread_is_kept_over_three_turns():
    first = stand_alone("What is the GPT model?", [])
    second = stand_alone("and who made it?", [Turn("What is the GPT model?", "…", first)])
    third = stand_alone("when?", [Turn("and who made it?", "…", second)])
    assert "GPT" in third


def test_a_passage_that_suits_both_readings_wins():
    asked = {
        "when?": [passage(1, 0.4), passage(2, 0.3), passage(4, 0.0)],
        "when? (GPT model)": [passage(3, 0.7), passage(2, 0.6), passage(4, 0.0)],
    }
    found = search_both(
        "when?", after("GPT model"), lambda text, k, _: found_of(asked[text][:k], text), 3
    )
    assert [each.id for each in found.passages] == [2, 3, 1]
    assert found.query == "when? (GPT model)"
    assert [each.score for each in found.passages] == sorted(
        (each.score for each in found.passages), reverse=True
    )


def test_a_new_topic_is_read_as_it_was_typed():
    asked = {
        "what is overfitting?": [passage(1, 0.9), passage(2, 0.1)],
        "what is overfitting? (GPT model)": [passage(2, 0.7), passage(1, 0.6)],
    }
    found = search_both(
        "what is overfitting?",
        after("GPT model"),
        lambda text, k, _: found_of(asked[text][:k], text),
        2,
    )
    assert [each.id for each in found.passages] == [1, 2]
    assert found.query == "what is overfitting?"


def test_nothing_found_is_no_error():
    found = search_both("when?", after("GPT model"), lambda text, k, _: found_of([], text), 5)
    assert found.passages == ()


def test_without_a_conversation_one_search_is_enough():
    texts = []

    def search(text, k, others):
        texts.append((text, k))
        return found_of([passage(1, 0.5)], text)

    assert search_both("when?", [], search, 5).passages == (passage(1, 0.5),)
    assert texts == [("when?", 5)]


def test_the_sentence_that_answered_before_is_not_the_nearest_again():
    text = "GPT is a model. It came out in 2018."
    cosines = {"when?": (0.1, 0.5), "when? (GPT model)": (0.6, 0.5)}

    def search(query, k, others):
        old, new = cosines[query]
        sentences = (SentenceScore(0, 15, 0, old, 0.0), SentenceScore(16, 36, 0, new, 0.0))
        return found_of([replace(passage(1, 0.5), text=text, sentences=sentences)], query)

    alone = find_evidence("", search("when? (GPT model)", 5, ()).passages, embedder=None)
    assert alone[0].text == "GPT is a model."
    both = search_both("when?", after("GPT model"), search, 5)
    best = find_evidence("", both.passages, embedder=None)
    assert best[0].text == "It came out in 2018."
    assert both.seconds == {"embed": 0.002}


@pytest.mark.model
def test_follow_ups_over_the_example_notes_find_what_full_questions_find(corpus_engine):
    found = list(measure(corpus_engine, CONVERSATIONS))
    assert len({each.id for each in found}) >= 40
    assert len(found) >= 60
    whole = rates(found)
    assert whole.typed_5 >= whole.full_5 - CLOSE
    assert whole.alone_5 < whole.full_5 - CLOSE, "these need their history"


@pytest.mark.model
def test_a_change_of_topic_is_not_dragged_back(corpus_engine):
    switches = [each for each in measure(corpus_engine, CONVERSATIONS) if each.kind == "switch"]
    assert len(switches) >= 10
    assert [each for each in switches if each.alone and not each.typed] == []
    assert rates(switches).typed_1 == rates(switches).alone_1


@pytest.mark.model
def test_the_evidence_of_a_follow_up_answers_it(corpus_engine):
    """Not the last question again."""
    first = "What does BERT stand for?"
    said = '"Bidirectional Encoder Representations from Transformers" is what BERT stands for.'
    events = corpus_engine.ask("what was it trained on?", [Turn(first, said, first)])
    retrieved = next(event for event in events if isinstance(event, Retrieved))
    events.close()
    assert "Wikipedia" in retrieved.evidence[0].text
    assert "BERT" in retrieved.query
