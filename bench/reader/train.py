"""Train the reader: `train.py OUT PAIRS.jsonl --minutes N [--rank R] [--rate X] [--begin FILE]`

The bundled embedder's encoder learns to read a question and a text together and to point at the
answer (`rag/models/reader.py`). Its own weights stay as they are: what is learnt are low-rank
matrices beside each linear layer (Hu et al. 2021, arXiv 2106.09685), the norms, the biases and the
last layer. One pass over the pairs of `pairs.py`, in their order; the rate falls to nothing at
the end, or when the time is over. Writes OUT, as it is shipped; with `--rank 0`, which learns the
matrices themselves, also OUT's name with `.whole.safetensors`: another run that begins from that
lacks nothing that was cut off.

Two processes, each with a core of its own, train half as fast again as one with two threads:
`torchrun --nproc-per-node 2 bench/reader/train.py …`
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from safetensors.torch import load_file, save_file
from torch import distributed, nn

from rag.doctor_models import processor_flags
from rag.models.catalog import BUNDLED
from rag.models.export_reader import Spans, factors, wholes
from rag.models.reader import TOKENS, encode_pair, open_tokenizer
from rag.models.weights import locate

_BATCH = 2048  # tokens of each process, padding included
_POOL = 96  # batches whose pairs are sorted by length before they are cut
_RATE, _WARMUP = 1e-3, 60
_BARRED = -1e4
# Factors of a matrix that was learnt itself: more do not fit beside the adapter into 12 MB.
_KEPT = 100
_IN_BFLOAT16 = any("bf16" in flag for flag in processor_flags())


@dataclass(frozen=True, slots=True)
class Row:
    """A pair in tokens: their ids, the first of the text, and the answer's first and last; 0 where
    the text does not answer."""

    ids: list[int]
    begin: int
    first: int
    last: int


class LowRank(nn.Module):  # type: ignore[misc]
    """A linear layer that stays, and what is learnt beside it."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) + (x @ self.down.T) @ self.up.T


def reader(folder: Path, rank: int) -> Spans:
    """The bundled encoder with what is to be learnt beside it, and all else held; with rank 0 its
    matrices are learnt themselves."""
    model = Spans(folder)
    model.encoder.requires_grad_(False)
    for module in list(model.encoder.encoder.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear):
                child.bias.requires_grad_(True)
                if rank:
                    setattr(module, name, LowRank(child, rank))
                else:
                    child.weight.requires_grad_(True)
            elif isinstance(child, nn.LayerNorm):
                child.requires_grad_(True)
    model.encoder.embeddings.token_type_embeddings.requires_grad_(True)
    model.encoder.embeddings.LayerNorm.requires_grad_(True)
    return model.eval()  # no dropout: nothing is seen twice


def go_on(model: Spans, learnt: dict[str, torch.Tensor]) -> None:
    """Begin with what `shipped` wrote; the rows of `down` get the length that new ones have."""
    own = dict(model.named_parameters())
    with torch.no_grad():
        for stem, up, down in factors(learnt):
            if f"{stem}.weight" in own:
                own[f"{stem}.weight"] += up @ down
                continue
            length = down.norm(dim=1).clamp(min=1e-12)
            own[f"{stem}.down"].copy_(down / length[:, None])
            own[f"{stem}.up"].copy_(up * length)
        for name, value in wholes(learnt):
            own[name if name in own else _beside(name)].copy_(value)


def _beside(name: str) -> str:
    """The name of a bias in a layer that something is learnt beside."""
    stem, _, last = name.rpartition(".")
    return f"{stem}.base.{last}"


def row_of(tokenizer: Any, pair: dict[str, Any]) -> Row | None:
    """A pair in tokens, of a long text the part around the answer; None where it is cut off."""
    ask = (tokenizer, pair["question"], pair["title"], pair["text"])
    whole = encode_pair(*ask)
    if pair["start"] < 0:
        return Row(whole.ids, whole.begin, 0, 0)
    offsets = tokenizer.encode(pair["text"], add_special_tokens=False).offsets
    inside = [n for n, (a, b) in enumerate(offsets) if a < pair["end"] and b > pair["start"]]
    if not inside:
        return None
    room = TOKENS - whole.begin - 1
    shift = max(0, min(inside[0] - room // 2, len(offsets) - room))
    if inside[-1] - shift >= room:
        return None
    shown = encode_pair(*ask, start=shift)
    first, last = (whole.begin + place - shift for place in (inside[0], inside[-1]))
    return Row(shown.ids, shown.begin, first, last)


def batches(rows: Sequence[Row], chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Batches of pairs of like length, from the rows in their order."""
    pool = start = 0
    for n, row in enumerate(rows):
        pool += len(row.ids)
        if pool < _POOL * _BATCH and n + 1 < len(rows):
            continue
        cut: list[list[Row]] = [[]]
        for each in sorted(rows[start : n + 1], key=lambda each: len(each.ids)):
            if cut[-1] and len(each.ids) * (len(cut[-1]) + 1) > _BATCH:
                cut.append([])
            cut[-1].append(each)
        chance.shuffle(cut)
        yield from map(_collated, cut)
        start, pool = n + 1, 0


def _collated(rows: Sequence[Row]) -> tuple[Any, ...]:
    width = max(len(row.ids) for row in rows)
    ids, kinds, mask = (torch.zeros(len(rows), width, dtype=torch.long) for _ in range(3))
    for n, row in enumerate(rows):
        ids[n, : len(row.ids)] = torch.tensor(row.ids)
        kinds[n, row.begin : len(row.ids)] = 1
        mask[n, : len(row.ids)] = 1
    answers = torch.tensor([[row.first for row in rows], [row.last for row in rows]])
    return ids, kinds, mask, answers


def loss_of(model: Spans, ids: Any, kinds: Any, mask: Any, answers: Any) -> Any:
    """Cross-entropy of start and end among the text's tokens and the first one."""
    barred = (kinds == 0) | (mask == 0)
    barred[:, 0] = False
    # In bfloat16 1.8 times as many tokens a second as in 32 bits, where the CPU has it.
    with torch.autocast("cpu", torch.bfloat16, enabled=_IN_BFLOAT16):
        logits = model(ids, kinds, mask)
    losses = [
        nn.functional.cross_entropy(each.float().masked_fill(barred, _BARRED), gold)
        for each, gold in zip(logits, answers, strict=True)
    ]
    return sum(losses) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rank", type=int, default=48)
    parser.add_argument(
        "--begin", type=Path, help="a reader to go on from, of the same rank, or a whole one"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=_RATE, help="of learning, at its highest")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    worker, workers = 0, 1
    if "WORLD_SIZE" in os.environ:
        torch.set_num_threads(1)
        distributed.init_process_group("gloo")
        worker, workers = distributed.get_rank(), distributed.get_world_size()
    folder = locate(BUNDLED[0]).parent
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    model = reader(folder, options.rank)
    if options.begin:
        go_on(model, load_file(options.begin))
    pairs = [json.loads(line) for line in options.pairs.open(encoding="utf-8")]
    rows = [row for pair in pairs if (row := row_of(tokenizer, pair))]
    everything = list(batches(rows, random.Random(options.seed)))
    # As many for each process: one that has ended has nothing to share.
    mine = islice(everything, worker, len(everything) // workers * workers, workers)
    total = sum(len(row.ids) for row in rows)
    train(model, mine, total / workers, options.minutes, options.rate)
    if not worker:
        save_file(shipped(model, Spans(folder)), options.out)
        if not options.rank:
            whole = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
            save_file(whole, options.out.with_suffix(".whole.safetensors"))


def train(
    model: Spans, mine: Iterator[tuple[Any, ...]], total: float, minutes: float, highest: float
) -> None:
    """Train on the batches of this process, `total` tokens, for at most so many minutes."""
    learnt = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=highest, weight_decay=0.01)
    started, seen, losses = time.monotonic(), 0, []
    for step, batch in enumerate(mine, 1):
        seen += int(batch[2].sum())
        spent = (time.monotonic() - started) / 60
        loss = loss_of(model, *batch)
        optimiser.zero_grad()
        loss.backward()
        done = _shared(learnt, max(spent / minutes, seen / total))
        rate = highest * min(1.0, step / _WARMUP) * max(0.0, 1 - done)
        for group in optimiser.param_groups:
            group["lr"] = rate
        nn.utils.clip_grad_norm_(learnt, 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % 20 == 0:
            mean = sum(losses[-20:]) / 20
            print(f"step {step}, loss {mean:.3f}, {done:.3f} done, {spent:.1f} min", flush=True)
        if done >= 1:
            return


def _shared(learnt: Sequence[nn.Parameter], done: float) -> float:
    """Average the gradients over the processes that train together, and how far they are."""
    if not distributed.is_initialized():
        return done
    flat = torch.cat([torch.tensor([done]), *(each.grad.flatten() for each in learnt)])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    place = 1
    for each in learnt:
        each.grad.copy_(flat[place : place + each.numel()].view_as(each))
        place += each.numel()
    return float(flat[0])


def shipped(model: Spans, base: Spans) -> dict[str, torch.Tensor]:
    """What was learnt, the factors of each matrix in eight bits: `rag.models.export_reader`. Of a
    matrix that was learnt itself, the best factors of its difference from that of `base`."""
    state = {name: each.detach() for name, each in model.named_parameters() if each.requires_grad}
    before = dict(base.named_parameters())
    kept = {}
    for name, value in state.items():
        if name.endswith(".down"):
            stem = name.removesuffix(".down")
            kept.update(_in_eight_bits(stem, state[f"{stem}.up"], value))
        elif ".layer." in name and value.dim() == 2:
            up, sizes, down = torch.linalg.svd(value - before[name].detach())
            root = sizes[:_KEPT].sqrt()
            pair = up[:, :_KEPT] * root, down[:_KEPT] * root[:, None]
            kept.update(_in_eight_bits(name.removesuffix(".weight"), *pair))
        elif not name.endswith(".up"):
            kept[name.replace(".base.", ".")] = value.clone()
    return kept


def _in_eight_bits(
    stem: str, up: torch.Tensor, down: torch.Tensor
) -> Iterator[tuple[str, torch.Tensor]]:
    rows = down.abs().amax(dim=1).clamp(min=1e-12) / 127
    columns = up.abs().amax(dim=0).clamp(min=1e-12) / 127
    yield f"{stem}.down", (down / rows[:, None]).round().to(torch.int8).contiguous()
    yield f"{stem}.up", (up / columns).round().to(torch.int8).contiguous()
    yield f"{stem}.scale", rows * columns


if __name__ == "__main__":
    main()
