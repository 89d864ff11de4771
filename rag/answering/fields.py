"""A line "name: value", in a note or its front matter: "What is the wifi password?" names the note
and the line, and "Who wrote Piranesi?" asks for what is called "author".
"""

from __future__ import annotations

import calendar
import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.reading.links import plain
from rag.retrieval.expected import MONTHS, expected, fits
from rag.retrieval.found import Evidence, Passage

Analyze = Callable[[str], list[str]]

_NOTHING = frozenset(("", "n/a", "na", "none", "unknown", "tbd"))
_CHECKED = frozenset(("true", "false", "yes", "no", "null"))
# What a field is called that answers without being named: the question that asks for it, words of
# which the field then says, and the names. "Who wrote it?" is answered by "author: …".
_FIELDS = (
    (r"who\b.*\b(?:wrote|written|authored)", "wrote written authored", "author authors writer"),
    (r"who\b.*\bdirected", "directed", "director directors"),
    (r"who\b.*\bowns?", "own owns", "owner"),
    (
        r"who\b.*\b(?:attend(?:ed|s)?|present|came|there|met|joined|took part)|who (?:was|were) at",
        "attended attend attends present came there met joined took part",
        "attendees participants present attending people",
    ),
    (r"when\b.*\b(?:born|birthday)", "born birthday", "birthday born birthdate dob"),
    (
        r"(?:how|what)\b.*\b(?:rate|rated|rating|score|stars|grade)",
        "rate rated rating score stars grade give gave",
        "rating score stars grade",
    ),
    (
        r"(?:what|which)\b.*\b(?:phone|telephone|mobile)\b|how\b.*\b(?:call|reach)",
        "phone telephone mobile number call reach",
        "phone telephone tel mobile cell",
    ),
    (r"(?:what|which)\b.*\bemail|how\b.*\breach", "email mail address reach", "email mail"),
    (
        r"where (?:(?:is|are|was|were)\b(?!.*\bfrom\b)|"
        r"(?:do|does|did|will)\b.*\b(?:live|take place))",
        "live lives held take takes took place located",
        "address location place venue city",
    ),
    (r"where\b.*\bfrom\b", "come comes came get got from", "source origin from url"),
    (
        r"(?:where|(?:which|what) company|(?:for )?whom?)\b.*\bworks?\b",
        "work works company",
        "company employer organisation organization workplace",
    ),
    (r"when\b.*\bdue", "due", "due deadline"),
    (
        r"when\b.*\b(?:read|finish|finished|completed?)",
        "read finish finished complete completed",
        "finished completed read",
    ),
    (
        r"when\b.*\b(?:start|started|begin|began)",
        "start started begin began",
        "started start begun",
    ),
)
_ASKS_AMOUNT = re.compile(r"\W*how (?:much|many)\b", re.IGNORECASE)
# "350 g of water", as lists of ingredients have it.
_AMOUNT = re.compile(
    r"((?:about |ca\. )?\d[\d.,/–-]*(?: ?[½¼¾])?"
    r"(?: ?(?:µg|mg|g|kg|ml|cl|dl|l|oz|lbs?|mm|cm|m|km|cups?|tbsp|tsp|tablespoons?|teaspoons?|"
    r"pinch(?:es)?|cloves?|slices?|cans?|pieces?|pairs?)\b)?)"
    r"\s+(?:of )?([^\W\d][^\d,;:.()|]{0,40})(?:[,(].*)?",
    re.IGNORECASE,
)
_FIELD = re.compile(r"([^\W\d_][^:|]{0,40}):(?:\s+(\S.*))?")
_ITEM = re.compile(r"\s*[-*+•]\s+(\S.*)")
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_POSSESSIVE = re.compile(r"[’']s\b")
_EMAIL = re.compile(r"\be-mail", re.IGNORECASE)
# Words of a question about a field that name nothing. Not "give": who gives something on a
# birthday does not ask for its date.
_LIGHT = "has have had need needs use uses be been mine number current currently"
# Of how much flour goes into it, and how many loaves it makes.
_MIXING = "go goes put puts take takes add adds make makes serve serves yield yields"
# A name that stands behind these is spoken of in passing: "for her birthday", "in his email".
_ASIDE = (
    r"\b(?:for|on|at|in|with|by|about|from|after|before)\s+"
    r"(?:(?:the|a|an|my|our|his|her|its|their)\s+|[^\W\d]+(?:\s+[^\W\d]+)?[’']s\s+)*"
)
_FULL_DATE = re.compile(
    r"\b(?:1\d|20)\d\d\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}\.\s?\d{1,2}\.|"
    rf"\b(?:{MONTHS}|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tomorrow|yesterday|daily|"
    r"weekly|monthly|yearly|morning|noon|evening|night)\b",
    re.IGNORECASE,
)
_NAME = r"[\"']?([^\W\d][\w.-]*(?: [\w.-]+){0,2})[\"']?:(?:\s|$)"
_YAML_KEY = re.compile(rf"\s*{_NAME}")
_YAML_LINE = re.compile(rf"\s*(?:{_NAME}|-\s|# )|\s{{2,}}\S")
_PROSE = 8  # words; what is longer is a description, and may answer anything
_MOST_BRACKETS = 8
_DAY = re.compile(r"(?<!\d)(?P<year>\d{4})-?(?P<month>\d\d)-?\d\d(?!\d)")
_MOST_WORDS = 4  # of the name of a field; more is a sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """A `question` and its words as the word index knows them: all, those that tell something, and
    those that name nothing; and what a column or a field may be called that answers it unnamed, a
    field with the words that ask for it. `kind` is what "which server" asks for."""

    question: str
    words: set[str]
    telling: set[str]
    light: set[str]
    columns: set[str]
    fields: dict[str, set[str]]
    kind: str


@dataclass(frozen=True, slots=True)
class _Field:
    """A line "name: value", or a name with the list under it, that stands at `text[start:end]`;
    `heading` is the one above it in the text, None where there is none."""

    start: int
    end: int
    name: str
    value: str
    heading: str | None


def even(text: str) -> str:
    """A text without what keeps a word from being itself: "Leila's", "e-mail"."""
    return _POSSESSIVE.sub("", _EMAIL.sub("email", text))


def month_of(passage: Passage) -> str:
    """The month and year of the day that a note is called after: of the "October meeting"."""
    found = _DAY.search(passage.path) or _DAY.search(passage.title)
    number = int(found["month"]) if found else 0
    return f"{calendar.month_name[number]} {found['year']}" if found and 1 <= number <= 12 else ""


def says_nothing(value: str) -> bool:
    """Whether a value or a cell is as good as empty."""
    return value.strip(f"{string.punctuation}{string.whitespace}–—…").casefold() in _NOTHING


def unnamed_fields(question: str, analyze: Analyze) -> dict[str, set[str]]:
    """What fields may be called that answer a question without being named in it, and the words
    that ask for each."""
    fields: dict[str, set[str]] = {}
    for asks, words, names in _FIELDS:
        if re.search(rf"\b(?:{asks})\b", question, re.IGNORECASE):
            fields |= {name: fields.get(name, set()) | {*analyze(words)} for name in names.split()}
    return fields


class Empty(Exception):
    """The field that a question asks for is there, and nothing stands in it."""


def is_front_matter(passage: Passage) -> bool:
    """Whether a passage is the fields of a note's front matter, told by its text."""
    lines = passage.text.split("\n")
    return (
        passage.first > 1
        and not passage.headings
        and _YAML_KEY.match(lines[0]) is not None
        and all(not line.strip() or _YAML_LINE.match(line) for line in lines)
    )


def without_strays(
    question: str, passages: Sequence[Passage], evidence: Sequence[Evidence], analyze: Analyze
) -> list[Evidence]:
    """The evidence without short fields of front matter that the question does not ask for, or not
    of this note: "company: Lumen" stands near to a question for a phone number and is no answer."""
    front = {n for n, each in enumerate(passages, 1) if is_front_matter(each)}
    if not front & {each.n for each in evidence}:
        return list(evidence)
    words = {*analyze(even(question))}
    unnamed = unnamed_fields(even(question), analyze)

    def strays(each: Evidence) -> bool:
        if each.n not in front or len(each.text.split()) > _PROSE:
            return False
        text = passages[each.n - 1].text
        key = _key_above(text, each.start)
        note = {*analyze(even(f"{passages[each.n - 1].title}\n{passages[each.n - 1].path}"))}
        asked_for = words & {*analyze(even(key))} or even(key).casefold() in unnamed
        return not (asked_for and words & note)

    return [each for each in evidence if not strays(each)]


def _key_above(text: str, start: int) -> str:
    """The name of the field that stands at `start` of a front matter, or that holds what does."""
    for line in reversed(
        text[: text.find("\n", start) if "\n" in text[start:] else None].split("\n")
    ):
        if key := _YAML_KEY.match(line):
            return key[1]
    return ""


def find_field(asked: Asked, passage: Passage, analyze: Analyze) -> tuple[int, int, str] | None:
    """What "name: value" says where the question has the name, or asks for what is called so, and
    the rest of it is in the names of the note and its sections; and where it stands.

    Raises Empty where that is a field of the front matter without a value.
    """
    folders, _, file = passage.path.rpartition("/")
    note = analyze(f"{even(passage.title)}\n{file.rpartition('.')[0]}")
    # What may be said, and alone names no note.
    around = {*analyze(_LIGHT), *analyze(folders), *analyze(month_of(passage))}
    headings = analyze("\n".join(passage.headings))
    amounts = bool(_ASKS_AMOUNT.match(asked.question))
    if amounts:
        around.update(analyze(_MIXING))
    unnamed: tuple[int, int, str] | None = None
    empty = False
    for field in _fields(passage.text, amounts):
        about = {*note, *(headings if field.heading is None else analyze(field.heading))}
        name = set(analyze(even(field.name)))
        named = (
            name <= asked.words
            and bool(name & asked.telling)
            and not _in_passing(field.name, asked.question)
        )
        asking = asked.fields.get(even(field.name).casefold(), set())
        rest = asked.telling - name - asking
        # "NHS number" says enough without its note; a name of one word is in many.
        alone = named and not rest and len(name & asked.telling) > 1
        if alone or ((named or asking) and rest & about and not rest - about - around):
            if not _answers(field.value, asked.question):
                empty = empty or says_nothing(field.value)
                continue
            found = field.start, field.end, field.value
            if named:
                return found
            unnamed = unnamed or found
    if empty and unnamed is None and is_front_matter(passage):
        raise Empty
    return unnamed


def _in_passing(name: str, question: str) -> bool:
    """Whether a question names a field only beside what it asks: "for her birthday"."""
    pattern = r"\s+".join(map(re.escape, even(name).split()))
    said = _EMAIL.sub("email", question)
    return re.search(rf"{_ASIDE}{pattern}\b", said, re.IGNORECASE) is not None


def _answers(value: str, question: str) -> bool:
    """Whether a value is what a question asks for: a date for "when", a number for "how many"."""
    if says_nothing(value) or value.strip().casefold() in _CHECKED:
        return False
    kind = expected(question)
    if kind in ("time", "date"):
        return _FULL_DATE.search(value) is not None
    if re.match(r"\W*(?:who|where)\b", question, re.IGNORECASE):
        return any(map(str.isalpha, value))
    if _ASKS_AMOUNT.match(question):
        return any(map(str.isdecimal, value))
    return fits(value, kind)


def _fields(text: str, amounts: bool) -> Iterator[_Field]:
    """The lines "name: value" of a text, the names that a list or nothing stands under, and if
    wanted the amounts of what a list of ingredients names."""
    heading: str | None = None
    lines = text.split("\n")
    offset = 0
    for number, line in enumerate(lines):
        start, end = offset + len(line) - len(line.lstrip()), offset + len(line.rstrip())
        offset += len(line) + 1
        if title := _HEADING.match(line):
            heading = plain(title[1])
        elif amounts and _ITEM.match(line) and (amount := _AMOUNT.fullmatch(plain(line))):
            yield _Field(start, end, amount[2], amount[1], heading)
        elif ":" in line and (field := _FIELD.fullmatch(plain(line).rstrip())):
            value = _unquoted(field[2] or "")
            if not value:
                items, length = _items(lines[number + 1 :])
                end, value = (offset - 1 + length if items else end), ", ".join(items)
            if len(field[1].split()) <= _MOST_WORDS:
                yield _Field(start, end, field[1], value, heading)


def _items(lines: Sequence[str]) -> tuple[list[str], int]:
    """The items of a list that the lines begin with, maybe after a blank one; and how many
    characters they take up, the line break before each included."""
    items: list[str] = []
    length = passed = 0
    for line in lines:
        item = _ITEM.fullmatch(line)
        if not item and (items or line.strip()):
            break
        passed += 1 + len(line.rstrip()) if item else 1 + len(line)
        if item:
            items.append(_unquoted(plain(item[1])))
            length = passed
            passed += len(line) - len(line.rstrip())
    return items, length


def _unquoted(value: str) -> str:
    """A value of the front matter without YAML's quotes and brackets."""
    value = value.strip()
    for _ in range(_MOST_BRACKETS):
        if value[:1] != "[" or value[-1:] != "]":
            break
        value = ", ".join(_bare(each) for each in value[1:-1].split(",") if each.strip())
    return _bare(value)


def _bare(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
