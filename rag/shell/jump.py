"""`rag open "…"`: the best note for some words, in the reader's editor at the line that matters."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.editor import (
    EditorError,
    check_editor,
    editor_command,
    find_editor,
    has_own_window,
    note_path,
)
from rag.errors import NotInNotes
from rag.indexing.kept import kept_texts
from rag.opener import is_document, opener_command, run_opener
from rag.reading.links import PAGE
from rag.reading.markdown import markdown_parts
from rag.reading.notes import Skipped, read_note
from rag.reading.plain_text import text_parts
from rag.reading.readable import written_place

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.indexing.filtering import Filters
    from rag.retrieval.found import Passage
    from rag.shapes import OpenJson

_INSTEAD = "Its place: rag open --print"
# Below it a passage is nearest by chance: letters typed at random and matters that the notes do
# not hold scored 0.06 to 0.18, of 86 questions that the example notes answer none below 0.19.
_FITS = 0.18


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a note; `path` is the note's as passages name it, `place` the page or cell where it
    has one, `notice` what is to be said of a place that was not found, else ""."""

    path: str
    line: int
    file: Path
    place: str = ""
    notice: str = ""

    def to_dict(self) -> OpenJson:
        return {
            "path": self.path,
            "line": self.line,
            "place": self.place,
            "file": str(self.file),
        }

    def written(self) -> str:
        """The file and its line, or its page, as no line of a document can be counted:
        `/notes/bees.md:12`, `/notes/manual.pdf, p. 3`, `/notes/manual.pdf`."""
        if not is_document(self.file):
            return written_place(str(self.file), self.line, self.line, "")
        if not self.place:
            return str(self.file)
        return written_place(str(self.file), self.line, self.line, self.place)


def best_spot(engine: Engine, text: str, filters: Filters) -> Spot:
    """The note of that title, alias or path, else the heading that completes the words of `text`,
    else the line nearest to it in the best passage.

    Raises NotInNotes where none fits, NotesError, QuestionError, IndexFault.
    """
    found = None if filters else _named(engine, text)
    path, line, place, notice = found or (*_searched(engine, text, filters), "")
    return Spot(path, line, note_path(*engine.place(path)), place, notice)


def _searched(engine: Engine, text: str, filters: Filters) -> tuple[str, int, str]:
    """The note, the line nearest to `text` and its place; where filters chose the notes, however
    far."""
    found = engine.explain(text, filters=filters)
    if not found.passages:
        raise NotInNotes("No note was found.", "Try other words.")
    for each in found.passages:
        if line := _heading_line(engine, each, text):
            return each.path, line, each.at(line).place
    best = found.passages[0]
    line = _nearest_line(best)
    if best.score < _FITS and found.notes is None:
        raise NotInNotes(
            "Nothing in your notes fits these words.", f"The nearest is {best.path}:{line}"
        )
    return best.path, line, best.at(line).place


def open_editor(spot: Spot) -> None:
    """Open the spot in the reader's editor, and wait for it; a document that is no text in the
    desktop's program for it. Raises EditorError."""
    if is_document(spot.file):
        run_opener(opener_command(spot.file, os.environ, _INSTEAD), _INSTEAD)
        return
    editor = find_editor(os.environ)
    check_editor(editor)
    if not has_own_window(editor) and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise EditorError("The editor needs a terminal.", "Use rag open --print.")
    try:
        ended = subprocess.run(editor_command(editor, spot.file, spot.line), check=False).returncode
    except OSError as error:
        why = error.strerror or str(error)
        raise EditorError(f"{editor[0]} could not be started: {why}.", "Set EDITOR.") from error
    if ended:
        raise EditorError(f"{editor[0]} ended with status {ended}.")


def _nearest_line(passage: Passage) -> int:
    """The line of the sentence that is nearest to the question, else the first."""
    sentences = [((each.cosine or 0.0) + each.share, -each.line) for each in passage.sentences]
    return min(passage.first - max(sentences, default=(0.0, 0))[1], passage.last)


def _heading_line(engine: Engine, passage: Passage, text: str) -> int:
    """The line of the first heading above a passage that, with its title and those above it, holds
    all words of `text`: who names a section wants its beginning. 0 where none does."""
    wanted, held = set(engine.models.terms(text)), set(engine.models.analyze(passage.title))
    if wanted <= held:
        return 0
    for heading in passage.headings:
        held.update(engine.models.analyze(heading))
        if wanted <= held:
            return _line_above(engine, passage, heading)
    return 0


def _line_above(engine: Engine, passage: Passage, heading: str) -> int:
    """The last line at or above a passage that is this heading; 0 where its note is gone or has
    pages, and no lines."""
    folder, path = engine.place(passage.path)
    note = read_note(folder, path, kept_texts(engine.parts.data_dir, folder))
    if isinstance(note, Skipped) or is_document(folder / path):
        return 0
    lines = note.text.split("\n")
    parts = text_parts(lines) if path.lower().endswith(".txt") else markdown_parts(lines)[0]
    above = [each.first for each in parts if each.title == heading and each.first <= passage.first]
    return max(above, default=0)


def _named(engine: Engine, text: str) -> tuple[str, int, str, str] | None:
    """The one note that is called exactly so, and its first line; of "manual.pdf#page=4" that page,
    or what to say where nothing can be read there."""
    whole = text.strip().removeprefix("[[").removesuffix("]]")
    name, _, place = whole.partition("#")
    page = PAGE.match(place)
    wanted = (name if page else whole).casefold()
    library = engine.library()
    try:
        called = [
            note.path
            for note in library.notes()
            if wanted in (each.casefold() for each in (note.title, note.path, *note.aliases))
            or (page and note.path.casefold().endswith(f"/{wanted}"))
        ]
        if len(called) != 1:
            return None
        label = f"p. {int(page[1])}" if page else ""
        line = library.line_of(called[0], label) if label else 0
    finally:
        library.close()
    if page and not line:
        notice = (
            f"No page {page[1]} of {called[0]} can be read, or it has none: its beginning is shown."
        )
        return called[0], 1, "", notice
    return called[0], line or 1, label, ""
