"""Bring an index up to date with its notes folder, as a stream of `IndexProgress`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag.errors import Cancelled, NotesError
from rag.indexing.embeddings import PassageText
from rag.indexing.forget import forgotten_notes, without
from rag.indexing.guard import check_missing, notes_missing
from rag.indexing.local import Changes, LocalIndex
from rag.indexing.rows import ChunkRow, NoteRow, NoteState
from rag.reading.notes import NoteFile, NoteText, Scan, Skipped, hash_note, read_note, scan

if TYPE_CHECKING:
    from rag.indexing.embeddings import Embedded, Embedder

# A note written within this time of the last scan may have been written after it was read
# without a new mtime: file systems and clocks are coarse. Such a note is hashed.
_RACY_NS = 2_000_000_000
_EMBED_AT_ONCE = 2048  # chunks tokenized and sorted together; bounds memory, not speed
_CLOSED, _BARRED = "cannot be listed", "cannot be read"  # reasons of rag.reading.notes
_STORE_EVERY = 64  # vectors in one transaction: what a killed run may lose


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run did. `skipped` and `warnings` name notes and reasons."""

    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    skipped: tuple[Skipped, ...]
    warnings: tuple[Skipped, ...]
    chunks: int
    seconds: float

    def sentence(self) -> str:
        """What happened to the notes, for people."""
        counts = [
            (self.added, "added"),
            (self.changed, "changed"),
            (self.moved, "moved"),
            (self.removed, "removed"),
            (self.unchanged, "unchanged"),
            (len(self.skipped), "skipped"),
        ]
        parts = [f"{count:,} {what}" for count, what in counts if count]
        return "Notes: " + (", ".join(parts) or "none") + f". {self.chunks:,} passages."


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far a run has come; `report` comes with the last one, whose stage is "done"."""

    stage: Literal["scan", "read", "embed", "write", "done"]
    files_done: int = 0
    files_total: int = 0
    chunks_done: int = 0
    chunks_total: int = 0
    chunks_per_s: float = 0.0
    seconds_left: float | None = None
    report: IndexReport | None = None
    notice: str = ""  # a sentence for the reader about something that was amiss


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between the folder and the index."""

    scan: Scan
    new: tuple[NoteFile, ...]
    changed: tuple[NoteFile, ...]
    touched: tuple[NoteFile, ...]
    gone: tuple[str, ...]
    unchanged: int
    unreadable: tuple[Skipped, ...]
    refused: tuple[Skipped, ...]  # new files that are still as they were when they were skipped

    @property
    def empty(self) -> bool:
        """Whether no passage changes; notes may still have been touched."""
        return not (self.new or self.changed or self.gone)


def plan(
    folder: Path,
    states: dict[str, NoteState],
    last_scan_ns: int,
    every: bool = False,
    known: Mapping[str, tuple[int, int, str]] | None = None,
    forgotten: Collection[str] = (),
) -> Plan:
    """Compare the folder with the notes as they were indexed: by size and mtime, else by hash.

    `known` are size, mtime and reason of the files skipped last time, by path. `every` treats
    all notes as changed; `forgotten` are left out (see `rag.indexing.forget`). Raises NotesError
    for a folder that cannot be listed.
    """
    found = without(scan(folder), forgotten)
    new: list[NoteFile] = []
    changed: list[NoteFile] = []
    touched: list[NoteFile] = []
    unreadable: list[Skipped] = []
    refused: list[Skipped] = []
    kept: set[str] = set()
    for file in found.files:
        state = states.get(file.path)
        racy = file.mtime_ns > last_scan_ns - _RACY_NS
        if state is None:
            skip = None if every or racy or known is None else known.get(file.path)
            if skip and _still_skipped(folder, file, skip):
                refused.append(Skipped(file.path, skip[2]))
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
        found,
        tuple(new),
        tuple(changed),
        tuple(touched),
        gone,
        unchanged,
        tuple(unreadable),
        tuple(refused),
    )


def _still_skipped(folder: Path, file: NoteFile, skip: tuple[int, int, str]) -> bool:
    """Whether a file skipped before would be skipped again. Permissions leave mtime alone."""
    size, mtime_ns, reason = skip
    if (size, mtime_ns) != (file.size, file.mtime_ns):
        return False
    return not reason.startswith(_BARRED) or isinstance(hash_note(folder, file.path), Skipped)


def update(
    folder: Path,
    index: LocalIndex,
    open_embedder: Callable[[], Embedder],
    fingerprint: str,
    meta: dict[str, object],
    rebuild: bool = False,
    cancel: Callable[[], bool] | None = None,
    remove_missing: bool = False,
) -> Iterator[IndexProgress]:
    """Bring `index` up to date with `folder`. The caller holds the index's lock.

    `open_embedder` is called only when something must be embedded. `remove_missing` says that the
    reader knows of notes that are gone, however many. Raises NotesError for a folder without
    notes, NotesMissing for one that lost most of them, IndexMismatch, StorageError, ModelError;
    Cancelled loses nothing: the old generation stays, and what was embedded is kept.
    """
    started = time.perf_counter()
    scanned_ns = time.time_ns()
    yield IndexProgress("scan")
    if index.complete and not rebuild:
        index.check(fingerprint)
    every = rebuild or index.rules_changed()
    states = index.note_states()
    last_scan_ns = int(index.store.get("scanned_ns", "0"))
    forgotten = forgotten_notes(index)
    todo = plan(folder, states, last_scan_ns, every, index.known_skips(), forgotten)
    if not remove_missing:
        check_missing(folder, states, todo.gone, lambda: _hashes(folder, todo.new))
    if not todo.scan.files and not states:
        raise no_notes(folder, todo.scan)
    touch = [(file.mtime_ns, file.size, states[file.path].id) for file in todo.touched]
    if todo.empty and index.complete:
        if index.derived_lags:
            index.derive()
        # Not a new generation, but the next scan need not hash what this one hashed.
        if touch or _racy(todo.scan, int(index.store.get("scanned_ns", "0"))):
            with index.store.transaction():
                index.store.touch(touch)
                index.store.put(scanned_ns=scanned_ns)
        yield _done(todo, 0, (), index, started)
        return
    files = (*todo.new, *todo.changed)
    read: list[_Read] = []
    skipped: list[Skipped] = []
    warnings: list[Skipped] = []
    if files:
        embedder = open_embedder()
        for number, file in enumerate(files):
            _check(cancel)
            outcome = _read(folder, file, embedder)
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
            else:
                read.append(outcome)
                warnings += [Skipped(file.path, each) for each in outcome.warnings]
            if number % 16 == 15 or number + 1 == len(files):
                yield IndexProgress(
                    "read",
                    number + 1,
                    len(files),
                    chunks_total=sum(len(each.chunks) for each in read),
                )
        yield from _embed(index, embedder, read, len(files), cancel)
    yield IndexProgress("write", len(files), len(files))
    _check(cancel)
    # A note that cannot be read today is not gone; one that holds no text any more is.
    barred = {each.path for each in skipped if each.reason.startswith(_BARRED)}
    remove = [states[path].id for path in todo.gone]
    remove += [states[file.path].id for file in todo.changed if file.path not in barred or every]
    if not (read or remove_missing) and len(remove) == len(states):
        unread = replace(todo.scan, skipped=(*todo.scan.skipped, *skipped))
        raise no_notes(folder, unread, len(states))
    skips = _json(_skips(todo, skipped, states))
    if read or remove or not index.complete:
        if every:
            index.forget_words()
        index.apply(
            Changes(remove, [(each.row, each.rows) for each in read], touch),
            {
                **meta,
                "fingerprint": fingerprint,
                "scanned_ns": scanned_ns,
                "skipped": skips,
                "indexed_at": time.time(),
                "notes_folder": folder,
            },
        )
        with index.store.transaction():
            index.store.drop_unused_vectors()
        if todo.gone:
            index.erase()
    else:
        with index.store.transaction():
            index.store.touch(touch)
            index.store.put(scanned_ns=scanned_ns, skipped=skips)
    moved = _moves(todo, states, read)
    yield _done(todo, moved, (*skipped,), index, started, tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Read:
    row: NoteRow
    rows: tuple[ChunkRow, ...]
    chunks: tuple[tuple[bytes, PassageText], ...]  # vector hash, what is embedded
    warnings: tuple[str, ...]


def _read(folder: Path, file: NoteFile, embedder: Embedder) -> _Read | Skipped:
    from rag.reading.chunks import chunk_document
    from rag.reading.documents import parse_document
    from rag.reading.scripts import in_other_script

    note = read_note(folder, file.path)
    if not isinstance(note, NoteText):
        return note
    document = parse_document(file.path, note.text)
    chunks = chunk_document(document, embedder.count_tokens, embedder.max_tokens)
    texts = [PassageText(chunk.embedded, chunk.context, chunk.sentences) for chunk in chunks]
    hashes = [vector_hash(embedder.fingerprint, each) for each in texts]
    row = NoteRow(
        file.path,
        file.size,
        file.mtime_ns,
        note.raw_hash,
        document.title,
        _json(document.aliases),
        _json(document.tags),
        document.created.isoformat() if document.created else None,
        document.modified.isoformat() if document.modified else None,
        _json(document.fields),
        _json([[link.target, link.heading, link.block, link.line] for link in document.links]),
        in_other_script(note.text),
    )
    rows = tuple(
        ChunkRow(chunk.text, chunk.headings, chunk.first, chunk.last, digest)
        for chunk, digest in zip(chunks, hashes, strict=True)
    )
    warnings = (*((note.warning,) if note.warning else ()), *document.warnings)
    return _Read(row, rows, tuple(zip(hashes, texts, strict=True)), warnings)


def vector_hash(fingerprint: str, passage: PassageText) -> bytes:
    """The key under which vectors are kept: of the embedder, the text and its sentences."""
    key = f"{fingerprint}\0{passage.sentences}\0{passage.text}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _embed(
    index: LocalIndex,
    embedder: Embedder,
    read: Sequence[_Read],
    files: int,
    cancel: Callable[[], bool] | None,
) -> Iterator[IndexProgress]:
    texts = {digest: text for each in read for digest, text in each.chunks}
    missing = index.store.missing_vectors(texts)
    wanted = [digest for digest in texts if digest in missing]
    # Sorting all by length first keeps every slice, and so every batch, of even length.
    wanted.sort(key=lambda digest: -len(texts[digest].text))
    total = sum(len(each.chunks) for each in read)
    done = total - len(wanted)
    started = time.perf_counter()
    first = done
    characters = sum(len(texts[digest].text) for digest in wanted)
    embedded = 0
    pending: list[tuple[list[bytes], Embedded]] = []
    yield IndexProgress("embed", files, files, done, total)
    try:
        for start in range(0, len(wanted), _EMBED_AT_ONCE):
            part = wanted[start : start + _EMBED_AT_ONCE]
            for batch in embedder.embed_passages([texts[digest] for digest in part]):
                pending.append(([part[i] for i in batch.indices], batch))
                done += len(batch.indices)
                embedded += sum(len(texts[part[i]].text) for i in batch.indices)
                if sum(len(hashes) for hashes, _ in pending) >= _STORE_EVERY:
                    _store(index, pending)
                    pending = []
                _check(cancel)
                spent = time.perf_counter() - started
                yield IndexProgress(
                    "embed",
                    files,
                    files,
                    done,
                    total,
                    (done - first) / spent,
                    spent * (characters - embedded) / max(1, embedded),
                )
    finally:  # also after Ctrl-C: what was embedded is not embedded again
        _store(index, pending)


def _store(index: LocalIndex, batches: Sequence[tuple[list[bytes], Embedded]]) -> None:
    if batches:
        with index.store.transaction():
            for hashes, batch in batches:
                index.store.add_vectors(hashes, batch.vectors, batch.sentences)


def _skips(
    todo: Plan, skipped: Sequence[Skipped], states: Mapping[str, NoteState]
) -> dict[str, tuple[int, int, str]]:
    """Size, mtime and reason of the files that hold no note, by path."""
    files = {file.path: file for file in todo.scan.files}
    return {
        each.path: (files[each.path].size, files[each.path].mtime_ns, each.reason)
        for each in (*skipped, *todo.refused)
        if not (each.reason.startswith(_BARRED) and each.path in states)
    }


def _moves(todo: Plan, states: dict[str, NoteState], read: Sequence[_Read]) -> int:
    """Notes that are gone from one path and new, with the same content, at another."""
    gone = [states[path].hash for path in todo.gone]
    moved = 0
    new = {file.path for file in todo.new}
    for each in read:
        if each.row.path in new and each.row.hash in gone:
            gone.remove(each.row.hash)
            moved += 1
    return moved


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
    return any(file.mtime_ns > last_scan_ns - _RACY_NS for file in found.files)


def _hashes(folder: Path, files: Sequence[NoteFile]) -> set[str]:
    hashes = (hash_note(folder, file.path) for file in files)
    return {each for each in hashes if isinstance(each, str)}


def _check(cancel: Callable[[], bool] | None) -> None:
    if cancel is not None and cancel():
        raise Cancelled()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def no_notes(folder: Path, found: Scan, indexed: int = 0) -> NotesError:
    """What to say of a folder without notes, of which `indexed` were there before."""
    if indexed:
        return notes_missing(folder, indexed, indexed)
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
