"""What a GGUF file says of itself, and the memory that it will take."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import ModelError

# More tokens than an answer ever reads would only cost memory; thoughts take room.
_ENOUGH, _ENOUGH_TO_THINK = 4096, 8192
_LEAST = 1024
_ENCODERS = ("bert", "nomic-bert", "modern-bert", "jina-bert-v2", "t5encoder")
_OVERHEAD = 120 << 20  # the program, the graph of the network, its intermediate results
_SHARE = 0.8  # of the free memory, for the cache of tokens and the weights together


@dataclass(frozen=True, slots=True)
class Header:
    """`context` in tokens, 0 where the file does not say; `kv` the bytes that a token takes in
    the cache; `template` tells whether the model was made to chat, `licence` is "" if unsaid."""

    name: str
    architecture: str
    parameters: str
    licence: str
    context: int
    kv: int
    template: bool


def read_header(path: Path) -> Header:
    """The header of a GGUF file. Raises ModelError for one that no text can be generated with."""
    from rag.models.gguf import check_gguf
    from rag.models.llama import load_library, open_model

    check_gguf(path)
    model = open_model(path, vocab_only=True)
    try:
        return header_of(model, path)
    finally:
        load_library().llama_model_free(model)


def header_of(model: Any, path: Path) -> Header:
    """The header of a model that llama.cpp has open. Raises ModelError as `read_header`."""
    from rag.models.llama import metadata

    kind = metadata(model, "general.architecture")

    def number(key: str) -> int:
        # One for each layer in some files: the most of them is what memory must hold.
        return max(map(int, re.findall(r"\d+", metadata(model, f"{kind}.{key}"))), default=0)

    if number("pooling_type") or kind in _ENCODERS:
        raise ModelError(
            f"{path.name} turns texts into vectors and cannot answer.",
            "Name a model that was made to chat.",
        )
    heads = number("attention.head_count_kv") or number("attention.head_count")
    width = number("embedding_length") // max(1, number("attention.head_count"))
    key, value = number("attention.key_length"), number("attention.value_length")
    return Header(
        metadata(model, "general.name") or path.stem,
        kind,
        metadata(model, "general.size_label"),
        metadata(model, "general.license"),
        number("context_length"),
        2 * number("block_count") * heads * ((key or width) + (value or width)),
        bool(metadata(model, "tokenizer.chat_template")),
    )


def parameters_of(weights: Path) -> str:
    """How many numbers a safetensors file holds, as in "22.7M"; "" where it does not say."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "numpy") as file:
            names = list(file.keys())  # it is no dict
            millions = sum(math.prod(file.get_slice(each).get_shape()) for each in names) / 1e6
    except (SafetensorError, OSError):
        return ""
    return f"{millions:.1f}M" if millions < 100 else f"{millions:.0f}M"


def free_memory() -> int:
    """Bytes that programs may still use."""
    import psutil

    return int(psutil.virtual_memory().available)


def context_for(wanted: int, trained: int, kv: int, weights: int, free: int, thinks: bool) -> int:
    """Tokens of context: `wanted`, or for 0 what is useful and fits in `free` bytes.

    Never more than the model was trained for, where that is known; never below what a question
    and its passages need.
    """
    most = trained or 1 << 20
    if wanted:
        return min(wanted, most)
    useful = min(_ENOUGH_TO_THINK if thinks else _ENOUGH, most)
    fits = int(max(0, free * _SHARE - weights) / kv) if kv else useful
    return min(useful, max(_LEAST, fits // 256 * 256))


def memory_needed(weights: int, kv: int, context: int) -> int:
    """Bytes that a model takes while it answers."""
    return weights + kv * context + _OVERHEAD
