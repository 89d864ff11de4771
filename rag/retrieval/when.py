"""Days that notes speak of, also ahead: "a birthday in July", "due next week", "due on Friday".

`rag.retrieval.time_words` narrows down notes by the day on which they were written, which is past.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from rag.indexing.filtering import Span
from rag.retrieval.time_words import first_time, tidy
from rag.retrieval.times import period, read_time

_EDGE = r"(?:(?P<edge>by|until|till|before|since|after) |(?:in|on|during|for|within) )?(?:the )?"
_AHEAD = re.compile(
    rf"\b{_EDGE}(?:(?P<which>this|next) (?P<unit>week|month|quarter|year)|"
    r"(?P<tomorrow>tomorrow))\b",
    re.IGNORECASE,
)
_WITH_EDGE = re.compile(rf"{_EDGE}(?P<days>.+)", re.IGNORECASE)
_YEAR = re.compile(r"\b[12]\d{3}\b")


@dataclass(frozen=True, slots=True)
class When:
    """Days, and the question without the `words` that name them. A weekday or a month whose year
    was not said is the last one, `span`, or the next, `coming`; `dated` tells whether one was."""

    span: Span
    coming: Span | None
    dated: bool
    words: str
    rest: str

    def holds(self, first: date, last: date, ahead: bool = False, recurs: bool = False) -> bool:
        """Whether the days from `first` to `last` are partly of these; with `ahead` also of those
        to come, with `recurs` of any year's, where no year was said."""
        if recurs and not self.dated:
            return _recurs(first, self.span)
        spans = [self.span]
        if ahead and self.coming:  # before the next June, not before the last
            bounded = self.coming.first and self.coming.last
            spans = [*(spans if bounded else ()), self.coming]
        return any(_overlap(first, last, each) for each in spans)


def find_when(question: str, today: date) -> When | None:
    """The days that a question names, the first of them; None where it names none."""
    if ahead := _AHEAD.search(question):
        span = _edged(_ahead(ahead, today), ahead["edge"])
        words, rest = ahead[0], tidy(f"{question[: ahead.start()]} {question[ahead.end() :]}")
        return When(span, None, False, words, rest)
    # "By" closes a span here; of what was written it only says who wrote it.
    text = re.sub(r"\bby (?=\d{4}\b|\d{1,2}\W|\w+day\b)", "until ", question, flags=re.IGNORECASE)
    found = first_time(text, today)
    if found is None:
        return None
    words = text[found.start : found.end]
    dated = _YEAR.search(words) is not None
    coming = None if dated or found.kind != "bare" else _coming(words, today)
    rest = tidy(f"{text[: found.start]} {text[found.end :]}")
    said = words if words in question else words.replace("until ", "by ", 1)
    return When(found.span, coming, dated, said, rest)


def _coming(words: str, today: date) -> Span | None:
    """The next weekday, month or day of a month that is not over; None for anything else."""
    match = _WITH_EDGE.fullmatch(words)
    found = read_time(match["days"], today) if match else None
    if match is None or found is None or found[0].first is None or found[0].last is None:
        return None
    first, last = found[0].first, found[0].last
    if last < today:
        if match["days"].casefold().endswith("day"):
            first, last = first + timedelta(days=7), last + timedelta(days=7)
        else:
            first, last = in_year(first, first.year + 1), in_year(last, last.year + 1)
    return _edged(Span(first, last), match["edge"])


def _ahead(match: re.Match[str], today: date) -> Span:
    if match["tomorrow"]:
        return period("day", today + timedelta(days=1))
    unit = match["unit"].casefold()
    this = period(unit, today)
    if match["which"].casefold() == "this":
        return this
    assert this.last is not None
    return period(unit, this.last + timedelta(days=1))


def _edged(span: Span, edge: str | None) -> Span:
    assert span.first is not None
    assert span.last is not None
    edge = (edge or "").casefold()
    if edge in ("by", "until", "till"):
        return Span(None, span.last)
    if edge == "before":
        return Span(None, span.first - timedelta(days=1))
    if edge == "since":
        return Span(span.first, None)
    return Span(span.last + timedelta(days=1), None) if edge == "after" else span


def _recurs(day: date, span: Span) -> bool:
    """Whether a day comes again in a span; an open one holds all of them, and so tells nothing."""
    if span.first is None or span.last is None:
        return False
    again = (in_year(day, year) for year in {span.first.year, span.last.year})
    return any(_overlap(each, each, span) for each in again)


def next_of(day: date, today: date) -> date:
    """The next time that a day of every year comes, today included."""
    this = in_year(day, today.year)
    return this if this >= today else in_year(day, today.year + 1)


def in_year(day: date, year: int) -> date:
    """The day of another year; of 29 February the day after where that has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _overlap(first: date, last: date, span: Span) -> bool:
    return (span.first is None or span.first <= last) and (span.last is None or first <= span.last)
