"""FAISS's files, written a few vectors at a time, so that memory does not grow with their number.

faiss holds what it writes in memory, 0.4 GB of a million MiniLM vectors in lists, and what it
keeps on disk instead lies in a second file that is named by its path. Here the codes of each
vector, as faiss makes them, are put where `faiss.write_index` would have put them: a test compares
the bytes. Only ids and the number of each vector's list are in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

from rag.errors import IndexDamaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Batches = Callable[[], Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]]

_ID = 8  # bytes


class KeptLists:
    """The lists of a base, read from its file, without the ids that are gone."""

    def __init__(self, file: IO[bytes], index: Any, gone: NDArray[np.bool_]) -> None:
        """`file` holds `index`, a memory-mapped faiss.IndexIVF; `gone` has a truth value for
        each id."""
        import numpy as np

        self._file, self._gone, self._code = file, gone, index.code_size
        lists = index.invlists
        self._held = np.array([lists.list_size(each) for each in range(index.nlist)])
        # The lists are the last thing in the file, one behind another: its codes, then its ids.
        ends = np.cumsum(self._held) * (self._code + _ID)
        self._ends = ends - ends[-1] + file.seek(0, 2)
        self.sizes = np.array([int(self._kept(each)[1].sum()) for each in range(index.nlist)])

    def read(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Codes, shape (n, bytes of one), and ids of what is kept of a list."""
        import numpy as np

        ids, kept = self._kept(number)
        held = len(ids)
        self._file.seek(self._ends[number] - held * (self._code + _ID))
        codes = np.frombuffer(self._file.read(held * self._code), dtype=np.uint8)
        return codes.reshape(held, self._code)[kept], ids[kept]

    def _kept(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """All ids of a list, and which of them are kept."""
        import numpy as np

        held = int(self._held[number])
        self._file.seek(self._ends[number] - held * _ID)
        ids = np.frombuffer(self._file.read(held * _ID), dtype=np.int64)
        if len(ids) and (len(ids) < held or not 0 <= ids.min() <= ids.max() < len(self._gone)):
            raise IndexDamaged("A file of the index of meaning is damaged.")
        return ids, ~self._gone[ids]


def write_lists(
    file: IO[bytes], trained: Any, batches: Batches, kept: KeptLists | None = None
) -> int:
    """Write `trained`, a faiss.IndexIVF, with what is `kept` and the vectors of `batches`; how
    many there are.

    `batches` is called twice: the lists' sizes are known before what they hold is written.
    """
    import faiss
    import numpy as np

    lists, code = trained.nlist, trained.code_size
    chosen = [trained.quantizer.assign(vectors, 1).ravel() for _, vectors in batches()]
    chosen = [numbers.astype(np.int32) for numbers in chosen]
    sizes = np.zeros(lists, dtype=np.int64) if kept is None else kept.sizes.copy()
    for numbers in chosen:
        sizes += np.bincount(numbers, minlength=lists)
    header = _header(trained, sizes)
    file.write(header)
    begins = len(header) + (np.cumsum(sizes) - sizes) * (code + _ID)
    filled = np.zeros(lists, dtype=np.int64)

    def put(number: int, codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> None:
        begin, before = int(begins[number]), int(filled[number])
        file.seek(begin + before * code)
        file.write(codes.tobytes())
        file.seek(begin + int(sizes[number]) * code + before * _ID)
        file.write(ids.tobytes())
        filled[number] += len(ids)

    if kept is not None:
        for number in range(lists):
            put(number, *kept.read(number))
    for numbers, (ids, vectors) in zip(chosen, batches(), strict=True):
        codes = np.empty((len(ids), code), dtype=np.uint8)
        wide = numbers.astype(np.int64)  # faiss keeps no reference to what it reads
        trained.encode_vectors(len(ids), *map(faiss.swig_ptr, (vectors, wide, codes)))
        order = np.argsort(numbers, kind="stable")
        for part in _runs(numbers[order]):
            rows = order[part]
            put(int(numbers[rows[0]]), codes[rows], ids[rows])
    return int(sizes.sum())


def write_flat(file: IO[bytes], dimension: int, batches: Batches) -> int:
    """Write a faiss.IndexIDMap2 over a flat index of the vectors of `batches`; how many."""
    import faiss
    import numpy as np

    index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def header(count: int) -> bytes:
        """What stands before the vectors: how many there are does not change its length."""
        empty = _numbers(0, 0)  # how many vectors and ids
        return _before(empty, index, (index, index.index), count) + _numbers(count * dimension)

    file.write(header(0))
    written = [np.empty(0, dtype=np.int64)]
    for ids, vectors in batches():
        file.write(np.ascontiguousarray(vectors, dtype=np.float32).tobytes())
        written.append(ids)
    every = np.concatenate(written)
    file.write(_numbers(len(every)) + every.tobytes())
    file.seek(0)
    file.write(header(len(every)))
    return len(every)


def _runs(numbers: NDArray[np.int32]) -> Iterator[slice]:
    """The slices of equal numbers, which stand beside each other."""
    import numpy as np

    bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    return (slice(begin, end) for begin, end in pairwise(bounds) if end > begin)


def _header(trained: Any, sizes: NDArray[np.int64]) -> bytes:
    """What stands before the lists: the index as faiss writes it empty, but for its size."""
    begin = b"ilar" + _numbers(trained.nlist, trained.code_size)
    empty = begin + b"sprs" + _numbers(0)
    before = _before(empty, trained, (trained,), int(sizes.sum()))
    return before + begin + b"full" + _numbers(len(sizes), *sizes.tolist())


def _before(empty: bytes, index: Any, parts: Sequence[Any], count: int) -> bytes:
    """What stands before `empty` where faiss writes an `index` that holds nothing, its `parts`
    saying that they hold `count` vectors."""
    import faiss

    for part in parts:
        part.ntotal = count
    try:
        written = bytes(faiss.serialize_index(index))
    finally:
        for part in parts:
            part.ntotal = 0
    if not written.endswith(empty):  # a faiss that writes otherwise; a test would have said so
        raise IndexDamaged("This version of faiss writes its files in another way.")
    return written[: -len(empty)]


def _numbers(*values: int) -> bytes:
    import numpy as np

    return np.array(values, dtype=np.uint64).tobytes()
