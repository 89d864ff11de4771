"""The headings and blocks of Markdown, as CommonMark has them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.reading.blocks import Kind, Part, part_of, spans
from rag.reading.links import plain

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Each nested list takes two levels. What lies deeper stays whole within its outermost block.
_MARKDOWN_DEPTH = 40
_QUOTE_DEPTH = 8
_DEEP_QUOTE = re.compile(r"^((?:[ \t]*+>){8})(?:[ \t]*+>)++")
_KINDS: dict[str, Kind] = {
    "paragraph_open": "paragraph", "heading_open": "paragraph", "hr": "paragraph",
    "bullet_list_open": "list", "ordered_list_open": "list", "table_open": "table",
    "fence": "code", "code_block": "code", "blockquote_open": "quote", "html_block": "html",
}  # fmt: skip


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _MARKDOWN_DEPTH}).enable("table")
    parser.disable("reference")  # it leaves no token, and its lines would be lost
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def markdown_parts(lines: Sequence[str]) -> tuple[list[Part], list[str]]:
    """The headings and blocks of Markdown `lines`, and the lines with all code blanked."""
    tokens = _parser().parse("\n".join(map(_shallow, lines)))
    prose = list(lines)
    parts: list[Part] = []
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
            span = spans(range(first + 2, end + 1), first + 1, end)
            parts.append(Part("heading-only", first + 1, end, span, int(token.tag[1]), title))
        elif token.level == 0:
            opening, starts = token, []
            if token.nesting == 0:
                parts.append(_markdown_part(lines, token, starts))
                opening = None
    return parts, prose


def _markdown_part(lines: Sequence[str], token: Token, starts: list[int]) -> Part:
    """The block that begins with `token`.

    A heading gets here when it is a paragraph of several lines that happens to have a rule
    right under it.
    """
    kind = _KINDS[token.type]
    first, last = token.map or [0, 0]
    return part_of(lines, kind, first + 1, last, starts if kind in ("list", "table") else None)


def _shallow(line: str) -> str:
    """`line` without quote marks beyond the eighth: the parser looks at each line that goes on
    with a quote once for each of them, and nobody can tell them apart."""
    return _DEEP_QUOTE.sub(r"\1", line) if line.count(">") > _QUOTE_DEPTH else line
