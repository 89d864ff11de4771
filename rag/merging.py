"""What several notes folders say, as one: rankings, lists, names and reports.

Paths are shown with the folder's name in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from rag.errors import NotesError, NotesMissing
from rag.indexing.library import Found as NoteFound
from rag.indexing.library import Library, NoteEntry
from rag.indexing.progress import IndexProgress, IndexReport
from rag.reading.notes import Skipped
from rag.retrieval.found import Passage
from rag.retrieval.listing import Listed, ListedNote
from rag.retrieval.whole import Piece, ToSum


def merge(found: Sequence[Sequence[Passage]], k: int) -> tuple[Passage, ...]:
    """The `k` best of several rankings, best first.

    Of each ranking the first is kept, and more of them until half of `k` is given out evenly; with
    more rankings than `k` the best of the firsts stay. The rest goes by score.
    """
    share = max(1, k // (2 * max(1, len(found))))
    kept = _by_score(each for one in found for each in one[:share])[:k]
    rest = _by_score(each for one in found for each in one[share:])[: k - len(kept)]
    return tuple(_by_score([*kept, *rest]))


def _by_score(passages: Iterable[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda each: (-each.score, each.id))


def one_list(lists: Sequence[tuple[str, Listed]]) -> Listed:
    """Lists of notes of several folders by name, one after the other; no name stands in front of
    what is of a folder called ""."""
    notes: list[ListedNote] = []
    passages: list[Passage] = []
    mentioned = any(each.notes for _, each in lists)
    for name, each in lists:
        if mentioned and not each.notes:
            continue  # what is near to it in one folder says nothing beside what is it in another
        for note in each.notes:
            n = note.n + len(passages) if note.n else 0
            notes.append(replace(note, n=n, path=_inside(name, note.path)))
        passages += [replace(one, path=_inside(name, one.path)) for one in each.passages]
    heads = "; ".join(
        f"{name}: {head}" if name else head
        for name, each in lists
        if (head := each.head.rstrip(":."))
    )
    return Listed(f"{heads}{':' if notes else '.'}", tuple(notes), tuple(passages))


def one_whole(wholes: Mapping[str, ToSum]) -> ToSum:
    """Notes of several folders to sum up, one folder after the other."""
    notes = [
        replace(note, path=_inside(name, note.path), read=partial(_named_pieces, name, note.read))
        for name, each in wholes.items()
        for note in each.notes
    ]
    first = next(iter(wholes.values()))
    return replace(first, notes=tuple(notes), total=sum(each.total for each in wholes.values()))


def _named_pieces(name: str, read: Callable[[], list[Piece]]) -> list[Piece]:
    return [(replace(each, path=_inside(name, each.path)), vectors) for each, vectors in read()]


def _inside(name: str, path: str) -> str:
    return f"{name}/{path}" if name else path


class Libraries(Library):
    """The notes of several folders by name, their paths with the folder's name in front."""

    def __init__(self, libraries: Mapping[str, Library]) -> None:
        self._libraries = libraries

    def close(self) -> None:
        for each in self._libraries.values():
            each.close()

    def notes(self) -> tuple[NoteEntry, ...]:
        return tuple(
            replace(note, path=f"{name}/{note.path}")
            for name, each in self._libraries.items()
            for note in each.notes()
        )

    def line_of(self, path: str, place: str) -> int:
        name, _, inside = path.partition("/")
        return self._libraries[name].line_of(inside, place)

    def find_text(self, text: str, limit: int = 20) -> list[NoteFound]:
        share = max(1, limit // len(self._libraries))
        return [
            replace(found, path=f"{name}/{found.path}")
            for name, each in self._libraries.items()
            for found in each.find_text(text, share)
        ]

    def resolve(self, target: str, source: str) -> str | None:
        """Links lead to notes of the same folder."""
        name, _, inside = source.partition("/")
        found = self._libraries[name].resolve(target, inside)
        return f"{name}/{found}" if found else None


def one_run(
    runs: Iterable[tuple[str, Iterator[IndexProgress]]],
) -> Iterator[IndexProgress]:
    """Runs over several folders as one, with one report at its end if any folder gave one. Raises
    NotesError for a folder that is not there once the others are done."""
    reports: list[IndexReport] = []
    failed: list[NotesError] = []
    for name, run in runs:
        try:
            for event in run:
                if event.report is None:
                    yield event
                else:
                    reports.append(_within(name, event.report))
        except NotesError as error:
            failed.append(error)
    # What can be asked about goes before what cannot; the others are told.
    failed.sort(key=lambda error: not isinstance(error, NotesMissing))
    for other in failed[1:]:
        yield IndexProgress("scan", notice=str(other))
    if reports:
        yield IndexProgress("done", report=_together(reports))
    if failed:
        raise failed[0]


def _within(name: str, report: IndexReport) -> IndexReport:
    def named(entries: Sequence[Skipped]) -> tuple[Skipped, ...]:
        return tuple(replace(each, path=f"{name}/{each.path}") for each in entries)

    return replace(report, skipped=named(report.skipped), warnings=named(report.warnings))


def _together(reports: Sequence[IndexReport]) -> IndexReport:
    """The sum of reports, of which there is at least one."""
    total = reports[0]
    for each in reports[1:]:
        total = IndexReport(
            total.added + each.added,
            total.changed + each.changed,
            total.moved + each.moved,
            total.removed + each.removed,
            total.unchanged + each.unchanged,
            (*total.skipped, *each.skipped),
            (*total.warnings, *each.warnings),
            total.chunks + each.chunks,
            total.seconds + each.seconds,
        )
    return total
