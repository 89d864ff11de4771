"""The Python API: notes that are opened once and asked often, from a notebook or a program.

    from rag import open_notes

    with open_notes("~/notes") as notes:
        answer = notes.ask("What did I decide about the garden?")
        print(answer.text, answer.citations[0].path)

`Notes` may be shared by threads: searches wait for each other, but not for an answer that is
being written or for notes that are being indexed elsewhere.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from rag.config import MOST_PASSAGES, sent_to
from rag.errors import NotesError, QuestionError, RagError, no_folder
from rag.nearest import meant
from rag.results import Answer, Entries, Passages, Statuses

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.events import Answered, Event
    from rag.indexing.library import Library, NoteEntry
    from rag.indexing.progress import IndexProgress, IndexReport
    from rag.retrieval.query import Turn


class Within(TypedDict, total=False):
    """Which notes to look in, as the command line's flags of these names say it.

    One text or several; `since` and `until` also take a `datetime.date`.
    """

    tags: str | Sequence[str]
    paths: str | Sequence[str]
    where: str | Sequence[str]
    since: str | date
    until: str | date


def open_notes(
    *folders: str | os.PathLike[str],
    model: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    whole_home: bool = False,
) -> Notes:
    """Open notes folders, given by path or by their name in `rag.toml`.

    Without a folder, those of `rag.toml`, else the one indexed last. Nothing is loaded or
    indexed before the first question. `model` is a language model by name or path; a home folder
    is indexed only with `whole_home`. Raises NotesError, ConfigError, ModelError.
    """
    from rag.config_files import load_config
    from rag.trust import stray_folders, unread_settings
    from rag.wiring import build_engine, build_several, settle_folders

    here = Path.cwd()
    places = {
        name: Path(os.path.abspath(os.path.expanduser(place)))
        for name, place in (("data_dir", data_dir), ("cache_dir", cache_dir))
        if place is not None
    }
    flags = {"generator_model": model, **places}
    config, chosen = settle_folders(
        lambda asked: load_config(here, os.environ, flags, asked),
        typed := [_folder(each) for each in folders],
        here,
    )
    if config.unread:
        warnings.warn(unread_settings(config), stacklevel=2)
    if strays := stray_folders(config, (path for _, path in chosen), typed, here):
        warnings.warn(strays, stacklevel=2)
    notes = Notes(build_several(config, chosen) if chosen else build_engine(config), whole_home)
    notes.check()
    if notes.sent_to:
        warnings.warn(
            f"Every question and the passages found for it go to {notes.sent_to}.", stacklevel=2
        )
    return notes


class Notes:
    """Notes that can be asked, searched and read. Closes its files at the end of a `with`."""

    def __init__(self, engine: Engine, whole_home: bool = False) -> None:
        self.engine = engine
        self._whole_home = whole_home
        self._lock = threading.RLock()  # for the index's files
        self._writing = threading.RLock()
        self._library: Library | None = None

    def __enter__(self) -> Notes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        sent = f", questions go to {self.sent_to}" if self.sent_to else ""
        return f"<Notes {', '.join(map(str, self.folders))}{sent}>"

    def _repr_html_(self) -> str:
        from rag.display import notes_html

        return notes_html(self.folders, self.sent_to, self.status() if self.has_index() else ())

    @property
    def folders(self) -> list[Path]:
        """The notes folders."""
        return self.engine.folders

    @property
    def sent_to(self) -> str:
        """Where questions and passages are sent to be answered; "" where they stay here."""
        return sent_to(self.engine.parts.generator_name)

    def check(self) -> None:
        """Raises NotesError where a notes folder is not there and never was: what was indexed of
        one that is gone, on a disk that may come back, can be asked."""
        for each in self.engine.each_folder():
            if not (each.notes_folder.is_dir() or each.has_index()):
                raise NotesError(
                    no_folder(each.notes_folder), "Name the folder that holds your notes."
                )

    # Asking

    def ask(
        self,
        question: str,
        *,
        k: int | None = None,
        quote: bool = False,
        strict: bool | None = None,
        after: Answer | Sequence[Answer] = (),
        refresh: bool = True,
        **within: Unpack[Within],
    ) -> Answer:
        """Answer a question, after bringing the index up to date unless `refresh` is False.

        `k` passages are found and read; with `quote` the notes' own words answer, without a model;
        with `strict` nothing is said that they do not bear out (None: as `rag.toml` has it);
        `after` are earlier answers that this question follows up. Raises RagError.
        """
        earlier = [after] if isinstance(after, Answer) else after
        if not isinstance(earlier, Sequence) or not all(isinstance(e, Answer) for e in earlier):
            raise QuestionError(f"after is {after!r}, no answer and no list of answers.")
        events = self.stream(
            question,
            k=k,
            quote=quote,
            strict=strict,
            history=[_turn(each.done) for each in earlier],
            refresh=refresh,
            **within,
        )
        *_, done = events
        from rag.events import Answered

        if not isinstance(done, Answered):
            raise RagError("The answer broke off.", "Ask again.")
        return Answer(done)

    def stream(
        self,
        question: str,
        *,
        k: int | None = None,
        quote: bool = False,
        strict: bool | None = None,
        history: Sequence[Turn] = (),
        refresh: bool = True,
        cancel: Callable[[], bool] | None = None,
        **within: Unpack[Within],
    ) -> Iterator[Event]:
        """The same step by step: what was found (`Retrieved`), how far the model has read
        (`Reading`), each `Sentence` once it is borne out, the whole (`Answered`).

        Raises Cancelled within a quarter of a second of `cancel()` turning true.
        """
        _check(question, k)
        from rag.retrieval.filters import from_keywords

        filters = from_keywords(within, Within.__annotations__)
        if refresh:
            self.refresh(cancel)
        with self._lock:
            events = self.engine.ask(
                question, history, cancel, k, filters, quote=quote, strict=strict
            )
            first = next(events)  # the search; what follows takes turns with the index itself
        yield first
        yield from events

    def search(
        self,
        question: str,
        *,
        k: int | None = None,
        refresh: bool = True,
        **within: Unpack[Within],
    ) -> Passages:
        """The passages for a question, best first. Raises RagError."""
        _check(question, k)
        from rag.retrieval.filters import from_keywords

        filters = from_keywords(within, Within.__annotations__)
        if refresh:
            self.refresh()
        with self._lock:
            found = self.engine.explain(question, k, filters=filters)
        return Passages(found.passages, question, found.respelled)

    # Indexing

    def index(self, *, rebuild: bool = False) -> IndexReport:
        """Bring the index up to date with the notes, and say what was done. Raises RagError."""
        self._check_size()
        with self._writing:
            *_, last = self.engine.index(rebuild)
        assert last.report is not None
        return last.report

    def refresh(
        self,
        cancel: Callable[[], bool] | None = None,
        follow: Callable[[IndexProgress], object] | None = None,
    ) -> None:
        """Bring the index up to date if notes changed; keep the old one where that cannot be.

        `follow` is told how far it has come. Questions may be asked meanwhile.
        """
        with self._writing:
            if not self.has_index():
                self._check_size()
            for progress in self.engine.refresh(cancel):
                if follow is not None:
                    follow(progress)

    def has_index(self) -> bool:
        """Whether there is a complete index to ask."""
        with self._lock:
            return self.engine.has_index()

    def status(self) -> Statuses:
        """Counts, sizes and places of each folder, as a list. Raises NoIndex."""
        with self._lock:
            return Statuses(self.engine.statuses())

    # Notes

    def entries(self, tag: str = "", folder: str = "") -> Entries:
        """The indexed notes by path, those with a tag, those in a folder, as a list. Raises
        NoIndex, QuestionError for a tag that no note has and a folder in which none lies."""
        for name, value in (("tag", tag), ("folder", folder)):
            if not isinstance(value, str):
                raise QuestionError(f"{name} is {value!r}, not a text.")
        from rag.retrieval.browsing import chosen_notes

        with self._lock:
            if self._library is None:
                self._library = self.engine.library()
            found = self._library.notes()
        return Entries(chosen_notes(found, tag, folder))

    def entry(self, path: str) -> NoteEntry:
        """The note at `path`, as passages name it. Raises NotesError: only indexed notes are
        notes, whatever else the folder or the disk may hold."""
        if not isinstance(path, str):
            raise NotesError(f"{path!r} is no path of a note.", "Name it as passages do: a text.")
        by_path = {each.path: each for each in self.entries()}
        if path in by_path:
            return by_path[path]
        raise NotesError(
            f"There is no note {path!r} in these notes.",
            meant(path, by_path, "Name it by its path in the notes folder."),
        )

    def read(self, path: str) -> str:
        """The whole text of the indexed note at `path`, as it is now. Raises NotesError."""
        from rag.indexing.kept import kept_texts
        from rag.reading.notes import Skipped, read_note

        folder, inside = self.engine.place(self.entry(path).path)
        text = read_note(folder, inside, kept_texts(self.engine.parts.data_dir, folder))
        if isinstance(text, Skipped):
            raise NotesError(f"{text.path} {text.reason}.", "Index the notes again: rag index")
        return text.text

    def close(self) -> None:
        """Close the files of the index. The notes may be asked again: they are opened anew."""
        with self._lock:
            if self._library is not None:
                self._library.close()
                self._library = None
            self.engine.close()

    def _check_size(self) -> None:
        from rag.indexing.home import holds_home

        for folder in self.folders:
            if not self._whole_home and holds_home(folder):
                raise NotesError(
                    f"{folder} is not a notes folder but much more. It was not indexed.",
                    "Name a folder inside it, or open it with whole_home=True.",
                )


def _folder(given: object) -> str:
    path = os.fspath(given) if isinstance(given, (str, os.PathLike)) else given
    if not isinstance(path, str):
        raise NotesError(f"{given!r} is no folder.", "Name it by its path, or as in rag.toml.")
    return path


def _check(question: object, k: object) -> None:
    if not isinstance(question, str):
        raise QuestionError(f"The question is {question!r}, not a text.")
    if k is None:
        return
    if not isinstance(k, int):
        raise QuestionError(f"k is {k!r}, not a number of passages.")
    if not 1 <= k <= MOST_PASSAGES:
        raise QuestionError(f"k = {k} is out of range: 1 to {MOST_PASSAGES} passages.")


def _turn(done: Answered) -> Turn:
    from rag.retrieval.query import Turn

    return Turn(done.question, done.answer, done.query)
