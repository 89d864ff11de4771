"""What the screen looks up in the notes while the engine works: names, text, lines around.

Every method reads files or the index and is meant for a thread, never for the screen's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.steps import Citation
from rag.errors import RagError
from rag.indexing.library import Found, Library, NoteEntry, find_named
from rag.reading.notes import NoteText, Skipped, read_note
from rag.reading.texts import Recent
from rag.retrieval.standing import Standing, look_up

if TYPE_CHECKING:
    from rag.retrieval.found import Passage

_TEXT_FROM = 3  # characters: shorter ones are found in every note


class Lookup:
    """Looks things up in the notes; where there is no index it finds nothing.

    `place` gives the notes folder of a note as it is shown, and its path there; `texts` the
    documents of a notes folder that were converted before.
    """

    def __init__(
        self,
        place: Callable[[str], tuple[Path, str]],
        open_library: Callable[[], Library],
        texts: Callable[[Path], Recent | None] = lambda _: None,
    ) -> None:
        self._place = place
        self._open = open_library
        self._texts = texts
        self._library: Library | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            self._forget()

    def notes(self) -> tuple[NoteEntry, ...]:
        """Every note, by path."""
        with self._lock:
            try:
                return self._opened().notes()
            except RagError:  # not indexed yet, or damaged: asking says so
                self._forget()
                return ()

    def find(self, text: str) -> list[Found]:
        """Notes by title, alias or path, then by their text."""
        named = find_named(self.notes(), text)
        if len(text.strip()) < _TEXT_FROM:
            return named
        paths = {each.path for each in named}
        return named + [each for each in self._find_text(text) if each.path not in paths]

    def _find_text(self, text: str) -> list[Found]:
        with self._lock:
            try:
                return self._opened().find_text(text)
            except RagError:
                self._forget()
                return []

    def read(self, path: str) -> NoteText | Skipped:
        """The text of a note."""
        folder, inside = self._place(path)
        return read_note(folder, inside, self._texts(folder))

    def resolve(self, target: str, source: str) -> str | None:
        """The note that a link in the note `source` leads to."""
        with self._lock:
            try:
                return self._opened().resolve(target, source)
            except RagError:
                self._forget()
                return None

    def standings(
        self,
        passages: Sequence[Passage],
        citations: Sequence[Citation],
        only: Collection[int] | None = None,
    ) -> Mapping[int, Standing]:
        """How each passage, by its number, stands in its note as it is now; `only` those of these
        numbers."""
        hashes = {each.path: each.hash for each in self.notes()}
        found = {}
        for number, passage in enumerate(passages, 1):
            if only is not None and number not in only:
                continue
            folder, path = self._place(passage.path)
            quotes = [each.quote for each in citations if each.n == number]
            known = hashes.get(passage.path, "")
            found[number] = look_up(
                folder, replace(passage, path=path), quotes, known, texts=self._texts(folder)
            )
        return found

    def _opened(self) -> Library:
        if self._library is None:
            self._library = self._open()
        return self._library

    def _forget(self) -> None:
        if self._library is not None:
            self._library.close()
            self._library = None
