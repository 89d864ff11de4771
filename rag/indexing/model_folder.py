"""What a sentence-transformers folder says of its model, and its tokenizer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models.static import static_dimension, static_length, static_place
from rag.models.weights import EmbedderFiles

_OTHER_SCRIPTS = ("Мы долго жили в старом городе у реки", "ذهبنا إلى المدينة القديمة في الصباح")
_TOKENS_A_LETTER = 0.6  # of those sentences: all-MiniLM-L6-v2 needs 0.8


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
        """Loaded at the first use; truncates at `max_tokens`, special tokens included. Those come
        from the tokenizer's template alone: "[SEP]" in a note is letters."""
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
                tokenizer = Tokenizer.from_file(str(file))
            except Exception as error:  # tokenizers raises no class of its own
                raise ModelError(
                    f"{file} is damaged: {error}.", "Install the embedder again."
                ) from error
            tokenizer.no_padding()
            tokenizer.encode_special_tokens = True  # that is: as the text that they are
            tokenizer.enable_truncation(self.max_tokens)
            self._tokenizer = tokenizer  # only now: another thread may use it at once
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
        batch = self.tokenizer.encode_batch_fast([self.document_prompt + text for text in texts])
        return [
            sum(map(len, (each, *each.overflowing)))
            - len(each.overflowing) * sum(each.special_tokens_mask)
            for each in batch
        ]


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


def _pools_by_mean(folder: Path) -> bool:
    """Whether a model's vector is the mean of its tokens' outputs, and nothing after it."""
    modules = _modules(folder)
    if any(kind not in ("Transformer", "Pooling", "Normalize") for kind, _ in modules):
        return False
    places = [place for kind, place in modules if kind == "Pooling"]
    pooling = _read_json(places[0] / "config.json") if places else {}
    return bool(pooling.get("pooling_mode_mean_tokens")) or pooling.get("pooling_mode") == "mean"


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


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}.", "Install the embedder again.") from error
    return value if isinstance(value, dict) else {}
