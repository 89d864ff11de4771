"""A note as a `Document`: what it is called, what it links to, and its blocks with their lines."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, TypeAlias

from rag.reading.dates import date_in_name, parse_date
from rag.reading.formats import format_of
from rag.reading.links import Link, blank_comments, find_links, find_tags, plain
from rag.reading.readable import PAGES, Readable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
Kind: TypeAlias = Literal["paragraph", "list", "table", "code", "quote", "heading-only", "html"]

_FRONT_MATTER_LIMIT = 64 * 1024  # characters
_YAML_DEPTH = 20
# Each nested list takes two levels. What lies deeper stays whole within its outermost block.
_MARKDOWN_DEPTH = 40
_QUOTE_DEPTH = 8
_LONGEST_TITLE_LINE = 60  # characters of a bare title in a .txt file

_CREATED = ("created", "date", "created_at")
_MODIFIED = ("modified", "updated", "lastmod")
_TAGS = ("tags", "tag", "category", "categories")
_ALIASES = ("aliases", "alias")

_NOT_IN_YAML = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?\d{1,15}\.\d{1,15}")
_CONSTANTS: dict[str, JsonValue] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_LEADING_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[-_ ]+(?=\S)")
_KINDS: dict[str, Kind] = {
    "paragraph_open": "paragraph", "heading_open": "paragraph", "hr": "paragraph",
    "bullet_list_open": "list", "ordered_list_open": "list", "table_open": "table",
    "fence": "code", "code_block": "code", "blockquote_open": "quote", "html_block": "html",
}  # fmt: skip

_DEEP_QUOTE = re.compile(r"^((?:[ \t]*+>){8})(?:[ \t]*+>)++")
_HASH_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+\S")
_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})[ \t]*")
_BULLET = re.compile(r"\s*(?:[-*+•\u2013](?=\s)|--(?=\s*\w)|\d{1,3}[.)](?=\s))")
_NUMBERED = re.compile(r"\d{1,3}[.)]\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines that belong together; `first` and `last` are 1-based and inclusive.

    `headings` is the path of headings above it, as plain text, outermost first. `text` is the
    lines as they stand in the file, without %%comments%%. `pieces` are the line spans at which it
    may be cut; together they cover `first` to `last`. A "heading-only" block is the line of a
    heading with nothing under it; a rule ("---") is a "paragraph". `before` is what stands between
    it and the block above, line breaks and blanks; None where a heading does, or nothing.
    """

    kind: Kind
    headings: tuple[str, ...]
    first: int
    last: int
    text: str
    pieces: tuple[tuple[int, int], ...]
    before: str | None = None


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


@dataclass(frozen=True, slots=True)
class _Part:
    """A block before its headings are known, or a heading: `level` 1 to 6 and its `title`."""

    kind: Kind
    first: int
    last: int
    pieces: tuple[tuple[int, int], ...]
    level: int = 0
    title: str = ""


class _BrokenYaml(Exception):
    """Front matter that is not a plain mapping; `line` is 0-based within it."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def parse_document(path: str, text: str, readable: Readable | None = None) -> Document:
    """Parse the note at `path` (its suffix decides how); `text` has "\\n" as its only line end.

    `readable` is there for a note whose text was turned into Markdown: it has no front matter.
    """
    lines = text.split("\n")
    warnings: list[str] = []
    if readable is None:
        fields, start = _front_matter(lines, warnings)
        lines[:start] = [""] * start
    else:
        fields = dict(readable.fields)
    if path.lower().endswith(".txt"):
        parts, prose = _text_parts(lines), lines
    else:
        lines = blank_comments(lines)
        parts, prose = _markdown_parts(lines)
    known = {name.lower(): value for name, value in fields.items()}
    created = _date(known, _CREATED, warnings)
    if not any(known.get(name) for name in _CREATED):
        created = date_in_name(path.rsplit("/", 1)[-1])
    tags = [tag for name in _TAGS for tag in _tag_names(known.get(name))]
    format_ = format_of(path)
    if format_ is None or format_.tags:
        tags += find_tags(prose)
    return Document(
        path=path,
        title=_title(path, known.get("title"), parts),
        aliases=_distinct(alias for name in _ALIASES for alias in _strings(known.get(name))),
        tags=_distinct(tags),
        created=created,
        modified=_date(known, _MODIFIED, warnings),
        fields=fields,
        links=find_links(prose),
        blocks=_parted(_blocks(parts, lines), readable.places if readable else ()),
        warnings=tuple(warnings),
        places=readable.places if readable else (),
    )


# Front matter


def _front_matter(lines: list[str], warnings: list[str]) -> tuple[dict[str, JsonValue], int]:
    """The fields, and how many lines they take up, the "---"s included; 0 when there are none."""
    if lines[0].rstrip() != "---":
        return {}, 0
    ends = (n for n, line in enumerate(lines) if n and line.rstrip() in ("---", "..."))
    end = next(ends, None)
    if end is None:
        return {}, 0
    source = "\n".join([*lines[1:end], ""])
    if len(source) > _FRONT_MATTER_LIMIT:
        warnings.append("front matter is larger than 64 KiB; read as text")
        return {}, 0
    try:
        return _read_yaml(source), end + 1
    except _BrokenYaml as broken:
        line = min(broken.line + 2, end + 1)
        warnings.append(f"front matter is not valid YAML (line {line}); read as text")
        return {}, 0


def _read_yaml(source: str) -> dict[str, JsonValue]:
    """The mapping that `source` holds, {} if it is blank. Raises _BrokenYaml.

    Built from the parser's events, so that no tag is obeyed, no alias multiplied, nesting is
    bounded, and a date that does not exist stays a string instead of spoiling all other fields.
    """
    if not source.strip():
        return {}
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    open_: list[list[JsonValue]] = [[]]  # values so far in each open collection, outermost first
    try:
        for event in yaml.parse(_NOT_IN_YAML.sub(" ", source), Loader=loader):
            line = event.start_mark.line if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _BrokenYaml(line)
            if isinstance(event, yaml.ScalarEvent):
                open_[-1].append(_scalar(event.value) if event.implicit[0] else event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(open_) > _YAML_DEPTH:
                    raise _BrokenYaml(line)
                open_.append([])
            elif isinstance(event, yaml.SequenceEndEvent):
                closed = open_.pop()
                open_[-1].append(closed)
            elif isinstance(event, yaml.MappingEndEvent):
                closed = open_.pop()
                open_[-1].append(_mapping(closed, line))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _BrokenYaml(mark.line if mark else 0) from error
    values = open_[0] or [{}]  # nothing but comments is an empty mapping
    if len(values) != 1 or not isinstance(values[0], dict):
        raise _BrokenYaml(0)
    return values[0]


def _scalar(text: str) -> JsonValue:
    """An unquoted value by YAML 1.2's rules: 13:20 and "no" are strings, not 800 and false."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _mapping(flat: list[JsonValue], line: int) -> dict[str, JsonValue]:
    """A mapping from its keys and values in turn."""
    keys = flat[::2]
    if any(isinstance(key, (dict, list)) for key in keys):
        raise _BrokenYaml(line)
    names = ("" if key is None else str(key) for key in keys)
    return dict(zip(names, flat[1::2], strict=True))


# What a document is called


def _title(path: str, given: JsonValue, parts: Sequence[_Part]) -> str:
    for title in _strings(given)[:1] if isinstance(given, (str, int)) else ():
        return title
    name = path.rsplit("/", 1)[-1]
    heading = parts[0].title if parts and parts[0].level == 1 else ""
    # In a .txt file "1. Beginnings" heads a chapter, not the whole.
    if heading and not (name.lower().endswith(".txt") and _NUMBERED.match(heading)):
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


# Blocks


def _blocks(parts: Sequence[_Part], lines: Sequence[str]) -> tuple[Block, ...]:
    """Put each part under its headings; a heading with nothing under it becomes a block itself."""
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    bare: _Part | None = None
    parted = True  # by a heading that is no block, from the block above

    def add(part: _Part, kind: Kind, above: list[tuple[int, str]]) -> None:
        nonlocal parted
        end = blocks[-1].last if blocks else 0
        before = "\n" + "".join(f"{line}\n" for line in lines[end : part.first - 1])
        headings = tuple(title for _, title in above if title)
        text = "\n".join(lines[part.first - 1 : part.last])
        gap = None if parted else before
        blocks.append(Block(kind, headings, part.first, part.last, text, part.pieces, gap))
        parted = False

    for part in parts:
        if not part.level:
            parted = parted or bare is not None
            add(part, part.kind, path)
            bare = None
            continue
        if bare and part.level <= bare.level:
            add(bare, "heading-only", path[:-1])
        elif bare:
            parted = True
        while path and path[-1][0] >= part.level:
            path.pop()
        path.append((part.level, part.title))
        bare = part
    if bare:
        add(bare, "heading-only", path[:-1])
    return tuple(blocks)


def _parted(blocks: tuple[Block, ...], places: Sequence[tuple[int, str]]) -> tuple[Block, ...]:
    """The blocks, none joined to one on another page or slide; cells of a notebook may be."""
    firsts = [line for line, label in places if label.startswith(PAGES)]
    pages = [bisect_right(firsts, block.first) for block in blocks]
    return tuple(
        replace(block, before=None) if number and pages[number] != pages[number - 1] else block
        for number, block in enumerate(blocks)
    )


def _spans(starts: Iterable[int], first: int, last: int) -> tuple[tuple[int, int], ...]:
    """`first` to `last` cut before each of the `starts`, which ascend."""
    cuts = [first, *(start for start in starts if first < start <= last)]
    return tuple(zip(cuts, [*(cut - 1 for cut in cuts[1:]), last], strict=True))


def _part(
    lines: Sequence[str], kind: Kind, first: int, last: int, starts: Iterable[int] | None = None
) -> _Part:
    """The lines `first` to `last`, without blank ones at the end, cut at `starts` or anywhere."""
    while last > first and not lines[last - 1].strip():
        last -= 1
    anywhere = range(first + 1, last + 1)
    return _Part(kind, first, last, _spans(anywhere if starts is None else starts, first, last))


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _MARKDOWN_DEPTH}).enable("table")
    parser.disable("reference")  # it leaves no token, and its lines would be lost
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _markdown_parts(lines: Sequence[str]) -> tuple[list[_Part], list[str]]:
    """The headings and blocks of Markdown `lines`, and the lines with all code blanked."""
    tokens = _parser().parse("\n".join(map(_shallow, lines)))
    prose = list(lines)
    parts: list[_Part] = []
    starts: list[int] = []  # 1-based lines of the items or rows of the list or table at hand
    opening: Token | None = None
    for index, token in enumerate(tokens):
        if token.map is None:
            if opening is not None and token.level == 0:
                parts.append(_markdown_part(lines, opening, starts))
                opening = None
            continue
        first, end = token.map
        if token.type in ("fence", "code_block"):
            prose[first:end] = [""] * (end - first)
        if (token.type, token.level) in (("list_item_open", 1), ("tr_open", 2)):
            starts.append(first + 1)
        elif token.level == 0 and token.type == "heading_open" and end - first <= 2:
            title = plain(tokens[index + 1].content)
            span = _spans(range(first + 2, end + 1), first + 1, end)
            parts.append(_Part("heading-only", first + 1, end, span, int(token.tag[1]), title))
        elif token.level == 0:
            opening, starts = token, []
            if token.nesting == 0:
                parts.append(_markdown_part(lines, token, starts))
                opening = None
    return parts, prose


def _shallow(line: str) -> str:
    """`line` without quote marks beyond the eighth: the parser looks at each line that goes on
    with a quote once for each of them, and nobody can tell them apart."""
    return _DEEP_QUOTE.sub(r"\1", line) if line.count(">") > _QUOTE_DEPTH else line


def _markdown_part(lines: Sequence[str], token: Token, starts: list[int]) -> _Part:
    """The block that begins with `token`.

    A heading gets here when it is a paragraph of several lines that happens to have a rule
    right under it.
    """
    kind = _KINDS[token.type]
    first, last = token.map or [0, 0]
    return _part(lines, kind, first + 1, last, starts if kind in ("list", "table") else None)


def _text_parts(lines: Sequence[str]) -> list[_Part]:
    """The headings and blocks of a .txt file: paragraphs, lists and lines that look like titles."""
    parts: list[_Part] = []
    kind: Kind = "paragraph"
    first = 0  # 1-based first line of the block at hand, 0 when there is none
    starts: list[int] = []

    def close(last: int) -> None:
        nonlocal first
        if first:
            parts.append(_part(lines, kind, first, last, starts if kind == "list" else None))
        first = 0

    number = 0
    while number < len(lines):
        number += 1
        line = lines[number - 1]
        heading = _text_heading(lines, number, kind if first else "")
        if heading:
            close(number - 1)
            parts.append(heading)
            number = heading.last
        elif not line.strip():
            close(number - 1)
        elif _BULLET.match(line):
            if not first or kind != "list":
                close(number - 1)
                kind, first, starts = "list", number, []
            if _indent(line) <= _indent(lines[first - 1]):
                starts.append(number)
        elif not first or (kind == "list" and not line[0].isspace()):
            close(number - 1)
            kind, first = "paragraph", number
    close(len(lines))
    return parts


def _text_heading(lines: Sequence[str], number: int, within: str) -> _Part | None:
    """The heading that begins at line `number`, which follows a block of kind `within` or none."""
    line = lines[number - 1]
    following = lines[number] if number < len(lines) else ""
    last = number
    if hashes := _HASH_HEADING.match(line):
        level = len(hashes[1])
    elif not within and line.strip() and (under := _UNDERLINE.fullmatch(following)):
        if _BULLET.match(line) or _UNDERLINE.fullmatch(line):
            return None
        level, last = (1 if under[1][0] == "=" else 2), number + 1
    else:
        level = _title_level(line, following, within, lines[number - 2] if number > 1 else "")
    if not level:
        return None
    title = plain(line)
    title = title if hashes else title.removesuffix(":").rstrip()
    return _Part("heading-only", number, last, _spans([last], number, last), level, title)


def _title_level(line: str, following: str, within: str, before: str) -> int:
    """The level of a title without any mark, judged by the lines around it; 0 when it is none.

    A numbered title is 1, a bare one 2, and one with a colon, which commonly heads a list within
    a section, 3.
    """
    text = line.strip()
    numbered = _NUMBERED.match(text)
    words = text[numbered.end() :] if numbered else text
    if (
        len(text) > _LONGEST_TITLE_LINE
        or not any(map(str.isalpha, words))
        or words[-1] in ".!?,;"
        or _in_columns(text)
        or _BULLET.match(words)
        or not following.strip()
    ):
        return 0
    if numbered and (
        # The items of a numbered list, with what is indented below them, are no titles.
        _NUMBERED.match(following.strip())
        or (within == "list" and _NUMBERED.match(before.strip()))
        or _indent(following) > _indent(line)
    ):
        return 0
    if within == "list" and line[0].isspace():
        return 0  # goes on with the item above
    mid_text = within == "paragraph" and not _in_columns(before.strip())
    if _BULLET.match(following):
        goes_on = mid_text and text[0].islower()
    else:
        under_heading = not within and bool(before.strip())
        goes_on = mid_text or under_heading or following.strip()[0].islower()
    if goes_on:
        return 0
    return 1 if numbered else 3 if text.endswith(":") else 2


def _in_columns(text: str) -> bool:
    """Whether a line is set in columns, as a row of a table is."""
    return "\t" in text or "  " in text


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
