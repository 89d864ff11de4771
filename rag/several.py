"""Several notes folders asked as one, each with an index of its own.

Paths are shown with the folder's name in front. Every folder is searched, and the passages are
ranked together by score; but each folder keeps a share, so that a large one cannot crowd out a
small one whose notes say it in other words.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rag.engine import Engine
from rag.errors import QuestionError
from rag.events import Cancel, LookUp, Status
from rag.indexing.filtering import Filters
from rag.indexing.library import Library
from rag.indexing.progress import IndexProgress
from rag.indexing.rows import StoredPassage
from rag.loading import Parts
from rag.merging import Libraries, merge, one_list, one_run, one_whole
from rag.retrieval.found import Found, Passage
from rag.retrieval.query import Turn

if TYPE_CHECKING:
    from rag.answering.parts import ReadNote
    from rag.retrieval.listing import Listed


class SeveralFolders(Engine):
    """An `Engine` over several notes folders, `folders` by name; the models are shared."""

    def __init__(
        self, folders: Mapping[str, Path], parts: Parts, started: float | None = None
    ) -> None:
        super().__init__(Path(os.path.commonpath(list(folders.values()))), parts, started)
        # Each folder for itself would spend the reranker's time anew.
        shared = replace(parts, open_embedder=self.models.embedder, open_reranker=None)
        self.engines = {name: Engine(folder, shared) for name, folder in folders.items()}
        for name, each in self.engines.items():
            each.names = (name, *(other for other in self.engines if other != name))
            each.take_turns(self._using)  # each looks into the others' words
            each.spelled = _AllWords(self.engines)

    def index(
        self,
        rebuild: bool = False,
        cancel: Cancel | None = None,
        wait: bool = False,
        remove_missing: bool = False,
        check: bool = False,
        hurried: bool = False,
    ) -> Iterator[IndexProgress]:
        """Bring every folder's index up to date, one after the other."""
        return one_run(
            (name, each.index(rebuild, cancel, wait, remove_missing, check, hurried))
            for name, each in self._each()
        )

    def each_folder(self) -> Sequence[Engine]:
        return list(self.engines.values())

    def take_notices(self) -> list[str]:
        return [notice for _, each in self._each() for notice in each.take_notices()]

    def index_in_process(
        self, cancel: Cancel | None = None, rebuild: bool = False
    ) -> Iterator[IndexProgress]:
        return one_run(
            (name, each.index_in_process(cancel, rebuild)) for name, each in self._each()
        )

    def refresh(self, cancel: Cancel | None = None) -> Iterator[IndexProgress]:
        return one_run((name, each.refresh(cancel)) for name, each in self._each())

    def changed(self) -> bool:
        return any(each.changed() for each in self.engines.values())

    def other_embedder(self) -> str:
        return next((name for each in self.engines.values() if (name := each.other_embedder())), "")

    def has_index(self) -> bool:
        """Whether every folder has a complete index."""
        return all(each.has_index() for each in self.engines.values())

    def _look_up(
        self,
        question: str,
        history: Sequence[Turn],
        k: int | None,
        filters: Filters | None,
        today: date | None,
        lists: bool = True,
        before_search: Callable[[], object] | None = None,
    ) -> LookUp:
        """What each folder has, as one. Raises QuestionError where all of them refuse."""
        count = self._candidates(k)
        seen = self._seen(
            self._each(), question, history, count, filters, today, lists, before_search
        )
        return self._as_one(seen, count, k)

    def _seen(
        self,
        engines: Iterable[tuple[str, Engine]],
        question: str,
        history: Sequence[Turn],
        count: int,
        filters: Filters | None,
        today: date | None,
        lists: bool,
        before_search: Callable[[], object] | None,
    ) -> dict[str, LookUp]:
        """What each of these has. Raises QuestionError where all of them refuse."""
        seen: dict[str, LookUp] = {}
        refusals: list[QuestionError] = []
        for name, engine in engines:
            try:
                seen[name] = engine._look_up(
                    question, history, count, filters, today, lists, before_search
                )
                before_search = None
            except QuestionError as error:  # a tag, say, that this folder alone lacks
                refusals.append(error)
        if not seen:
            raise refusals[0]
        return seen

    def _as_one(self, seen: Mapping[str, LookUp], count: int, k: int | None) -> LookUp:
        wholes = {name: each.whole for name, each in seen.items() if each.whole is not None}
        if wholes:  # a name may be that of a note in one folder alone
            return LookUp(seen[next(iter(wholes))].asked, None, None, one_whole(wholes))
        found = {name: each.found for name, each in seen.items() if each.found is not None}
        lists_of = {name: each.listed for name, each in seen.items() if each.listed is not None}
        told = {name: each for name, each in lists_of.items() if each.notes}
        if found and not told:
            # As the folder has it that knows what is named or meant.
            known = [name for name in found if seen[name].asked.named]
            asked = seen[next(iter([*known, *found]))].asked
            return LookUp(asked, self._in_order(self._together(found, count), k), None)
        # A folder without such tasks or such a note searched instead: the lists are what was meant.
        chosen = told if found else lists_of
        return LookUp(seen[next(iter(chosen))].asked, None, self._one_list(chosen))

    def _one_list(self, lists: Mapping[str, Listed]) -> Listed:
        return one_list(list(lists.items()))

    def _together(self, found: Mapping[str, Found], k: int) -> Found:
        numbers = {name: number for number, name in enumerate(self.engines)}
        named = [
            [self._named(numbers[name], name, each) for each in one.passages]
            for name, one in found.items()
        ]
        stages = next(iter(found.values())).seconds
        return Found(
            merge(named, k),
            sum(one.candidates for one in found.values()),
            {stage: sum(one.seconds[stage] for one in found.values()) for stage in stages},
            next(iter(found.values())).query,
            respelled=next(iter(found.values())).respelled,
        )

    def _in_order(self, found: Found, k: int | None) -> Found:
        """As the reranker puts them; each folder keeps its share of what is left."""
        ordered = super()._in_order(found, len(found.passages))
        folders: dict[int, list[Passage]] = {}
        for each in ordered.passages:
            folders.setdefault(each.id % len(self.engines), []).append(each)
        return replace(ordered, passages=merge(list(folders.values()), k or self.parts.k))

    def _neighbours(self, passage: Passage) -> list[StoredPassage]:
        """Those of the same note, named as it is."""
        name = list(self.engines)[passage.id % len(self.engines)]
        own = replace(
            passage, id=passage.id // len(self.engines), path=self._path_inside(name, passage.path)
        )
        found = self.engines[name]._neighbours(own)
        return [replace(each, path=passage.path) for each in found if each.path == own.path]

    def _note_of(self, passage: Passage, most: int) -> ReadNote:
        """The note, its passages named as this one is."""
        number = passage.id % len(self.engines)
        name = list(self.engines)[number]
        own = replace(passage, id=passage.id // len(self.engines))
        note = self.engines[name]._note_of(own, most)
        passages = tuple(self._named(number, name, each) for each in note.passages)
        return replace(note, passages=passages)

    def _path_inside(self, name: str, path: str) -> str:
        """What `_named` made of a path, as the folder `name` has it."""
        return path.removeprefix(f"{name}/")

    def _named(self, number: int, name: str, passage: Passage) -> Passage:
        """A passage of one folder with an id and a path among all of them."""
        chunk = passage.id * len(self.engines) + number
        also = tuple(f"{name}/{place}" for place in passage.also)
        return replace(passage, id=chunk, path=f"{name}/{passage.path}", also=also)

    def statuses(self) -> list[Status]:
        return [each.status() for each in self.engines.values()]

    @property
    def folders(self) -> list[Path]:
        return [each.notes_folder for each in self.engines.values()]

    def library(self) -> Library:
        """The notes of all folders by name. Raises NoIndex where one has none."""
        return Libraries({name: each.library() for name, each in self._each()})

    def place(self, path: str) -> tuple[Path, str]:
        name, _, rest = path.partition("/")
        if name in self.engines:
            return self.engines[name].notes_folder, rest
        return self.notes_folder, path  # of a conversation with folders that are not asked now

    def status(self) -> Status:
        """Counts and sizes of all folders together."""
        each = self.statuses()
        times = [status.indexed_at for status in each if status.indexed_at is not None]
        others = [
            f"{name}/{path}"
            for name, status in zip(self.engines, each, strict=True)
            for path in status.other_script_notes
        ]
        return replace(
            each[0],
            notes_folder=self.notes_folder,
            notes=sum(status.notes for status in each),
            chunks=sum(status.chunks for status in each),
            index_bytes=sum(status.index_bytes for status in each),
            indexed_at=max(times, default=None),
            index_dir=each[0].index_dir.parent,
            other_scripts=sum(status.other_scripts for status in each),
            other_script_notes=tuple(others[:3]),
        )

    def close(self) -> None:
        for each in self.engines.values():
            each.close()

    def _each(self) -> Iterable[tuple[str, Engine]]:
        return self.engines.items()


class _AllWords:
    """The words of all folders: one that any of them holds is not mistyped."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines

    def held_words(self, terms: Collection[str]) -> set[str]:
        return set().union(
            *(each._open_index().held_words(terms) for each in self._engines.values())
        )

    def nearest_word(self, word: str, distance: int) -> str:
        found = (each._open_index().nearest_word(word, distance) for each in self._engines.values())
        return next(filter(None, found), "")


def name_folders(folders: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """A name of its own for each folder, the one given or its own; no folder twice."""
    named: dict[str, Path] = {}
    for given, folder in folders:
        if folder in named.values():
            continue
        name = base = (given or folder.name or "notes").replace("/", "-")
        count = 1
        while name in named:
            count += 1
            name = f"{base}-{count}"
        named[name] = folder
    return named
