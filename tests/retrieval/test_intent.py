"""What a question wants: an answer, or a list of notes."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest

from rag.errors import QuestionError
from rag.indexing.filtering import Filters, Span
from rag.retrieval.intent import Asked, Listing, understand

TODAY = date(2024, 3, 14)
MARCH = (Span(date(2024, 3, 1), date(2024, 3, 31)),)


def asked(question: str, **options) -> Asked:
    return understand(question, ["status"], TODAY, **options)


@pytest.mark.parametrize(
    ("question", "listing"),
    [
        ("which notes mention MCP?", Listing("MCP")),
        ("Which of my notes mention the word transformer?", Listing("transformer")),
        ("how many notes talk about RAG", Listing("RAG")),
        ("find notes about the trip to Basel", Listing("the trip to Basel")),
        ("do I have any notes on MCP?", Listing("MCP")),
        ("What notes do I have about bees?", Listing("bees")),
        ('notes with the word "rain barrel"', Listing('"rain barrel"')),
        ("list all notes", Listing(order="newest")),
        ("my newest note on MCP", Listing("MCP", order="newest", limit=1)),
        ("What is my latest note about MCP?", Listing("MCP", order="newest", limit=1)),
        ("show me my three oldest notes", Listing(order="oldest", limit=3)),
        ("the 5 most recent notes about bees", Listing("bees", order="newest", limit=5)),
        ("when did I last write about bees?", Listing("bees", order="newest", limit=1)),
        ("what links to [[LLM]]?", Listing(links_to="LLM")),
        ("what links to [[LLM#History|it]]", Listing(links_to="LLM")),
        ("which notes link to the note LLM?", Listing(links_to="LLM")),
        ("backlinks of LLM", Listing(links_to="LLM")),
        ("what links to LLM?", Listing(links_to="LLM", sure=False)),
        ("what does [[RAG]] link to?", Listing(links_from="RAG")),
    ],
)
def test_questions_about_notes(question, listing):
    assert asked(question).listing == listing
    assert not asked(question).filters


@pytest.mark.parametrize(
    ("question", "topic", "filters"),
    [
        ("notes tagged ml from March", "", Filters(tags=("ml",), written=MARCH)),
        ("which notes are tagged #ml and #work/x?", "", Filters(tags=("ml", "work/x"))),
        ("notes about bees tagged home", "bees", Filters(tags=("home",))),
        ("notes tagged ml and mentioning bees", "bees", Filters(tags=("ml",))),
        ("list my notes about X from March", "X", Filters(written=MARCH)),
        ("which notes from March mention X", "X", Filters(written=MARCH)),
        ("my notes from the work folder", "", Filters(paths=("work",))),
        ('notes in folder "my notes" about X', "X", Filters(paths=("my notes",))),
        ("notes in trips/", "", Filters(paths=("trips/",))),
        ("notes I changed in March", "", Filters(changed=MARCH)),
        ("what did I write in March?", "", Filters(written=MARCH)),
        ("in March", "", Filters(written=MARCH)),
        ("tag:ml", "", Filters(tags=("ml",))),
        ("tag:ml which notes mention X?", "X", Filters(tags=("ml",))),
    ],
)
def test_lists_with_filters_in_words(question, topic, filters):
    found = asked(question)
    assert found.listing is not None
    assert (found.listing.topic, found.filters) == (topic, filters)


@pytest.mark.parametrize(
    "question",
    [
        "What is RAG?",
        "What do my notes say about GPT?",
        "What notes does a C chord contain?",
        "Which notes are in a C major chord?",
        "list the notes of the C major scale",
        "Who wrote notes on the state of Virginia?",
        "What is the latest GPT model?",
        "Which note says that the hive is green?",
        "What did I write?",
        "What links smoking to cancer?",
    ],
)
def test_questions_that_notes_answer(question):
    found = asked(question)
    assert found.listing is None
    assert (found.text, found.query) == (question, question)


def test_time_is_for_the_filter_and_the_topic_for_the_search():
    found = asked("what did I write in March about diffusion?")
    assert found.listing is None
    assert found.filters == Filters(written=MARCH)
    assert found.text == "what did I write about diffusion?"
    assert found.query == "diffusion?"
    assert found.typed == "what did I write in March about diffusion?"
    plain = asked("what did I write in March about diffusion?", timed=False)
    assert not plain.filters
    assert "March" in plain.query


@pytest.mark.parametrize(
    "question",
    ["What did I do in March?", "what have we worked on in March", "What happened in March?"],
)
def test_what_one_did_is_what_the_notes_of_that_time_say(question):
    found = asked(question)
    assert found.listing is None
    assert found.summary is not None
    assert found.summary.names == ()
    assert found.filters == Filters(written=MARCH)
    assert asked("What did I do?").summary is None


def test_tasks_are_listed_where_there_are_some():
    found = asked("open tasks about bees tagged home")
    assert found.listing == Listing("bees", sure=False, tasks="open")
    assert found.filters == Filters(tags=("home",))
    assert asked("What are the tasks of a router?").listing is None


def test_a_question_to_the_newest_note():
    found = asked("what does my newest note on MCP say about tools?")
    assert found.listing == Listing("MCP", order="newest", limit=1, question="tools")
    assert found.query == "tools"


def test_filters_are_of_one_question_alone():
    first = asked("tag:ml Who painted the Théâtre?")
    assert first.query == "Who painted the Théâtre?"
    assert not asked("and when did he paint it?").filters


def test_a_time_alone_continues_what_was_asked_before():
    assert asked("2017?").filters
    later = asked("2017?", follows=True)
    assert not later.filters
    assert later.query == "2017?"
    assert asked("what did I write last week about bees?", follows=True).filters


def test_flags_are_added_to_what_is_typed():
    given = Filters(paths=("work/",))
    assert asked("tag:ml x", given=given).filters == Filters(tags=("ml",), paths=("work/",))
    assert asked("", given=given).listing == Listing(order="newest")


@pytest.mark.parametrize("text", ["", "  ", "?!"])
def test_nothing_is_still_no_question(text):
    with pytest.raises(QuestionError):
        asked(text)


@pytest.mark.parametrize(
    ("question", "day"),
    [
        ("What did I write on 30 February 2025?", "30 February 2025"),
        ("What did I write on 2025-02-30?", "2025-02-30"),
        ("notes since 31 April 2025", "31 April 2025"),
        ("What happened on Feb 29th, 2023?", "Feb 29th, 2023"),
    ],
)
def test_a_day_that_does_not_exist_is_told(question, day):
    with pytest.raises(QuestionError, match=f"'{day}' is not a date that exists"):
        asked(question)


@pytest.mark.parametrize(
    "question",
    [
        "What did I write on 29 February 2024?",
        "What did I write on 2025-02-28?",
        'Who wrote "see you on 30 February 2025"?',
        "Which pump has the number 2025-02-30?",
        "Who moved in March 2024?",
    ],
)
def test_what_is_no_day_or_exists_is_asked(question):
    assert asked(question).typed == question


def test_a_pasted_page_is_cut_as_ever():
    found = asked("Explain. " + "words " * 5000)
    assert len(found.typed) < 2100
    assert found.text == found.typed


@pytest.mark.parametrize(
    "text",
    ["which notes " + "that " * 390, "notes tagged " + "a, " * 600, "“ " * 500_000, '" ' * 900,
     "tag:“" * 300, "what links to " + "[[" * 600, "between march and " * 100, "x:" * 900],
)  # fmt: skip
def test_what_no_person_types_is_understood_or_refused(text):
    """A pattern that tries one stretch of text many times would not come back from these."""
    with suppress(QuestionError):
        assert len(asked(text).typed) < 2100
