"""What a phrase lacks that a question names: then it is said of something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rag.reading.links import plain
from rag.retrieval.expected import MONTHS
from rag.retrieval.found import Passage

if TYPE_CHECKING:
    from rag.answering.phrases import Candidate

_NAME = re.compile(r"(?<!^)\b(?!I\b)[A-Z][\w’'-]*|\b\d[\d,.]*\b")
_OWNER = re.compile(r"(?<!^)\b(?!I\b)([A-Z][\w-]*)[’']s(?= [^\W_])")
_NO_NAME = re.compile(rf"(?:{MONTHS}|\w+days?)(?:[’']s)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)")


def lacks_names(
    question: str, passages: Sequence[Passage], analyze: Callable[[str], list[str]]
) -> Callable[[Candidate], bool]:
    """Whether the sentence of a candidate and the names around it lack a name or a number of the
    question, as the word index knows them: "Who built the Hargreave shed?" of another shed."""
    found = (re.sub(r"[’']s?$", "", each) for each in _NAME.findall(question))
    names = [each for each in found if not _NO_NAME.fullmatch(each)]

    def lacks(candidate: Candidate) -> bool:
        passage = passages[candidate.n - 1]
        quotes = (each.quote for each in candidate.sentence.citations)
        said = {
            *analyze(
                "\n".join((passage.path, passage.title, *passage.headings, *map(plain, quotes)))
            )
        }
        return any(not said.issuperset(analyze(name)) for name in names)

    return lacks


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
    note "Paint 2024". The passage may name them itself."""
    said = _spaced(question)
    titles = {_spaced(each.title) for each in passages if len(each.title.split()) > 1}
    named = [title for title in titles if title.strip() and title in said]
    years = {*_YEAR.findall(question)}

    def is_of_another(candidate: Candidate) -> bool:
        each = passages[candidate.n - 1]
        names = "\n".join((each.path, each.title, *each.headings))
        text = f"{names}\n{each.text}"
        if named and not any(title in _spaced(text) for title in named):
            return True
        others = {*_YEAR.findall(names)} - years
        return bool(years and others) and years.isdisjoint(_YEAR.findall(text))

    return is_of_another


def _spaced(text: str) -> str:
    """The words of a text, with a blank around each."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
