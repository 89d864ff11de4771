"""A LoRA adapter and its base merged into one GGUF file: afterwards the adapter costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Q8_0 = 7  # llama_ftype of a file whose matrices are Q8_0


def merge(base: Path, adapter: Path, target: Path) -> None:
    """Write `base` with `adapter` added to its weights to `target`, its matrices as Q8_0.

    W + alpha / rank · B A (Hu et al. 2021, arXiv 2106.09685). The adapter's rows are in
    llama.cpp's order already. Raises ModelError where the two do not fit.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
    from gguf.quants import dequantize, quantize

    source = GGUFReader(base)
    added = GGUFReader(adapter)
    pairs = {each.name: dequantize(each.data, each.tensor_type) for each in added.tensors}
    alpha = float(added.fields["adapter.lora.alpha"].contents())
    known = {each.name for each in source.tensors}
    if any(name.rpartition(".lora_")[0] not in known for name in pairs):
        raise ModelError(
            f"The adapter {adapter.name} was not made for {base.name}.",
            "Install rag again: pip install --force-reinstall --no-deps rag-notes",
        )
    writer = GGUFWriter(target, source.fields["general.architecture"].contents())
    _copy_header(source, writer)
    for tensor in source.tensors:
        kind = tensor.tensor_type
        if tensor.name not in {name.rpartition(".lora_")[0] for name in pairs}:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=kind)
            continue
        weights = dequantize(tensor.data, kind) + _delta(pairs, tensor.name, alpha)
        writer.add_tensor(
            tensor.name,
            quantize(weights, GGMLQuantizationType.Q8_0),
            raw_dtype=GGMLQuantizationType.Q8_0,
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _delta(pairs: dict[str, NDArray[np.float32]], name: str, alpha: float) -> NDArray[np.float32]:
    down, up = pairs[f"{name}.lora_a"], pairs[f"{name}.lora_b"]  # (rank, in) and (out, rank)
    delta: NDArray[np.float32] = (alpha / down.shape[0]) * (up @ down)
    return delta


def _copy_header(source: Any, writer: Any) -> None:
    """All that the header of a file says, but for the type of its weights."""
    from gguf import GGUFValueType

    for name, field in source.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        if name == "general.file_type":
            writer.add_file_type(_Q8_0)
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=inner)
