"""A conversation into a Markdown note, with links to the notes that it rests on.

Its front matter tells the index that a model wrote it, so that no answer rests on it."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from rag.answering.saved import SavedTurn
from rag.answering.steps import DOUBTS, Citation, joined
from rag.errors import StorageError
from rag.reading.documents import CONVERSATION
from rag.reading.notes import why
from rag.reading.readable import PAGES, has_no_lines

_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|#^\[\]\x00-\x1f\x7f-\x9f\ud800-\udfff]+')
_NAME_CHARS = 80
_NAME_BYTES = 240  # file systems take 255, " 999.md" among them
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_CONTROLS |= dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


_MEANS = {
    "weak": "≈ only partly borne out by its source, or not what was asked",
    "unsupported": "(?) not found in the notes",
}
_NEAREST = 3  # passages

# Of a note as passages name it: the notes folder that it lies in, and its path there.
Place = Callable[[str], tuple[Path, str]]


def as_markdown(
    title: str, turns: Sequence[SavedTurn], folder: Path | None = None, place: Place | None = None
) -> str:
    """The note: a heading for each question, the answer, and its sources as [[links]]; to one that
    `place` says lies in another folder than the note, a link to its file."""
    when = turns[0].asked if turns else time.time()
    day = time.strftime("%Y-%m-%d", time.localtime(when))
    parts = [f"---\ncreated: {day}\nsource: {CONVERSATION}\n---\n\n# {_line(title)}\n"]
    for turn in turns:
        said = [_text(_answer(turn)), "*Stopped.*" if turn.stopped else ""]
        parts.append("\n\n".join([f"\n## {_line(turn.question)}", *filter(None, said)]) + "\n")
        sources = _sources(turn, folder, place) or _nearest(turn, folder, place)
        if sources:
            parts.append("\n" + "\n".join(sources) + "\n")
    doubts = {each.support for turn in turns for each in turn.sentences} & DOUBTS.keys()
    if doubts:
        parts.append("\n---\n\n" + "  \n".join(_MEANS[each] for each in sorted(doubts)) + "\n")
    return "".join(parts)


def _answer(turn: SavedTurn) -> str:
    """The answer, with the marks of what is not plainly borne out."""
    shown = turn.sentences and (turn.answered or turn.stopped)
    return joined(turn.sentences, doubts=True) if shown else turn.answer


def export_note(
    folder: Path, title: str, turns: Sequence[SavedTurn], place: Place | None = None
) -> Path:
    """Write the note into the notes folder under its title; the file.

    Where several folders are asked as one, `place` tells them apart: then it is the folder that
    most of the sources lie in, and `folder` where there are none. Nothing is overwritten: a name
    that is taken gets a number. Raises StorageError.
    """
    if place is not None:
        homes = Counter(place(each.path)[0] for turn in turns for each in turn.citations)
        folder = next((home for home, _ in homes.most_common(1)), folder)
    name = " ".join(_NOT_IN_NAMES.sub(" ", title).split())[:_NAME_CHARS]
    name = name.encode()[:_NAME_BYTES].decode(errors="ignore").strip(". ") or "Conversation"
    text = as_markdown(title, turns, folder, place)
    for number in range(1, 1000):
        file = folder / (f"{name}.md" if number == 1 else f"{name} {number}.md")
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            continue
        except OSError as error:
            raise _not_written(folder, error) from error
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
                stream.write(text)
        except OSError as error:
            with suppress(OSError):
                file.unlink()  # half a note
            raise _not_written(folder, error) from error
        return file
    raise StorageError(f"There are too many notes called {name} in {folder}.", "Rename the chat.")


def _not_written(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"No note could be written into {folder}: {why(error)}.",
        "The conversation is kept: mend that, and export it again.",
    )


def told(file: Path) -> str:
    """What to tell the reader who exported a conversation to `file`."""
    return f"Exported to {_line(file.name)}, in your notes. Answers will not rest on it."


def _sources(turn: SavedTurn, folder: Path | None, place: Place | None) -> list[str]:
    """`- [1] [[garden/tomatoes|Tomatoes]], lines 12–14: “…”`, one for each citation."""
    titles = {number: each.title for number, each in enumerate(turn.passages, 1)}
    rows = []
    for each in turn.citations:
        shown = _name(titles.get(each.n, PurePosixPath(each.path).stem))
        link = _link(each.path, shown, folder, place)
        rows.append(f"- \\[{each.n}\\] {link}{_where(each)}: “{_line(each.quote)}”")
    return rows


def _nearest(turn: SavedTurn, folder: Path | None, place: Place | None) -> list[str]:
    """Where to look on, under an answer that the notes do not hold."""
    if turn.answered or turn.stopped:
        return []
    nearest = {each.path: each.title for each in reversed(turn.passages[:_NEAREST])}
    links = [_link(path, _name(title), folder, place) for path, title in reversed(nearest.items())]
    return [f"Nearest notes: {', '.join(links)}"] if links else []


def _name(title: str) -> str:
    """A note's title, as a link can show it."""
    return _line(_NOT_IN_NAMES.sub(" ", title))


def _where(cited: Citation) -> str:
    """`, lines 12–14`; the page of a document that has some."""
    if cited.place.startswith(PAGES):
        return f", {_line(cited.place)}"
    if has_no_lines(cited.path):
        return ""
    if cited.last <= cited.first:
        return f", line {cited.first}"
    return f", lines {cited.first}–{cited.last}"


def _link(path: str, shown: str, folder: Path | None, place: Place | None) -> str:
    """A link that works from the folder of the note to the source at `path`."""
    home, inside = place(path) if place else (folder, path)
    if home is not None and home != folder:
        return f"[{shown}](<{(home / inside).as_uri()}>)"
    source = PurePosixPath(inside)
    target = str(source.with_suffix("")) if source.suffix.lower() == ".md" else str(source)
    return f"[[{_line(target)}|{shown}]]"


def _text(text: str) -> str:
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8").strip()


def _line(text: str) -> str:
    return " ".join(_text(text).split())
