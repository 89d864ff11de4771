"""Vaults of any size from real notes: sentences re-mixed, real vectors with noise.

A vault is a folder of notes and its index, written through the index's own interface, so that
a million passages need no hours of embedding. Word statistics are those of the real text, and
vectors lie in clusters as those of real texts do.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import engine
from rag.indexing.home import index_folder, remember_home
from rag.indexing.local import Changes, LocalIndex
from rag.indexing.rows import ChunkRow, NoteRow
from rag.reading.sentences import sentence_spans

PASSAGES = 10  # of a note
NOISE = 0.5  # length of the noise beside a vector of length one: cosines of about 0.9 to it
_AT_ONCE = 10_000  # passages


@dataclass(frozen=True, slots=True)
class Pool:
    """What real notes are made of: sentences with their directions, passages with their vectors,
    both by article."""

    titles: list[str]
    sentences: list[list[tuple[str, NDArray[np.int8]]]]
    vectors: list[NDArray[np.float32]]
    fingerprint: str
    dimension: int


def read_pool(notes: Path, home: Path) -> Pool:
    """Index real notes, or use the index in `home`, and take it apart."""
    made = engine(notes, home)
    for _ in made.index():
        pass
    index = made._open_index()
    by_title: dict[str, list[int]] = {}
    stored = {each.id: each for each in index.store.all_passages()}
    for each in stored.values():
        by_title.setdefault(each.title, []).append(each.id)
    vectors = index.vectors(list(stored))
    coarse = index.sentences(list(stored))
    sentences = []
    for ids in by_title.values():
        found = []
        for chunk in ids:
            text = stored[chunk].text
            spans = list(sentence_spans(text))
            if len(spans) == len(coarse[chunk]):
                found += [
                    (" ".join(text[span.start : span.end].split()), row)
                    for span, row in zip(spans, coarse[chunk], strict=True)
                ]
        sentences.append(found)
    pool = Pool(
        list(by_title),
        sentences,
        [np.stack([vectors[each] for each in ids]) for ids in by_title.values()],
        index.store.get("fingerprint"),
        int(index.store.get("dimension")),
    )
    made.close()
    return pool


@dataclass(frozen=True, slots=True)
class Built:
    """What writing a vault took: seconds of each part; and the exact neighbours of the questions,
    chunk ids of shape (questions, 10)."""

    seconds: dict[str, float]
    nearest: NDArray[np.int64]


def build_vault(
    pool: Pool, folder: Path, home: Path, notes: int, questions: NDArray[np.float32]
) -> Built:
    """Write `notes` notes with their index. Generating text and vectors counts for nothing."""
    rng = np.random.default_rng(notes)
    folder.mkdir(parents=True)
    place = index_folder(home, remember_home(home, folder))
    index = LocalIndex(place, write=True)
    seconds = {"vectors": 0.0, "rows": 0.0}
    rows: list[tuple[NoteRow, list[ChunkRow]]] = []
    best = _Nearest(questions)
    for start in range(0, notes * PASSAGES, _AT_ONCE):
        count = min(_AT_ONCE, notes * PASSAGES - start)
        batch, keys, vectors, coarse = _batch(pool, rng, folder, start, count)
        best.see(np.arange(start, start + count) + 1, vectors)
        rows += batch
        began = time.perf_counter()
        with index.store.transaction():
            index.store.add_vectors(keys, vectors, coarse)
        seconds["vectors"] += time.perf_counter() - began
    meta: dict[str, object] = {
        "fingerprint": pool.fingerprint,
        "embedder": "all-MiniLM-L6-v2",
        "dimension": pool.dimension,
        "scanned_ns": time.time_ns() + 3_000_000_000,  # written by nobody else since
        "skipped": "{}",
        "indexed_at": time.time(),
        "notes_folder": folder,
    }
    began = time.perf_counter()
    index.apply(Changes([], rows), meta, derive=False)
    seconds["rows"] = time.perf_counter() - began
    rows.clear()
    began = time.perf_counter()
    index._lexical.catch_up(index.store, None)
    seconds["words"] = time.perf_counter() - began
    began = time.perf_counter()
    index.derive()
    seconds["faiss"] = time.perf_counter() - began
    index.close()
    return Built(seconds, best.ids)


def _batch(
    pool: Pool, rng: np.random.Generator, folder: Path, start: int, count: int
) -> tuple[
    list[tuple[NoteRow, list[ChunkRow]]],
    list[bytes],
    NDArray[np.float32],
    list[NDArray[np.int8]],
]:
    """The passages from number `start` on: rows by note, keys, vectors and their sentences'."""
    articles = rng.integers(len(pool.titles), size=count // PASSAGES).repeat(PASSAGES)
    picked = [pool.vectors[each][rng.integers(len(pool.vectors[each]))] for each in articles]
    vectors = np.stack(picked)
    noise = rng.standard_normal(vectors.shape, dtype=np.float32)
    vectors = vectors + noise * (NOISE / np.sqrt(pool.dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [hashlib.sha256(b"%d" % (start + n)).digest() for n in range(count)]
    rows, coarse = [], []
    for first in range(0, count, PASSAGES):
        number = (start + first) // PASSAGES
        article = int(articles[first])
        sentences = pool.sentences[article]
        texts = []
        for _ in range(PASSAGES):
            some = [sentences[each] for each in rng.integers(len(sentences), size=3)]
            texts.append(" ".join(text for text, _ in some))
            coarse.append(np.stack([row for _, row in some]))
        rows.append(_note(pool.titles[article], folder, number, texts, keys[first:]))
    return rows, keys, vectors, coarse


def _note(
    title: str, folder: Path, number: int, texts: list[str], keys: list[bytes]
) -> tuple[NoteRow, list[ChunkRow]]:
    """A note, written to its file, and its chunks."""
    path = f"{number // 200:03}/{title[:40]} {number}.md".replace("'", "")
    file = folder / path
    file.parent.mkdir(exist_ok=True)
    name = f"{title} {number}"
    text = f"# {name}\n\n" + "\n\n".join(texts) + "\n"
    data = text.encode()
    file.write_bytes(data)
    status = os.stat(file)
    digest = hashlib.sha256(data).hexdigest()
    row = NoteRow(
        path, status.st_size, status.st_mtime_ns, digest, name, "[]", "[]", None, None, "{}", "[]"
    )
    chunks = [ChunkRow(text, (), 3 + 2 * n, 3 + 2 * n, keys[n]) for n, text in enumerate(texts)]
    return row, chunks


class _Nearest:
    """The exact ten nearest of all vectors seen, for some questions."""

    def __init__(self, questions: NDArray[np.float32]) -> None:
        self._questions = questions
        self.ids = np.zeros((len(questions), 10), dtype=np.int64)
        self._scores = np.full((len(questions), 10), -2.0, dtype=np.float32)

    def see(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        # As they are stored: in half precision.
        exact = vectors.astype(np.float16).astype(np.float32)
        scores = np.concatenate([self._scores, self._questions @ exact.T], axis=1)
        both = np.concatenate(
            [self.ids, np.broadcast_to(ids, (len(self._questions), len(ids)))], axis=1
        )
        order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
        self._scores = np.take_along_axis(scores, order, axis=1)
        self.ids = np.take_along_axis(both, order, axis=1)


def bytes_of(folder: Path) -> dict[str, int]:
    """Bytes of each part of the index below `folder`."""
    parts = {"sqlite": 0, "words": 0, "faiss": 0}
    for file in folder.rglob("*"):
        if file.is_file():
            kind = {"words": "words", "vectors": "faiss"}.get(file.parent.name, "sqlite")
            parts[kind] += file.stat().st_size
    return parts


def memory() -> Iterator[tuple[str, int]]:
    """Bytes of this process: private now, and the most that were resident."""
    with open("/proc/self/smaps_rollup") as handle:
        fields = {line.split(":")[0]: line.split()[1] for line in handle if ":" in line}
    yield "private", 1024 * (int(fields["Private_Dirty"]) + int(fields["Private_Clean"]))
    with open("/proc/self/status") as handle:
        peak = next(line for line in handle if line.startswith("VmHWM"))
    yield "peak", 1024 * int(peak.split()[1])


def dump(built: Built, file: Path) -> None:
    file.write_text(json.dumps({"seconds": built.seconds, "nearest": built.nearest.tolist()}))
