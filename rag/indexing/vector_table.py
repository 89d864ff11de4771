"""Vectors as SQLite keeps them: of passages in half precision, of their sentences in 8 bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from rag.indexing.database import Database


class VectorTable(Database):
    """Vectors by the hash of what was embedded, and by the chunks that refer to them."""

    def missing_vectors(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of `hashes` that have not been embedded yet."""
        return {
            each
            for each in set(hashes)
            if not self._db.execute("SELECT 1 FROM vectors WHERE hash = ?", (each,)).fetchone()
        }

    def add_vectors(
        self,
        hashes: Sequence[bytes],
        vectors: NDArray[np.float32],
        sentences: Sequence[NDArray[np.int8]],
    ) -> None:
        """Keep unit vectors, in half precision: the cosine to the original is above 0.9999.

        `sentences` are the directions of each passage's sentences, shape (n, dimension).
        """
        self._db.executemany(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            [
                (key, row.tobytes(), coarse.tobytes())
                for key, row, coarse in zip(
                    hashes, vectors.astype("float16"), sentences, strict=True
                )
            ],
        )

    def chunk_vectors(
        self, above: int, dimension: int, upto: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and vectors, shape (n, dimension), of the chunks above an id."""
        rows = self._db.execute(
            "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.hash = c.vector"
            " WHERE c.id > ? AND c.id <= ? ORDER BY c.id",
            (above, (1 << 62) if upto is None else upto),
        ).fetchall()
        import numpy as np  # not for a scan that finds nothing changed

        ids = np.array([row[0] for row in rows], dtype=np.int64)
        data = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16)
        return ids, data.reshape(len(rows), dimension).astype(np.float32)

    def vectors_of(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Vectors of some chunks, by id."""
        import numpy as np

        return {
            chunk: np.frombuffer(blob, dtype=np.float16).astype(np.float32)
            for chunk, blob in self._vector_column("vector", ids)
        }

    def cosines_of(self, ids: Sequence[int], query: NDArray[np.float32]) -> dict[int, float]:
        """The cosines of some chunks to a unit vector, by id."""
        import numpy as np

        found = list(self._vector_column("vector", ids))
        rows = np.frombuffer(b"".join(blob for _, blob in found), dtype=np.float16)
        scores = rows.reshape(len(found), len(query)).astype(np.float32) @ query
        return dict(zip((chunk for chunk, _ in found), scores.tolist(), strict=True))

    def sentences_of(self, ids: Sequence[int], dimension: int) -> dict[int, NDArray[np.int8]]:
        """Directions of the sentences of some chunks, shape (sentences, dimension), by id."""
        import numpy as np

        return {
            chunk: np.frombuffer(blob, dtype=np.int8).reshape(-1, dimension)
            for chunk, blob in self._vector_column("sentences", ids)
        }

    def _vector_column(self, column: str, ids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ",".join("?" * len(part))
            yield from self._db.execute(
                f"SELECT c.id, v.{column} FROM chunks c JOIN vectors v ON v.hash = c.vector"
                f" WHERE c.id IN ({marks})",
                part,
            )

    def copy_vectors(self, rows: Sequence[tuple[bytes, bytes, bytes]]) -> int:
        """Keep vectors that another database kept; how many there were."""
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
        return len(rows)

    def drop_vectors(self, hashes: Iterable[bytes]) -> None:
        """Forget some vectors, so that their texts are embedded again."""
        self._db.executemany("DELETE FROM vectors WHERE hash = ?", [(each,) for each in hashes])

    def chunk_id_array(self) -> NDArray[np.int64]:
        """Ids of all chunks, ascending: eight bytes each."""
        import numpy as np

        rows = self._db.execute("SELECT id FROM chunks")
        return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))

    def vectors_in(self, notes: Iterable[int]) -> set[bytes]:
        """The hashes of the vectors of some notes' chunks."""
        query = "SELECT vector FROM chunks WHERE note = ?"
        return {row[0] for note in notes for row in self._db.execute(query, (note,))}

    def drop_unused_vectors(self, candidates: Iterable[bytes]) -> None:
        """Forget vectors that no chunk refers to: of `candidates`, or of all where there are more
        vectors than chunks, as runs leave that were interrupted and never finished."""
        self._db.executemany(
            "DELETE FROM vectors WHERE hash = ?1"
            " AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector = ?1)",
            [(each,) for each in candidates],
        )
        query = "SELECT (SELECT count(*) FROM vectors) > (SELECT count(*) FROM chunks)"
        if self._db.execute(query).fetchone()[0]:
            self._db.execute("DELETE FROM vectors WHERE hash NOT IN (SELECT vector FROM chunks)")
