"""A note as a `Document`: what it is called, what it links to, and its blocks with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.reading.blocks import Block, Part, crowded_apart, parted_by_page, under_headings
from rag.reading.code import blank_comments
from rag.reading.dates import date_in_name, parse_date
from rag.reading.formats import format_of
from rag.reading.front_matter import JsonValue, read_front_matter, telling_fields
from rag.reading.links import Link, find_links, find_tags
from rag.reading.markdown import markdown_parts
from rag.reading.plain_text import NUMBERED, text_parts
from rag.reading.readable import Readable

_CREATED = ("created", "date", "created_at")
_MODIFIED = ("modified", "updated", "lastmod")
_TAGS = ("tags", "tag", "category", "categories")
_ALIASES = ("aliases", "alias")
# `source` in the front matter of an exported conversation. The note is found by its name and its
# links work; its text is a model's, and no answer may rest on it.
CONVERSATION = "rag chat"
_IS_CONVERSATION = "is a conversation with rag: found by its name, but no answer rests on it"
_TASK = re.compile(r"\[[ x-]\] (.+?)(?: \((?:scheduled|due|closed) \d[^()]*\))?(?: #[\w@#%]+)*")
_LEADING_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[-_ ]+(?=\S)")


@dataclass(frozen=True, slots=True)
class Document:
    """A note that has been read. `fields` is its front matter, dates as they were written."""

    path: str
    title: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    created: date | None
    modified: date | None
    fields: dict[str, JsonValue]
    links: tuple[Link, ...]
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...]
    places: tuple[tuple[int, str], ...] = ()  # where pages, slides or cells begin
    is_conversation: bool = False  # exported from rag itself


def parse_document(path: str, text: str, readable: Readable | None = None) -> Document:
    """Parse the note at `path` (its suffix decides how); `text` has "\\n" as its only line end.

    `readable` is there for a note whose text was turned into Markdown: it has no front matter.
    """
    lines = text.split("\n")
    warnings: list[str] = []
    front: list[str] = []
    if readable is None:
        fields, start = read_front_matter(lines, warnings)
        front = lines[:start]
        lines[:start] = [""] * start
    else:
        fields = dict(readable.fields)
    if path.lower().endswith(".txt"):
        parts, prose = text_parts(lines), lines
    else:
        lines = blank_comments(lines)
        parts, prose = _markdown_parts(lines, readable.tasks if readable else ())
    known = {name.lower(): value for name, value in fields.items()}
    created = _date(known, _CREATED, warnings)
    if not any(known.get(name) for name in _CREATED):
        created = date_in_name(path.rsplit("/", 1)[-1])
    tags = [tag for name in _TAGS for tag in _tag_names(known.get(name))]
    format_ = format_of(path)
    if format_ is None or format_.tags:
        tags += find_tags(prose)
    is_conversation = known.get("source") == CONVERSATION
    if is_conversation:
        warnings.append(_IS_CONVERSATION)
    blocks = parted_by_page(under_headings(parts, lines), readable.places if readable else ())
    if readable and readable.crowded:
        blocks = tuple(crowded_apart(blocks, readable.crowded))
    if front and not is_conversation:
        blocks = (*_front_block(front), *blocks)
    return Document(
        path=path,
        title=_title(path, known.get("title"), parts),
        aliases=_distinct(alias for name in _ALIASES for alias in _strings(known.get(name))),
        tags=_distinct(tags),
        created=created,
        modified=_date(known, _MODIFIED, warnings),
        fields=fields,
        links=(*_front_links(front), *find_links(prose[len(front) :], len(front) + 1)),
        blocks=blocks,
        warnings=tuple(warnings),
        places=readable.places if readable else (),
        is_conversation=is_conversation,
    )


def _markdown_parts(
    lines: Sequence[str], tasks: Sequence[tuple[int, int]]
) -> tuple[list[Part], list[str]]:
    """The parts of Markdown `lines` and their prose; `tasks` are parsed as the headings that they
    are, too."""
    if not tasks:
        return markdown_parts(lines)
    outline = list(lines)
    for line, level in tasks:
        outline[line - 1] = f"{'#' * level} {lines[line - 1].removeprefix('- ')}"
    parts, prose = markdown_parts(outline)
    on = {line for line, _ in tasks}
    return [_task(part) if part.level and part.first in on else part for part in parts], prose


def _task(heading: Part) -> Part:
    """A heading that is a task, its title without the box, the days and the tags."""
    title = _TASK.fullmatch(heading.title)
    return replace(heading, task=True, title=title[1] if title else heading.title)


def _front_links(front: Sequence[str]) -> tuple[Link, ...]:
    """The links in the values of fields, as Obsidian has them; a comment holds none."""
    return find_links(["" if line.lstrip().startswith("#") else line for line in front])


def _front_block(front: Sequence[str]) -> tuple[Block, ...]:
    """What the front matter tells a reader, as the first block; () where it tells nothing."""
    pieces = telling_fields(front, len(front))
    if not pieces:
        return ()
    first, last = pieces[0][0], pieces[-1][1]
    text = "\n".join(front[first - 1 : last])
    return (Block("fields", (), first, last, text, pieces),)


def _title(path: str, given: JsonValue, parts: Sequence[Part]) -> str:
    for title in _strings(given)[:1] if isinstance(given, (str, int)) else ():
        return title
    name = path.rsplit("/", 1)[-1]
    heading = parts[0].title if parts and parts[0].level == 1 and not parts[0].task else ""
    # In a .txt file "1. Beginnings" heads a chapter, not the whole.
    if heading and not (name.lower().endswith(".txt") and NUMBERED.match(heading)):
        return heading
    stem = name.rpartition(".")[0] or name
    stem = _LEADING_DATE.sub("", stem, count=1) if _LEADING_DATE.match(stem) else stem
    if " " not in stem and any(map(str.isalpha, stem)):
        stem = re.sub(r"[-_]+", " ", stem)
    return stem.strip() or name


def _strings(value: JsonValue) -> list[str]:
    """The non-blank strings and whole numbers in a field that holds one or a list of them."""
    items = value if isinstance(value, list) else [value]
    found = (item for item in items if isinstance(item, (str, int)) and item is not True)
    texts = (" ".join(str(item).split()) for item in found if item is not False)
    return [text for text in texts if text]


def _tag_names(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        value = list(value.split("," if "," in value else None))
    tags = (tag.lstrip("#").strip("/ ") for tag in _strings(value))
    return [tag for tag in tags if tag]


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """`names` without repetitions, upper and lower case taken as one; the first stays."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(name.casefold(), name)
    return tuple(kept.values())


def _date(known: dict[str, JsonValue], names: Sequence[str], warnings: list[str]) -> date | None:
    """The date in the first of these fields that says anything."""
    name = next((name for name in names if known.get(name)), "")
    if not name:
        return None
    value = known[name]
    day = parse_date(str(value)) if isinstance(value, (str, int)) else None
    if day is None:
        warnings.append(f'{name} is not a date: "{" ".join(str(value).split())[:40]}"')
    return day
