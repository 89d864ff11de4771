"""The models of an engine, each opened when it is first needed."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Caution
from rag.memory import give_back
from rag.reading.formats import SUFFIXES
from rag.retrieval.query import search_terms

if TYPE_CHECKING:
    from rag.answering.generation import Generator
    from rag.answering.grounding import Judge
    from rag.indexing.embeddings import ModelFolder, OnnxEmbedder, TorchEmbedder
    from rag.indexing.lexical import Words
    from rag.indexing.progress import IndexProgress
    from rag.retrieval.pointing import Reader
    from rag.retrieval.rerank import Reranker


@dataclass(frozen=True, slots=True)
class Parts:
    """What `rag.wiring` chose: models by name, and functions that open them when needed."""

    embedder_name: str
    generator_name: str
    identity: Callable[[], ModelFolder]  # of the embedder; reads no weights
    open_embedder: Callable[[], OnnxEmbedder | TorchEmbedder]
    open_generator: Callable[[], Generator]
    k: int
    data_dir: Path
    cache_dir: Path
    config_file: Path | None
    caution: Caution
    settings: Any  # with these, `index_job` builds the same engine in a spawned process
    index_job: Callable[..., Iterator[IndexProgress]]
    open_reranker: Callable[[], Reranker] | None = None
    open_reader: Callable[[], Reader | None] | None = None
    rerank_budget: float = 0.0  # seconds
    taught: bool = True  # the language model was taught short answers, and writes nothing else
    strict: bool = False
    judge: Judge | None = None  # whether a passage entails a sentence; loads at its first call
    suffixes: tuple[str, ...] = SUFFIXES  # of the files that are notes
    generator_fault: str = ""  # why the language model cannot be opened, and what mends it


_UNDERSTANDS = ("rag.retrieval.intent", "rag.retrieval.pointing", "rag.retrieval.search")


class Models:
    """Embedder, language model and word analyzer. Loads nothing until it is needed."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._embedder: OnnxEmbedder | TorchEmbedder | None = None
        self._generator: Generator | None = None
        self._analyzer: Words | None = None
        self._opening = threading.Lock()
        self._reranker: Reranker | None = None
        self._reader: Reader | None = None
        self._loading = threading.Lock()
        self._reading = threading.Lock()
        self._loader: threading.Thread | None = None

    def warm_up(self) -> None:
        """Load both models now. Raises ModelError."""
        loader = threading.Thread(target=self._quietly_load, daemon=True)
        loader.start()
        embedder = self.embedder()
        embedder.load()
        self.reader()
        loader.join()
        self.generator()

    def load_behind(self) -> threading.Thread:
        """Start loading the language model while the search runs."""
        self._loader = threading.Thread(target=self._quietly_load, daemon=True)
        self._loader.start()
        return self._loader

    def load_search_behind(self) -> None:
        """Start loading what searches, the embedder, the reader and the modules that understand a
        question, while notes are looked through."""
        # No daemon: an interpreter that ends while a model is loaded would crash, and waits for
        # this one. The program itself ends at once (`rag.__main__`).
        threading.Thread(target=self._quietly_load_search).start()

    def _quietly_load_search(self) -> None:
        with suppress(Exception):  # raised again where the model is needed
            self.embedder().load()
            if self.parts.open_reranker is None:
                self.reader()
            for module in _UNDERSTANDS:
                importlib.import_module(module)

    def wait(self) -> None:
        """Until what `load_behind` started is done."""
        if self._loader is not None:
            self._loader.join()

    def _quietly_load(self) -> None:
        # Raised again where the model is needed. Nor is all of it foreseen: an import that Ctrl-C
        # broke off in the main thread is half a module here.
        with suppress(Exception):
            self.generator()

    def generator(self) -> Generator:
        """The language model, loaded. Raises ModelError."""
        with self._loading:
            if self._generator is None:
                generator = self.parts.open_generator()
                generator.load()
                self._generator = generator
            return self._generator

    @property
    def taught(self) -> bool:
        """Whether the language model gives short answers alone; loads none to find out."""
        return self.parts.taught if self._generator is None else self._generator.taught

    def use_generator(self, name: str, opener: Callable[[], Generator]) -> None:
        """Load another language model and answer with it from now on; the old one is freed.

        Raises ModelError when it cannot be loaded: the old one then stays.
        """
        new = opener()
        new.load()
        with self._loading:
            old, self._generator = self._generator, new
            self.parts = replace(self.parts, generator_name=name, open_generator=opener)
        if old is not None:
            old.close()
            give_back()

    def share(self, other: Models) -> None:
        """Use the models that `other` has loaded: for another folder with the same settings."""
        self._embedder, self._analyzer = other._embedder, other._analyzer
        self._generator, self._reranker = other._generator, other._reranker
        self._reader = other._reader
        self.parts = replace(
            self.parts,
            generator_name=other.parts.generator_name,
            open_generator=other.parts.open_generator,
        )

    def embedder(self) -> OnnxEmbedder | TorchEmbedder:
        """The embedder; it loads its weights when it first embeds. Raises ModelError."""
        with self._opening:
            if self._embedder is None:
                self._embedder = self.parts.open_embedder()
            return self._embedder

    def reranker(self) -> Reranker | None:
        """The cross-encoder, if one is set; it loads its weights when it first scores."""
        if self._reranker is None and self.parts.open_reranker is not None:
            self._reranker = self.parts.open_reranker()
        return self._reranker

    def reader(self) -> Reader | None:
        """What reads passages for the answer, loaded; None where there is none. Raises
        ModelError."""
        with self._reading:
            if self._reader is None and self.parts.open_reader is not None:
                self._reader = self.parts.open_reader()
                if self._reader is not None:
                    self._reader.load()
            return self._reader

    def terms(self, text: str) -> list[str]:
        """The words that a question is searched by."""
        return search_terms(text, self.analyze)

    def analyze(self, text: str) -> list[str]:
        """The words of a text as the word index knows them."""
        if self._analyzer is None:
            from rag.indexing.lexical import Words

            self._analyzer = Words()
        return self._analyzer(text)
