"""One notes folder and its index: kept up to date, opened, and described."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import IndexBusy, IndexDamaged, NoIndex, NotesError, StorageError, no_folder
from rag.events import Cancel, Status
from rag.indexing.database import damage_errors
from rag.indexing.home import Home, find_home, index_folder, remember_home, writing
from rag.indexing.local import LocalIndex
from rag.indexing.private import make_private
from rag.indexing.progress import IndexProgress
from rag.loading import Models, Parts
from rag.models.prepared import take_notices

if TYPE_CHECKING:
    from rag.indexing.library import Library
    from rag.indexing.store import Store


class NotesFolder:
    """A folder of notes, the index made of it, and the models that it is made with."""

    def __init__(self, notes_folder: Path, parts: Parts) -> None:
        self.notes_folder = notes_folder
        self.models = Models(parts)
        self._using = threading.RLock()  # the index's one connection: threads take turns
        self._index: LocalIndex | None = None
        self._inode = 0  # of the database that is open
        self._notices: list[str] = []
        self.names: tuple[str, ...] = ()  # of several that are asked, its own first

    def take_turns(self, using: threading.RLock) -> None:
        """Use the index by the turn of others: of folders that look into each other."""
        self._using = using

    @property
    def parts(self) -> Parts:
        """What the engine is made of, with the language model in use."""
        return self.models.parts

    def index(
        self,
        rebuild: bool = False,
        cancel: Cancel | None = None,
        wait: bool = False,
        remove_missing: bool = False,
        check: bool = False,
        hurried: bool = False,
    ) -> Iterator[IndexProgress]:
        """Bring the index up to date. Raises RagError; whatever happens, the last complete
        generation stays.

        A damaged index is mended from the notes, and `notice` says so; `check` looks for damage
        everywhere first. `remove_missing` removes notes that are gone even if that is most of them;
        `hurried` leaves for later what a question need not wait for.
        """
        from rag.indexing.build import no_notes
        from rag.indexing.repair import mend, start_anew
        from rag.reading.scanning import scan

        if self._home() is None or not self.notes_folder.is_dir():
            found = scan(
                self.notes_folder, self.parts.suffixes
            )  # a folder that is not there gets no home
            if not found.files:
                raise no_notes(self.notes_folder, found)
        with ExitStack() as stack:
            home = remember_home(self.parts.data_dir, self.notes_folder)
            folder = index_folder(self.parts.data_dir, home)
            stack.enter_context(writing(folder, wait))
            stack.callback(make_private, self.parts.data_dir)
            if rebuild:
                start_anew(folder)
            elif check:
                yield IndexProgress("scan", notice=mend(folder))
            try:
                yield from self._update(folder, rebuild, cancel, remove_missing, hurried)
            except IndexDamaged:
                if not scan(self.notes_folder, self.parts.suffixes).files:
                    raise
                yield IndexProgress("scan", notice=mend(folder))
                yield from self._update(folder, rebuild, cancel, remove_missing, hurried)

    def _update(
        self,
        folder: Path,
        rebuild: bool,
        cancel: Cancel | None,
        remove_missing: bool,
        hurried: bool,
    ) -> Iterator[IndexProgress]:
        from rag.indexing.build import update

        identity = self.parts.identity()
        meta = {"embedder": self.parts.embedder_name, "dimension": identity.dimension}
        with damage_errors(), closing(LocalIndex(folder, write=True)) as index:
            for notice in index.notices:
                yield IndexProgress("scan", notice=notice)
            yield from update(
                self.notes_folder,
                index,
                self.models.embedder,
                identity.fingerprint,
                meta,
                rebuild,
                cancel,
                remove_missing,
                hurried,
                self.parts.suffixes,
            )

    def heal(self) -> None:
        """Mend an index that was found damaged while it was asked; `take_notices` tells of it.

        Raises what stands in the way.
        """
        self.close()
        self._notices += [each.notice for each in self.index(wait=True, check=True) if each.notice]

    def take_notices(self) -> list[str]:
        """Sentences for the reader about what was amiss, each given once."""
        taken, self._notices = [*take_notices(), *self._notices], []
        if self._index is not None:
            taken, self._index.notices = taken + self._index.notices, []
        return taken

    def index_in_process(
        self, cancel: Cancel | None = None, rebuild: bool = False
    ) -> Iterator[IndexProgress]:
        """The same in a spawned process of low priority, so that a screen stays smooth."""
        from rag.indexing.worker import run_in_process

        yield from run_in_process(
            self.parts.index_job, (self.parts.settings, self.notes_folder, rebuild), cancel
        )

    def changed(self) -> bool:
        """Whether notes changed since they were indexed, or the index is in need of repair."""
        from rag.indexing.changed import notes_changed

        home = self._home()
        return home is None or notes_changed(
            self.notes_folder, index_folder(self.parts.data_dir, home), self.parts.suffixes
        )

    def refresh(self, cancel: Cancel | None = None) -> Iterator[IndexProgress]:
        """Bring the index up to date if notes changed; ask the old one where it cannot be.

        Raises what stands in the way only when there is no index to ask; else it is a notice, but
        for another process that is at it.
        """
        try:
            if self.changed():
                yield from self.index(cancel=cancel, hurried=True)
        except (IndexBusy, StorageError, NotesError) as error:
            if not self.has_index():
                raise
            if not isinstance(error, IndexBusy):
                yield IndexProgress("done", notice=f"Asking what was indexed. {error}")

    def has_index(self) -> bool:
        """Whether there is a complete index to ask."""
        try:
            with self._using, damage_errors():
                return self._open_index().complete
        except (NoIndex, IndexDamaged):
            return False

    def other_embedder(self) -> str:
        """The embedder that the index was written with, where another one is set now; else ""."""
        if not self.has_index():
            return ""
        with self._using, damage_errors():
            store = self._open_index().store
            if store.get("fingerprint") == self.parts.identity().fingerprint:
                return ""
            return store.get("embedder", "another embedder")

    def _home(self) -> Home | None:
        return find_home(self.parts.data_dir, self.notes_folder)

    def _open_index(self) -> LocalIndex:
        """The index, opened; again where a new one was put in its place."""
        with self._using:
            if self._index is not None and _inode(self._index.store.file) != self._inode:
                self.close()
            if self._index is None:
                home = self._home()
                if home is None:
                    raise self._none()
                self._index = LocalIndex(index_folder(self.parts.data_dir, home))
                self._index.store.folders = self.names
                self._inode = _inode(self._index.store.file)
            return self._index

    def _none(self) -> NoIndex:
        """What to say where there is no index of the folder."""
        if not self.notes_folder.is_dir():
            return NoIndex(no_folder(self.notes_folder), "Name your notes: --notes PATH")
        return NoIndex(
            f"{self.notes_folder} has not been indexed yet.",
            f"Run: rag index {shlex.quote(str(self.notes_folder))}",
        )

    @property
    def _store(self) -> Store:
        return self._open_index().store

    def library(self) -> Library:
        """The notes by name, through a connection of its own. Raises NoIndex."""
        from rag.indexing.library import Library

        home = self._home()
        if home is None:
            raise self._none()
        return Library(index_folder(self.parts.data_dir, home))

    def status(self) -> Status:
        """Counts, sizes and places. Raises NoIndex."""
        with self._using, damage_errors():
            index = self._open_index()
            notes, chunks = index.store.counts()
            indexed_at = index.store.get("indexed_at")
            others, examples = index.store.other_scripts(3)
            embedder = index.store.get("embedder", self.parts.embedder_name)
        if others and self.parts.identity().knows_other_scripts:
            others, examples = 0, ()
        other = self.other_embedder()
        size = sum(file.stat().st_size for file in index.folder.rglob("*") if file.is_file())
        return Status(
            self.notes_folder,
            notes,
            chunks,
            size,
            float(indexed_at) if indexed_at else None,
            embedder,
            self.parts.generator_name,
            index.folder,
            self.parts.cache_dir,
            self.parts.config_file,
            others,
            examples,
            self.parts.embedder_name if other else "",
            self.parts.generator_fault,
        )

    def statuses(self) -> list[Status]:
        """The status of each notes folder. Raises NoIndex."""
        return [self.status()]

    @property
    def folders(self) -> list[Path]:
        """The notes folders that are asked: one here, more in `rag.several`."""
        return [self.notes_folder]

    def place(self, path: str) -> tuple[Path, str]:
        """The notes folder that the note at `path`, as passages name it, lies in, and its path
        there."""
        return self.notes_folder, path

    def close(self) -> None:
        with self._using:
            if self._index is not None:
                self._index.close()
                self._index = None


def _inode(file: Path) -> int:
    try:
        return file.stat().st_ino
    except OSError:
        return 0
