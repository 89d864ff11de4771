"""What a reader of another format gives: the file as Markdown, and what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

PAGES = ("p. ", "slide ")  # begin the labels of places that passages do not cross
_FLOWING = (".docx", ".epub")
LONGEST_LINE = 2000  # characters: what has longer lines was not written by line


@dataclass(frozen=True, slots=True)
class Readable:
    """A file as Markdown.

    Line n of `text` is what a person reads of line n of the file; where the file has no lines
    worth the name, they are those of `text` itself. `fields` are its title, tags and dates, named
    as in front matter. `places` are where pages, slides or cells begin: (line, "p. 3"), ascending.
    `tasks` are items that head what stands below them: (line, level 1 to 6), ascending.
    `crowded` are lines of the file that hold several items or rows, as the lines that they read as.
    """

    text: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    places: tuple[tuple[int, str], ...] = ()
    tasks: tuple[tuple[int, int], ...] = ()
    crowded: Mapping[int, str] = field(default_factory=dict)

    def sound(self) -> Readable:
        """The same without halves of surrogate pairs, which no UTF-8 holds: JSON and PDF may."""
        fields = {_whole(key): _sound(value) for key, value in self.fields.items()}
        crowded = {line: _whole(text) for line, text in self.crowded.items()}
        return replace(self, text=_whole(self.text), fields=fields, crowded=crowded)


def _sound(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _whole(value)
    return [_sound(each) for each in value] if isinstance(value, list) else value


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class Unreadable(Exception):
    """A file that holds no text that can be had; `reason` completes the sentence "PATH …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def written_place(path: str, first: int, last: int, place: str, dash: str = "-") -> str:
    """`note.md:3-5`, `study.ipynb:40 (cell 2)`, `manual.pdf, p. 3`, `letter.docx`: a page has no
    lines that a person could count, nor has a text that flows."""
    if place.startswith(PAGES):
        return f"{path}, {place}"
    if has_no_lines(path):
        return path
    lines = f"{first}" if last <= first else f"{first}{dash}{last}"
    return f"{path}:{lines} ({place})" if place else f"{path}:{lines}"


def has_no_lines(path: str) -> bool:
    """Whether lines are only those of the text that was made of a file."""
    return path.lower().endswith(_FLOWING)


def link(text: str, target: str, image: bool = False) -> str:
    """A Markdown link; only the text for what leads out of the notes."""
    text = " ".join(text.split())
    outside = "://" in target or target.startswith(("//", "mailto:", "data:", "javascript:", "#"))
    if not target.strip() or outside:
        return text
    target = target.strip().replace("<", "%3C").replace(">", "%3E")
    return f"{'!' if image else ''}[{text}](<{target}>)"
