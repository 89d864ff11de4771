"""An embedder of words alone: fast, and it counts what it embeds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rag.indexing.embeddings import Embedded, PassageText


class FakeEmbedder:
    """A vector is the sum of a random one for each word; near enough to meaning for tests."""

    max_tokens = 64

    def __init__(self, name: str = "fake", dimension: int = 32) -> None:
        self.fingerprint = f"{name}-{dimension}"
        self.dimension = dimension
        self.embedded: list[str] = []
        self.released = 0
        self.before_batch: Callable[[int], None] = lambda number: None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) + 2 for text in texts]

    def embed_passages(self, passages: Sequence[PassageText]) -> Iterator[Embedded]:
        for number, start in enumerate(range(0, len(passages), 4)):
            self.before_batch(number)
            batch = list(range(start, min(start + 4, len(passages))))
            self.embedded += [passages[i].text for i in batch]
            vectors = self.embed([passages[i].text for i in batch])
            yield Embedded(batch, vectors, [self._sentences(passages[i]) for i in batch])

    def release(self) -> None:
        self.released += 1

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def _sentences(self, passage: PassageText) -> np.ndarray:
        if not passage.sentences:
            return np.zeros((0, self.dimension), dtype=np.int8)
        vectors = self.embed([passage.text[start:end] for start, end in passage.sentences])
        return np.round(vectors * 127).astype(np.int8)

    def embed_query(self, text: str) -> np.ndarray:
        words = re.findall(r"\w+", text.casefold()) or [""]
        vector = np.sum([self._word(word) for word in words], axis=0)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def _word(self, word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
        return np.random.default_rng(seed).standard_normal(self.dimension)
