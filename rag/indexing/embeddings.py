"""Texts into unit vectors.

`OnnxEmbedder` runs a sentence-transformers model, exported once, on ONNX Runtime and
`tokenizers`: no question and no re-index waits for torch's five seconds of imports.
`TorchEmbedder` answers where the export failed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import ModelError
from rag.models.weights import EmbedderFiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Tokens evaluated at once. Larger batches fall out of the second-level cache: measured on two
# cores with torch, batches of 8 texts took 22 s where batches of 32 took 28.
_BATCH_TOKENS = 2048
_OTHER_SCRIPTS = ("Мы долго жили в старом городе у реки", "ذهبنا إلى المدينة القديمة في الصباح")
_TOKENS_A_LETTER = 0.6  # of those sentences: all-MiniLM-L6-v2 needs 0.8


class Embedder(Protocol):
    """What the index needs of an embedding model. Vectors are float32 of length one."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def max_tokens(self) -> int: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...
    def embed_documents(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]: ...
    def embed_query(self, text: str) -> Vectors: ...


class ModelFolder:
    """The settings and the tokenizer of a sentence-transformers folder."""

    def __init__(self, files: EmbedderFiles) -> None:
        self.files = files
        bert = _read_json(files.folder / "sentence_bert_config.json")
        config = _read_json(files.folder / "config.json")
        prompts = _read_json(files.folder / "config_sentence_transformers.json").get("prompts", {})
        self.max_tokens = int(
            bert.get("max_seq_length") or config.get("max_position_embeddings") or 512
        )
        self.dimension = int(
            _read_json(files.folder / "1_Pooling" / "config.json").get("word_embedding_dimension")
            or config.get("hidden_size")
            or 0
        )
        self.query_prompt = str(prompts.get("query", ""))
        self.document_prompt = str(prompts.get("document", prompts.get("passage", "")))
        self._tokenizer: Any = None

    @property
    def fingerprint(self) -> str:
        """Of all that decides a vector: weights, prompts, dimension, length."""
        parts = (
            self.files.name,
            self.files.sha256,
            self.query_prompt,
            self.document_prompt,
            str(self.dimension),
            str(self.max_tokens),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    @property
    def tokenizer(self) -> Any:
        """Loaded at the first use; truncates at `max_tokens`, special tokens included."""
        if self._tokenizer is None:
            from tokenizers import Tokenizer

            file = self.files.folder / "tokenizer.json"
            if not file.is_file():
                raise ModelError(
                    f"The embedder {self.files.name} has no tokenizer.json.",
                    "Save it with a recent sentence-transformers, or name another.",
                )
            try:
                self._tokenizer = Tokenizer.from_file(str(file))
            except Exception as error:  # tokenizers raises no class of its own
                raise ModelError(
                    f"{file} is damaged: {error}.", "Install the embedder again."
                ) from error
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(self.max_tokens)
        return self._tokenizer

    @property
    def knows_other_scripts(self) -> bool:
        """Whether the tokenizer has words, not only letters, of other scripts than Latin.

        A model of English takes these sentences for a row of letters, or for nothing it knows.
        """
        tokenizer = self.tokenizer
        encodings = [tokenizer.encode(text, add_special_tokens=False) for text in _OTHER_SCRIPTS]
        tokens = [
            token
            for encoding in encodings
            for token, real in zip(encoding.tokens, encoding.attention_mask, strict=True)
            if real
        ]
        if any(token.strip("[]<>").casefold() == "unk" for token in tokens):
            return False
        return len(tokens) < _TOKENS_A_LETTER * sum(map(len, _OTHER_SCRIPTS))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, document prompt and special tokens included, untruncated."""
        tokenizer = self.tokenizer
        tokenizer.no_truncation()
        try:
            batch = tokenizer.encode_batch_fast([self.document_prompt + text for text in texts])
        finally:
            tokenizer.enable_truncation(self.max_tokens)
        return [len(encoding) for encoding in batch]


class OnnxEmbedder:
    """A sentence-transformers model on ONNX Runtime; loads at its first use."""

    def __init__(self, files: EmbedderFiles, threads: int = 0) -> None:
        self._model = ModelFolder(files)
        self._threads = threads
        self._session: Any = None
        self.fingerprint = self._model.fingerprint
        self.dimension = self._model.dimension
        self.max_tokens = self._model.max_tokens
        self.count_tokens = self._model.count_tokens

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""
        import numpy as np

        vectors = self._run([self._model.tokenizer.encode(self._model.query_prompt + text).ids])
        return np.asarray(vectors[0], dtype=np.float32)

    def embed_documents(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Batches of (indices into `texts`, their unit vectors), longest texts first.

        Sorted by length there is next to no padding, and the largest batch, which decides
        how much memory is needed, comes first.
        """
        prompt = self._model.document_prompt
        ids = [
            each.ids
            for each in self._model.tokenizer.encode_batch_fast([prompt + text for text in texts])
        ]
        order = sorted(range(len(texts)), key=lambda index: -len(ids[index]))
        start = 0
        while start < len(order):
            count = max(1, _BATCH_TOKENS // len(ids[order[start]]))
            batch = order[start : start + count]
            yield batch, self._run([ids[index] for index in batch])
            start += count

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of all texts in their order, shape (len(texts), dimension)."""
        return _in_order(self, texts)

    def load(self) -> None:
        """Load tokenizer and weights now instead of at the first text."""
        self._open()
        _ = self._model.tokenizer

    def _open(self) -> Any:
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.log_severity_level = 3
            try:
                self._session = onnxruntime.InferenceSession(
                    str(self._model.files.onnx), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # onnxruntime raises classes of its own for a bad file
                path = self._model.files.onnx
                raise ModelError(
                    f"The prepared embedding model {path} is damaged.",
                    f"Delete that file and run the command again ({error}).",
                ) from error
        return self._session

    def _run(self, token_ids: Sequence[Sequence[int]]) -> Vectors:
        import numpy as np

        longest = max(len(row) for row in token_ids)
        ids = np.zeros((len(token_ids), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(token_ids):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        (vectors,) = self._open().run(None, {"input_ids": ids, "attention_mask": mask})
        return _unit(vectors)


class TorchEmbedder:
    """The same model on torch, where it cannot be exported. Costs five seconds to import."""

    def __init__(self, files: EmbedderFiles) -> None:
        self._model = ModelFolder(files)
        self._transformer: Any = None
        self.fingerprint = self._model.fingerprint
        self.dimension = self._model.dimension
        self.max_tokens = self._model.max_tokens
        self.count_tokens = self._model.count_tokens

    def embed_query(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""
        import numpy as np

        return np.asarray(self._encode([self._model.query_prompt + text])[0], dtype=np.float32)

    def embed_documents(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Batches of (indices into `texts`, their unit vectors), longest texts first."""
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        for start in range(0, len(order), 8):
            batch = order[start : start + 8]
            yield batch, self._encode([self._model.document_prompt + texts[i] for i in batch])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of all texts in their order, shape (len(texts), dimension)."""
        return _in_order(self, texts)

    def load(self) -> None:
        """Import torch and load the weights now."""
        if self._transformer is None:
            from sentence_transformers import SentenceTransformer

            self._transformer = SentenceTransformer(str(self._model.files.folder), device="cpu")

    def _encode(self, texts: list[str]) -> Vectors:
        import numpy as np

        self.load()
        vectors = self._transformer.encode(texts, show_progress_bar=False, prompt="")
        return _unit(np.asarray(vectors, dtype=np.float32))


def open_embedder(files: EmbedderFiles, threads: int = 0) -> OnnxEmbedder | TorchEmbedder:
    """The fast embedder where there is an export, torch's otherwise. Loads nothing yet."""
    return OnnxEmbedder(files, threads) if files.onnx else TorchEmbedder(files)


def _in_order(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    import numpy as np

    vectors = np.zeros((len(texts), embedder.dimension), dtype=np.float32)
    for indices, batch in embedder.embed_documents(texts):
        vectors[indices] = batch
    return vectors


def _unit(vectors: Vectors) -> Vectors:
    import numpy as np

    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}.", "Install the embedder again.") from error
    return value if isinstance(value, dict) else {}
