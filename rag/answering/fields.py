"""A line "name: value", in a note or its front matter: "What is the wifi password?" names the note
and the line, and "Who wrote Piranesi?" asks for what is called "author".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.reading.links import plain
from rag.retrieval.search import Passage

Analyze = Callable[[str], list[str]]

# A value or a cell in which nothing stands.
EMPTY = re.compile(r"[\W_]*(?:n/?a|none|unknown|tbd)?[\W_]*", re.IGNORECASE)
# What a field is called that answers without being named, after the word that asks, one of which
# must be there too, for "where" none: "Who wrote it?" is answered by "author: …".
_FIELDS = (
    ("who", "wrote written write authored", "author authors writer writers"),
    ("who", "directed direct", "director directors"),
    (
        "who",
        "attended attend attending present came come there met meet joined join took take part",
        "attendees participants present attending people",
    ),
    ("when", "born birth birthday", "birthday born birthdate dob"),
    ("how", "rate rated", "rating score stars grade"),
    ("what", "rate rated rating score stars give gave", "rating score stars grade"),
    ("what", "phone telephone mobile number", "phone telephone tel mobile cell"),
    ("what", "email mail address", "email mail"),
    ("where", "live lives held takes take took place located", "address location place venue city"),
    ("when", "due", "due deadline"),
    ("when", "read finish finished complete completed", "finished completed read"),
    ("when", "start started begin began", "started start begun"),
)
_FIELD = re.compile(r"([^\W\d_][^:|]{0,40}):(?:\s+(\S.*))?")
_ITEM = re.compile(r"\s*[-*+•]\s+(\S.*)")
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_POSSESSIVE = re.compile(r"[’']s\b")
_EMAIL = re.compile(r"\be-mail", re.IGNORECASE)
_MOST_WORDS = 4  # of the name of a field; more is a sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's words as the word index knows them: all, those that tell something, and those
    that name nothing; and what a column or a field may be called that answers it unnamed, a field
    with the words that ask for it."""

    words: set[str]
    telling: set[str]
    light: set[str]
    columns: set[str]
    fields: dict[str, set[str]]


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


def unnamed_fields(question: str, analyze: Analyze) -> dict[str, set[str]]:
    """What fields may be called that answer a question without being named in it, and the words
    that ask for each."""
    words = {*re.findall(r"\w+", question.casefold())}
    fields: dict[str, set[str]] = {}
    for asks, verbs, names in _FIELDS:
        if asks in words and (asks == "where" or words & {*verbs.split()}):
            fields |= {name: fields.get(name, set()) | {*analyze(verbs)} for name in names.split()}
    return fields


def find_field(asked: Asked, passage: Passage, analyze: Analyze) -> tuple[int, int, str] | None:
    """What "name: value" says where the question has the name, or asks for what is called so, and
    the rest of it is in the names of the note and its sections; and where it stands."""
    note = analyze(f"{even(passage.title)}\n{passage.path.rpartition('/')[2].rpartition('.')[0]}")
    headings = analyze("\n".join(passage.headings))
    unnamed: tuple[int, int, str] | None = None
    for field in _fields(passage.text):
        about = {*note, *(headings if field.heading is None else analyze(field.heading))}
        name = set(analyze(even(field.name)))
        named = name <= asked.words and bool(name & asked.telling)
        asking = asked.fields.get(even(field.name).casefold(), set())
        if not (named or asking) or EMPTY.fullmatch(field.value):
            continue
        rest = asked.telling - name - asking
        if rest & about and not rest - about - asked.light:
            found = field.start, field.end, field.value
            if named:
                return found
            unnamed = unnamed or found
    return unnamed


def _fields(text: str) -> Iterator[_Field]:
    """The lines "name: value" of a text, and the names that a list stands under."""
    heading: str | None = None
    lines = text.split("\n")
    offset = 0
    for number, line in enumerate(lines):
        start, end = offset + len(line) - len(line.lstrip()), offset + len(line.rstrip())
        offset += len(line) + 1
        if title := _HEADING.match(line):
            heading = plain(title[1])
        elif ":" in line and (field := _FIELD.fullmatch(plain(line).rstrip())):
            value = _unquoted(field[2] or "")
            if not value:
                items, length = _items(lines[number + 1 :])
                end, value = end + length, ", ".join(items)
            if value and len(field[1].split()) <= _MOST_WORDS:
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
    if value[:1] == "[" and value[-1:] == "]":
        return ", ".join(_unquoted(each) for each in value[1:-1].split(",") if each.strip())
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
