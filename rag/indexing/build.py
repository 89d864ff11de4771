"""Bring an index up to date with its notes folder, as a stream of `IndexProgress`."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import NotesError, NotesMissing
from rag.indexing.forget import forgotten_notes, without
from rag.indexing.guard import missing_notes, notes_missing
from rag.indexing.intake import Intake, stop_if
from rag.indexing.local import ERASING, Changes, LocalIndex
from rag.indexing.progress import IndexProgress as IndexProgress
from rag.indexing.progress import IndexReport as IndexReport
from rag.indexing.rows import KnownSkip, NoteState
from rag.reading.formats import SUFFIXES
from rag.reading.listing import RACY_NS, listing
from rag.reading.notes import Skipped, hash_note
from rag.reading.scanning import NoteFile, Scan, scan

if TYPE_CHECKING:
    from rag.indexing.embeddings import Embedder

_ERASED_HURRIED, _ERASED_AT_ONCE = 5000, 20_000  # passages
_ERASED_AFTER_S = 7 * 86_400  # at the latest
_CLOSED, _BARRED = "cannot be listed", "cannot be read"  # begin reasons of rag.reading


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between the folder and the index."""

    listed: Scan  # all of the folder, those that are to be forgotten, too
    scan: Scan
    new: tuple[NoteFile, ...]
    changed: tuple[NoteFile, ...]
    touched: tuple[NoteFile, ...]
    gone: tuple[str, ...]
    unchanged: int
    unreadable: tuple[Skipped, ...]
    refused: tuple[Skipped, ...]  # new files that are still as they were when they were skipped
    missing: Collection[str] = ()  # gone, but not to be removed unasked

    @property
    def empty(self) -> bool:
        """Whether no passage changes; notes may still have been touched."""
        return not (self.new or self.changed or self.gone)


def plan(
    folder: Path,
    states: dict[str, NoteState],
    last_scan_ns: int,
    every: bool = False,
    known: Mapping[str, KnownSkip] | None = None,
    suffixes: tuple[str, ...] = SUFFIXES,
    forgotten: Collection[str] = (),
) -> Plan:
    """Compare the folder with the notes as they were indexed: by size and mtime, else by hash.

    `known` are the files skipped last time, by path. `every` treats
    all notes as changed; `forgotten` are left out (see `rag.indexing.forget`). Raises NotesError
    for a folder that cannot be listed.
    """
    listed = scan(folder, suffixes)
    found = without(listed, forgotten)
    new: list[NoteFile] = []
    changed: list[NoteFile] = []
    touched: list[NoteFile] = []
    unreadable: list[Skipped] = []
    refused: list[Skipped] = []
    kept: set[str] = set()
    for file in found.files:
        state = states.get(file.path)
        racy = file.mtime_ns > last_scan_ns - RACY_NS
        if state is None:
            skip = None if every or known is None else known.get(file.path)
            if skip and _still_skipped(folder, file, skip, racy):
                refused.append(Skipped(file.path, skip.reason, skip.hash))
            else:
                new.append(file)
            continue
        kept.add(file.path)
        same = (state.size, state.mtime_ns) == (file.size, file.mtime_ns)
        if every:
            changed.append(file)
        elif not same or racy:
            digest = hash_note(folder, file.path)
            if isinstance(digest, Skipped):  # unreadable now: what was indexed stays
                unreadable.append(digest)
            elif digest != state.hash:
                changed.append(file)
            elif not same:
                touched.append(file)
    # A folder that cannot be listed today still holds its notes.
    closed = tuple(f"{each.path}/" for each in found.skipped if each.reason.startswith(_CLOSED))
    gone = tuple(path for path in states if path not in kept and not path.startswith(closed))
    unchanged = len(states) - len(gone) - len(changed) - len(unreadable)
    return Plan(
        listed,
        found,
        tuple(new),
        tuple(changed),
        tuple(touched),
        gone,
        unchanged,
        tuple(unreadable),
        tuple(refused),
    )


def _still_skipped(folder: Path, file: NoteFile, skip: KnownSkip, racy: bool) -> bool:
    """Whether a file skipped before would be skipped again. Permissions leave mtime alone, and so
    may a change right after the last scan: then what it holds is compared."""
    if (skip.size, skip.mtime_ns) != (file.size, file.mtime_ns):
        return False
    if skip.reason.startswith(_BARRED):
        return not racy and isinstance(hash_note(folder, file.path), Skipped)
    return not (racy and file.size) or hash_note(folder, file.path) == skip.hash


def update(
    folder: Path,
    index: LocalIndex,
    open_embedder: Callable[[], Embedder],
    fingerprint: str,
    meta: dict[str, object],
    rebuild: bool = False,
    cancel: Callable[[], bool] | None = None,
    remove_missing: bool = False,
    hurried: bool = False,
    suffixes: tuple[str, ...] = SUFFIXES,
) -> Iterator[IndexProgress]:
    """Bring `index` up to date with `folder`. The caller holds the index's lock.

    Files with one of `suffixes` are notes. `open_embedder` is called only when something must be
    embedded. `remove_missing` says that the reader knows of notes that are gone, however many;
    `hurried` that a question waits. Raises NotesError for a folder without notes, NotesMissing
    for one that lost most of them, once what is new was added, IndexMismatch, StorageError,
    ModelError; Cancelled loses nothing: the old generation stays, and what was embedded is kept.
    """
    started = time.perf_counter()
    scanned_ns = time.time_ns()
    yield IndexProgress("scan")
    if index.complete and not rebuild:
        index.check(fingerprint)
    every = rebuild or index.rules_changed()
    states = index.note_states()
    last_scan = int(index.store.get("scanned_ns", "0"))
    forgotten = forgotten_notes(index)
    todo = plan(folder, states, last_scan, every, index.known_skips(), suffixes, forgotten)
    if not remove_missing and (missing := missing_notes(folder, states, todo.gone, todo.new)):
        gone = tuple(path for path in todo.gone if path not in missing)
        todo = replace(todo, gone=gone, missing=missing)
        # What is new can be asked for at once; a rebuild would leave nothing of what is missing.
        if todo.empty or every:
            raise _lost(folder, todo, len(states))
    if not todo.scan.files and not states:
        raise no_notes(folder, todo.scan)
    touch = [(file.mtime_ns, file.size, states[file.path].id) for file in todo.touched]
    if index.erasing_due and not hurried and _erased_now(index, hurried=False):
        index.erase()
    if todo.empty and index.complete:
        if index.derived_lags:
            index.derive()
        # Not a new generation, but the next scan need not hash what this one hashed.
        listed = _listing(todo)
        if touch or _racy(todo.scan, last_scan) or listed != index.store.get("listing"):
            with index.store.transaction():
                index.store.touch(touch)
                index.store.put(scanned_ns=scanned_ns, listing=listed)
        yield _done(todo, 0, (), index, started)
        return
    with ExitStack() as stack:
        intake = stack.enter_context(Intake(folder, index.store, cancel))
        files = (*todo.new, *todo.changed)
        if files:
            yield from intake.take_in(files, open_embedder())
        yield IndexProgress("write", len(files), len(files))
        stop_if(cancel)
        # A note that cannot be read today is not gone; one that holds no text any more is.
        skipped = intake.skipped
        barred = {each.path for each in skipped if each.reason.startswith(_BARRED)}
        remove = [states[path].id for path in todo.gone]
        remove += [
            states[file.path].id for file in todo.changed if file.path not in barred or every
        ]
        if not (intake.count or remove_missing) and len(remove) == len(states):
            raise no_notes(
                folder, replace(todo.scan, skipped=(*todo.scan.skipped, *skipped)), len(states)
            )
        skips = _json(_skips(todo, skipped, states))
        if intake.count or remove or not index.complete:
            if every:
                index.forget_words()
            replaced = index.store.vectors_in(remove)
            index.apply(
                Changes(remove, intake.rows(), touch),
                {
                    **meta,
                    "fingerprint": fingerprint,
                    "scanned_ns": scanned_ns,
                    "listing": _listing(todo, skipped),
                    "skipped": skips,
                    "indexed_at": time.time(),
                    "notes_folder": folder,
                    **({ERASING: time.time()} if todo.gone and not index.erasing_due else {}),
                },
            )
            with index.store.transaction():
                index.store.drop_unused_vectors(replaced)
            if todo.gone:
                _erase(index, hurried)
            elif remove:
                index.put_off_erasing()  # what was edited out
            else:
                index.drop_texts()
        else:
            with index.store.transaction():
                index.store.touch(touch)
                index.store.put(
                    scanned_ns=scanned_ns, skipped=skips, listing=_listing(todo, skipped)
                )
        if todo.missing:
            raise _lost(folder, todo, len(states), intake.count)
        moved = _moves(todo, states, intake.hashes)
        yield _done(todo, moved, (*skipped,), index, started, tuple(intake.warnings))


def _lost(folder: Path, todo: Plan, indexed: int, added: int = 0) -> NotesMissing:
    return notes_missing(folder, len(todo.missing), indexed, not todo.scan.files, added)


def _listing(todo: Plan, skipped: Sequence[Skipped] = ()) -> str:
    """The digest of a folder of which all that can be indexed is; "" where a note that could not be
    read, or is missing, must be looked for again, though the folder looks the same."""
    again = (*todo.unreadable, *todo.refused, *skipped)
    if todo.missing or any(each.reason.startswith(_BARRED) for each in again):
        return ""
    return str(listing(todo.listed))


def _skips(
    todo: Plan, skipped: Sequence[Skipped], states: Mapping[str, NoteState]
) -> dict[str, KnownSkip]:
    """The files that hold no note, by path."""
    files = {file.path: file for file in todo.scan.files}
    return {
        each.path: KnownSkip(
            files[each.path].size, files[each.path].mtime_ns, each.reason, each.raw_hash
        )
        for each in (*skipped, *todo.refused)
        if not (each.reason.startswith(_BARRED) and each.path in states)
    }


def _moves(todo: Plan, states: dict[str, NoteState], hashes: Mapping[str, str]) -> int:
    """Notes that are gone from one path and new, with the same content, at another.

    `hashes` are those of the notes that were read, by path.
    """
    gone = Counter(states[path].hash for path in todo.gone)
    new = Counter(hashes[file.path] for file in todo.new if file.path in hashes)
    return sum((gone & new).values())


def _done(
    todo: Plan,
    moved: int,
    skipped: tuple[Skipped, ...],
    index: LocalIndex,
    started: float,
    warnings: tuple[Skipped, ...] = (),
) -> IndexProgress:
    new = {file.path for file in todo.new}
    changed = {file.path for file in todo.changed}
    report = IndexReport(
        added=len(new - {each.path for each in skipped}) - moved,
        changed=len(changed - {each.path for each in skipped}),
        moved=moved,
        removed=len(todo.gone) - moved,
        unchanged=todo.unchanged,
        skipped=(*todo.scan.skipped, *todo.unreadable, *todo.refused, *skipped),
        warnings=warnings,
        chunks=index.store.counts()[1],
        seconds=time.perf_counter() - started,
    )
    return IndexProgress("done", report=report)


def _racy(found: Scan, last_scan_ns: int) -> bool:
    return any(file.mtime_ns > last_scan_ns - RACY_NS for file in found.files)


def _erase(index: LocalIndex, hurried: bool) -> None:
    """Leave no text of removed notes, and no words of theirs if that can be done now."""
    if _erased_now(index, hurried):
        index.erase()
    else:
        index.put_off_erasing()


def _erased_now(index: LocalIndex, hurried: bool) -> bool:
    """Whether to erase the words of removed notes now. All words are written anew for that, some
    10,000 passages in a second: not before a question, and of a large index once in a while."""
    passages = index.store.counts()[1]
    if hurried:
        return passages <= _ERASED_HURRIED
    return passages <= _ERASED_AT_ONCE or time.time() - index.erasing_since > _ERASED_AFTER_S


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def no_notes(folder: Path, found: Scan, indexed: int = 0) -> NotesError:
    """What to say of a folder without notes, of which `indexed` were there before."""
    if indexed:
        return notes_missing(folder, indexed, indexed, emptied=True)
    if found.skipped:
        first = found.skipped[0]
        return NotesError(
            f"No note in {folder} can be read ({first.path} {first.reason}).",
            "Name a folder with Markdown or text files: rag index PATH",
        )
    if found.ignored:
        return NotesError(
            f"All notes in {folder} are left out by .gitignore, .ragignore or Obsidian's settings.",
            'A file .ragignore in that folder with the line "!*" brings them back.',
        )
    return NotesError(
        f"There are no notes in {folder}.", "Name a folder with .md or .txt files: rag index PATH"
    )
