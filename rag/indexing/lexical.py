"""BM25 over the words of the chunks, by tantivy.

Measured on 300,000 passages and questions as they are typed: tantivy answers in 4 ms where
SQLite's FTS5 takes 460 (82 without stop words).
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from rag.errors import disk_refusal, storage_errors
from rag.indexing.panics import no_panics
from rag.indexing.rows import StoredPassage
from rag.indexing.store import Store
from rag.indexing.tokens import asked, noted
from rag.reading.links import plain

Hits = list[tuple[int, float]]
LEXICAL_RULES = "3"  # raised when the analyzer or the fields change
_HEAP = 64 << 20  # bytes that the writer may hold before it flushes a segment
_REMEMBERED = 100_000  # pieces of text; some 20 MB
_SPELLED = "spelled"  # the field of words as they are written, for what is mistyped
_LONGEST = 30  # letters of a word there
_MAX_TERMS = 64  # of a question: a pasted page must not become ten thousand clauses
# A set of more ids than this costs more than finding more and keeping those of the set.
_LISTED = 2000
_MOST_FOUND = 20_000


class LexicalIndex:
    """The words of every chunk. It names its generation; one that lags catches up from SQLite."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index: Any = None
        self._held = -1  # the generation that was open when it was last looked at

    def holds(self, generation: int) -> bool:
        """Whether it holds the words of that generation of the store."""
        if self._index is None or self._held != generation:
            self._held = self.generation
        return self._held == generation

    def catch_up(self, store: Store, gone: Iterable[int] | None = None) -> None:
        """Bring the index to the store's generation.

        `gone` are the chunks removed by the one generation that is missing; None, or more than
        one generation missing, compares all ids.
        """
        with storage_errors(self._folder):
            try:
                self._catch_up(store, gone)
            except ValueError as error:
                # What the disk refuses is no damage: what is there is good, and stays.
                if not self._folder.exists() or disk_refusal(error):
                    raise
                # Damaged, or left half-written by a version that knew other fields.
                shutil.rmtree(self._folder, ignore_errors=True)
                self._index = None
                self._catch_up(store, None)

    @no_panics()
    def _catch_up(self, store: Store, gone: Iterable[int] | None) -> None:
        import tantivy

        generation, upto = self._state()
        target = store.generation
        if generation == target:
            return
        index = self._open(create=True)
        index.reload()
        if gone is None or generation != target - 1:
            held = set(self.all_ids())
            gone = held - set(store.chunk_ids()) if held else ()
        writer = index.writer(heap_size=_HEAP, num_threads=1)
        for chunk in gone:
            writer.delete_documents_by_term("id", chunk)
        top = upto
        for passage in store.all_passages(above=upto):
            writer.add_document(_document(tantivy, passage))
            top = passage.id
        writer.delete_documents_by_term("marker", 1)
        writer.add_document(tantivy.Document(marker=1, generation=target, upto=top))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()

    def rewrite(self, store: Store) -> None:
        """Write all words anew, in one commit: those of a removed chunk stay in the files until
        tantivy merges them, and it does that when it likes."""
        with storage_errors(self._folder):
            try:
                self._rewrite(store)
            except ValueError as error:
                if disk_refusal(error):
                    raise
                shutil.rmtree(self._folder, ignore_errors=True)  # damaged; all of it is here anew
                self._index = None
                self._rewrite(store)

    @no_panics()
    def _rewrite(self, store: Store) -> None:
        import tantivy

        index = self._open(create=True)
        writer = index.writer(heap_size=_HEAP, num_threads=1)
        writer.delete_all_documents()
        top = 0
        for passage in store.all_passages():
            writer.add_document(_document(tantivy, passage))
            top = passage.id
        writer.add_document(tantivy.Document(marker=1, generation=store.generation, upto=top))
        writer.commit()
        writer.garbage_collect_files()
        writer.wait_merging_threads()
        index.reload()

    @no_panics()
    def search(
        self,
        terms: Sequence[str],
        k: int,
        only: Sequence[int] | None = None,
        every: bool = False,
    ) -> Hits:
        """Up to `k` (chunk id, BM25 score), best first, for already analyzed terms.

        With `only`, of those chunks alone, whose scores stay the same; with `every`,
        a chunk must hold all the terms. On 30,000 passages a set of 1,000 ids takes 2 ms and one
        of 15,000 takes 10, where the search alone takes 0.1.
        """
        import tantivy

        index = self._open(create=False)
        if index is None or not terms or (only is not None and not only):
            return []
        occur = tantivy.Occur.Must if every else tantivy.Occur.Should
        clauses = []
        for term in list(dict.fromkeys(terms))[:_MAX_TERMS]:
            clauses.append((occur, tantivy.Query.term_query(index.schema, "body", term, "basic")))
        query = tantivy.Query.boolean_query(clauses)
        searcher = index.searcher()
        if only is None:
            return _hits(searcher, query, k)
        if len(only) > _LISTED:
            share = len(only) / max(1, searcher.num_docs)
            more = min(_MOST_FOUND, math.ceil(2 * k / share))
            found = _hits(searcher, query, more)
            among = set(only)
            kept = [hit for hit in found if hit[0] in among]
            if len(kept) >= k or len(found) < more:
                return kept[:k]
        ids = tantivy.Query.term_set_query(index.schema, "id", list(only))
        both = (query, tantivy.Query.const_score_query(ids, 0.0))
        must = tantivy.Occur.Must
        return _hits(searcher, tantivy.Query.boolean_query([(must, each) for each in both]), k)

    @no_panics()
    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """The inverse document frequency of each term, as BM25 weighs it."""
        index = self._open(create=False)
        if index is None:
            return dict.fromkeys(terms, 1.0)
        searcher = index.searcher()
        count = searcher.num_docs
        found = {term: searcher.doc_freq("body", term) for term in dict.fromkeys(terms)}
        return {term: math.log(1 + (count - n + 0.5) / (n + 0.5)) for term, n in found.items()}

    @no_panics()
    def held(self, terms: Collection[str]) -> set[str]:
        """Those of some analyzed terms that any chunk holds."""
        index = self._open(create=False)
        if index is None:
            return set()
        searcher = index.searcher()
        return {term for term in terms if searcher.doc_freq("body", term)}

    @no_panics()
    def nearest(self, word: str, distance: int) -> str:
        """The word of the notes within `distance` edits of `word`, as it is spelled there; "" for
        none.

        One that begins alike comes first, then the nearer one, then the one that more chunks hold.
        A slip in the first letter is the only one that is forgiven.
        """
        import tantivy
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extractOne

        index = self._open(create=False)
        if index is None:
            return ""
        searcher = index.searcher()
        near = tantivy.Query.fuzzy_term_query(index.schema, _SPELLED, word, distance)
        if not searcher.search(near, 1, count=False).hits:
            return ""
        for beginning, slips in ((word[0], distance), ("", 1)):
            # Most frequent first, and the first of equals is taken.
            known = [term for term, _ in searcher.terms_with_prefix(_SPELLED, beginning)]
            found = extractOne(word, known, scorer=OSA.distance, score_cutoff=slips)
            if found is not None:
                return str(found[0])
        return ""

    @no_panics()
    def beginning(self, letters: str, most: int) -> list[str]:
        """The words of the notes that begin with some letters, those of most chunks first."""
        index = self._open(create=False)
        if index is None:
            return []
        found = index.searcher().terms_with_prefix(_SPELLED, letters)
        return [str(term) for term, _ in found[:most]]

    def _open(self, create: bool) -> Any:
        if self._index is None:
            import tantivy

            if not create and not (self._folder / "meta.json").exists():
                return None
            if create:
                self._folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(_schema(tantivy), path=str(self._folder), reuse=True)
            self._index.register_tokenizer("words", analyzer())
            self._index.register_tokenizer(_SPELLED, _speller())
        return self._index

    @no_panics()
    def _state(self) -> tuple[int, int]:
        """The generation that was committed, and its highest chunk id; zeros for none."""
        import tantivy

        index = self._open(create=False)
        if index is None:
            return -1, 0
        index.reload()
        searcher = index.searcher()
        found = searcher.search(tantivy.Query.term_query(index.schema, "marker", 1), 1)
        if not found.hits:
            return -1, 0
        marker = searcher.doc(found.hits[0][1])
        return int(marker["generation"][0]), int(marker["upto"][0])

    @property
    def generation(self) -> int:
        """The store's generation that was last committed here; -1 for none, or when damaged."""
        try:
            return self._state()[0]
        except ValueError:
            return -1

    @no_panics()
    def all_ids(self) -> list[int]:
        """The id of every document, one that is there twice twice."""
        import tantivy

        index = self._open(create=True)
        searcher = index.searcher()
        found = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs), count=False)
        ids = searcher.fast_field_values("id", [address for _, address in found.hits])
        return [int(each) for each in ids if each is not None]  # the marker has none


class Words:
    """What turns a question or a sentence into words as the index knows them.

    What stands between two spaces gives the same words wherever it stands, and most of it comes
    again and again: remembered, the sentences of a search take a fifth of the time.
    """

    def __init__(self) -> None:
        self._analyzer = analyzer()
        self._known: dict[str, tuple[str, ...]] = {}

    def __call__(self, text: str) -> list[str]:
        words: list[str] = []
        for part in asked(text).split():
            known = self._known.get(part)
            if known is None:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                known = self._known[part] = tuple(self._analyzer.analyze(part))
            words += known
        return words


def analyzer() -> Any:
    """Words as they are indexed: case and accents folded, stop words out, English stems.

    It is given text that `rag.indexing.tokens` made ready.
    """
    import tantivy

    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(60))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stopword("english"))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def _hits(searcher: Any, query: Any, k: int) -> Hits:
    """Up to `k` (chunk id, score). Ids lie in a column: documents would be unpacked one by one."""
    found = searcher.search(query, k, count=False).hits
    ids = searcher.fast_field_values("id", [address for _, address in found])
    return [(chunk, float(score)) for (score, _), chunk in zip(found, ids, strict=True)]


def _speller() -> Any:
    """Words as they are spelled, but for case and accents."""
    import tantivy

    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(_LONGEST))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .build()
    )


def _schema(tantivy: Any) -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", stored=False, indexed=True, fast=True)
    builder.add_integer_field("marker", stored=False, indexed=True)
    builder.add_integer_field("generation", stored=True, indexed=False)
    builder.add_integer_field("upto", stored=True, indexed=False)
    # Whether a word stands in a passage, not how often: in texts this short a second time says
    # nothing (hit@1 0.890 against 0.887 with frequencies, over all questions of bench/RESULTS.md).
    builder.add_text_field("body", stored=False, tokenizer_name="words", index_option="basic")
    builder.add_text_field(_SPELLED, stored=False, tokenizer_name=_SPELLED, index_option="basic")
    return builder.build()


def _document(tantivy: Any, passage: StoredPassage) -> Any:
    text = noted(searchable(passage))
    return tantivy.Document(id=passage.id, body=text, **{_SPELLED: text})


def searchable(passage: StoredPassage) -> str:
    """The words under which a passage is found: its own, its note's names, its headings."""
    names = " ".join((passage.title, *passage.aliases, *passage.headings))
    return f"{names}\n{plain(passage.text)}"
