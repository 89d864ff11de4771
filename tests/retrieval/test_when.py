"""Days that a question names, also ahead."""

from datetime import date

import pytest

from rag.indexing.filtering import Span
from rag.retrieval.when import When, find_when

TODAY = date(2024, 5, 22)  # a Wednesday


def named(text: str) -> When:
    when = find_when(text, TODAY)
    assert when is not None
    return when


@pytest.mark.parametrize(
    ("text", "span", "rest"),
    [
        ("due this week", Span(date(2024, 5, 20), date(2024, 5, 26)), "due"),
        ("due next week", Span(date(2024, 5, 27), date(2024, 6, 2)), "due"),
        ("in the next month", Span(date(2024, 6, 1), date(2024, 6, 30)), ""),
        ("next year", Span(date(2025, 1, 1), date(2025, 12, 31)), ""),
        ("due tomorrow", Span(date(2024, 5, 23), date(2024, 5, 23)), "due"),
        ("due by tomorrow", Span(None, date(2024, 5, 23)), "due"),
        ("due before next week", Span(None, date(2024, 5, 26)), "due"),
        ("after this month", Span(date(2024, 6, 1)), ""),
        ("due by 2024-06-01", Span(None, date(2024, 6, 1)), "due"),
        ("finished in 2023", Span(date(2023, 1, 1), date(2023, 12, 31)), "finished"),
    ],
)
def test_days_that_are_named(text: str, span: Span, rest: str):
    when = named(text)
    assert (when.span, when.coming, when.rest) == (span, None, rest)


@pytest.mark.parametrize(
    ("text", "span", "coming"),
    [
        ("on Friday", Span(date(2024, 5, 17), date(2024, 5, 17)), date(2024, 5, 24)),
        ("on 3 May", Span(date(2024, 5, 3), date(2024, 5, 3)), date(2025, 5, 3)),
        ("on 23 May", Span(date(2023, 5, 23), date(2023, 5, 23)), date(2024, 5, 23)),
    ],
)
def test_a_day_without_its_year_is_the_last_or_the_next(text: str, span: Span, coming: date):
    when = named(text)
    assert (when.span, when.coming) == (span, Span(coming, coming))
    assert not when.holds(coming, coming)
    assert when.holds(coming, coming, ahead=True)


def test_edges_are_those_of_the_next():
    assert named("by Friday").coming == Span(None, date(2024, 5, 24))
    assert named("before June").coming == Span(None, date(2024, 5, 31))
    assert named("in May").coming == Span(date(2024, 5, 1), date(2024, 5, 31))


@pytest.mark.parametrize("text", ["books by Ursula Le Guin", "the next book", "on hold", "by U2"])
def test_what_names_no_day(text: str):
    assert find_when(text, TODAY) is None


def test_what_recurs_does_so_in_any_year_unless_one_was_said():
    birthday = date(1990, 7, 12)
    assert not named("in July").holds(birthday, birthday)
    assert named("in July").holds(birthday, birthday, recurs=True)
    assert not named("in August").holds(birthday, birthday, recurs=True)
    assert not named("before August").holds(birthday, birthday, recurs=True)
    assert not named("in July 1991").holds(birthday, birthday, recurs=True)
    assert named("in July 1990").holds(birthday, birthday, recurs=True)


def test_a_birthday_on_29_february_falls_on_1_march_in_other_years():
    leap = date(1992, 2, 29)
    assert named("on 1 March").holds(leap, leap, recurs=True) is False  # 2024 has one
    when = find_when("on 1 March", date(2023, 5, 22))
    assert when is not None
    assert when.holds(leap, leap, recurs=True)


def test_a_month_or_a_year_is_of_the_days_that_it_shares():
    year = date(2015, 1, 1), date(2015, 12, 31)
    assert named("in March 2015").holds(*year)
    assert not named("after 2015").holds(*year)
    assert named("before 2016").holds(*year)
