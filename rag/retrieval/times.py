"""Words about time into spans of days, by rule: "last week", "since March", "in 2024", "7d".

The day of asking is handed in. Weeks begin on Monday; "last week" is the whole week before this
one, "the past week" the seven days up to today; a month or a weekday without a year is the most
recent one that has begun.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from rag.indexing.filtering import Span
from rag.reading.dates import parse_date

_MONTHS = [name.casefold() for name in calendar.month_name][1:]
_WEEKDAYS = [name.casefold() for name in calendar.day_name]
_COUNTS = {
    word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
} | {"a": 1, "an": 1, "a couple of": 2, "a few": 3}
_COUNT = r"(?P<n>\d{1,3}|a couple of|a few|an?|" + "|".join([*_COUNTS][:10]) + ")"
_UNIT = r"(?P<unit>day|week|month|quarter|year)"
MONTH_NAMES = "|".join(f"{m[:3]}(?:{m[3:]})?" for m in _MONTHS) + "|sept"  # of a pattern
_MONTH = rf"(?P<month>{MONTH_NAMES})\.?"
_WEEKDAY = r"(?P<weekday>" + "|".join(_WEEKDAYS) + ")"
# What every time has in it. Most questions have nothing of it, and are spared two dozen patterns
# for each of their parts, and the time to compile them.
_HINT = r"\d|day|lately|recently|week|month|quarter|year|" + "|".join(m[:3] for m in _MONTHS)

Rule = Callable[[re.Match[str], date], Span | None]


def parse_span(text: str, today: date) -> Span | None:
    """The days that the whole of `text` names, or None when it names none that exist.

    Understands a day in any form of `rag.reading.dates`, 2024, 2024-02, "February 2024",
    "Q1 2024", "yesterday", "last week", "the past 10 days", "2 weeks ago", "7d", and ranges such
    as 2024-01..2024-03, either side of which may be missing.
    """
    left, dots, right = text.partition("..")
    if ".." in right:
        return None
    if dots:
        ends = [parse_span(side, today) if side.strip() else Span() for side in (left, right)]
        if ends[0] is None or ends[1] is None or not text.strip(". "):
            return None
        return Span(ends[0].first, ends[1].last)
    found = read_time(text, today)
    return found[0] if found else None


def read_time(text: str, today: date) -> tuple[Span, str] | None:
    """The span of a text and its kind: "relative", "absolute", or "bare" for one that is also an
    everyday word or number."""
    text = " ".join(text.casefold().split())
    if not re.search(_HINT, text):
        return None
    for kind, pattern, rule in _RULES:
        if (match := re.fullmatch(pattern, text)) and (span := rule(match, today)):
            return span, kind
    day = parse_date(text)
    return (Span(day, day), "absolute") if day else None


def period(unit: str, day: date) -> Span:
    """The whole day, week, month, quarter or year that `day` is in."""
    if unit == "day":
        return Span(day, day)
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return Span(monday, monday + timedelta(days=6))
    if unit == "year":
        return Span(date(day.year, 1, 1), date(day.year, 12, 31))
    length = 3 if unit == "quarter" else 1
    first = date(day.year, day.month - (day.month - 1) % length, 1)
    month = first.month + length - 1
    return Span(first, date(first.year, month, calendar.monthrange(first.year, month)[1]))


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last. Raises ValueError before year 1."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        raise ValueError("out of range")
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _back(today: date, count: int, unit: str) -> date:
    """So many units before `today`. Raises ValueError or OverflowError before the year 1."""
    if unit in ("day", "week"):
        return today - timedelta(days=count * (7 if unit == "week" else 1))
    return _months_before(today, count * {"month": 1, "quarter": 3, "year": 12}[unit])


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else _COUNTS[text]


def _rolling(match: re.Match[str], today: date) -> Span | None:
    """The past so many days, weeks, months or years, today included."""
    count = _count(match.groupdict().get("n") or "one")
    if not count:
        return None
    try:
        return Span(_back(today, count, match["unit"]) + timedelta(days=1), today)
    except (ValueError, OverflowError):
        return None


def _ago(match: re.Match[str], today: date) -> Span | None:
    try:
        return period(match["unit"], _back(today, _count(match["n"]), match["unit"]))
    except (ValueError, OverflowError):
        return None


def _short(match: re.Match[str], today: date) -> Span | None:
    unit = {"d": "day", "w": "week", "m": "month", "y": "year"}[match["unit"]]
    try:
        return Span(_back(today, int(match["n"]), unit), today)
    except (ValueError, OverflowError):
        return None


def _weekend(match: re.Match[str], today: date) -> Span:
    monday = today - timedelta(days=today.weekday() + (7 if match["which"] != "this" else 0))
    return Span(monday + timedelta(days=5), monday + timedelta(days=6))


def _weekday(match: re.Match[str], today: date) -> Span:
    back = (today.weekday() - _WEEKDAYS.index(match["weekday"])) % 7
    if not back and match["last"]:
        back = 7
    return period("day", today - timedelta(days=back))


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _month(match: re.Match[str], today: date) -> Span | None:
    month, year = _month_number(match["month"]), match["year"]
    if year:
        return period("month", date(int(year), month, 1)) if int(year) else None
    ended = bool(match["last"]) and month == today.month
    return period("month", date(today.year - (month > today.month or ended), month, 1))


def _day_of_month(match: re.Match[str], today: date) -> Span | None:
    """A day and a month without a year: the most recent."""
    for year in (today.year, today.year - 1):
        try:
            day = date(year, _month_number(match["month"]), int(match["day"]))
        except ValueError:
            continue
        if day <= today:
            return Span(day, day)
    return None


def _numbers(match: re.Match[str], _: date) -> Span | None:
    try:
        first = date(int(match["year"]), int(match["month"]), 1)
    except ValueError:
        return None
    return period("month", first)


def _year(match: re.Match[str], _: date) -> Span:
    return period("year", date(int(match["year"]), 1, 1))


def _quarter(match: re.Match[str], _: date) -> Span:
    return period("quarter", date(int(match["year"]), 3 * int(match["n"]), 1))


def _this(match: re.Match[str], today: date) -> Span:
    return Span(period(match["unit"], today).first, today)


_RULES: tuple[tuple[str, str, Rule], ...] = (
    ("relative", r"(?:earlier )?today", lambda _, today: period("day", today)),
    ("relative", r"yesterday", lambda _, today: period("day", today - timedelta(days=1))),
    (
        "relative",
        r"(?:the )?day before yesterday",
        lambda _, today: period("day", today - timedelta(days=2)),
    ),
    ("relative", r"recently|lately", lambda _, today: Span(today - timedelta(days=30), today)),
    ("relative", rf"(?:this|the current) {_UNIT}", _this),
    (
        "relative",
        rf"(?:the )?(?:last|previous) {_UNIT}",
        lambda match, today: period(match["unit"], _back(today, 1, match["unit"])),
    ),
    ("relative", rf"(?:the )?past (?:{_COUNT} )?{_UNIT}s?", _rolling),
    ("relative", rf"(?:the )?(?:last|previous) {_COUNT} {_UNIT}s?", _rolling),
    ("relative", rf"{_COUNT} {_UNIT}s? ago", _ago),
    ("relative", r"(?:the |on the )?(?P<which>this|last|past) weekend", _weekend),
    ("relative", rf"(?P<last>last |past ){_WEEKDAY}", _weekday),
    ("bare", rf"(?P<last>){_WEEKDAY}", _weekday),
    ("relative", rf"(?P<last>last ){_MONTH}(?P<year>)", _month),
    ("bare", rf"(?P<last>){_MONTH}(?P<year>)", _month),
    ("absolute", rf"(?P<last>){_MONTH}(?: of)?,? (?P<year>\d{{4}})", _month),
    ("bare", rf"(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}", _day_of_month),
    ("bare", rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?", _day_of_month),
    ("absolute", r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})", _numbers),
    ("absolute", r"q(?P<n>[1-4])[ /-]?(?P<year>[12]\d{3})", _quarter),
    ("bare", r"(?P<year>[12]\d{3})", _year),
    ("short", r"(?P<n>\d{1,4})(?P<unit>[dwmy])", _short),
)


def named(span: Span) -> str:
    """A span for people: "5 February 2024", "February 2024", "from 1 March 2024 on", "until …"."""
    first, last = span.first, span.last
    if first and last:
        for unit, form in (("year", f"{first.year}"), ("month", f"{first:%B} {first.year}")):
            if span == period(unit, first):
                return form
        return _day_named(first) if first == last else f"{_day_named(first)} to {_day_named(last)}"
    if first:
        return f"from {_day_named(first)} on"
    return f"until {_day_named(last)}" if last else "at any time"


def _day_named(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
