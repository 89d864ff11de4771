"""Texts into unit vectors.

`OnnxEmbedder` runs a sentence-transformers model, exported once, on ONNX Runtime and
`tokenizers`: no question and no re-index waits for torch's five seconds of imports.
`TorchEmbedder` answers where the export failed.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import ModelError
from rag.models.static import static_dimension, static_length, static_place
from rag.models.weights import EmbedderFiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Coarse = NDArray[np.int8]

# Tokens evaluated at once. Larger batches fall out of the second-level cache: measured on two
# cores with torch, batches of 8 texts took 22 s where batches of 32 took 28.
_BATCH_TOKENS = 2048
_OTHER_SCRIPTS = ("Мы долго жили в старом городе у реки", "ذهبنا إلى المدينة القديمة في الصباح")
_TOKENS_A_LETTER = 0.6  # of those sentences: all-MiniLM-L6-v2 needs 0.8


@dataclass(frozen=True, slots=True)
class PassageText:
    """What is embedded of a passage: `text[:context]` names it, `sentences` are spans of it."""

    text: str
    context: int
    sentences: tuple[tuple[int, int], ...]


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


class ModelFolder:
    """The settings and the tokenizer of a sentence-transformers folder."""

    def __init__(
        self, files: EmbedderFiles, query_prompt: str = "", document_prompt: str = ""
    ) -> None:
        """The prompts win over the model's own."""
        self.files = files
        own = _read_json(files.folder / "config_sentence_transformers.json")
        prompts = own.get("prompts", {})
        usual = prompts.get(own.get("default_prompt_name"), "")
        self.max_tokens = _max_tokens(files.folder)
        self.dimension = _dimension(files.folder, own.get("truncate_dim"))
        # Of a model that pools by the first token alone, the others mean nothing apart.
        self.pools_by_mean = _pools_by_mean(files.folder)
        self.query_prompt = query_prompt or str(prompts.get("query", usual))
        documents = [prompts[key] for key in ("document", "passage", "corpus") if key in prompts]
        self.document_prompt = document_prompt or str(documents[0] if documents else usual)
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

            folder = static_place(self.files.folder) or self.files.folder
            file = folder / "tokenizer.json"
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

    def check(self) -> None:
        """Raise ModelError unless this is a sentence-transformers model that can be used."""
        folder = self.files.folder
        known = (folder / "config.json").is_file() or static_place(folder)
        if not known or not self.dimension:
            raise ModelError(
                f"{folder} is no folder of a sentence-transformers model.",
                "Name one that holds modules.json, config.json and tokenizer.json.",
            )
        _ = self.tokenizer

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

    def __init__(
        self,
        files: EmbedderFiles,
        threads: int = 0,
        query_prompt: str = "",
        document_prompt: str = "",
    ) -> None:
        self._model = ModelFolder(files, query_prompt, document_prompt)
        self._threads = threads
        self._session: Any = None
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
        """Batches of passages, longest first.

        A sentence's direction is the mean of its tokens' outputs and those of the context, all
        of which have read the whole passage. It costs nothing beside the passage's own vector;
        bench/RESULTS.md compares it with sentences that are embedded apart.
        """
        prompt = self._model.document_prompt
        for indices, encodings in self._batches([each.text for each in passages]):
            ids = [each.ids for each in encodings]
            if not self._model.pools_by_mean:
                yield Embedded(indices, self._run(ids), _no_sentences(indices, self.dimension))
                continue
            vectors, tokens = self._run_tokens(ids)
            coarse = [
                _pooled(passages[index], encoding.offsets, outputs, len(prompt))
                for index, encoding, outputs in zip(indices, encodings, tokens, strict=True)
            ]
            yield Embedded(indices, vectors, coarse)

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

    def _open(self) -> Any:
        with self._loading:
            return self._open_once()

    def _open_once(self) -> Any:
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
        (vectors,) = self._open().run(["embedding"], _inputs(token_ids))
        return _unit(vectors)

    def _run_tokens(self, token_ids: Sequence[Sequence[int]]) -> tuple[Vectors, Vectors]:
        """Unit vectors, and the outputs of all tokens, shape (n, longest, dimension)."""
        vectors, tokens = self._open().run(["embedding", "tokens"], _inputs(token_ids))
        return _unit(vectors), tokens


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
            yield Embedded(batch, vectors, _no_sentences(batch, self.dimension))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of all texts in their order, shape (len(texts), dimension)."""
        return self._encode([self._model.document_prompt + text for text in texts])

    def load(self) -> None:
        """Import torch and load the weights now."""
        if self._transformer is None:
            from sentence_transformers import SentenceTransformer

            folder = self._model.files.folder
            try:
                self._transformer = SentenceTransformer(
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

    def _encode(self, texts: list[str]) -> Vectors:
        import numpy as np

        self.load()
        vectors = self._transformer.encode(texts, show_progress_bar=False, prompt="")
        return _unit(np.asarray(vectors, dtype=np.float32))


def open_embedder(
    files: EmbedderFiles, threads: int = 0, query_prompt: str = "", document_prompt: str = ""
) -> OnnxEmbedder | TorchEmbedder:
    """The fast embedder where there is an export or none is needed, torch's otherwise. Loads
    nothing yet."""
    if files.onnx:
        return OnnxEmbedder(files, threads, query_prompt, document_prompt)
    if static_place(files.folder):
        from rag.indexing.static import StaticEmbedder

        return StaticEmbedder(files, query_prompt, document_prompt)
    return TorchEmbedder(files, query_prompt, document_prompt)


def directions(coarse: Coarse) -> Vectors:
    """Unit vectors of coarse ones, shape (n, dimension)."""
    import numpy as np

    return _unit(coarse.astype(np.float32))


def _pooled(
    passage: PassageText, offsets: Sequence[tuple[int, int]], outputs: Vectors, prompt: int
) -> Coarse:
    """The directions of a passage's sentences from its tokens' outputs, in eight bits.

    Late chunking (Günther et al. 2024, arXiv 2409.04701), with the context in each mean. A
    sentence without a token of its own has the passage's direction.
    """
    import numpy as np

    places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    real = places[:, 1] > places[:, 0]  # special tokens stand nowhere
    starts, ends = places[:, 0] - prompt, places[:, 1] - prompt
    outputs = outputs[: len(places)]
    named = real & (starts >= 0) & (ends <= passage.context)
    pooled = np.zeros((len(passage.sentences), outputs.shape[1]), dtype=np.float32)
    for row, (start, end) in enumerate(passage.sentences):
        own = real & (starts >= start) & (ends <= end)
        pooled[row] = outputs[own | named].mean(axis=0) if own.any() else outputs.mean(axis=0)
    largest = np.abs(pooled).max(axis=1, keepdims=True, initial=1e-12)
    coarse: Coarse = np.round(pooled * (127 / largest)).astype(np.int8)
    return coarse


def _no_sentences(indices: Sequence[int], dimension: int) -> list[Coarse]:
    import numpy as np

    return [np.zeros((0, dimension), dtype=np.int8)] * len(indices)


def _modules(folder: Path) -> list[tuple[str, Path]]:
    """The kinds of a model's parts, in their order, with the folder of each."""
    file = folder / "modules.json"
    if not file.is_file():
        return [("Transformer", folder), ("Pooling", folder / "1_Pooling")]
    try:
        parts = json.loads(file.read_text(encoding="utf-8"))
        return [(str(each["type"]).rpartition(".")[2], folder / each["path"]) for each in parts]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{file} is damaged: {error}.", "Install the embedder again.") from error


def _dimension(folder: Path, truncated: object) -> int:
    """Numbers in a vector, 0 where the folder does not say."""
    static = static_place(folder)
    dimension = int(_read_json(folder / "config.json").get("hidden_size") or 0)
    dimension = static_dimension(static) if static else dimension
    for kind, place in _modules(folder):
        config = _read_json(place / "config.json")
        if kind == "Pooling":
            for key in ("word_embedding_dimension", "embedding_dimension"):
                dimension = int(config.get(key) or dimension)
        elif kind == "Dense":
            dimension = int(config.get("out_features") or dimension)
    return min(dimension, truncated) if isinstance(truncated, int) else dimension


def _max_tokens(folder: Path) -> int:
    """Tokens that the model reads of a text, special ones included."""
    static = static_place(folder)
    if static:
        return static_length(static)
    config = _read_json(folder / "config.json")
    length = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    if length:
        return int(length)
    positions = int(config.get("max_position_embeddings") or 512)
    if "roberta" in str(config.get("model_type")) or config.get("model_type") == "mpnet":
        positions -= 2  # these count from two
    limit = _read_json(folder / "tokenizer_config.json").get("model_max_length")
    return min(positions, int(limit)) if isinstance(limit, (int, float)) else positions


def _pools_by_mean(folder: Path) -> bool:
    """Whether a model's vector is the mean of its tokens' outputs, and nothing after it."""
    modules = _modules(folder)
    if any(kind not in ("Transformer", "Pooling", "Normalize") for kind, _ in modules):
        return False
    places = [place for kind, place in modules if kind == "Pooling"]
    pooling = _read_json(places[0] / "config.json") if places else {}
    return bool(pooling.get("pooling_mode_mean_tokens")) or pooling.get("pooling_mode") == "mean"


def _inputs(token_ids: Sequence[Sequence[int]]) -> dict[str, Any]:
    import numpy as np

    longest = max(len(row) for row in token_ids)
    ids = np.zeros((len(token_ids), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(token_ids):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def _unit(vectors: Vectors) -> Vectors:
    import numpy as np

    # np.linalg.norm takes four times as long on the few rows of a passage.
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}.", "Install the embedder again.") from error
    return value if isinstance(value, dict) else {}
