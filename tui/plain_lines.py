"""What `rag chat --plain` says of its commands, of passages and of notes, a line each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from rag.output import safe
from rag.reading.code import next_fence
from rag.reading.links import plain
from rag.reading.rows import cells_said, lines_of, spoken

if TYPE_CHECKING:
    from rag.answering.steps import Sentence
    from rag.indexing.library import Found
    from rag.retrieval.found import Evidence, Passage

_SUPPORT = {
    "supported": " (supported)",
    "weak": " (weakly supported)",
    "unsupported": " (not supported)",
}
_BULLET = re.compile(r"\s*[-*+•]\s")
HELP = (
    "Type a question and press Enter. Ctrl-C stops an answer or empties the line; on an empty line",
    "it leaves, as Ctrl-D and /quit do.",
    "/source N    the whole passage N of the last answer",
    "/why         why these passages were found for it",
    "/retry       ask the last question again",
    "/find W      notes by name, or by the words W in them",
    "/list        your conversations, latest first",
    "/search W    conversations that hold the words W",
    "/open N      go on with conversation N of that list",
    "/new         begin a new conversation",
    "/branch N    go on after question N in a conversation of its own",
    "/rename T    call this conversation T",
    "/delete      delete this conversation; /undo brings it back",
    "/export      write this conversation into your notes",
)


class Asked(Protocol):
    """Reads a line, as `input` does."""

    def __call__(self, prompt: str, /) -> str: ...


def is_number(text: str, most: int) -> bool:
    """Whether a text is a number from 1 to `most`; one of thousands of digits is none."""
    return text.isdecimal() and len(text) < 9 and 1 <= int(text) <= most


def read_aloud(text: str) -> list[str]:
    """The lines of an answer without the marks of Markdown: list items begin with a dash or their
    number, a row of a table names the column of each cell."""
    lines: list[str] = []
    fence = ""
    for line in lines_of(text):
        said = text[line.start : line.end]
        inside, fence = fence, next_fence(said, fence)
        if inside or fence:
            lines += [] if said.lstrip().startswith(("```", "~~~")) else [said]
        elif line.kind == "row":
            lines.append(". ".join(cells_said(text, line)) + ".")
        elif line.kind == "text" and said.strip():
            lines.append(("- " if _BULLET.match(said) else "") + plain(said))
    return lines


def sentence_aloud(sentence: Sentence) -> list[str]:
    """A sentence, list or table of an answer, and how far the notes bear it out."""
    *lines, last = read_aloud(sentence.text) or [""]
    return [*lines, last + _SUPPORT.get(sentence.support, "")]


def place_line(path: str, first: int, last: int) -> str:
    """A path and lines, as they are read aloud."""
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    return f"{' '.join(safe(path).split())}, {lines}"


def evidence_line(each: Evidence, passage: Passage) -> str:
    """A sentence that bears on the question, and where it stands."""
    text = " ".join(safe(spoken(each.text)).split())
    return f"  {text} ({place_line(passage.path, each.first, each.last)})"


def why_line(passage: Passage) -> str:
    """Where a passage is from, its score, and what each side of the search says of it."""
    meaning = "not found" if passage.meaning is None else f"{passage.meaning:.2f}"
    words = "not found" if passage.words is None else f"{passage.words:.1f}"
    terms = ", ".join(passage.reasons.terms)
    held = f" ({terms})" if terms else ""
    place = place_line(passage.path, passage.first, passage.last)
    return f"{place}: {passage.score:.2f}; meaning {meaning}, words {words}{held}"


def found_line(note: Found) -> str:
    """A note that was looked for, and what of it matched where its title did not."""
    why = f": {note.why}" if note.why and note.why != note.path else ""
    place = place_line(note.path, note.line, note.line)
    return f"{' '.join(safe(note.title).split())} ({place}){why}"
