"""Export the reader to ONNX: `python -m rag.models.export_reader FOLDER LEARNT TARGET`.

FOLDER is the bundled embedder's, LEARNT what `bench/reader/train.py` added to it. Run in a process
of its own by `rag.models.reader`. Exits with 0 only when the export agrees with torch, both whole
and with its matrices rounded to eight bits.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

_AGREEMENT = 1e-2  # logits; they reach from about -10 to 10
# What rounding may change on average, in logits. Of 800 questions about articles that it was not
# taught on, the rounded reader told the answerable ones as well (area under the curve 0.729, whole
# 0.725), in 43 % of the time on two cores with VNNI.
_ROUNDED = 1.0


class Spans(nn.Module):  # type: ignore[misc]
    """The encoder and a last layer: for each token, whether the answer starts and ends there."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(
            str(folder),
            attn_implementation="eager",  # also the fastest to train in bfloat16
            add_pooling_layer=False,
            use_safetensors=True,
            local_files_only=True,
        )
        self.spans = nn.Linear(self.encoder.config.hidden_size, 2)

    def forward(self, input_ids: Any, token_type_ids: Any, attention_mask: Any) -> Any:
        """Logits of start and end, each of shape (n, tokens)."""
        hidden = self.encoder(
            input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        return self.spans(hidden).unbind(-1)


def factors(learnt: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What was learnt beside each matrix: its name without the last part, and `up` and `down`, of
    which the product is added. Both are kept in eight bits, with a scale for each row of `down`."""
    for name, value in learnt.items():
        if name.endswith(".down"):
            stem = name.removesuffix(".down")
            down = value.float() * learnt[f"{stem}.scale"][:, None]
            yield stem, learnt[f"{stem}.up"].float(), down


def wholes(learnt: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tensors that were learnt as a whole, by name."""
    for name, value in learnt.items():
        if not name.endswith((".down", ".up", ".scale")):
            yield name, value


def with_learnt(model: Spans, learnt: dict[str, Any]) -> Spans:
    """The model with what was learnt."""
    own = dict(model.named_parameters())
    with torch.no_grad():
        for stem, up, down in factors(learnt):
            own[f"{stem}.weight"] += up @ down
        for name, value in wholes(learnt):
            own[name].copy_(value)
    return model


def export(folder: Path, learnt: Path, target: Path) -> None:
    """Write the ONNX form to `target`, complete or not at all."""
    from safetensors.torch import load_file

    model = with_learnt(Spans(folder), load_file(learnt)).eval()
    ids = torch.tensor([[101, 2040, 102, 3899, 102], [101, 2054, 102, 4937, 102]])
    example = (ids, torch.zeros_like(ids), torch.ones_like(ids))
    # Named after the parent, which clears it away where this process is killed.
    partial = target.with_name(f"{target.name}.{os.getppid()}.partial")
    names = ["input_ids", "token_type_ids", "attention_mask"]
    axes = {name: {0: "batch", 1: "tokens"} for name in (*names, "start", "end")}
    try:
        torch.onnx.export(
            model,
            example,
            str(partial),
            input_names=names,
            output_names=["start", "end"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        _check(model, partial, _AGREEMENT, worst=True)
        _round(partial)
        _check(model, partial, _ROUNDED, worst=False)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _round(onnx: Path) -> None:
    """Keep the matrices in eight bits, a scale a column; activations are rounded as they come
    (onnxruntime's dynamic quantization)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(onnx),
        str(onnx),
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )


def _check(model: Spans, onnx: Path, most: float, worst: bool) -> None:
    """Raises ValueError where the export says another thing than torch of other ids, at another
    length, by more than `most` logits at `worst` or else on average."""
    import onnxruntime

    chance = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 20000, (3, 90), generator=chance)
    kinds = torch.zeros_like(ids)
    kinds[:, 20:] = 1
    mask = torch.ones_like(ids)
    mask[0, 60:] = 0
    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    inputs = (ids, kinds, mask)
    given = {
        each.name: tensor.numpy() for each, tensor in zip(session.get_inputs(), inputs, strict=True)
    }
    ours = session.run(None, given)
    with torch.no_grad():
        theirs = model(*inputs)
    for one, other in zip(ours, theirs, strict=True):
        apart = (torch.from_numpy(one) - other)[mask > 0].abs()
        found = float(apart.max() if worst else apart.mean())
        if found > most:
            raise ValueError(f"the export differs by {found:.4f}")


def main() -> None:
    warnings.filterwarnings("ignore")
    folder, learnt, target = map(Path, sys.argv[1:4])
    export(folder, learnt, target)


if __name__ == "__main__":
    main()
