"""Texts into unit vectors.

`OnnxEmbedder` runs a sentence-transformers model, exported once, on ONNX Runtime and
`tokenizers`: no question and no re-index waits for torch's five seconds of imports.
`TorchEmbedder` answers where the export failed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import ModelError
from rag.indexing.model_folder import ModelFolder
from rag.indexing.pooling import (
    PassageText,
    directions,
    no_sentences,
    sentence_directions,
    unit,
)
from rag.models.bulk import BulkSession, start_bulk_session
from rag.models.sessions import Prepare, start_session
from rag.models.static import static_place
from rag.models.weights import EmbedderFiles

if TYPE_CHECKING:
    from rag.indexing.pooling import Coarse, Vectors

__all__ = [
    "Embedded",
    "Embedder",
    "ModelFolder",
    "OnnxEmbedder",
    "PassageText",
    "TorchEmbedder",
    "directions",
    "open_embedder",
]

# Tokens evaluated at once. Larger batches fall out of the second-level cache: measured on two
# cores with torch, batches of 8 texts took 22 s where batches of 32 took 28.
_BATCH_TOKENS = 2048
# From so many passages on, bfloat16 is done sooner though that session is started and tried first,
# which takes as long as some sixty of them.
_BULK = 128
_TRIED = 3  # of them; exact vectors must agree with bfloat16's to this cosine
_AGREEMENT = 0.999


@dataclass(frozen=True, slots=True)
class Embedded:
    """A batch of passages: their indices, unit vectors of shape (n, dimension), and for each
    the directions of its sentences, shape (sentences, dimension); no rows where the model
    has none to give."""

    indices: list[int]
    vectors: Vectors
    sentences: list[Coarse]


class Embedder(Protocol):
    """What the index needs of an embedding model. Vectors are float32 of length one."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...
    def embed_passages(self, passages: Sequence[PassageText]) -> Iterator[Embedded]: ...
    def embed(self, texts: Sequence[str]) -> Vectors: ...
    def embed_query(self, text: str) -> Vectors: ...
    def release(self) -> None: ...


class OnnxEmbedder:
    """A sentence-transformers model on ONNX Runtime; loads at its first use."""

    def __init__(
        self,
        files: EmbedderFiles,
        threads: int = 0,
        query_prompt: str = "",
        document_prompt: str = "",
        prepare: Prepare | None = None,
    ) -> None:
        """`prepare` writes an export that was damaged again."""
        self._model = ModelFolder(files, query_prompt, document_prompt)
        self._threads, self._prepare = threads, prepare
        self._session: Any = None
        self._bulk: BulkSession | None = None
        self._bulk_sought = False
        self._loading = threading.Lock()  # a thread may load it while another is about to use it
        self.fingerprint = self._model.fingerprint
        self.dimension = self._model.dimension
        self.max_tokens = self._model.max_tokens
        self.count_tokens = self._model.count_tokens

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""
        import numpy as np

        ids = self._model.tokenizer.encode(self._model.query_prompt + text).ids
        return np.asarray(self._run([ids])[0], dtype=np.float32)

    def embed_passages(self, passages: Sequence[PassageText]) -> Iterator[Embedded]:
        """Batches of passages, longest first; many of them in bfloat16, if that is faster here.

        A sentence's direction is the mean of its tokens' outputs and those of the context, all
        of which have read the whole passage. It costs nothing beside the passage's own vector;
        bench/RESULTS.md compares it with sentences that are embedded apart.
        """
        prompt = self._model.document_prompt
        texts = [each.text for each in passages]
        session = self._session_for(texts)
        for indices, encodings in self._batches(texts):
            inputs = _inputs([each.ids for each in encodings])
            if not self._model.pools_by_mean:
                (vectors,) = session.run(["embedding"], inputs)
                yield Embedded(indices, unit(vectors), no_sentences(indices, self.dimension))
                continue
            vectors, tokens = session.run(["embedding", "tokens"], inputs)
            coarse = [
                sentence_directions(passages[index], encoding.offsets, outputs, len(prompt))
                for index, encoding, outputs in zip(indices, encodings, tokens, strict=True)
            ]
            yield Embedded(indices, unit(vectors), coarse)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of all texts in their order, shape (len(texts), dimension)."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for indices, encodings in self._batches(texts):
            vectors[indices] = self._run([each.ids for each in encodings])
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], list[Any]]]:
        """Indices and encodings, longest first: sorted by length there is next to no padding,
        and the largest batch, which decides how much memory is needed, comes first."""
        prompt = self._model.document_prompt
        encodings = self._model.tokenizer.encode_batch([prompt + text for text in texts])
        order = sorted(range(len(texts)), key=lambda index: -len(encodings[index].ids))
        start = 0
        while start < len(order):
            count = max(1, _BATCH_TOKENS // len(encodings[order[start]].ids))
            batch = order[start : start + count]
            yield batch, [encodings[index] for index in batch]
            start += count

    def load(self) -> None:
        """Load tokenizer and weights now instead of at the first text."""
        self._open()
        _ = self._model.tokenizer

    def release(self) -> None:
        """Give the memory of the weights back, 0.2 GB; the next text loads them again."""
        with self._loading:
            self._session = self._bulk = None
            self._bulk_sought = False

    def _open(self) -> Any:
        with self._loading:
            return self._open_once()

    def _open_once(self) -> Any:
        if self._session is None:
            file = self._model.files.onnx
            assert file is not None
            self._session = start_session(file, self._threads, self._prepare)
        return self._session

    def _session_for(self, texts: Sequence[str]) -> Any:
        """What passages are embedded with: many with the bulk session, if there is one."""
        if len(texts) < _BULK:
            return self._open()
        if not self._bulk_sought:
            self._bulk_sought = True
            self._bulk = self._start_bulk([*texts[: _TRIED - 1], texts[-1]])
        return self._bulk or self._open()

    def _start_bulk(self, texts: Sequence[str]) -> BulkSession | None:
        """A bulk session that gives of `texts` what the other gives; None without one."""
        import numpy as np

        file = self._model.files.onnx
        assert file is not None
        session = start_bulk_session(file, self._threads)
        if session is None:
            return None
        encodings = self._model.tokenizer.encode_batch(list(texts))
        ids = [each.ids for each in encodings]
        try:
            (vectors,) = session.run(["embedding"], _inputs(ids))
        except RuntimeError:
            return None
        cosines = np.sum(unit(vectors) * self._run(ids), axis=1)
        return session if bool(cosines.min() >= _AGREEMENT) else None

    def _run(self, token_ids: Sequence[Sequence[int]]) -> Vectors:
        (vectors,) = self._open().run(["embedding"], _inputs(token_ids))
        return unit(vectors)


class TorchEmbedder:
    """The same model on torch, where it cannot be exported. Costs five seconds to import."""

    def __init__(
        self, files: EmbedderFiles, query_prompt: str = "", document_prompt: str = ""
    ) -> None:
        self._model = ModelFolder(files, query_prompt, document_prompt)
        self._transformer: Any = None
        self.fingerprint = self._model.fingerprint
        self.dimension = self._model.dimension
        self.max_tokens = self._model.max_tokens
        self.count_tokens = self._model.count_tokens

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""
        import numpy as np

        return np.asarray(self._encode([self._model.query_prompt + text])[0], dtype=np.float32)

    def embed_passages(self, passages: Sequence[PassageText]) -> Iterator[Embedded]:
        """Batches of passages, longest first, without their sentences."""
        order = sorted(range(len(passages)), key=lambda index: -len(passages[index].text))
        for start in range(0, len(order), 8):
            batch = order[start : start + 8]
            vectors = self.embed([passages[i].text for i in batch])
            yield Embedded(batch, vectors, no_sentences(batch, self.dimension))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of all texts in their order, shape (len(texts), dimension)."""
        return self._encode([self._model.document_prompt + text for text in texts])

    def load(self) -> None:
        """Import torch and load the weights now."""
        self._load()

    def _load(self) -> Any:
        transformer = self._transformer
        if transformer is None:
            from sentence_transformers import SentenceTransformer

            folder = self._model.files.folder
            try:
                transformer = SentenceTransformer(
                    str(folder),
                    device="cpu",
                    trust_remote_code=False,
                    local_files_only=True,
                    model_kwargs={"use_safetensors": True},
                )
            except (OSError, ValueError, ImportError, LookupError, RuntimeError) as error:
                reason = " ".join(str(error).split())[:160]
                raise ModelError(
                    f"The embedder {self._model.files.name} could not be loaded: {reason}",
                    "Name another in rag.toml, table [embedder], key model.",
                ) from error
            transformer.tokenizer.split_special_tokens = True  # "[SEP]" in a note is letters
            self._transformer = transformer
        return transformer

    def release(self) -> None:
        """Give the memory of the weights back; the next text loads them again."""
        self._transformer = None

    def _encode(self, texts: list[str]) -> Vectors:
        import numpy as np

        vectors = self._load().encode(texts, show_progress_bar=False, prompt="")
        return unit(np.asarray(vectors, dtype=np.float32))


def open_embedder(
    files: EmbedderFiles,
    threads: int = 0,
    query_prompt: str = "",
    document_prompt: str = "",
    prepare: Prepare | None = None,
) -> OnnxEmbedder | TorchEmbedder:
    """The fast embedder where there is an export or none is needed, torch's otherwise. Loads
    nothing yet."""
    if files.onnx:
        return OnnxEmbedder(files, threads, query_prompt, document_prompt, prepare)
    if static_place(files.folder):
        from rag.indexing.static import StaticEmbedder

        return StaticEmbedder(files, query_prompt, document_prompt)
    return TorchEmbedder(files, query_prompt, document_prompt)


def _inputs(token_ids: Sequence[Sequence[int]]) -> dict[str, Any]:
    import numpy as np

    longest = max(len(row) for row in token_ids)
    ids = np.zeros((len(token_ids), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(token_ids):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}
