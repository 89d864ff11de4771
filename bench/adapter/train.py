"""Train the adapter: LoRA on the bundled model, over what `examples.py` wrote.

    python bench/adapter/train.py OUT EXAMPLES... [--minutes N] [--seed N] [--threads N]

Goes on from OUT/state.pt where there is one; with --minutes it stops after that time, its
learning rate having come down to nothing by then. Writes OUT/adapter.safetensors.

A context is evaluated once for all questions about it: each question's tokens see the context
and themselves, never another question, and stand at the positions that they would have alone.
Only the answers' tokens are learned.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from rag.answering.generation import LlamaGenerator
from rag.answering.prompt import chat
from rag.config import Config
from rag.models.catalog import find_model
from rag.models.weights import locate, verified

BASE = "SmolLM2-135M-Instruct"
RANK, ALPHA = 16, 32
RATE = 1e-3
CONTEXTS_A_STEP = 4
_LONGEST = 900  # tokens of a context with its questions; longer ones are left out
_WARM_UP = 20  # steps
_SAVE_EVERY = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Packed:
    """Token ids of a context and its questions, shape (n,); `branch` is 0 for the context and
    counts questions from 1, `learned` marks the tokens of answers."""

    ids: list[int]
    positions: list[int]
    branch: list[int]
    learned: list[bool]


def pack(example: dict[str, Any], tokenizer: LlamaGenerator) -> Packed:
    """One context with its questions, tokenized as the program tokenizes its prompts."""
    end = tokenizer._library.llama_vocab_eos(tokenizer.chat.vocab)
    prompts = [
        tokenizer.prompt_ids(chat(each["question"], example["notes"], each["before"]))
        for each in example["asked"]
    ]
    shared = 0
    while all(len(ids) > shared + 1 and ids[shared] == prompts[0][shared] for ids in prompts):
        shared += 1
    packed = Packed(prompts[0][:shared], list(range(shared)), [0] * shared, [False] * shared)
    for number, (ids, each) in enumerate(zip(prompts, example["asked"], strict=True), 1):
        answer = [*tokenizer.chat.tokenize(each["answer"], special=False), end]
        own = [*ids[shared:], *answer]
        packed.ids.extend(own)
        packed.positions.extend(range(shared, shared + len(own)))
        packed.branch.extend([number] * len(own))
        packed.learned.extend([False] * (len(own) - len(answer)) + [True] * len(answer))
    return packed


def loss_of(model: Any, packed: Packed) -> torch.Tensor:
    """The mean cross-entropy of a context's answers, in nats a token."""
    branch = torch.tensor(packed.branch)
    order = torch.arange(len(branch))
    seen = (order[:, None] >= order[None, :]) & (
        (branch[None, :] == 0) | (branch[None, :] == branch[:, None])
    )
    mask = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    hidden = model.base_model.model.model(
        input_ids=torch.tensor([packed.ids]),
        position_ids=torch.tensor([packed.positions]),
        attention_mask=mask[None, None],
        use_cache=False,
    ).last_hidden_state[0]
    # A learned token is foretold by the one before it, which is always of the same branch.
    learned = torch.tensor(packed.learned).nonzero()[:, 0]
    logits = model.base_model.model.lm_head(hidden[learned - 1])
    return torch.nn.functional.cross_entropy(logits, torch.tensor(packed.ids)[learned])


def build() -> Any:
    """The bundled model with fresh LoRA matrices, in float32."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    file = locate(find_model(BASE, "generator"))
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32, attn_implementation="sdpa"
    )
    wanted = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    settings = LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=wanted, use_rslora=False
    )
    return get_peft_model(model, settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("examples", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    model = build()
    rows = _packed(options.examples, options.seed)
    train(model, rows, options.out, options.minutes * 60)


def _packed(files: Sequence[Path], seed: int) -> list[Packed]:
    spec = find_model(BASE, "generator")
    file, _ = verified(spec, Config().cache_dir / "models")
    tokenizer = LlamaGenerator(file, BASE, 512, 1)
    tokenizer.load()
    lines = [line for each in files for line in each.read_text(encoding="utf-8").splitlines()]
    random.Random(seed).shuffle(lines)
    rows = [pack(json.loads(line), tokenizer) for line in lines]
    tokenizer.close()
    return [each for each in rows if len(each.ids) <= _LONGEST]


def train(model: Any, rows: Sequence[Packed], out: Path, seconds: float) -> None:
    """Steps over `rows`, again and again, until `seconds` of training are spent in all."""
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    step, spent = 0, 0.0
    state_file = out / "state.pt"
    if state_file.is_file():
        state = torch.load(state_file, weights_only=True)
        step, spent = state["step"], state["spent"]
        model.load_state_dict(state["model"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
    model.train()
    saved = time.perf_counter()
    shown: list[float] = []
    while spent < seconds:
        started = time.perf_counter()
        rate = RATE * min(1.0, (step + 1) / _WARM_UP) * max(0.02, 1 - spent / seconds)
        for group in optimizer.param_groups:
            group["lr"] = rate
        for number in range(CONTEXTS_A_STEP):
            loss = loss_of(model, rows[(step * CONTEXTS_A_STEP + number) % len(rows)])
            (loss / CONTEXTS_A_STEP).backward()
            shown.append(loss.item())
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        spent += time.perf_counter() - started
        if step % 10 == 0:
            print(
                f"step {step}, {step * CONTEXTS_A_STEP} of {len(rows)} contexts, "
                f"{spent / 60:.1f} min, loss {sum(shown) / len(shown):.3f}",
                flush=True,
            )
            shown.clear()
        if time.perf_counter() - saved > _SAVE_EVERY:
            _save(model, optimizer, step, spent, out)
            saved = time.perf_counter()
    _save(model, optimizer, step, spent, out)


def _save(model: Any, optimizer: Any, step: int, spent: float, out: Path) -> None:
    from safetensors.torch import save_file

    trained = {
        name: value.detach().clone()
        for name, value in model.state_dict().items()
        if "lora_" in name
    }
    partial = out / "state.partial"
    torch.save(
        {"step": step, "spent": spent, "model": trained, "optimizer": optimizer.state_dict()},
        partial,
    )
    partial.replace(out / "state.pt")
    save_file({name: value.half() for name, value in trained.items()}, out / "adapter.safetensors")


if __name__ == "__main__":
    main()
