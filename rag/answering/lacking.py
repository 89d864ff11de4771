"""What a phrase lacks that a question names: then it is said of something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rag.reading.formats import is_attachment
from rag.reading.links import plain
from rag.retrieval.expected import MONTHS
from rag.retrieval.found import Passage
from rag.retrieval.pointing import LEANS
from rag.retrieval.query import spaced

if TYPE_CHECKING:
    from rag.answering.phrases import Candidate

_NAME = re.compile(r"(?<!^)\b(?!I\b)[A-Z][\w’'-]*|\b\d[\d,.]*\b")
_OWNER = re.compile(r"(?<!^)\b(?!I\b)([A-Z][\w-]*)[’']s(?= [^\W_])")
_NO_NAME = re.compile(rf"(?:{MONTHS}|\w+days?)(?:[’']s)?", re.IGNORECASE)
_NUMBERS = re.compile(r"\d[\d.,-]*")
# A day in the forms that people write.
_YEAR_AFTER = r"(?:,? (?P<y>\d{4})\b)?"
_DAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)\b",
        r"\b(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>\d{4})\b",
        rf"\b(?P<d>\d\d?)(?:st|nd|rd|th|\.)? (?:of )?(?P<m>{MONTHS})\b\.?{_YEAR_AFTER}",
        rf"\b(?P<m>{MONTHS})\b\.? (?P<d>\d\d?)(?:st|nd|rd|th)?\b{_YEAR_AFTER}",
    )
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_YEAR = re.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)")


def lacks_names(
    question: str, passages: Sequence[Passage], analyze: Callable[[str], list[str]]
) -> Callable[[Candidate], bool]:
    """Whether the sentence of a candidate and the names around it lack a name, a number or a day of
    the question, as the word index knows them: "Who built the Hargreave shed?" of another shed."""
    days, rest = _days(question)
    found = (re.sub(r"[’']s?$", "", each) for each in _NAME.findall(rest))
    names = [each for each in found if not _NO_NAME.fullmatch(each)]

    def lacks(candidate: Candidate) -> bool:
        passage = passages[candidate.n - 1]
        quotes = [each.quote for each in candidate.sentence.citations]
        told = [*quotes, *(_before(each, passage) for each in quotes if LEANS.search(each))]
        text = "\n".join((passage.path, passage.title, *passage.headings, *map(plain, told)))
        said = {*analyze(text)}
        if any(not said.issuperset(analyze(name)) for name in names):
            return True
        return bool(days) and not all(_is_told(day, _days(text)[0]) for day in days)

    return lacks


def _before(quote: str, passage: Passage) -> str:
    """The sentence before a quote of a passage: whom "it" or "she" in it speaks of."""
    at = passage.text.find(quote)
    ended = [each for each in passage.sentences if each.end <= at]
    return passage.text[ended[-1].start : ended[-1].end] if ended else ""


def numbers_of(question: str) -> str:
    """The days and the other numbers of a question, in its words."""
    days = []
    for pattern in _DAYS:
        days += [match[0] for match in pattern.finditer(question)]
        question = pattern.sub(" ", question)
    return " ; ".join([*days, *_NUMBERS.findall(question)])


def lacks_owner(
    question: str, passages: Sequence[Passage], analyze: Callable[[str], list[str]]
) -> Callable[[Candidate], bool]:
    """Whether the passage of a candidate and the names around it lack whom or what the question is
    about as an owner: "When is Ines's birthday?" is answered by nobody else's."""
    owners = _OWNER.findall(question)

    def lacks(candidate: Candidate) -> bool:
        if not owners:
            return False
        each = passages[candidate.n - 1]
        said = {*analyze("\n".join((each.path, each.title, *each.headings, plain(each.text))))}
        return any(not said.issuperset(analyze(owner)) for owner in owners)

    return lacks


def of_another(question: str, passages: Sequence[Passage]) -> Callable[[Candidate], bool]:
    """Whether a candidate is of another note than the one that a question calls by its title of
    several words, or of another year than the question's: "How much was the paint in 2023?" of the
    note "Paint 2024". The passage may name them itself. Or the sentence is of another day."""
    said = spaced(question)
    titles = {spaced(each.title) for each in passages if len(each.title.split()) > 1}
    named = [title for title in titles if title.strip() and title in said]
    years = {*_YEAR.findall(question)}
    days = _days(question)[0]

    def is_of_another(candidate: Candidate) -> bool:
        each = passages[candidate.n - 1]
        names = "\n".join((each.path, each.title, *each.headings))
        text = f"{names}\n{each.text}"
        own = is_attachment(each.path) or any(title in spaced(text) for title in named)
        if named and not own:  # what a note embeds has a title of its own
            return True
        quotes = "\n".join(each.quote for each in candidate.sentence.citations)
        told = _days(quotes)[0] if days else ()
        if told and not any(_is_told(day, told) for day in days):
            return True
        others = {*_YEAR.findall(names)} - years
        return bool(years and others) and years.isdisjoint(_YEAR.findall(text))

    return is_of_another


def _days(text: str) -> tuple[set[tuple[int, int, int]], str]:
    """The days that a text names (year, 0 where it has none, month and day), and the rest."""
    days = set()
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            name = match["m"]
            month = int(name) if name.isdecimal() else _MONTHS.index(name[:3].casefold()) + 1
            days.add((int(match["y"] or 0), month, int(match["d"])))
        text = pattern.sub(" ", text)
    return days, text


def _is_told(day: tuple[int, int, int], days: Iterable[tuple[int, int, int]]) -> bool:
    """Whether a day is among others, in the same year where both name one."""
    return any(
        day[1:] == each[1:] and (day[0] == each[0] or 0 in (day[0], each[0])) for each in days
    )
