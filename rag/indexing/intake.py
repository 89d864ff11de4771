"""Notes read, cut and embedded a window at a time, so that memory does not grow with their number.

What a note becomes in the index waits in a file until the generation is switched; what was
embedded is in SQLite at once, under the hash of its text. A run that was interrupted reads the
notes again, which takes little, and embeds what is missing, which takes long.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import Cancelled, storage_errors
from rag.indexing.embeddings import PassageText
from rag.indexing.progress import IndexProgress
from rag.indexing.rows import ChunkRow, NoteRow
from rag.indexing.store import Store
from rag.reading.notes import NoteText, Skipped, read_note
from rag.reading.scanning import NoteFile
from rag.reading.texts import FOLDER, Texts

if TYPE_CHECKING:
    from rag.indexing.embeddings import Embedded, Embedder

# Chunks tokenized and sorted by length together: enough for batches without padding, some 20 MB.
_WINDOW = 2048
_STORE_EVERY = 64  # vectors in one transaction: what a killed run may lose
_KEPT_IN_MEMORY = 16 << 20  # bytes of rows; more of them go to a file


class Intake:
    """What a run reads of its notes. Use it as a context: at its end the waiting rows are gone.

    `count` is the number of notes read, `hashes` their content by path; `skipped` and `warnings`
    name notes and reasons.
    """

    def __init__(
        self, folder: Path, store: Store, cancel: Callable[[], bool] | None = None
    ) -> None:
        self._folder = folder
        self._store = store
        self._cancel = cancel
        self._waiting: Any = tempfile.SpooledTemporaryFile(  # noqa: SIM115 (closed by __exit__)
            _KEPT_IN_MEMORY, "w+", encoding="ascii", dir=str(store.file.parent)
        )
        self._texts = Texts(store.file.parent / FOLDER)
        self._work = _Work()
        self.count = 0
        self.hashes: dict[str, str] = {}
        self.skipped: list[Skipped] = []
        self.warnings: list[Skipped] = []

    def __enter__(self) -> Intake:
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.close()

    def take_in(self, files: Sequence[NoteFile], embedder: Embedder) -> Iterator[IndexProgress]:
        """Read all of `files` and embed what has no vector yet. Raises Cancelled, ModelError,
        StorageError."""
        work = self._work = _Work(len(files), sum(file.size for file in files))
        window: dict[bytes, PassageText] = {}
        for number, file in enumerate(files, start=1):
            stop_if(self._cancel)
            window.update(self._read(file, embedder))
            last = number == len(files)
            if not work.embedding and (number % 16 == 0 or last):
                yield work.progress("read")
            if len(window) >= _WINDOW or last:
                yield from self._embed(window, embedder)
                window.clear()
        if work.fresh > _WINDOW:  # what writes the index takes their place
            embedder.release()  # loaded again in 0.2 s, after minutes of embedding

    def rows(self) -> Iterator[tuple[NoteRow, list[ChunkRow]]]:
        """What was read, a note and its chunks at a time."""
        self._waiting.seek(0)
        for line in self._waiting:
            note, chunks = json.loads(line)
            yield (
                NoteRow(*note),
                [
                    ChunkRow(text, tuple(headings), first, last, bytes.fromhex(vector))
                    for text, headings, first, last, vector in chunks
                ],
            )

    def _read(self, file: NoteFile, embedder: Embedder) -> dict[bytes, PassageText]:
        """What is embedded of a note, by its hash; its rows are put to wait."""
        read = _read(self._folder, file, embedder, self._texts)
        self._work.files += 1
        self._work.bytes += file.size
        if isinstance(read, Skipped):
            self.skipped.append(read)
            return {}
        self.count += 1
        self._work.chunks += len(read.rows)
        self.hashes[file.path] = read.row.hash
        self.warnings += [Skipped(file.path, each) for each in read.warnings]
        chunks = [(c.text, c.headings, c.first, c.last, c.vector.hex()) for c in read.rows]
        with storage_errors(self._store.file.parent):
            self._waiting.write(json.dumps((astuple(read.row), chunks)) + "\n")
        return read.texts

    def _embed(
        self, texts: dict[bytes, PassageText], embedder: Embedder
    ) -> Iterator[IndexProgress]:
        work, store = self._work, self._store
        missing = store.missing_vectors(texts)
        # Sorted by length, every batch is of even length.
        wanted = sorted(missing, key=lambda digest: (-len(texts[digest].text), digest))
        work.begin(len(wanted), sum(len(texts[digest].text) for digest in wanted))
        pending: list[tuple[list[bytes], Embedded]] = []
        yield work.progress("embed")
        try:
            for start in range(0, len(wanted), _WINDOW):
                part = wanted[start : start + _WINDOW]
                for batch in embedder.embed_passages([texts[digest] for digest in part]):
                    hashes = [part[i] for i in batch.indices]
                    pending.append((hashes, batch))
                    work.embedded(len(hashes), sum(len(texts[each].text) for each in hashes))
                    if sum(len(hashes) for hashes, _ in pending) >= _STORE_EVERY:
                        _store(store, pending)
                        pending = []
                    stop_if(self._cancel)
                    yield work.progress("embed")
        finally:  # also after Ctrl-C: what was embedded is not embedded again
            _store(store, pending)


@dataclass(slots=True)
class _Work:
    """How far a run has come. What the notes that were not read yet will need is estimated from
    those that were, by their bytes."""

    files_total: int = 0
    bytes_total: int = 0
    files: int = 0
    bytes: int = 0
    chunks: int = 0
    done: int = 0  # chunks that are embedded
    fresh: int = 0  # of them, those that this run embedded
    characters: int = 0  # of those
    left: int = 0  # characters to embed of what was read
    missing: int = 0  # chunks, likewise
    started: float = 0.0
    embedding: bool = False

    def begin(self, missing: int, characters: int) -> None:
        """A window of notes was read, of which so much is to be embedded."""
        if not self.embedding:
            self.embedding, self.started = True, time.perf_counter()
        self.missing, self.left = missing, characters
        self.done = self.chunks - missing

    def embedded(self, chunks: int, characters: int) -> None:
        self.done += chunks
        self.fresh += chunks
        self.missing -= chunks
        self.characters += characters
        self.left -= characters

    def progress(self, stage: Any) -> IndexProgress:
        more = self.bytes_total / max(1, self.bytes)  # so many times what was read
        total = max(self.chunks, round(self.chunks * more))
        if stage == "read":
            return IndexProgress("read", self.files, self.files_total, chunks_total=self.chunks)
        spent = time.perf_counter() - self.started
        ahead = self.left + (more - 1) * (self.characters + self.left)
        return IndexProgress(
            "embed",
            self.files,
            self.files_total,
            self.done,
            total,
            self.fresh / spent if spent > 0 else 0.0,
            spent * ahead / self.characters if self.characters else None,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    row: NoteRow
    rows: tuple[ChunkRow, ...]
    texts: dict[bytes, PassageText]  # what is embedded, by the hash of its vector
    warnings: tuple[str, ...]


def _read(folder: Path, file: NoteFile, embedder: Embedder, converted: Texts) -> _Read | Skipped:
    from rag.reading.chunks import chunk_document
    from rag.reading.documents import parse_document
    from rag.reading.scripts import in_other_script

    note = read_note(folder, file.path, converted)
    if not isinstance(note, NoteText):
        return note
    document = parse_document(file.path, note.text, note.readable)
    chunks = (
        chunk_document(document, embedder.count_tokens, embedder.max_tokens)
        if not document.is_conversation
        else []
    )
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
        _json(document.places),
    )
    rows = tuple(
        ChunkRow(chunk.text, chunk.headings, chunk.first, chunk.last, digest)
        for chunk, digest in zip(chunks, hashes, strict=True)
    )
    warnings = (*((note.warning,) if note.warning else ()), *document.warnings)
    return _Read(row, rows, dict(zip(hashes, texts, strict=True)), warnings)


def vector_hash(fingerprint: str, passage: PassageText) -> bytes:
    """The key under which vectors are kept: of the embedder, the text and its sentences."""
    key = f"{fingerprint}\0{passage.sentences}\0{passage.text}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _store(store: Store, batches: Sequence[tuple[list[bytes], Embedded]]) -> None:
    if batches:
        with store.transaction():
            for hashes, batch in batches:
                store.add_vectors(hashes, batch.vectors, batch.sentences)


def stop_if(cancel: Callable[[], bool] | None) -> None:
    """Raise Cancelled if the reader asked to stop."""
    if cancel is not None and cancel():
        raise Cancelled()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
