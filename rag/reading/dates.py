"""Dates as people write them in front matter and file names."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH = r"(?P<name>[a-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_TIME = r"(?:[t\s,]+(?:at\s+)?\d{1,2}[:.h]\d.*)?"
_ISO = r"(?P<year>\d{4})(?P<gap>[-/.]?)(?P<month>\d{1,2})(?P=gap)(?P<day>\d{1,2})"
# Not compiled here: most runs parse no date, and `re` remembers those that it has compiled.
_FORMATS = (
    _WEEKDAY + _ISO + _TIME,
    _WEEKDAY + r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _TIME,
    # 14/10/2024 is one thing everywhere; of 3/4/2024 there is no telling.
    _WEEKDAY + r"(?P<day>1[3-9]|2\d|3[01])/(?P<month>\d{1,2})/(?P<year>\d{4})" + _TIME,
    rf"{_WEEKDAY}{_DAY}\s+(?:of\s+)?{_MONTH},?\s+(?P<year>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}}){_TIME}",
)
_IN_NAME = r"(?<!\d)(\d{4})([-_.])(\d{2})\2(\d{2})(?!\d)"
_LONGEST = 100  # characters; a date is shorter


def parse_date(text: str) -> date | None:
    """The day that `text` names, its time left aside; None when it names none that exists.

    Understands 2024-02-05 (also with / or . and with a time), 05.02.2024, 14/10/2024 (where the
    first can be no month), "5 February 2024",
    "Monday 5th February 2024 13:20" and "February 5, 2024".
    """
    text = text.strip()
    for shape in _FORMATS if len(text) <= _LONGEST else ():
        if found := re.fullmatch(shape, text, re.IGNORECASE | re.DOTALL):
            parts = found.groupdict()
            month = parts.get("month") or _month(parts["name"].lower())
            return _day(parts["year"], month, parts["day"])
    return None


def date_in_name(name: str) -> date | None:
    """The first date such as 2024-02-05 in a file name, or None."""
    found = re.search(_IN_NAME, name)
    return _day(found[1], found[3], found[4]) if found else None


def _month(name: str) -> int:
    """1 to 12 for a month's name, which may be cut short; 0 for none."""
    return next((n for n, month in enumerate(_MONTHS, 1) if month.startswith(name)), 0)


def _day(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
