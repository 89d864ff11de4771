"""Words about time, asked on Thursday 14 March 2024."""

from __future__ import annotations

from datetime import date

import pytest

from rag.indexing.filtering import Span
from rag.retrieval.time_words import find_time
from rag.retrieval.times import named, parse_span

TODAY = date(2024, 3, 14)


def days(first: str, last: str | None = None) -> Span:
    return Span(*(date.fromisoformat(each) if each else None for each in (first, last or first)))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2024-02-05", days("2024-02-05")),
        ("Monday 5th February 2024 13:20", days("2024-02-05")),
        ("2024-02", days("2024-02-01", "2024-02-29")),
        ("2023/2", days("2023-02-01", "2023-02-28")),
        ("2024", days("2024-01-01", "2024-12-31")),
        ("9999-12", days("9999-12-01", "9999-12-31")),
        ("Feb 2023", days("2023-02-01", "2023-02-28")),
        ("Q4 2023", days("2023-10-01", "2023-12-31")),
        ("today", days("2024-03-14")),
        ("Yesterday", days("2024-03-13")),
        ("the day before yesterday", days("2024-03-12")),
        ("this week", days("2024-03-11", "2024-03-14")),
        ("last week", days("2024-03-04", "2024-03-10")),
        ("the past week", days("2024-03-08", "2024-03-14")),
        ("last 10 days", days("2024-03-05", "2024-03-14")),
        ("past two months", days("2024-01-15", "2024-03-14")),
        ("last month", days("2024-02-01", "2024-02-29")),
        ("last quarter", days("2023-10-01", "2023-12-31")),
        ("last year", days("2023-01-01", "2023-12-31")),
        ("two weeks ago", days("2024-02-26", "2024-03-03")),
        ("a month ago", days("2024-02-01", "2024-02-29")),
        ("3 days ago", days("2024-03-11")),
        ("last weekend", days("2024-03-09", "2024-03-10")),
        ("Monday", days("2024-03-11")),
        ("Thursday", days("2024-03-14")),
        ("last Thursday", days("2024-03-07")),
        ("March", days("2024-03-01", "2024-03-31")),
        ("last March", days("2023-03-01", "2023-03-31")),
        ("April", days("2023-04-01", "2023-04-30")),
        ("sept", days("2023-09-01", "2023-09-30")),
        ("5 February", days("2024-02-05")),
        ("December 24th", days("2023-12-24")),
        ("7d", days("2024-03-07", "2024-03-14")),
        ("2024-01..2024-02", days("2024-01-01", "2024-02-29")),
        ("2023..", Span(date(2023, 1, 1), None)),
        ("..2023", Span(None, date(2023, 12, 31))),
    ],
)
def test_a_text_that_names_days(text, span):
    assert parse_span(text, TODAY) == span


@pytest.mark.parametrize(
    "text",
    ["", "..", "2024-02-30", "2024-13", "0000", "0000-01", "30 February", "soon", "last",
     "9999 years ago", "999 years ago ago", "2024-02..never", "0 days ago ago", "mar 0000",
     "2023..2024..2025", "2024.." * 5_000],
)  # fmt: skip
def test_a_text_that_names_none(text):
    assert parse_span(text, TODAY) is None


def test_the_beginning_of_time_is_no_error():
    assert parse_span("999 years ago", date(500, 1, 1)) is None
    assert parse_span("last year", date(2, 3, 1)) == Span(date(1, 1, 1), date(1, 12, 31))


def test_the_end_of_a_month_is_a_day_of_the_month_before():
    assert parse_span("last month", date(2023, 3, 31)) == days("2023-02-01", "2023-02-28")


@pytest.mark.parametrize(
    ("question", "rest", "span"),
    [
        (
            "what did I write last week about diffusion?",
            "what did I write about diffusion?",
            days("2024-03-04", "2024-03-10"),
        ),
        ("Notes since March", "Notes", Span(date(2024, 3, 1), None)),
        ("since March", "", Span(date(2024, 3, 1), None)),
        ("yesterday", "", days("2024-03-13")),
        ("What did I do yesterday?", "What did I do?", days("2024-03-13")),
        ("What happened on 5 February 2024?", "What happened?", days("2024-02-05")),
        ("What happened last week?", "What happened?", days("2024-03-04", "2024-03-10")),
        ("notes tagged ml from March", "notes tagged ml", days("2024-03-01", "2024-03-31")),
        ("my notes from March on", "my notes", Span(date(2024, 3, 1), None)),
        ("my notes before 2023", "my notes", Span(None, date(2022, 12, 31))),
        ("my notes after January", "my notes", Span(date(2024, 2, 1), None)),
        ("my notes until yesterday", "my notes", Span(None, date(2024, 3, 13))),
        (
            "What did I note between March and May 2023 about bees?",
            "What did I note about bees?",
            days("2023-03-01", "2023-05-31"),
        ),
        (
            "entries from 2023-11 to January",
            "entries",
            days("2023-11-01", "2024-01-31"),
        ),
        ("What did I write on 5 February 2024?", "What did I write?", days("2024-02-05")),
        ("meeting with Anna, yesterday", "meeting with Anna", days("2024-03-13")),
        ("What's new since Monday?", "What's new?", Span(date(2024, 3, 11), None)),
    ],
)
def test_time_is_taken_out_of_a_question(question, rest, span):
    found = find_time(question, TODAY)
    assert found is not None
    assert (found.rest, found.span) == (rest, span)
    assert not found.changed


@pytest.mark.parametrize(
    "question",
    [
        "Who won the Colorado State Fair in 2022?",
        "What happened in 1956 at Dartmouth?",
        "What happened in 1956?",
        "What happened to Rome on 5 February 2024?",
        "How did transformers change in the last year?",
        "What is the last month of the year?",
        "last day of the autumn term",
        "What do we do in the last two weeks of school?",
        "What may I do in line to march?",
        "Did we sit down in the sun?",
        'which notes mention "last week"?',
        "How many days ago did Rome fall?",
        "What is HTTP 2.0?",
    ],
)
def test_time_that_belongs_to_what_is_asked_stays(question):
    assert find_time(question, TODAY) is None


def test_changes_are_told_from_writing():
    for question in ("which notes did I edit last week", "what changed last week?"):
        found = find_time(question, TODAY)
        assert found is not None
        assert found.changed


def test_how_sure_the_rule_is():
    sure = find_time("What did I write about AI in 2012?", TODAY)
    unsure = find_time("What do my notes say about AI in 2012?", TODAY)
    assert sure is not None
    assert unsure is not None
    assert (sure.certain, unsure.certain) == (True, False)


def test_a_pasted_page_is_read_in_no_time():
    assert find_time("word " * 50_000 + "yesterday", TODAY) is None


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (days("2024-02-05"), "5 February 2024"),
        (days("2024-02-01", "2024-02-29"), "February 2024"),
        (days("2024-01-01", "2024-12-31"), "2024"),
        (days("2024-03-04", "2024-03-10"), "4 March 2024 to 10 March 2024"),
        (Span(date(2024, 3, 1)), "from 1 March 2024 on"),
        (Span(None, date(2024, 3, 1)), "until 1 March 2024"),
    ],
)
def test_spans_in_words(span, words):
    assert named(span) == words
