"""The taught model: merged as it was trained, and only where it fits."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path

import pytest

from rag.answering.generation import LlamaGenerator
from rag.answering.prompt import PROMPT_HASH, REFUSAL, chat
from rag.errors import ModelError
from rag.models.adapter import merge
from rag.models.catalog import ModelSpec, find_model
from rag.models.weights import ADAPTERS, generator_file, locate

SPEC = find_model("SmolLM2-135M-Instruct", "generator")
NOTES = [
    "[1] Library: The library was founded in 1902 by Anna Berg, who gave it 3,000 books.",
    "[2] Bridge: The bridge was built by Otto Lund after the flood of 1911.",
]
QUESTIONS = ["Who founded the library?", "When was the flood?", "How many books did she give?"]


def test_the_adapter_was_trained_on_this_prompt_and_these_weights():
    from gguf import GGUFReader

    fields = GGUFReader(ADAPTERS / SPEC.adapter).fields
    assert fields["rag.prompt.sha256"].contents() == PROMPT_HASH
    assert fields["rag.base.sha256"].contents() == SPEC.sha256


def test_it_is_small():
    assert (ADAPTERS / SPEC.adapter).stat().st_size <= 12_000_000


def said(generator: LlamaGenerator, question: str, avoid: str = "") -> tuple[str, float]:
    """An answer, and the probability of its first token."""
    tokens = [t for t in generator.stream(chat(question, NOTES), 24, None, avoid) if t.text]
    return "".join(token.text for token in tokens), math.exp(tokens[0].logprob)


@pytest.mark.model
def test_merged_and_unmerged_answers_agree(models_cache: Path):
    merged = LlamaGenerator(generator_file(SPEC, models_cache), "merged", 1024, 2)
    apart = LlamaGenerator(locate(SPEC), "apart", 1024, 2)
    apart.load()
    library = apart._library
    adapter = library.llama_adapter_lora_init(apart._model, str(ADAPTERS / SPEC.adapter).encode())
    assert adapter
    assert _set_adapter(library, apart._context, adapter) == 0
    for question in QUESTIONS:
        (ours, sure), (theirs, other) = said(merged, question), said(apart, question)
        assert ours == theirs
        assert sure == pytest.approx(other, abs=0.1)
    merged.close()
    apart.close()


def _set_adapter(library, context, adapter) -> int:
    if hasattr(library, "llama_set_adapter_lora"):
        return library.llama_set_adapter_lora(context, adapter, 1.0)
    adapters = (library.llama_adapter_lora_p_ctypes * 1)(adapter)
    return library.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0))


@pytest.mark.model
def test_the_taught_model_answers_and_cites(models_cache: Path):
    model = LlamaGenerator(generator_file(SPEC, models_cache), "merged", 1024, 2)
    text, _ = said(model, "Who founded the library?")
    assert "Anna Berg" in text
    assert "[1]" in text
    nowhere = "Who painted the ceiling of the opera in Oslo?"
    assert said(model, nowhere)[0].startswith(REFUSAL.rstrip("."))
    assert not said(model, nowhere, avoid=REFUSAL)[0].startswith(REFUSAL.rstrip("."))
    model.close()


def test_an_adapter_for_other_weights_is_refused(tmp_path: Path):
    import numpy as np
    from gguf import GGUFWriter

    other = tmp_path / "other.gguf"
    writer = GGUFWriter(other, "llama")
    writer.add_float32("adapter.lora.alpha", 1.0)
    writer.add_tensor("blk.99.attn_q.weight.lora_a", np.zeros((1, 4), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match="was not made for"):
        merge(locate(SPEC), other, tmp_path / "merged.gguf")


def test_a_damaged_adapter_is_refused_by_name(tmp_path: Path):
    spec = ModelSpec(**{**_fields(SPEC), "adapter_sha256": "0" * 64})
    with pytest.raises(ModelError, match="missing or damaged"):
        generator_file(spec, tmp_path)
    assert not list(tmp_path.glob("*.gguf"))


def _fields(spec: ModelSpec) -> dict[str, str]:
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}
