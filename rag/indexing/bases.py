"""FAISS files: an immutable, memory-mapped base of the chunk vectors, chosen by its size.

Up to FLAT_UPTO chunks a base is flat: every vector is compared, in float32. A larger one has
inverted lists of 8-bit vectors, of which a search reads a few and whose best are ranked
again from the exact vectors in SQLite (`rag.indexing.vectors`). Measured on clustered MiniLM
vectors, two cores: flat 60 ms at 1,000,000 and growing in proportion, so 3 ms at 50,000, where
the lists cost as much and 2,000 of them are too few to train; lists 2.4 ms at 1,000,000, with
recall@10 0.997 after ranking 50 again.

What is newer than the base is read from SQLite and compared beside it. When that has grown, a
flat base is written anew (half a second), while lists are copied and added to: they are trained
again only when there are four times as many chunks. A base is complete or is not there:
it is renamed into place, and its name says how many chunks, up to which id, in how many bytes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rag.errors import IndexDamaged, storage_errors
from rag.indexing.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLAT_UPTO = 50_000  # chunks
# A base is written when more than this many chunks, or this share of it, are outside it: each
# search that opens the index reads those from SQLite, 10,000 in 0.1 s. Chunks that are gone are
# masked out and cost little.
DELTA_CHUNKS = 2000
DELTA_SHARE = 0.01
GONE_SHARE = 0.05
_SAMPLE = 40  # vectors for each list to train with; faiss warns below 39
_ROUNDS = 10  # of k-means
# Vectors in memory while lists are filled, 30 MB of MiniLM's: each list is written to as often as
# there are batches. Flat vectors stand one behind another, however few at a time.
_AT_ONCE, _FLAT_AT_ONCE = 20_000, 2000
# How faiss begins a file with an IndexIDMap2, and one with an IndexIVFScalarQuantizer.
_MARKS = (b"IxM2", b"IwSq")


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A base as its name tells it: the number of chunks, the highest id, the length in bytes."""

    path: Path
    size: int = 0
    upto: int = 0
    length: int = 0

    @property
    def sound(self) -> bool:
        """Whether it looks whole, told without faiss.

        A mapped file that was cut short would end the process when it is searched.
        """
        with suppress(OSError), self.path.open("rb") as handle:
            whole = os.fstat(handle.fileno()).st_size == self.length > 0
            return whole and handle.read(4) in _MARKS
        return False


def current_base(folder: Path) -> BaseFile:
    """The newest base that looks whole; an empty one where there is none."""
    return next((file for file in _files(folder) if file.sound), BaseFile(folder))


def open_base(folder: Path, dimension: int) -> tuple[Any, BaseFile]:
    """The newest base that can be read, memory-mapped; None and an empty file for none."""
    for file in _files(folder):
        index = _read(file, dimension, mapped=True) if file.sound else None
        if index is not None:
            return index, file
    return None, BaseFile(folder)


def lists_of(index: Any) -> int:
    """The number of a base's inverted lists, 0 for a flat one."""
    return int(getattr(index, "nlist", 0))


def base_lags(folder: Path, store: Store) -> bool:
    """Whether so much has changed since the last sound base that a new one is due."""
    base = current_base(folder)
    outside, gone = _drift(base, store)
    return outside > max(DELTA_CHUNKS, int(DELTA_SHARE * base.size)) or gone > max(
        DELTA_CHUNKS, int(GONE_SHARE * base.size)
    )


def refresh_base(folder: Path, store: Store, dimension: int) -> None:
    """Write a new base where too much has changed since the last one; without faiss otherwise."""
    if not base_lags(folder, store):
        store.forget_removed(current_base(folder).upto)
        return
    ids = store.chunk_id_array()
    with storage_errors(folder):
        _write(
            folder,
            lambda file: (
                _grown(file, folder, store, dimension, ids) or _made(file, store, dimension, ids)
            ),
            int(ids[-1]) if len(ids) else 0,
        )
    store.forget_removed(0)


def wanted_lists(size: int) -> int:
    """How many inverted lists a base of so many chunks has: near twice the root, 0 for flat."""
    if size <= FLAT_UPTO:
        return 0
    return int(2 ** round(math.log2(2 * math.sqrt(size))))


def _drift(base: BaseFile, store: Store) -> tuple[int, int]:
    """How many chunks are outside the base, and how many of the base are gone."""
    outside = len(store.chunk_ids(above=base.upto))
    return outside, base.size - (store.counts()[1] - outside)


def _grown(
    file: IO[bytes], folder: Path, store: Store, dimension: int, ids: NDArray[np.int64]
) -> int:
    """Write the last base without what is gone and with what is new; how many chunks it has, 0
    where that would not do."""
    import faiss
    import numpy as np

    from rag.indexing.lists import KeptLists, write_lists

    base = current_base(folder)
    lists = wanted_lists(len(ids))
    index = _read(base, dimension, mapped=True) if lists and base.sound else None
    if index is None or lists_of(index) < lists:
        return 0
    inside = int(np.searchsorted(ids, base.upto, "right"))
    gone = np.ones(base.upto + 1, dtype=bool)
    gone[ids[:inside]] = False
    with base.path.open("rb") as old:
        try:
            kept = KeptLists(old, index, gone)
        except IndexDamaged:
            return 0
        if int(kept.sizes.sum()) != inside:  # it was made of other chunks than it says
            return 0
        emptied: Any = faiss.ArrayInvertedLists(index.nlist, index.code_size)
        index.replace_invlists(emptied, True)
        emptied.this.disown()
        return write_lists(file, index, lambda: _batches(store, dimension, ids[inside:]), kept)


def _made(file: IO[bytes], store: Store, dimension: int, ids: NDArray[np.int64]) -> int:
    """Write a base of all chunks, `ids` ascending; how many they are."""
    import faiss

    from rag.indexing.lists import write_flat, write_lists

    lists = wanted_lists(len(ids))
    if not lists:
        return write_flat(file, dimension, lambda: _batches(store, dimension, ids, _FLAT_AT_ONCE))
    index: Any = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter = _ROUNDS
    index.train(_sample(store, dimension, ids, _SAMPLE * lists))
    return write_lists(file, index, lambda: _batches(store, dimension, ids))


def _sample(
    store: Store, dimension: int, ids: NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    """About `count` vectors, evenly spread over the ids: the same for the same notes."""
    import numpy as np

    chosen = ids[:: max(1, len(ids) // count)]
    found = np.empty((len(chosen), dimension), dtype=np.float32)
    filled = 0
    for start in range(0, len(chosen), _AT_ONCE):
        for vector in store.vectors_of(chosen[start : start + _AT_ONCE].tolist()).values():
            found[filled] = vector
            filled += 1
    return found[:filled]


def _batches(
    store: Store, dimension: int, ids: NDArray[np.int64], at_once: int = _AT_ONCE
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Ids and vectors of the chunks `ids`, ascending, so many at a time."""
    for start in range(0, len(ids), at_once):
        part = ids[start : start + at_once]
        yield store.chunk_vectors(int(part[0]) - 1, dimension, int(part[-1]))


def _selector(bits: NDArray[np.bool_]) -> Any:
    """What tells faiss to heed the ids whose bits are set."""
    import faiss
    import numpy as np

    library: Any = faiss  # its published types do not know the argument
    bitmap = np.packbits(bits, bitorder="little")
    selector = library.IDSelectorBitmap(bitmap)
    selector.kept = bitmap  # faiss refers to it and keeps no reference of its own
    return selector


def parameters(bits: NDArray[np.bool_] | None, probes: int) -> Any:
    """How to search a base: `probes` lists, 0 for a flat one, and of ids whose bits are set."""
    if bits is None and not probes:
        return None
    import faiss

    library: Any = faiss  # its published types know neither argument
    selector = None if bits is None else _selector(bits)
    if probes:
        return library.SearchParametersIVF(nprobe=probes, sel=selector)
    return library.SearchParameters(sel=selector)


def _files(folder: Path) -> list[BaseFile]:
    """Bases from the newest to the oldest, named base-<size>-<highest id>-<bytes>.faiss."""
    found = []
    for path in folder.glob("base-*.faiss"):
        numbers = path.stem.split("-")[1:]
        if len(numbers) == 3 and all(each.isdecimal() for each in numbers):
            found.append(BaseFile(path, *map(int, numbers)))
    return sorted(found, key=lambda file: -file.upto)


def _read(file: BaseFile, dimension: int, mapped: bool) -> Any:
    """A base, None where faiss cannot read it or it is not what its name says."""
    import faiss

    flags = 0
    if mapped:
        with file.path.open("rb") as handle:
            lists = handle.read(4) == _MARKS[1]
        # Lists are mapped by one flag, flat vectors by another.
        flags = faiss.IO_FLAG_MMAP if lists else faiss.IO_FLAG_MMAP_IFC
    try:
        index = faiss.read_index(str(file.path), flags)
    except RuntimeError:
        return None
    return index if (index.ntotal, index.d) == (file.size, dimension) else None


def _write(folder: Path, fill: Callable[[IO[bytes]], int], upto: int) -> None:
    """Write a base, in which `fill` puts so many chunks, and put it in the place of the others."""
    folder.mkdir(parents=True, exist_ok=True)
    # What a killed writer left goes, too: whoever writes here holds the index's lock.
    old = [*folder.glob("base-*.faiss"), *folder.glob("partial-*.faiss")]
    partial = folder / f"partial-{os.getpid()}.faiss"
    try:
        with partial.open("wb") as handle:
            size = fill(handle)
            handle.flush()
            os.fsync(handle.fileno())
            length = os.fstat(handle.fileno()).st_size
        target = folder / f"base-{size}-{upto}-{length}.faiss"
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    for file in old:  # a reader that has it mapped keeps it until it closes
        if file != target:
            file.unlink(missing_ok=True)
