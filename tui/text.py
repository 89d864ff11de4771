"""Text from notes, models and file names, made fit for a terminal; and small phrases.

What comes from outside may hold terminal escapes, direction overrides or half characters
(file names that are not UTF-8). `clean` works on each character alone, so that cleaning the
parts of a text gives the parts of the cleaned text, and offsets can be kept by cutting first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from rag.reading import readable

# Styles of parts of a text: of words, which any theme leaves legible (tui/themes.py), and of lines
# that are drawn.
MUTED = "$quiet"
FAINT = "$foreground 45%"

_REPLACED: dict[int, str] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], ""),  # terminal controls
    # Direction overrides.
    **dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], ""),
    **dict.fromkeys(range(0xE0000, 0xE0080), ""),  # invisible tags
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # half of a pair: cannot be encoded
    0x09: "    ",
    0x0A: "\n",
    0x2028: "\n",
    0x2029: "\n",
    0xFEFF: "",
}


def clean(text: str) -> str:
    """`text` without anything that a terminal would obey."""
    return text.translate(_REPLACED)


def one_line(text: str) -> str:
    """`text` cleaned and on one line."""
    return " ".join(clean(text).split())


def shorten(text: str, width: int) -> str:
    """What of `text` fits into `width` cells, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…"


def written_place(path: str, first: int, last: int, place: str = "") -> str:
    """`bees.md:12–18`, `manual.pdf, p. 3`."""
    return one_line(readable.written_place(path, first, last, place, "–"))


def heading_path(headings: Iterable[str]) -> str:
    """`Garden › Tomatoes`."""
    return " › ".join(filter(None, (one_line(each) for each in headings)))


def count(number: int, noun: str) -> str:
    """`1 note`, `3,906 notes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ago(seconds: float) -> str:
    """How long ago, to the largest unit: `just now`, `3 min ago`."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "min")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' if number > 1 and unit != 'min' else ''} ago"
    return "just now"


def time_left(seconds: float) -> str:
    """`about 2 min left`, `12 s left`."""
    if seconds >= 5400:
        return f"about {seconds / 3600:.0f} h left"
    if seconds >= 90:
        return f"about {seconds / 60:.0f} min left"
    return f"{max(1, round(seconds))} s left"


def home_relative(folder: Path) -> str:
    """`~/notes` for a folder in the reader's home."""
    try:
        return f"~/{folder.relative_to(Path.home())}"
    except ValueError:
        return str(folder)


Span = tuple[int, int]


def find_quote(text: str, quote: str) -> Span | None:
    """Where `quote` stands in `text`; a line break in one may be a space in the other."""
    words = quote.split()
    if not words:
        return None
    start = text.find(quote)
    if start >= 0:
        return start, start + len(quote)
    found = re.search(r"\s+".join(map(re.escape, words)), text)
    return found.span() if found else None


def highlighted(text: str, marks: Sequence[tuple[Span, str]]) -> Content:
    """`text`, cleaned, with each (start, end) of the original text in its style.

    Where two marks overlap, the earlier in the list wins.
    """
    edges = {0, len(text)}
    for (start, end), _ in marks:
        edges.update((min(max(0, start), len(text)), min(max(0, end), len(text))))
    cuts = sorted(edges)
    parts: list[tuple[str, str]] = []
    for start, end in itertools.pairwise(cuts):
        style = next((each for (a, b), each in marks if a <= start and end <= b), "")
        parts.append((clean(text[start:end]), style))
    return Content.assemble(*parts)
