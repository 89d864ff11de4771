"""`rag ask --with FILE`: documents that are read beside the notes, for one question.

They are indexed as notes are, in a folder that is removed afterwards, and cited by the path they
were named with.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.steps import Sentence
from rag.errors import NotesError, QuestionError
from rag.merging import one_list
from rag.reading.formats import FORMATS, SUFFIXES, suffix_of_content
from rag.reading.notes import Skipped, largest_of, read_note
from rag.retrieval.found import Passage
from rag.retrieval.listing import Listed
from rag.retrieval.summary_words import find_summary
from rag.several import SeveralFolders

if TYPE_CHECKING:
    from rag.config import Config
    from rag.engine import Engine
    from rag.events import Cancel, Event, LookUp
    from rag.indexing.filtering import Filters
    from rag.retrieval.query import Turn
    from rag.retrieval.whole import Piece, ToSum

STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True)
class Attached:
    """A document: what it is called in citations, and its bytes."""

    name: str
    data: bytes


class Beside(SeveralFolders):
    """The notes of an engine, if there is one, and documents, asked as one."""

    def __init__(self, notes: Engine | None, documents: Engine, names: dict[str, str]) -> None:
        base = notes or documents
        super(SeveralFolders, self).__init__(base.notes_folder, base.parts, base.started)
        several = notes.engines if isinstance(notes, SeveralFolders) else {"": notes}
        self.engines = {name: each for name, each in several.items() if each is not None}
        self.engines[_DOCUMENTS] = documents
        self.models = base.models
        if notes is not None:
            embedder = notes.models.embedder
            documents.models.parts = replace(documents.parts, open_embedder=embedder)
        self._names = names

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        cancel: Cancel | None = None,
        k: int | None = None,
        filters: Filters | None = None,
        today: date | None = None,
        quote: bool = False,
        strict: bool | None = None,
    ) -> Iterator[Event]:
        """As any engine; what is given with a question is what it is about, so that documents that
        are nearly as near as the notes answer alone, if they do. Filters are of notes."""
        rest = (history, cancel, k)
        if len(self.engines) > 1 and self._near(question, filters, today):
            alone = Beside(None, self.engines[_DOCUMENTS], self._names)
            alone.models = self.models
            waiting: list[Event] = []
            events = alone.ask(question, *rest, None, today, quote, strict)
            for event in events:
                waiting.append(event)
                if isinstance(event, Sentence):
                    if event.support != "supported":
                        break
                    yield from waiting
                    yield from events
                    return
        yield from super().ask(question, *rest, filters, today, quote, strict)

    def _near(self, question: str, filters: Filters | None, today: date | None) -> bool:
        """Whether a document is nearly as near to the question as the notes are; never where these
        answer with a list or a summary."""
        found = self._look_up(question, (), None, filters, today).found
        if found is None or not found.passages:
            return found is not None
        given = [each.score for each in found.passages if each.path in self._names.values()]
        best = found.passages[0].score
        return max(given, default=-1.0) >= min(best - _NEARLY, best * _SHARE)

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
        """What notes and documents have. A document is no note: it is in no list but one of tasks,
        and no filter leaves it out. Of the documents alone a summary can be asked for."""
        if summary := find_summary(question):
            names = {os.path.splitext(os.path.basename(each))[0] for each in self._names.values()}
            if set(summary[0].names) & {*names, *self._names.values()}:
                question = "summarise this"
        if _SUM_UP.fullmatch(question.strip()):
            documents = self.engines[_DOCUMENTS]
            seen = documents._look_up("summarise everything", (), k, None, today)
            if seen.whole is not None:
                return replace(seen, whole=self._as_named(seen.whole))
        count = self._candidates(k)
        both = self._seen_in_both(question, history, count, filters, today, lists, before_search)
        return self._as_one(both, count, k)

    def _seen_in_both(
        self,
        question: str,
        history: Sequence[Turn],
        count: int,
        filters: Filters | None,
        today: date | None,
        lists: bool,
        before_search: Callable[[], object] | None,
    ) -> dict[str, LookUp]:
        """What the notes have, as filters and lists go, and what the documents have."""
        documents = [(_DOCUMENTS, self.engines[_DOCUMENTS])]
        notes = [each for each in self._each() if each[0] != _DOCUMENTS]
        if filters and not notes:
            raise QuestionError(
                "There are no notes to filter, but a document alone.",
                "Name a folder of notes, or leave the filters out.",
            )
        refusal: QuestionError | None = None
        seen: dict[str, LookUp] = {}
        try:
            if notes:
                seen = self._seen(
                    notes, question, history, count, filters, today, lists, before_search
                )
        except QuestionError as error:
            if filters:
                raise
            refusal = error
        try:
            tasks = lists and _asks_for_tasks(question, today or date.today())
            seen |= self._seen(
                documents, question, history, count, None, today, tasks, before_search
            )
        except QuestionError as error:
            if not seen:
                raise refusal or error from None
        return seen

    def _one_list(self, lists: Mapping[str, Listed]) -> Listed:
        return one_list(
            [
                ("", self._listed(each)) if name == _DOCUMENTS else (name, each)
                for name, each in lists.items()
            ]
        )

    def _listed(self, each: Listed) -> Listed:
        """A list of what is in the documents, called as they were named."""

        def named(path: str) -> str:
            return self._names.get(path, path)

        return Listed(
            f"{', '.join(self._names.values())}: {each.head}",
            tuple(replace(note, path=named(note.path)) for note in each.notes),
            tuple(replace(passage, path=named(passage.path)) for passage in each.passages),
        )

    def _as_named(self, whole: ToSum) -> ToSum:
        """The documents to sum up, called as they were named."""
        notes = tuple(
            replace(
                note,
                path=self._names.get(note.path, note.path),
                read=partial(_renamed_pieces, note.read, self._names),
            )
            for note in whole.notes
        )
        return replace(whole, notes=notes, place="" if len(notes) == 1 else whole.place)

    def _named(self, number: int, name: str, passage: Passage) -> Passage:
        if name not in ("", _DOCUMENTS):
            return super()._named(number, name, passage)
        known = self._names if name == _DOCUMENTS else {}
        also = tuple(_renamed(each, known) for each in passage.also)
        return replace(
            passage,
            id=passage.id * len(self.engines) + number,
            path=known.get(passage.path, passage.path),
            also=also,
        )

    def _path_inside(self, name: str, path: str) -> str:
        if name not in ("", _DOCUMENTS):
            return super()._path_inside(name, path)
        known = self._names if name == _DOCUMENTS else {}
        return next((inside for inside, shown in known.items() if shown == path), path)


def _asks_for_tasks(question: str, today: date) -> bool:
    from rag.retrieval.intent import understand

    listing = understand(question, (), today).listing
    return listing is not None and listing.tasks is not None


_SUM_UP = re.compile(
    r"(?:(?:please|can you|could you) )*(?:(?:summari[sz]e|sum up|recap|condense|tl;?dr:?)"
    r"(?: (?:it|this|that|them|these))?|"
    r"(?:summari[sz]e|sum up|recap|(?:give me )?(?:a |the )?summary of|what does|"
    r"what(?:[’']s| is)(?: in)?)"
    r" (?:this|the|that|these) (?:documents?|files?|texts?|papers?|articles?|letters?|pages?|pdfs?|"
    r"contracts?|reports?)(?: (?:say|about))?)(?: for me)?[ ?!.]*",
    re.IGNORECASE,
)
# A document's best passage is nearly as near as that of the notes: by so much of its score, or by
# such a share of it. A note on the same matter is nearer where it says it in the question's words.
_NEARLY = 0.15
_SHARE = 0.5
_DOCUMENTS = "\0documents"  # no folder can be called so


@contextmanager
def beside(notes: Engine | None, config: Config, files: Sequence[str]) -> Iterator[Engine]:
    """An engine over `notes` and the documents `files`, "-" for standard input, the kind of
    which its first bytes tell.

    Raises NotesError for a file that cannot be read.
    """
    from rag.wiring import build_engine

    documents = [_attached(each) for each in files]
    with tempfile.TemporaryDirectory(prefix="rag-") as kept:
        folder, names = Path(os.path.realpath(kept)) / "documents", {}
        for number, each in enumerate(documents, 1):
            path = f"{number}/{_file_name(each.name)}"
            names[path] = each.name
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_bytes(each.data)
            read = read_note(folder, path)
            if isinstance(read, Skipped):
                raise NotesError(
                    f"{each.name} {read.reason}.", "Name a file with text in it: --with FILE"
                )
        engine = build_engine(replace(config, notes=folder, data_dir=folder.parent / "data"))
        both = Beside(notes, engine, names)
        try:
            for _ in engine.index():
                pass
            yield both
        finally:
            both.close()


def _attached(file: str) -> Attached:
    if file == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise NotesError("There is no document on standard input.", "Pipe one: … | rag ask")
        data = sys.stdin.buffer.read(max(each.largest for each in FORMATS) + 1)
        return Attached(STANDARD_INPUT + suffix_of_content(data), data)
    try:
        with open(os.path.expanduser(file), "rb") as handle:
            return Attached(file, handle.read(largest_of(_file_name(file)) + 1))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NotesError(f"{file} cannot be read: {why}.", "Name a text file.") from error


def _file_name(name: str) -> str:
    """A name under which the document is read as a note: as plain text unless it is known."""
    base = os.path.basename(name).lstrip(".") or "document"
    base = base.encode("utf-8", "replace").decode()[-100:]
    return base if base.lower().endswith(SUFFIXES) else f"{base}.txt"


def _renamed_pieces(read: Callable[[], list[Piece]], names: dict[str, str]) -> list[Piece]:
    return [
        (replace(each, path=names.get(each.path, each.path)), vectors) for each, vectors in read()
    ]


def _renamed(place: str, names: dict[str, str]) -> str:
    path, _, line = place.rpartition(":")
    return f"{names.get(path, path)}:{line}"
