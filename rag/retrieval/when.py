"""Days that notes speak of, also ahead: "a birthday in July", "due next week".

`rag.retrieval.time_words` narrows down notes by the day on which they were written, which is past.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from rag.indexing.filtering import Span
from rag.retrieval.time_words import first_time, tidy
from rag.retrieval.times import period

_AHEAD = re.compile(
    r"\b(?:(?P<edge>by|until|before|since|after) |(?:in|on|during|for|within) )?(?:the )?"
    r"(?:(?P<which>this|next) (?P<unit>week|month|quarter|year)|(?P<tomorrow>tomorrow))\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b[12]\d{3}\b")


@dataclass(frozen=True, slots=True)
class When:
    """Days, and the question without the words that name them. With `any_year` they are a month
    or a day of one, whose year was not said; `dated` tells whether a year was."""

    span: Span
    any_year: bool
    dated: bool
    words: str
    rest: str

    def holds(self, day: date, recurs: bool = False) -> bool:
        """Whether a day is one of these, or with `recurs` any year's."""
        if _within(day, self.span):
            return True
        ends = {each.year for each in (self.span.first, self.span.last) if each}
        return recurs and any(_within(_in_year(day, year), self.span) for year in ends)


def find_when(question: str, today: date) -> When | None:
    """The days that a question names, the first of them; None where it names none."""
    if ahead := _AHEAD.search(question):
        span = _edged(_ahead(ahead, today), (ahead["edge"] or "").casefold())
        start, end, bare = ahead.start(), ahead.end(), False
    else:
        # "By" closes a span here; of what was written it only says who wrote it.
        question = re.sub(r"\bby (?=\S*\d|\w+day\b)", "until ", question, flags=re.IGNORECASE)
        found = first_time(question, today)
        if found is None:
            return None
        span, start, end, bare = found.span, found.start, found.end, found.kind == "bare"
    words = question[start:end]
    dated = _YEAR.search(words) is not None
    rest = tidy(f"{question[:start]} {question[end:]}")
    return When(span, bare and not dated and any(map(str.isalpha, words)), dated, words, rest)


def _ahead(match: re.Match[str], today: date) -> Span:
    if match["tomorrow"]:
        return period("day", today + timedelta(days=1))
    unit = match["unit"].casefold()
    this = period(unit, today)
    if match["which"].casefold() == "this":
        return this
    assert this.last is not None
    return period(unit, this.last + timedelta(days=1))


def _edged(span: Span, edge: str) -> Span:
    assert span.first is not None
    assert span.last is not None
    if edge in ("by", "until"):
        return Span(None, span.last)
    if edge == "before":
        return Span(None, span.first - timedelta(days=1))
    if edge == "since":
        return Span(span.first, None)
    return Span(span.last + timedelta(days=1), None) if edge == "after" else span


def _in_year(day: date, year: int) -> date:
    """The day of another year; of 29 February the day after where that has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _within(day: date, span: Span) -> bool:
    return (span.first is None or span.first <= day) and (span.last is None or day <= span.last)
