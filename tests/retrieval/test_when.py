"""Days that a question names, also ahead."""

from datetime import date

import pytest

from rag.indexing.filtering import Span
from rag.retrieval.when import find_when

TODAY = date(2024, 5, 20)  # a Monday


@pytest.mark.parametrize(
    ("text", "span", "rest"),
    [
        ("due this week", Span(TODAY, date(2024, 5, 26)), "due"),
        ("due next week", Span(date(2024, 5, 27), date(2024, 6, 2)), "due"),
        ("in the next month", Span(date(2024, 6, 1), date(2024, 6, 30)), ""),
        ("next year", Span(date(2025, 1, 1), date(2025, 12, 31)), ""),
        ("due tomorrow", Span(date(2024, 5, 21), date(2024, 5, 21)), "due"),
        ("due by tomorrow", Span(None, date(2024, 5, 21)), "due"),
        ("due before next week", Span(None, date(2024, 5, 26)), "due"),
        ("after this month", Span(date(2024, 6, 1)), ""),
        ("due by 2024-06-01", Span(None, date(2024, 6, 1)), "due"),
        ("finished in 2023", Span(date(2023, 1, 1), date(2023, 12, 31)), "finished"),
    ],
)
def test_days_that_are_named(text: str, span: Span, rest: str):
    when = find_when(text, TODAY)
    assert when is not None
    assert (when.span, when.rest) == (span, rest)


@pytest.mark.parametrize("text", ["books by Ursula Le Guin", "the next book", "on hold"])
def test_what_names_no_day(text: str):
    assert find_when(text, TODAY) is None


def test_a_month_without_its_year_may_be_any_years():
    july = find_when("in July", TODAY)
    assert july is not None
    assert july.any_year
    assert not july.holds(date(1990, 7, 12))
    assert july.holds(date(1990, 7, 12), recurs=True)
    assert not july.holds(date(1990, 8, 1), recurs=True)
    dated = find_when("in July 1990", TODAY)
    assert dated is not None
    assert (dated.dated, dated.any_year) == (True, False)


def test_a_birthday_on_29_february_falls_on_1_march_in_other_years():
    when = find_when("on 2023-03-01", TODAY)
    assert when is not None
    assert when.holds(date(1992, 2, 29), recurs=True)
