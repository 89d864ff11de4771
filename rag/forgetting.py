"""`rag forget`: notes leave the index and, if the reader says so, the conversations."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.conversation_file import DATABASE
from rag.answering.conversations import Conversations
from rag.engine import Engine
from rag.errors import NoIndex, NotesError, RagError
from rag.indexing.forget import forget, notes_below, remember
from rag.indexing.home import find_home, index_folder, writing
from rag.indexing.local import LocalIndex
from rag.reading.scanning import scan
from rag.several import SeveralFolders

if TYPE_CHECKING:
    from rag.shapes import ForgottenJson


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done: notes by path, how many of them were indexed and are still in the folder,
    turns of conversations that quote them, and whether those are gone as well."""

    notes: tuple[str, ...]
    indexed: int
    present: int
    turns: int
    turns_removed: bool

    def to_dict(self) -> ForgottenJson:
        return {
            "notes": list(self.notes),
            "present": self.present,
            "turns": self.turns,
            "turns_removed": self.turns_removed,
        }

    def sentence(self) -> str:
        """What was done, for people."""
        lines = [f"Forgotten: {', '.join(self.notes[:5])}{' …' if len(self.notes) > 5 else ''}."]
        if self.present:
            lines.append(
                "The notes folder still holds "
                f"{'it' if len(self.notes) == 1 else f'{self.present:,} of them'}; left out of the "
                "index from now on. To index again: rag forget --undo PATH"
            )
        if self.turns and self.turns_removed:
            lines.append(f"Removed from your conversations: {_turns(self.turns)}.")
        elif self.turns:
            lines.append(
                f"Your conversations still quote it, in {_turns(self.turns)}. "
                "To remove these as well: rag forget --conversations PATH"
            )
        return "\n".join(lines)


def forget_notes(engine: Engine, names: Sequence[str], conversations: bool) -> Forgotten:
    """Forget the notes, or all notes of the folders, that `names` are.

    Raises RagError for a name that is none, IndexBusy, StorageError.
    """
    files = _files(engine.notes_folder)
    folder = _index_folder(engine)
    with writing(folder, wait=True), closing(LocalIndex(folder, write=True)) as index:
        known = {*index.note_states(), *files}
        paths = [path for name in names for path in _named(engine.notes_folder, name, known)]
        turns = _forget_turns(engine, paths, conversations)
        if not (turns or known.intersection(paths)):
            raise RagError(
                f"Nothing is known of {', '.join(paths)}.",
                "Give the path as `rag search` shows it: rag forget folder/note.md",
            )
        indexed = forget(index, paths)
    shown = tuple(dict.fromkeys(paths))
    return Forgotten(shown, indexed, len(files.intersection(paths)), turns, conversations)


def one_folder(engine: Engine, names: Sequence[str]) -> tuple[Engine, str, list[str]]:
    """The one notes folder that the notes called `names` lie in, what stands before its paths where
    they are shown, and the names as they are found in it. Raises NotesError."""
    if not isinstance(engine, SeveralFolders):
        return engine, "", list(names)
    found = [_within(engine, each) for each in names]
    if None in found or len({name for name, _ in filter(None, found)}) != 1:
        raise NotesError(
            "Several notes folders are named; the notes to forget lie in one.",
            f"Give their paths as `rag search` shows them: rag forget {next(iter(engine.engines))}"
            "/note.md",
        )
    places = list(filter(None, found))
    name = places[0][0]
    return engine.engines[name], f"{name}/", [place for _, place in places]


def _within(engine: SeveralFolders, name: str) -> tuple[str, str] | None:
    """The name of the folder that a note lies in and the note's whole path: a path from the current
    folder or, where nothing lies there, one as passages name it."""
    path, shown = os.path.abspath(os.path.expanduser(name)), os.path.normpath(name)
    inside = [
        (called, path) for called, each in engine.engines.items() if _below(each.notes_folder, name)
    ]
    folder, rest = engine.place(shown)
    if folder in engine.folders and rest and not (inside and os.path.lexists(path)):
        return shown.partition("/")[0], str(folder / rest)
    return inside[0] if inside else None


def remember_notes(engine: Engine, names: Sequence[str]) -> int:
    """Let forgotten notes be indexed again; how many there were."""
    files = _files(engine.notes_folder)
    paths = [path for name in names for path in _named(engine.notes_folder, name, files)]
    folder = _index_folder(engine)
    with writing(folder, wait=True), closing(LocalIndex(folder, write=True)) as index:
        return remember(index, paths)


def _forget_turns(engine: Engine, paths: Sequence[str], remove: bool) -> int:
    if not (engine.parts.data_dir / DATABASE).exists():
        return 0
    with closing(Conversations(engine.parts.data_dir, engine.notes_folder)) as kept:
        names = {
            name
            for name, folder in engine.parts.settings.folders.items()
            if Path(os.path.realpath(folder)) == engine.notes_folder
        }
        turns = kept.quoting(paths, {engine.notes_folder.name, *names})
        if remove:
            kept.forget_turns(turns)
    return len(turns)


def _files(folder: Path) -> set[str]:
    return {file.path for file in scan(folder).files} if folder.is_dir() else set()


def _index_folder(engine: Engine) -> Path:
    home = find_home(engine.parts.data_dir, engine.notes_folder)
    if home is None:
        raise NoIndex(f"{engine.notes_folder} has not been indexed yet.", "There is no text of it.")
    return index_folder(engine.parts.data_dir, home)


def _named(folder: Path, name: str, known: Collection[str]) -> list[str]:
    """The paths of the notes of `known` that a name is or holds: as a path from the current folder
    or, where that is none of them, from the notes folder. Else the path itself: a note that is
    long gone may still be quoted in conversations."""
    here, shown = _relative(folder, name), os.path.normpath(name)
    return notes_below(here, known) or notes_below(shown, known) or [here]


def _relative(folder: Path, name: str) -> str:
    """A path as notes are named: below the notes folder, with "/". Also given from elsewhere."""
    return _below(folder, name) or os.path.normpath(name)


def _below(folder: Path, name: str) -> str:
    """A path from the current folder as one below the notes folder; "" where it leads elsewhere."""
    path = Path(os.path.abspath(os.path.expanduser(name)))
    real = Path(os.path.realpath(path.parent)) / path.name
    for each in (path, real):
        if each != folder and each.is_relative_to(folder):
            return each.relative_to(folder).as_posix()
    return ""


def _turns(count: int) -> str:
    return f"{count:,} turn{'' if count == 1 else 's'}"
