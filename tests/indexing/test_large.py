"""Many passages: inverted lists, what is newer than they are, what is gone, and filters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pytest

from rag.indexing import bases
from rag.indexing.local import Changes, LocalIndex
from rag.indexing.rows import ChunkRow, NoteRow
from rag.indexing.vectors import VectorIndex

DIMENSION = 32
COUNT = 6000


@dataclass
class Vault:
    """Notes of ten passages whose vectors lie in clusters, as those of real texts do."""

    folder: Path
    rng: np.random.Generator
    written: int = 0

    def vectors(self, count: int) -> np.ndarray:
        centres = np.random.default_rng(5).standard_normal((60, DIMENSION))
        rows = centres[self.rng.integers(60, size=count)]
        rows = rows + 0.6 * self.rng.standard_normal((count, DIMENSION))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def change(self, add: int = 0, remove: Sequence[int] = ()) -> np.ndarray:
        """One generation: `add` passages more, the notes `remove` fewer; the new vectors."""
        vectors = self.vectors(add)
        keys = [f"v{self.written + n}".encode() for n in range(add)]
        notes = []
        for start in range(0, add, 10):
            name = f"n{self.written + start}.md"
            row = NoteRow(name, 1, 1, name, name, "[]", "[]", None, None, "{}", "[]")
            rows = [
                ChunkRow(f"text {self.written + start + n}", (), 1, 1, key)
                for n, key in enumerate(keys[start : start + 10])
            ]
            notes.append((row, rows))
        self.written += add
        index = LocalIndex(self.folder, write=True)
        try:
            with index.store.transaction():
                none = [np.zeros((0, DIMENSION), dtype=np.int8)] * add
                index.store.add_vectors(keys, vectors, none)
            meta = {"fingerprint": "f", "dimension": DIMENSION}
            index.apply(Changes(remove, notes), meta)
        finally:
            index.close()
        return vectors

    def bases(self) -> list[str]:
        return sorted(file.name for file in (self.folder / "vectors").iterdir())

    def check(self, least: float = 0.95, allowed: Sequence[int] | None = None) -> None:
        """Recall@10 against an exact search, and exact scores."""
        index = LocalIndex(self.folder)
        try:
            ids = np.array(index.store.chunk_ids() if allowed is None else allowed)
            rows = index.vectors(ids.tolist())
            ids = np.array([each for each in ids if int(each) in rows])
            matrix = np.stack([rows[int(each)] for each in ids])
            search = VectorIndex(self.folder / "vectors", index.store, DIMENSION)
            right = 0
            queries = self.vectors(60)
            for query in queries:
                scores = matrix @ query
                best = set(ids[np.argsort(-scores)[:10]].tolist())
                hits = search.search(query, 10, allowed)
                assert len({chunk for chunk, _ in hits}) == len(hits) == min(10, len(ids))
                own = dict(zip(ids.tolist(), scores.tolist(), strict=True))
                assert all(abs(own[chunk] - score) < 1e-3 for chunk, score in hits)
                right += len(best & {chunk for chunk, _ in hits})
            assert right >= least * len(queries) * min(10, len(ids))
        finally:
            index.close()


@pytest.fixture
def vault(tmp_path: Path, monkeypatch) -> Vault:
    monkeypatch.setattr(bases, "FLAT_UPTO", 1000)
    monkeypatch.setattr(bases, "DELTA_CHUNKS", 100)
    vault = Vault(tmp_path / "index", np.random.default_rng(11))
    vault.change(add=COUNT)
    return vault


def never(*_: object) -> None:
    raise AssertionError("the lists were trained again")


def test_inverted_lists_find_what_an_exact_search_finds(vault: Vault):
    assert len(vault.bases()) == 1
    index, file = bases.open_base(vault.folder / "vectors", DIMENSION)
    assert bases.lists_of(index) == bases.wanted_lists(COUNT) == 128
    assert (file.size, file.path.stat().st_size) == (COUNT, file.length)
    assert file.length < COUNT * (DIMENSION + 8 + 16)  # eight bits a number
    vault.check()


def test_a_deep_search_is_exact_where_it_begins_and_near_where_it_ends(vault: Vault):
    index = LocalIndex(vault.folder)
    search = VectorIndex(vault.folder / "vectors", index.store, DIMENSION)
    for query in vault.vectors(20):
        hits = search.search(query, 300)
        exact = index.cosines([chunk for chunk, _ in hits], query)
        assert len(hits) == len(exact) == 300
        assert [score for _, score in hits] == sorted((s for _, s in hits), reverse=True)
        off = [abs(exact[chunk] - score) for chunk, score in hits]
        assert max(off[:50]) < 1e-6
        assert max(off) < 5e-3  # eight bits
    index.close()


def test_the_size_chooses_the_index():
    assert bases.wanted_lists(bases.FLAT_UPTO) == 0
    assert bases.wanted_lists(1_000_000) == 2048
    sizes = [60_000, 100_000, 300_000, 1_000_000, 4_000_000]
    assert all(size / bases.wanted_lists(size) >= bases._SAMPLE for size in sizes)


def test_the_same_vectors_give_the_same_index(vault: Vault, tmp_path: Path):
    other = Vault(tmp_path / "other", np.random.default_rng(11))
    other.change(add=COUNT)
    files = [bases.current_base(each.folder / "vectors").path for each in (vault, other)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_lists_are_written_as_faiss_writes_them(vault: Vault, tmp_path: Path):
    """Filled by faiss in memory, and by us in the file, before and after they have grown."""

    def written_by_faiss(ids: np.ndarray) -> bytes:
        index.reset()
        rows = local.vectors(ids.tolist())
        index.add_with_ids(np.stack([rows[int(each)] for each in ids]), ids)
        faiss.write_index(index, str(tmp_path / "faiss"))
        return (tmp_path / "faiss").read_bytes()

    before = bases.current_base(vault.folder / "vectors").path.read_bytes()
    local = LocalIndex(vault.folder)
    index = faiss.deserialize_index(np.frombuffer(before, dtype=np.uint8))
    first = np.array(local.store.chunk_ids(), dtype=np.int64)
    assert written_by_faiss(first) == before
    local.close()

    vault.change(add=150, remove=[1, 40, 599])
    after = bases.current_base(vault.folder / "vectors").path.read_bytes()
    local = LocalIndex(vault.folder)
    assert written_by_faiss(np.array(local.store.chunk_ids(), dtype=np.int64)) == after
    local.close()


def test_a_flat_base_is_written_as_faiss_writes_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(bases, "_FLAT_AT_ONCE", 90)
    monkeypatch.setattr(bases, "DELTA_CHUNKS", 100)
    vault = Vault(tmp_path / "index", np.random.default_rng(5))
    vault.change(add=300)
    local = LocalIndex(vault.folder)
    ids = np.array(local.store.chunk_ids(), dtype=np.int64)
    rows = local.vectors(ids.tolist())
    local.close()
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(DIMENSION))
    index.add_with_ids(np.stack([rows[each] for each in ids.tolist()]), ids)
    faiss.write_index(index, str(tmp_path / "faiss"))
    written = bases.current_base(vault.folder / "vectors").path.read_bytes()
    assert (tmp_path / "faiss").read_bytes() == written


def test_lists_with_wrong_ids_are_made_anew(vault: Vault):
    file = bases.current_base(vault.folder / "vectors").path
    data = file.read_bytes()
    file.write_bytes(data[:-8] + b"\xff" * 8)  # the last id of the last list
    vault.change(add=200)
    assert bases.current_base(vault.folder / "vectors").size == COUNT + 200
    vault.check()


def test_a_new_note_is_found_at_once_and_no_base_is_written(vault: Vault):
    before = vault.bases()
    (new, *_) = vault.change(add=10)
    index = LocalIndex(vault.folder)
    (best, *_) = index.search_meaning(new, 5)
    assert index.passages([best[0]])[best[0]].text == f"text {COUNT}"
    index.close()
    assert vault.bases() == before
    vault.check()


def test_what_has_grown_is_merged_without_training(vault: Vault, monkeypatch):
    before = vault.bases()
    monkeypatch.setattr(bases, "_made", never)
    vault.change(add=150, remove=[3, 4, 600])
    assert vault.bases() != before
    assert len(vault.bases()) == 1
    assert bases.current_base(vault.folder / "vectors").size == COUNT + 120
    vault.check()


def test_a_multiple_of_the_size_trains_again(vault: Vault):
    vault.change(add=4 * COUNT)
    index, _ = bases.open_base(vault.folder / "vectors", DIMENSION)
    assert bases.lists_of(index) == 256
    vault.check()


@pytest.mark.parametrize("account", [True, False])
def test_what_is_gone_is_not_found(vault: Vault, account: bool):
    """Also when an older version, which keeps no account of it, removed some of it."""
    if not account:
        index = LocalIndex(vault.folder, write=True)
        index.store.query("DROP TRIGGER chunk_removed")
        index.store.remove_notes([11, 12])
        index.close()
    before = vault.bases()
    vault.change(remove=range(20, 28))
    assert vault.bases() == before
    vault.check()


def test_few_and_many_allowed_are_found(vault: Vault):
    vault.change(add=20, remove=[5, 6])
    few = sorted({*range(1, COUNT, 149), COUNT + 3, COUNT + 4})
    vault.check(least=0.95, allowed=few)
    vault.check(least=0.95, allowed=[each for each in range(1, COUNT + 20) if each % 3])
    vault.check(least=0.95, allowed=[COUNT + 3, COUNT + 4])


def test_a_writer_that_dies_leaves_the_last_base(vault: Vault, monkeypatch):
    before = vault.bases()
    replace = os.replace

    def dies(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        vault.change(add=300)
    monkeypatch.setattr(os, "replace", replace)
    assert vault.bases() == before
    vault.check()  # the new ones beside the old base
    (vault.folder / "vectors" / "partial-1.faiss").write_bytes(b"left by a killed writer")
    vault.change(add=10)
    assert len(vault.bases()) == 1
    assert vault.bases() != before


def test_a_reader_keeps_the_base_that_it_opened(vault: Vault):
    index = LocalIndex(vault.folder)
    query = vault.vectors(1)[0]
    search = VectorIndex(vault.folder / "vectors", index.store, DIMENSION)
    before = search.search(query, 10)
    vault.change(add=300)
    assert search.search(query, 10) == before
    index.close()


@pytest.mark.parametrize("harm", ["cut", "longer", "garbled"])
def test_a_damaged_base_is_written_anew(vault: Vault, harm: str):
    file = bases.current_base(vault.folder / "vectors").path
    data = file.read_bytes()
    changed = {"cut": data[:-1], "longer": data + b"x", "garbled": b"\xa5" * len(data)}
    file.write_bytes(changed[harm])
    vault.check()
    index = LocalIndex(vault.folder)
    assert index.derived_lags
    index.close()
    vault.change(add=10)
    vault.check()
    assert len(vault.bases()) == 1
