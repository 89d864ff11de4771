"""Models worth fetching: those that answer, and those that find, each by the memory that they need.
A list grows old: `AS_OF`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

AS_OF = date(2026, 11, 30)


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A GGUF file on the Hugging Face hub. `size` is about what it weighs, in megabytes; the hub
    says exactly, and gives the SHA-256 that the file is checked against. `context` in tokens,
    `kv` the memory that one of them takes, in bytes."""

    name: str
    repo: str
    file: str
    parameters: str
    size: int
    context: int
    kv: int
    licence: str

    @property
    def source(self) -> str:
        return f"hf:{self.repo}/{self.file}"


@dataclass(frozen=True, slots=True)
class KnownEmbedder:
    """A sentence-transformers model on the Hugging Face hub. `size` is about what its weights
    weigh, in megabytes, `dimension` the numbers in a vector, `context` in tokens. The prompts are
    those that its makers put in front of questions and of passages, where its files do not say."""

    name: str
    repo: str
    parameters: str
    size: int
    dimension: int
    context: int
    languages: str
    licence: str
    query_prompt: str = ""
    document_prompt: str = ""

    @property
    def source(self) -> str:
        return f"hf:{self.repo}"


EMBEDDERS = (
    KnownEmbedder(
        "bge-small-en-v1.5",
        "BAAI/bge-small-en-v1.5",
        "33.4M",
        133,
        384,
        512,
        "English",
        "MIT",
        query_prompt="Represent this sentence for searching relevant passages: ",
    ),
    KnownEmbedder(
        "multilingual-e5-small",
        "intfloat/multilingual-e5-small",
        "118M",
        471,
        384,
        512,
        "100 languages",
        "MIT",
        query_prompt="query: ",
        document_prompt="passage: ",
    ),
    KnownEmbedder(
        "multilingual-e5-base",
        "intfloat/multilingual-e5-base",
        "278M",
        1112,
        768,
        512,
        "100 languages",
        "MIT",
        query_prompt="query: ",
        document_prompt="passage: ",
    ),
)
KNOWN = (
    KnownModel(
        "gemma-3-270m-it",
        "ggml-org/gemma-3-270m-it-GGUF",
        "gemma-3-270m-it-Q8_0.gguf",
        "0.27B",
        292,
        32768,
        18432,
        "Gemma",
    ),
    KnownModel(
        "SmolLM2-360M-Instruct",
        "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
        "smollm2-360m-instruct-q8_0.gguf",
        "0.36B",
        386,
        8192,
        40960,
        "Apache-2.0",
    ),
    KnownModel(
        "Qwen3-0.6B",
        "Qwen/Qwen3-0.6B-GGUF",
        "Qwen3-0.6B-Q8_0.gguf",
        "0.6B",
        639,
        40960,
        114688,
        "Apache-2.0",
    ),
    KnownModel(
        "gemma-3-1b-it",
        "ggml-org/gemma-3-1b-it-GGUF",
        "gemma-3-1b-it-Q4_K_M.gguf",
        "1B",
        806,
        32768,
        26624,
        "Gemma",
    ),
    KnownModel(
        "Qwen2.5-1.5B-Instruct",
        "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        "qwen2.5-1.5b-instruct-q4_k_m.gguf",
        "1.5B",
        1117,
        32768,
        28672,
        "Apache-2.0",
    ),
    KnownModel(
        "granite-3.3-2b-instruct",
        "ibm-granite/granite-3.3-2b-instruct-GGUF",
        "granite-3.3-2b-instruct-Q4_K_M.gguf",
        "2.5B",
        1545,
        131072,
        81920,
        "Apache-2.0",
    ),
    KnownModel(
        "Qwen3-1.7B",
        "Qwen/Qwen3-1.7B-GGUF",
        "Qwen3-1.7B-Q8_0.gguf",
        "1.7B",
        1834,
        40960,
        114688,
        "Apache-2.0",
    ),
    KnownModel(
        "SmolLM3-3B",
        "ggml-org/SmolLM3-3B-GGUF",
        "SmolLM3-Q4_K_M.gguf",
        "3B",
        1915,
        65536,
        73728,
        "Apache-2.0",
    ),
    KnownModel(
        "Qwen3-4B",
        "Qwen/Qwen3-4B-GGUF",
        "Qwen3-4B-Q4_K_M.gguf",
        "4B",
        2497,
        40960,
        147456,
        "Apache-2.0",
    ),
    KnownModel(
        "granite-3.3-8b-instruct",
        "ibm-granite/granite-3.3-8b-instruct-GGUF",
        "granite-3.3-8b-instruct-Q4_K_M.gguf",
        "8B",
        4943,
        131072,
        163840,
        "Apache-2.0",
    ),
    KnownModel(
        "Qwen3-8B",
        "Qwen/Qwen3-8B-GGUF",
        "Qwen3-8B-Q4_K_M.gguf",
        "8B",
        5028,
        40960,
        147456,
        "Apache-2.0",
    ),
)
