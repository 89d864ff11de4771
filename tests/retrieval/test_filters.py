"""Filters as they are typed, and what is no filter."""

from __future__ import annotations

from datetime import date

import pytest

from rag.errors import QuestionError
from rag.indexing.filtering import FieldTest, Filters, Span
from rag.retrieval.filters import described, from_flags, parse

TODAY = date(2024, 3, 14)
KNOWN = ["Status", "rating", "date"]
SINCE = Filters(written=(Span(date(2024, 2, 1)),))


@pytest.mark.parametrize(
    ("text", "filters", "rest"),
    [
        ("tag:ml what is RAG?", Filters(tags=("ml",)), "what is RAG?"),
        ("what is RAG? TAG:#ml", Filters(tags=("ml",)), "what is RAG?"),
        ("what tag:ml/rag, is it?", Filters(tags=("ml/rag",)), "what is it?"),
        ("notes on tag:ml?", Filters(tags=("ml",)), "notes on"),
        ('path:"my notes/" x', Filters(paths=("my notes/",)), "x"),
        ("path:“my notes/” x", Filters(paths=("my notes/",)), "x"),
        ("folder:/work x", Filters(paths=("/work",)), "x"),
        ("-tag:ml -path:old/ x", Filters(without_tags=("ml",), without_paths=("old/",)), "x"),
        ("since:2024-02 x", SINCE, "x"),
        ("x after:2024-01", SINCE, "x"),
        ("x date:>=2024-02", SINCE, "x"),
        ("x until:2023", Filters(written=(Span(None, date(2023, 12, 31)),)), "x"),
        ("x before:2024", Filters(written=(Span(None, date(2023, 12, 31)),)), "x"),
        ("x since:yesterday", Filters(written=(Span(date(2024, 3, 13)),)), "x"),
        ("x since:last-week", Filters(written=(Span(date(2024, 3, 4)),)), "x"),
        ('x since:"last week"', Filters(written=(Span(date(2024, 3, 4)),)), "x"),
        (
            "x modified:2024-01..2024-02",
            Filters(changed=(Span(date(2024, 1, 1), date(2024, 2, 29)),)),
            "x",
        ),
        ("status:draft x", Filters(fields=(FieldTest("status", "=", "draft"),)), "x"),
        ("-status:draft x", Filters(fields=(FieldTest("status", "!=", "draft"),)), "x"),
        ("rating:>=4 x", Filters(fields=(FieldTest("rating", ">=", "4"),)), "x"),
        ("tag:ml", Filters(tags=("ml",)), ""),
        ("tag:ml ?", Filters(tags=("ml",)), ""),
    ],
)
def test_filters_in_a_question(text, filters, rest):
    assert parse(text, KNOWN, TODAY) == (filters, rest)


@pytest.mark.parametrize(
    "text",
    [
        "what is HTTP: a protocol?",
        "see https://example.org/a:b today",
        "mail to mailto:a@b.c",
        "at 10:30 or 9:15 what",
        "what is std::vector",
        "C:\\notes what is there",
        "localhost:8080 is what?",
        'what does "tag:ml" mean?',
        "what does `since:2024` mean?",
        "what is a tag: a label",
        "what ends in tag:",
        "what does docker pull redis:latest do?",
        "what is foo:bar?",
        "TypeError:foo in Python",
        "John:3 says what",
        "???",
    ],
)
def test_a_colon_in_an_ordinary_question_is_no_filter(text):
    assert parse(text, KNOWN, TODAY) == (Filters(), text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tga:ml x", r"no filter 'tga'.* tag, path, since.*rating, status.*Did you mean 'tag'"),
        ("what is statsu:draft about", "Did you mean 'status'"),
        ("author:smith x", "no filter 'author'; there are: tag, path.*in quotes"),
        ("since:2024-02-30 x", "'2024-02-30' is not a date that exists.*since:2024-02-05"),
        ("date:2023-13 x", "not a date that exists"),
        ("until:soon x", "'soon' is not a date"),
        ('path:"my notes x', 'quote after path: is not closed.*path:"my notes"'),
        ('tag:"" x', "tag: has no value.*tag:ml"),
        ("-since:2024 x", "cannot be left out"),
        ("deadline:<2024-06", "no filter 'deadline'"),
    ],
)
def test_bad_filters_say_what_to_do(text, says):
    with pytest.raises(QuestionError, match=says):
        parse(text, KNOWN, TODAY)


def test_a_pasted_page_with_colons_is_a_question():
    page = "name:value and key:value " * 20
    assert parse(page, KNOWN, TODAY) == (Filters(), page.strip())


def test_flags_are_the_same_filters():
    flags = from_flags(
        ["#ML", "work"],
        ["my notes/"],
        "2024-02",
        "last month",
        ["status = draft", "rating>=4", "Public!=true", "created=2023", "tag=x", "by='Jo'"],
        today=TODAY,
    )
    assert flags == Filters(
        tags=("ML", "work", "x"),
        paths=("my notes/",),
        written=(
            Span(date(2024, 2, 1)),
            Span(None, date(2024, 2, 29)),
            Span(date(2023, 1, 1), date(2023, 12, 31)),
        ),
        fields=(
            FieldTest("status", "=", "draft"),
            FieldTest("rating", ">=", "4"),
            FieldTest("public", "!=", "true"),
            FieldTest("by", "=", "Jo"),
        ),
    )


@pytest.mark.parametrize("where", ["status", "=draft", "", "status="])
def test_a_where_without_a_key_or_a_value(where):
    with pytest.raises(QuestionError, match="no value") as told:
        from_flags(where=[where], today=TODAY)
    assert "--where" not in str(told.value)  # a program has no flags


@pytest.mark.parametrize("edge", ["since", "until"])
def test_an_empty_day_is_no_filter(edge):
    with pytest.raises(QuestionError, match=f"The filter {edge}: has no value"):
        from_flags(**{edge: ""}, today=TODAY)


def test_filters_in_words():
    filters = parse("tag:ml path:work/ since:2024-02 status:draft x", KNOWN, TODAY)[0]
    assert described(filters) == (
        "tagged ml and in work/ and with status = draft and dated from 1 February 2024 on"
    )
    assert described(Filters(tags=("zork", "zork"), paths=("a/",))) == "tagged zork and in a/"


def test_a_value_that_names_days_is_compared_as_these():
    year = Span(date(2023, 1, 1), date(2023, 12, 31))
    assert parse("status:2023 x", KNOWN, TODAY)[0].fields == (
        FieldTest("status", "=", "2023", year),
    )
    assert parse("status:>yesterday x", KNOWN, TODAY)[0].fields == (
        FieldTest("status", ">", "yesterday", Span(date(2024, 3, 13), date(2024, 3, 13))),
    )
    assert parse("status:<tomorrow x", KNOWN, TODAY)[0].fields == (
        FieldTest("status", "<", "tomorrow", Span(date(2024, 3, 15), date(2024, 3, 15))),
    )
