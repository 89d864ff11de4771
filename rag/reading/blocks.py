"""Consecutive lines of a note that belong together, each under its headings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from rag.reading.readable import PAGES

Kind: TypeAlias = Literal[
    "paragraph", "list", "table", "code", "quote", "heading-only", "html", "fields"
]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines that belong together; `first` and `last` are 1-based and inclusive.

    `headings` is the path of headings above it, as plain text, outermost first. `text` is the
    lines as they stand in the file, without %%comments%%. `pieces` are the line spans at which it
    may be cut; together they cover `first` to `last`. A "heading-only" block is the line of a
    heading with nothing under it; a rule ("---") is a "paragraph"; "fields" are those of the front
    matter that tell a reader something. `before` is what stands between it and the block above,
    line breaks and blanks; None where a heading does, or nothing. The text of a crowded line of
    HTML has more lines than one: see `crowded_apart`.
    """

    kind: Kind
    headings: tuple[str, ...]
    first: int
    last: int
    text: str
    pieces: tuple[tuple[int, int], ...]
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A block before its headings are known, or a heading: `level` 1 to 6 and its `title`. One
    that is a `task` is read for itself, as an item, and heads what stands below it all the same."""

    kind: Kind
    first: int
    last: int
    pieces: tuple[tuple[int, int], ...]
    level: int = 0
    title: str = ""
    task: bool = False


def part_of(
    lines: Sequence[str], kind: Kind, first: int, last: int, starts: Iterable[int] | None = None
) -> Part:
    """The lines `first` to `last`, without blank ones at the end, cut at `starts` or anywhere."""
    while last > first and not lines[last - 1].strip():
        last -= 1
    anywhere = range(first + 1, last + 1)
    return Part(kind, first, last, spans(anywhere if starts is None else starts, first, last))


def spans(starts: Iterable[int], first: int, last: int) -> tuple[tuple[int, int], ...]:
    """`first` to `last` cut before each of the `starts`, which ascend."""
    cuts = [first, *(start for start in starts if first < start <= last)]
    return tuple(zip(cuts, [*(cut - 1 for cut in cuts[1:]), last], strict=True))


def under_headings(parts: Sequence[Part], lines: Sequence[str]) -> tuple[Block, ...]:
    """Put each part under its headings; a heading with nothing under it becomes a block itself."""
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    bare: Part | None = None
    parted = True  # by a heading that is no block, from the block above

    def add(part: Part, kind: Kind, above: list[tuple[int, str]]) -> None:
        nonlocal parted
        end = blocks[-1].last if blocks else 0
        before = "\n" + "".join(f"{line}\n" for line in lines[end : part.first - 1])
        headings = tuple(title for _, title in above if title)
        text = "\n".join(lines[part.first - 1 : part.last])
        gap = None if parted else before
        blocks.append(Block(kind, headings, part.first, part.last, text, part.pieces, gap))
        parted = False

    for part in parts:
        # Markdown takes a line that holds a form feed alone for a paragraph.
        if not part.level and not any(map(str.strip, lines[part.first - 1 : part.last])):
            continue
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
        if part.task:
            add(part, "list", path)
        bare = None if part.task else part
        path.append((part.level, part.title))
    if bare:
        add(bare, "heading-only", path[:-1])
    return tuple(blocks)


def parted_by_page(
    blocks: tuple[Block, ...], places: Sequence[tuple[int, str]]
) -> tuple[Block, ...]:
    """The blocks, none joined to one on another page or slide; cells of a notebook may be."""
    firsts = [line for line, label in places if label.startswith(PAGES)]
    pages = [bisect_right(firsts, block.first) for block in blocks]
    return tuple(
        replace(block, before=None) if number and pages[number] != pages[number - 1] else block
        for number, block in enumerate(blocks)
    )


def crowded_apart(blocks: Iterable[Block], crowded: Mapping[int, str]) -> Iterator[Block]:
    """The blocks, a crowded line a block of its own that is joined to no other: whatever is cited
    of it stands on that line, its last as well as its first."""
    parted = False  # by a crowded line, from what was above
    for block in blocks:
        lines = block.text.split("\n")
        start = block.first
        inside = [line for line in range(block.first, block.last + 1) if line in crowded]
        for line in (*inside, block.last + 1):
            if start < line:
                before = None if parted or start > block.first else block.before
                text = "\n".join(lines[start - block.first : line - block.first])
                within = [span for span in block.pieces if span[0] < line and span[1] >= start]
                pieces = tuple((max(a, start), min(b, line - 1)) for a, b in within)
                yield Block(block.kind, block.headings, start, line - 1, text, pieces, before)
                parted = False
            if line <= block.last:
                text = crowded[line]
                yield Block(block.kind, block.headings, line, line, text, ((line, line),))
                parted = True
            start = line + 1
