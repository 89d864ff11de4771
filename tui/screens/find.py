"""Find a note by title, alias, path or text; a notes folder; a language model."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from textual.content import Content

from rag.indexing.library import Found
from rag.models.choices import ModelChoice
from tui.screens.pick import PickScreen, Row
from tui.text import MUTED, home_relative, one_line, shorten

_WHY_CHARS = 70


class FindScreen(PickScreen[Found]):
    """Gives the note that was found, with the line at which it matched."""

    TITLE_TEXT = "Find a note"
    HINT = "Enter shows it · Esc closes"
    PLACEHOLDER = "Title, alias, path or text"
    NOTHING = "No note is called that or says that."

    def __init__(self, find: Callable[[str], Sequence[Found]]) -> None:
        super().__init__()
        self._find = find

    def find(self, text: str) -> Sequence[Row[Found]]:
        """A row for each note."""
        return [(found_row(each), each) for each in self._find(text)]


def found_row(found: Found) -> Content:
    """`Rain barrel  house/rain barrel.md`, and below it what matched."""
    why = shorten(one_line(found.why), _WHY_CHARS)
    return Content.assemble(
        (one_line(found.title), "bold"),
        (f"  {one_line(found.path)}", MUTED),
        (f"\n    {why}" if why and found.why != found.path else "", MUTED),
    )


class FolderScreen(PickScreen[Path]):
    """Gives the notes folder to ask from now on."""

    TITLE_TEXT = "Notes folders"
    HINT = "Enter asks this folder · Esc closes"
    PLACEHOLDER = "Type to narrow the list, or the path of another folder"
    NOTHING = "No other folder is known. Type the path of one."
    NOT_FOUND = "No folder that is known is called that, and none is at that path."
    TOO_MUCH = "That is a whole disk or home folder. Type the path of a folder in it."

    def __init__(
        self, folders: Callable[[], Sequence[tuple[str, Path]]], current: Collection[Path]
    ) -> None:
        super().__init__()
        self._folders = folders
        self._current = current

    def find(self, text: str) -> Sequence[Row[Path]]:
        """A row for each folder whose name or path holds the text, and for one at a typed path."""
        wanted = text.strip().casefold()
        rows = [
            (self._row(name, folder), folder)
            for name, folder in self._folders()
            if wanted in name.casefold()
            or wanted in str(folder).casefold()
            or wanted in home_relative(folder).casefold()
        ]
        typed = folder_at(text)
        known = typed in [folder for _, folder in rows]
        if typed is not None and not known and not holds_all(typed):
            rows.append((self._row(typed.name, typed, "  not opened yet"), typed))
        return rows

    def nothing_for(self, text: str) -> str:
        """Enter in the midst of a path must not index a whole disk: such a folder is none."""
        typed = folder_at(text)
        return self.TOO_MUCH if typed and holds_all(typed) else super().nothing_for(text)

    def _row(self, name: str, folder: Path, more: str = "") -> Content:
        return Content.assemble(
            ("● " if folder in self._current else "  ", "$text-success"),
            (one_line(name), "bold"),
            (more, MUTED),  # before the path, which a narrow screen cuts
            (f"  {one_line(home_relative(folder))}", MUTED),
        )


def folder_at(text: str) -> Path | None:
    """The folder at a typed path: from the root, from home (`~`), or from here (`.`)."""
    if not text.strip().startswith(("/", "~", "./", "../")):
        return None
    try:
        folder = Path(os.path.realpath(Path(text.strip()).expanduser()))
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # no such user; a NUL
        return None


def holds_all(folder: Path) -> bool:
    """Whether a folder is the root or the home folder."""
    return folder in (Path(folder.anchor), Path(os.path.realpath(os.path.expanduser("~"))))


class ModelScreen(PickScreen[ModelChoice]):
    """Gives the language model to answer with from now on."""

    TITLE_TEXT = "Language models"
    HINT = "Enter answers with it · Esc closes"
    NOTHING = "No model is called that."

    def __init__(
        self,
        models: Callable[[], Sequence[ModelChoice]],
        speeds: Callable[[], Mapping[str, float]],
        current: str,
    ) -> None:
        super().__init__()
        self._models = models
        self._speeds = speeds
        self._current = current
        self._found: Sequence[ModelChoice] | None = None

    def find(self, text: str) -> Sequence[Row[ModelChoice]]:
        """A row for each model: size, context, tokens a second as measured here."""
        if self._found is None:
            self._found = self._models()
        speeds = self._speeds()
        return [
            (self._row(each, speeds.get(each.name)), each)
            for each in self._found
            if text.casefold() in each.name.casefold()
        ]

    def _row(self, model: ModelChoice, speed: float | None) -> Content:
        facts = [f"{model.size / 1e6:,.0f} MB"] if model.size else ["a server's"]
        facts += [f"reads {model.context:,} tokens"] if model.context else []
        facts.append(f"{speed:.0f} tokens/s here" if speed else "not measured here yet")
        facts += [model.licence] if model.licence != "unknown" else []
        return Content.assemble(
            ("● " if model.name == self._current else "  ", "$text-success"),
            (one_line(model.name), "bold"),
            (f"\n    {' · '.join(facts)}", MUTED),
        )
