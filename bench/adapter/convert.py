"""The trained adapter as llama.cpp reads it: `python bench/adapter/convert.py TRAINED OUT.gguf`.

TRAINED is what train.py wrote as adapter.safetensors. Rows of query and key matrices are put in
the order in which llama.cpp stores them for its rotary embedding. The file names its base by hash
and carries the hash of the prompt that it was trained on.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from numpy.typing import NDArray

from bench.adapter.train import ALPHA, BASE
from rag.answering.prompt import PROMPT_HASH
from rag.models.catalog import find_model

_HEADS, _KEY_HEADS = 9, 3  # of SmolLM2-135M
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def main() -> None:
    from safetensors.numpy import load_file

    trained, out = Path(sys.argv[1]), Path(sys.argv[2])
    spec = find_model(BASE, "generator")
    writer = GGUFWriter(out, "llama")
    writer.add_type("adapter")
    writer.add_name("rag answers, for SmolLM2-135M-Instruct")
    writer.add_license("cc-by-sa-4.0")  # as the questions that it was trained on
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(ALPHA))
    writer.add_string("rag.base.sha256", spec.sha256)
    writer.add_string("rag.prompt.sha256", PROMPT_HASH)
    for name, value in sorted(load_file(trained).items()):
        ours = _name(name)
        if ours.endswith("lora_a"):
            rounded = quantize(value.astype(np.float32), GGMLQuantizationType.Q8_0)
            writer.add_tensor(ours, rounded, raw_dtype=GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(ours, _rows(name, value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _name(name: str) -> str:
    """ "….layers.3.mlp.up_proj.lora_A.default.weight" is "blk.3.ffn_up.weight.lora_a"."""
    parts = name.split(".")
    layer = parts[parts.index("layers") + 1]
    part = next(ours for theirs, ours in _NAMES.items() if theirs in name)
    return f"blk.{layer}.{part}.weight.{'lora_a' if 'lora_A' in name else 'lora_b'}"


def _rows(name: str, value: NDArray[np.float16]) -> NDArray[np.float16]:
    heads = _HEADS if "q_proj.lora_B" in name else _KEY_HEADS if "k_proj.lora_B" in name else 0
    if not heads:
        return value
    halves = value.reshape(heads, 2, value.shape[0] // heads // 2, value.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(value.shape))


if __name__ == "__main__":
    main()
