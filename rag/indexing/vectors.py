"""A FAISS index over the chunk vectors: an immutable base on disk and a small exact delta.

The base is memory-mapped and never changed; what came after it is read from SQLite and
searched exactly beside it. Chunk ids grow and are never reused, so the base's highest id says
what it lacks. Ids in the base that are gone are left out by whoever fetches the passages.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import storage_errors
from rag.indexing.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Hits = list[tuple[int, float]]
# A base is written when more than this many chunks, or this share of it, are outside it.
_DELTA_CHUNKS = 2000
_DELTA_SHARE = 0.05
_MARK = b"IxM2"  # how faiss begins a file with an IndexIDMap2


class VectorIndex:
    """Nearest chunks by cosine. Reads one generation; open a new one to see the next."""

    def __init__(self, folder: Path, store: Store, dimension: int) -> None:
        self._store = store
        self._dimension = dimension
        self._base, upto = _open_base(folder, dimension)
        ids, vectors = store.chunk_vectors(upto, dimension)
        self._delta = _flat(ids, vectors) if len(ids) else None
        self._gone = _base_size(self._base) - len(store.chunk_ids()) + len(ids)

    def search(
        self, query: NDArray[np.float32], k: int, allowed: Sequence[int] | None = None
    ) -> Hits:
        """Up to `k` (chunk id, cosine) of the chunks nearest to a unit vector, best first.

        With `allowed`, ids ascending, only those are compared.
        """
        if allowed is not None:
            return self._search_allowed(query, k, allowed)
        hits: Hits = []
        for index, more in ((self._base, self._gone), (self._delta, 0)):
            if index is None or not index.ntotal:
                continue
            # Ids that are gone still take places, so ask for that many more.
            scores, ids = index.search(query[None, :], min(k + more, index.ntotal))
            hits += [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]
        hits.sort(key=lambda hit: -hit[1])
        return hits[: k + self._gone]

    def _search_allowed(self, query: NDArray[np.float32], k: int, allowed: Sequence[int]) -> Hits:
        import numpy as np

        if not allowed:
            return []
        bits = np.zeros(allowed[-1] + 1, dtype=bool)
        bits[np.asarray(allowed)] = True
        bitmap = np.packbits(bits, bitorder="little")  # the selector refers to it: keep it
        parameters = _only(bitmap)
        hits: Hits = []
        for index in (self._base, self._delta):
            if index is None or not index.ntotal:
                continue
            scores, ids = index.search(query[None, :], min(k, index.ntotal), params=parameters)
            hits += [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]
        return sorted(hits, key=lambda hit: -hit[1])[:k]


def _only(bitmap: NDArray[np.uint8]) -> Any:
    """Search parameters that leave the ids whose bits are set, the lowest bit first."""
    import faiss

    library: Any = faiss  # its published types know neither argument
    return library.SearchParameters(sel=library.IDSelectorBitmap(bitmap))


def base_lags(folder: Path, store: Store, dimension: int) -> bool:
    """Whether so much has changed since the last sound base that a new one is due."""
    size, upto = _base_state(folder, dimension)
    total = store.counts()[1]
    outside = len(store.chunk_ids(above=upto))
    gone = size - (total - outside)
    allowed = max(_DELTA_CHUNKS, int(_DELTA_SHARE * size))
    return outside > allowed or gone > allowed


def refresh_base(folder: Path, store: Store, dimension: int, force: bool = False) -> None:
    """Write a new base where too much has changed since the last one; without faiss otherwise."""
    if not force and not base_lags(folder, store, dimension):
        return
    ids, vectors = store.chunk_vectors(0, dimension)
    with storage_errors(folder):
        _write_base(folder, _flat(ids, vectors), len(ids), int(ids[-1]) if len(ids) else 0)


def _flat(ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> Any:
    import faiss

    index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(vectors, ids)
    return index


def _base_files(folder: Path) -> list[Path]:
    """Bases from the newest to the oldest, named base-<size>-<highest id>.faiss."""
    return sorted(folder.glob("base-*-*.faiss"), key=lambda path: -_numbers(path)[1])


def _numbers(path: Path) -> tuple[int, int]:
    try:
        _, size, upto = path.stem.split("-")
        return int(size), int(upto)
    except ValueError:
        return 0, 0


def _base_state(folder: Path, dimension: int) -> tuple[int, int]:
    return next((_numbers(file) for file in _base_files(folder) if _sound(file, dimension)), (0, 0))


def _sound(file: Path, dimension: int) -> bool:
    """Whether a base looks whole, told without faiss: by its first bytes and its length.

    A mapped file that was cut short would end the process when it is searched.
    """
    with suppress(OSError), file.open("rb") as handle:
        entries = _numbers(file)[0] * (4 * dimension + 8)
        return handle.read(4) == _MARK and os.fstat(handle.fileno()).st_size > entries
    return False


def _open_base(folder: Path, dimension: int) -> tuple[Any, int]:
    """The newest base that can be read, and its highest id. A damaged one is passed over."""
    import faiss

    for file in _base_files(folder):
        if not _sound(file, dimension):
            continue
        try:
            index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError:
            continue
        if (index.ntotal, index.d) == (_numbers(file)[0], dimension):
            return index, _numbers(file)[1]
    return None, 0


def _base_size(base: Any) -> int:
    return int(base.ntotal) if base is not None else 0


def _write_base(folder: Path, index: Any, size: int, upto: int) -> None:
    import faiss

    folder.mkdir(parents=True, exist_ok=True)
    old = _base_files(folder)
    target = folder / f"base-{size}-{upto}.faiss"
    partial = folder / f"partial-{os.getpid()}.faiss"
    try:
        try:
            faiss.write_index(index, str(partial))
        except RuntimeError as error:  # faiss hides the errno
            raise OSError(28, str(error)) from error
        with partial.open("rb") as handle:
            os.fsync(handle.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    for file in old:  # a reader that has it mapped keeps it until it closes
        if file != target:
            file.unlink(missing_ok=True)
