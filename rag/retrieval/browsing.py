"""The notes with a tag, or in a folder, for those who look through them without a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rag.errors import QuestionError
from rag.retrieval.nothing import unknown_place, unknown_tag

if TYPE_CHECKING:
    from rag.indexing.library import NoteEntry


def chosen_notes(notes: Iterable[NoteEntry], tag: str = "", folder: str = "") -> list[NoteEntry]:
    """Those with a tag, or one nested in it, and in a folder, by path. Raises QuestionError for a
    tag that no note has and a folder in which no note lies, as a search does."""
    everything = sorted(notes, key=lambda each: each.path)
    wanted, prefix = tag.lstrip("#").strip("/ ").casefold(), f"{folder.strip('/')}/"
    tagged = within = everything
    if wanted:
        tagged = [each for each in everything if _has_tag(each, wanted)]
        if not tagged:
            raise unknown_tag(tag.lstrip("#"), _tags(everything))
    if prefix != "/":
        within = [each for each in everything if each.path.startswith(prefix)]
        if not within:
            raise unknown_place(folder, _folders(everything))
    paths = {each.path for each in within}
    found = [each for each in tagged if each.path in paths]
    if not found and tagged and within:
        raise QuestionError(
            f"No note is tagged {tag.lstrip('#')!r} and lies in {folder!r}.",
            "Leave one of these filters out.",
        )
    return found


def _has_tag(note: NoteEntry, wanted: str) -> bool:
    """Whether a note has the wanted tag or one nested in it."""
    tags = (tag.casefold() for tag in note.tags)
    return any(tag == wanted or tag.startswith(f"{wanted}/") for tag in tags)


def _tags(notes: Iterable[NoteEntry]) -> Counter[str]:
    """Every tag and every tag that one is nested in, and how many notes have it."""
    parts = [[tag.split("/") for tag in each.tags] for each in notes]
    return Counter(
        tag
        for own in parts
        for tag in {"/".join(part[: n + 1]) for part in own for n in range(len(part))}
    )


def _folders(notes: Iterable[NoteEntry]) -> list[str]:
    parts = [each.path.split("/")[:-1] for each in notes]
    return sorted({"/".join(own[: n + 1]) + "/" for own in parts for n in range(len(own))})
