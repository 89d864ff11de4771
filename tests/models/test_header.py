"""What a GGUF file says, and how much memory a context may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models.catalog import find_model
from rag.models.header import context_for, free_memory, memory_needed, read_header
from rag.models.weights import locate

GB = 1 << 30


def test_the_bundled_model():
    head = read_header(locate(find_model("SmolLM2-135M-Instruct", "generator")))
    assert (head.architecture, head.parameters, head.context) == ("llama", "135M", 8192)
    assert head.kv == 2 * 30 * 3 * (64 + 64)  # bytes, layers, heads, keys and values
    assert head.template
    assert head.licence == "apache-2.0"


@pytest.mark.parametrize(
    ("wanted", "trained", "free", "thinks", "context"),
    [
        (0, 8192, 8 * GB, False, 4096),
        (0, 8192, 8 * GB, True, 8192),
        (0, 2048, 8 * GB, False, 2048),
        (0, 0, 8 * GB, False, 4096),
        (6000, 131072, 8 * GB, False, 6000),
        (6000, 2048, 8 * GB, False, 2048),
        (0, 8192, GB, False, 1024),  # not even the weights fit: as little as can be
        (0, 8192, int(1.5 * GB), False, 2048),
    ],
)
def test_context(wanted: int, trained: int, free: int, thinks: bool, context: int):
    assert context_for(wanted, trained, 100_000, GB, free, thinks) == context


def test_memory():
    assert free_memory() > 0
    assert memory_needed(GB, 100_000, 4096) > GB + 400_000_000


def test_a_model_that_only_embeds_is_refused(tmp_path: Path):
    from gguf import GGUFWriter

    file = tmp_path / "embed.gguf"
    writer = GGUFWriter(file, "bert")
    writer.add_context_length(512)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match=r"cannot answer|could not be loaded"):
        read_header(file)
