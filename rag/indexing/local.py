"""The index on this machine: SQLite, FAISS and tantivy behind one `PassageIndex`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import IndexMismatch, NoIndex
from rag.indexing.lexical import LEXICAL_RULES, LexicalIndex
from rag.indexing.rows import ChunkRow, KnownSkip, NamedNote, NoteRow, NoteState, StoredPassage
from rag.indexing.seal import GLANCE, VECTORS, WORDS, is_sealed, read_seal, write_seal
from rag.indexing.store import Store
from rag.reading.naming import without_accents
from rag.reading.texts import FOLDER, Texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.indexing.vectors import VectorIndex

Hits = list[tuple[int, float]]
DATABASE = "index.db"
# The key that says since when text of removed notes is still in the files, in epoch seconds; "due"
# where the reader asked for it to be gone.
ERASING = "erase"
REWRITTEN = "Files of the index were damaged or incomplete; they were written again."
# Up to so many allowed chunks are compared one by one. Of 30,000, 1,000 take 5 ms, FAISS 8.
_SCANNED = 1000


@dataclass(frozen=True, slots=True)
class Changes:
    """What one generation changes: notes to remove by id, notes to add with their chunks, and
    (mtime_ns, size, id) of notes that only look changed."""

    remove: Sequence[int]
    add: Iterable[tuple[NoteRow, Sequence[ChunkRow]]]
    touch: Sequence[tuple[int, int, int]] = ()


class LocalIndex:
    """One index folder. Opened for reading unless `write`; a writer must hold its lock.

    Raises NoIndex where there is nothing to read, IndexMismatch where it was made otherwise.
    """

    def __init__(self, folder: Path, write: bool = False) -> None:
        self.folder = folder
        if not write and not (folder / DATABASE).is_file():
            raise NoIndex("These notes have not been indexed yet.", "Run: rag index")
        self.store = Store(folder / DATABASE, write)
        self._lexical = LexicalIndex(folder / "words")
        self._vectors: tuple[int, VectorIndex] | None = None
        self._sealed: dict[str, int] = {}
        self.notices: list[str] = []  # sentences for the reader about what was amiss
        if write:
            # A new database counts its ids from one again: what was derived from another is wrong.
            for part in (WORDS, VECTORS):
                sealed = is_sealed(folder, self.store, part)
                if not self.complete or not sealed:
                    shutil.rmtree(folder / part, ignore_errors=True)
                if self.complete and not sealed:
                    self.notices = [REWRITTEN]

    def close(self) -> None:
        self.store.close()

    @property
    def generation(self) -> int:
        return self.store.generation

    @property
    def complete(self) -> bool:
        """Whether a first generation was ever finished."""
        return self.generation > 0

    def check(self, fingerprint: str) -> None:
        """Raise unless this index can be asked with the embedder of that fingerprint."""
        if not self.complete:
            raise NoIndex("These notes have not been indexed yet.", "Run: rag index")
        if self.store.get("fingerprint") != fingerprint:
            name = self.store.get("embedder", "another embedder")
            raise IndexMismatch(
                f"This index was written with another embedder ({name}), or with other prompts "
                "for it, than are set now.",
                "Build it anew with: rag index --rebuild",
            )

    def rules_changed(self) -> bool:
        """Whether the notes were cut or analyzed by older rules than today's."""
        from rag.reading.chunks import CHUNK_RULES

        rules = (self.store.get("chunk_rules"), self.store.get("lexical_rules"))
        return self.complete and rules != (str(CHUNK_RULES), LEXICAL_RULES)

    # Reading

    def search_meaning(
        self, query: NDArray[np.float32], k: int, allowed: Sequence[int] | None = None
    ) -> Hits:
        """The `k` chunks nearest to a unit vector, with their cosine; of `allowed` ids alone."""
        if allowed is not None and len(allowed) <= _SCANNED:
            return self._scan(query, k, allowed)
        return self._vector_index(len(query)).search(query, k, allowed)

    def _scan(self, query: NDArray[np.float32], k: int, allowed: Sequence[int]) -> Hits:
        """A few chunks compared one by one: exact, and neither FAISS nor its file is opened."""
        found = self.store.cosines_of(allowed, query)
        return sorted(found.items(), key=lambda hit: (-hit[1], hit[0]))[:k]

    def search_words(
        self,
        terms: Sequence[str],
        k: int,
        allowed: Sequence[int] | None = None,
        every: bool = False,
    ) -> Hits:
        """The `k` chunks that match analyzed terms best, with their BM25 score.

        Of `allowed` ids alone; with `every`, of those that hold all the terms.
        """
        if self._words_lag:
            self._repair_words()
        try:
            return self._lexical.search(terms, k, allowed, every)
        except ValueError:  # its files were damaged since they were opened
            return []

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        return self.store.passages(ids)

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        return self.store.vectors_of(ids)

    def cosines(self, ids: Sequence[int], query: NDArray[np.float32]) -> dict[int, float]:
        return self.store.cosines_of(ids, query)

    def sentences(self, ids: Sequence[int]) -> dict[int, NDArray[np.int8]]:
        """Directions of the sentences of some chunks, by id; no rows where there are none."""
        return self.store.sentences_of(ids, int(self.store.get("dimension")))

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """BM25's inverse document frequency of analyzed terms."""
        try:
            return self._lexical.rarity(terms)
        except ValueError:  # damaged since it was opened
            return dict.fromkeys(terms, 1.0)

    def held_words(self, terms: Collection[str]) -> set[str]:
        """Those of some analyzed terms that any note holds."""
        try:
            return self._lexical.held(terms)
        except ValueError:  # damaged since it was opened
            return set(terms)

    def nearest_word(self, word: str, distance: int) -> str:
        """The word of the notes within `distance` edits of `word`; "" for none."""
        try:
            return self._lexical.nearest(word, distance)
        except ValueError:  # damaged since it was opened
            return ""

    def words_beginning(self, letters: str, most: int) -> list[str]:
        """Words of the notes that begin with some letters, case and accents apart, the commonest
        first."""
        try:
            return self._lexical.beginning(without_accents(letters.casefold()), most)
        except ValueError:  # damaged since it was opened
            return []

    def find_notes(self, name: str, from_path: str | None = None) -> tuple[NamedNote, ...]:
        """The notes that `name` means, best first: see `rag.indexing.names`."""
        from rag.indexing.names import find_notes

        return find_notes(self.store, name, from_path)

    def notes_named(self, keys: Sequence[str]) -> tuple[NamedNote, ...]:
        """The notes whose file name, title or alias has one of these `name_key`s."""
        return self.store.notes_named(keys)

    def passages_of(self, notes: Sequence[int], most: int) -> list[int]:
        """The ids of the passages of some notes, at most `most`."""
        return self.store.passages_of(notes, most)

    def attachments(self, notes: Sequence[int]) -> list[int]:
        """The ids of the tables and documents that some notes embed or link to."""
        from rag.indexing.linking import attachments_of

        return attachments_of(self.store, notes)

    def note_states(self) -> dict[str, NoteState]:
        return self.store.note_states()

    def _vector_index(self, dimension: int) -> VectorIndex:
        from rag.indexing.vectors import VectorIndex

        generation = self.generation
        if self._vectors is None or self._vectors[0] != generation:
            with self.store.snapshot():
                # Beside a base that is not to be trusted, all is read from SQLite.
                part = VECTORS if self._is_sealed(VECTORS) else f"no {VECTORS}"
                index = VectorIndex(self.folder / part, self.store, dimension)
            self._vectors = generation, index
        return self._vectors[1]

    # Writing

    def apply(self, changes: Changes, meta: dict[str, object], derive: bool = True) -> None:
        """Switch to the next generation, then bring the derived indexes after it."""
        from rag.reading.chunks import CHUNK_RULES

        with self.store.transaction():
            gone = self.store.remove_notes(changes.remove)
            for note, chunks in changes.add:
                self.store.add_note(note, chunks)
            self.store.add_sums()
            self.store.touch(changes.touch)
            self.store.put(
                **meta,
                chunk_rules=CHUNK_RULES,
                lexical_rules=LEXICAL_RULES,
                generation=self.store.generation + 1,
            )
        if derive:
            self.derive(gone)

    def derive(self, gone: Iterable[int] | None = None) -> None:
        """Bring FAISS and tantivy to SQLite's generation; nothing is embedded for that."""
        self._lexical.catch_up(self.store, gone)
        dimension = int(self.store.get("dimension"))
        folder = self.folder / "vectors"
        from rag.indexing.bases import refresh_base  # imports faiss only if a new one is due

        refresh_base(folder, self.store, dimension)
        write_seal(self.folder, self.store)

    @property
    def derived_broken(self) -> bool:
        """Whether a file of FAISS or tantivy is missing, or not as it was written."""
        sealed = (is_sealed(self.folder, self.store, part, GLANCE) for part in (WORDS, VECTORS))
        return self.complete and (read_seal(self.store) is None or not all(sealed))

    @property
    def derived_lags(self) -> bool:
        """Whether FAISS or tantivy is missing, damaged or too far behind SQLite."""
        if not self.complete:
            return False
        # First of all: what opens a file that was cut short may give up with more than an error.
        if self.derived_broken:
            return True
        if not self._lexical.holds(self.generation):
            return True
        from rag.indexing.bases import base_lags

        return base_lags(self.folder / "vectors", self.store)

    @property
    def _words_lag(self) -> bool:
        return not self._is_sealed(WORDS) or not self._lexical.holds(self.generation)

    def _is_sealed(self, part: str) -> bool:
        """Whether a derived part is as it was written; looked at once for each generation."""
        generation = self.generation
        if self._sealed.get(part) != generation and is_sealed(self.folder, self.store, part):
            self._sealed[part] = generation
        return self._sealed.get(part) == generation

    def known_skips(self) -> dict[str, KnownSkip]:
        """The files that could not be read last time, by path."""
        entries = json.loads(self.store.get("skipped", "{}"))
        return {path: KnownSkip(*entry) for path, entry in entries.items()}

    def _repair_words(self) -> None:
        from rag.errors import RagError
        from rag.indexing.home import writing

        try:
            with writing(self.folder):
                writer = LocalIndex(self.folder, write=True)
                try:
                    writer.derive()
                finally:
                    writer.close()
                self.notices += writer.notices
            self._lexical = LexicalIndex(self.folder / WORDS)
        except RagError:
            pass  # asked by meaning alone until it can be written again

    @property
    def erasing_due(self) -> bool:
        """Whether words of removed notes are still in the files."""
        return bool(self.store.get(ERASING))

    @property
    def erasing_since(self) -> float:
        """Since when they are, in epoch seconds; 0 where they were to be gone at once."""
        since = self.store.get(ERASING)
        return 0.0 if since == "due" else float(since)

    def put_off_erasing(self) -> None:
        """Erase the texts of removed notes now, their words at the next run that has time."""
        self.drop_texts()
        self.store.erase()

    def drop_texts(self) -> None:
        """Drop the converted texts of files that are no longer notes."""
        texts = Texts(self.folder / FOLDER)
        if not texts.empty:
            texts.keep_only({each.hash for each in self.note_states().values()})

    def word_ids(self) -> list[int]:
        """The ids of the chunks that the index of words holds, in no order."""
        return self._lexical.all_ids()

    def erase(self, whole: bool = False) -> None:
        """Leave no text of what was removed in any file; with `whole`, no vector and no page."""
        self.drop_texts()
        self._lexical.rewrite(self.store)
        if whole:
            shutil.rmtree(self.folder / VECTORS, ignore_errors=True)
        self.derive()
        self.store.erase(whole)
        if self.erasing_due:  # last: a run that is killed before leaves it to the next
            with self.store.transaction():
                self.store.put(**{ERASING: ""})

    def forget_words(self) -> None:
        """Drop the word index, to be derived anew."""
        shutil.rmtree(self.folder / "words", ignore_errors=True)
        self._lexical = LexicalIndex(self.folder / "words")
