"""The headings and blocks of plain text: paragraphs, lists, and lines that look like titles."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.blocks import Kind, Part, part_of, spans
from rag.reading.links import plain

_LONGEST_TITLE_LINE = 60  # characters of a bare title
_HASH_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+\S")
_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})[ \t]*")
_BULLET = re.compile(r"\s*(?:[-*+•\u2013](?=\s)|--(?=\s*\w)|\d{1,3}[.)](?=\s))")
NUMBERED = re.compile(r"\d{1,3}[.)]\s+(?=\S)")


def text_parts(lines: Sequence[str]) -> list[Part]:
    """The headings and blocks of a .txt file: paragraphs, lists and lines that look like titles."""
    parts: list[Part] = []
    kind: Kind = "paragraph"
    first = 0  # 1-based first line of the block at hand, 0 when there is none
    starts: list[int] = []

    def close(last: int) -> None:
        nonlocal first
        if first:
            parts.append(part_of(lines, kind, first, last, starts if kind == "list" else None))
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


def _text_heading(lines: Sequence[str], number: int, within: str) -> Part | None:
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
    return Part("heading-only", number, last, spans([last], number, last), level, title)


def _title_level(line: str, following: str, within: str, before: str) -> int:
    """The level of a title without any mark, judged by the lines around it; 0 when it is none.

    A numbered title is 1, a bare one 2, and one with a colon, which commonly heads a list within
    a section, 3.
    """
    text = line.strip()
    numbered = NUMBERED.match(text)
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
        NUMBERED.match(following.strip())
        or (within == "list" and NUMBERED.match(before.strip()))
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
