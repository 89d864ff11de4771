"""What llama.cpp could do, and what rag makes of it: a warm question, a follow-up, a long answer.

    python bench/warm.py --data FOLDER [--sample N] [--write]

Everything runs in one process on one set of weights, ours and the bare calls in turn, medians of
ratios. Tokens of a follow-up are counted, not timed.
"""

from __future__ import annotations

import ctypes
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.data import data_folder, engine, parser, questions
from bench.report import machine, write_section
from rag.answering.generation import LlamaGenerator
from rag.answering.messages import Message
from rag.engine import Engine
from rag.events import Answered
from rag.retrieval.query import Turn

_ANSWER = 64  # tokens of the long answer


class _Recorded:
    """What the generator was last asked to read."""

    def __init__(self, model: LlamaGenerator) -> None:
        self.messages: Sequence[Message] = ()
        stream = model.stream

        def recording(messages: Sequence[Message], *values: Any, **named: Any) -> Any:
            self.messages = messages
            return stream(messages, *values, **named)

        model.stream = recording  # type: ignore[method-assign]


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--keep", type=Path, help="where the index lies and stays")
    arguments.add_argument("--write", action="store_true", help="into bench/RESULTS.md")
    options = arguments.parse_args()
    folder = data_folder(options)
    with tempfile.TemporaryDirectory() as name:
        made = engine(folder / "notes", options.keep or Path(name))
        for _ in made.index():
            pass
        made.models.warm_up()
        model = made.models.generator()
        assert isinstance(model, LlamaGenerator)
        text = _report(made, model, folder, options.sample or 10, options.seed)
    print(text)
    if options.write:
        write_section("warm", text)


def _report(made: Engine, model: LlamaGenerator, folder: Path, count: int, seed: int) -> str:
    recorded = _Recorded(model)
    first, read, shared = [], [], []
    for each in questions(folder, "answerable", 3 * count, seed):
        _open(model)
        done = _ask(made, each.question, ())
        if "first_token_s" not in done.timings:
            continue
        ids = model.prompt_ids(recorded.messages)
        first.append(done.timings["first_token_s"] / _bare_prompt(model, ids))
        history = (Turn(each.question, done.answer, done.query),)
        _ask(made, each.question, ())
        before = model.prompt_ids(recorded.messages)
        later = _ask(made, "And when was that?", history)
        if "first_token_s" in later.timings:
            after = model.prompt_ids(recorded.messages)
            same = next((n for n, (a, b) in enumerate(zip(before, after)) if a != b), 0)  # noqa: B905
            shared.append((model.evaluated, len(after) - same, len(after)))
        read.append(speed(model, recorded.messages) / bare_speed(model, ids))
        if len(first) == count:
            break
    evaluated, differing, whole = (sum(each) for each in zip(*shared, strict=True))
    return "\n".join(
        (
            machine(),
            "",
            f"| {len(first)} questions | ratio | goal |",
            "| --- | --- | --- |",
            "| warm question to the first token, search included, against bare `llama_decode` of"
            f" the same prompt, its opening too | {statistics.median(first):.2f} | 1.1 |",
            "| tokens a second against a bare decode loop, without a screen |"
            f" {statistics.median(read):.2f} | 0.93 |",
            "| follow-up: prompt tokens evaluated of those that differ from the prompt before |"
            f" {evaluated:,} of {differing:,} ({whole:,} in all) | only those |",
        )
    )


def _ask(made: Engine, question: str, history: Sequence[Turn]) -> Answered:
    *_, done = made.ask(question, history)
    assert isinstance(done, Answered)
    return done


def _open(model: LlamaGenerator) -> None:
    """As a chat is before its first question: how every chat begins was read while it opened."""
    _forget(model)
    model._decode(model._shared_ids())


def _forget(model: LlamaGenerator) -> None:
    """Empty the cache."""
    model._library.llama_memory_clear(model._memory, True)
    model._cached = []


def _decode(model: LlamaGenerator, ids: Sequence[int]) -> None:
    array = (ctypes.c_int32 * len(ids))(*ids)
    batch = model._library.llama_batch_get_one(array, len(ids))
    if model._library.llama_decode(model._context, batch):
        raise SystemExit("llama_decode failed")


def _bare_prompt(model: LlamaGenerator, ids: Sequence[int]) -> float:
    """Seconds to evaluate a prompt and find the likeliest token, in the largest batches."""
    _forget(model)
    size = model._library.llama_n_batch(model._context)
    began = time.perf_counter()
    for start in range(0, len(ids), size):
        _decode(model, ids[start : start + size])
    model._logits().argmax()
    return time.perf_counter() - began


def bare_speed(model: LlamaGenerator, ids: Sequence[int]) -> float:
    """Tokens a second of nothing but evaluating and choosing."""
    _bare_prompt(model, ids)
    model._set_threads(model._threads)
    began = time.perf_counter()
    for _ in range(_ANSWER):
        _decode(model, [int(model._logits().argmax())])
    taken = time.perf_counter() - began
    _forget(model)
    return _ANSWER / taken


def speed(
    model: LlamaGenerator, messages: Sequence[Message], draw: Callable[[str], object] = str
) -> float:
    """Tokens a second of an answer, its words, probabilities and looks at the clock included.
    `draw` is told each piece of text."""
    began, before = 0.0, 0
    end = model._library.llama_vocab_is_eog
    model._library.llama_vocab_is_eog = lambda *_: False  # an answer of the same length
    try:
        for token in model.stream(messages, _ANSWER + 1):
            if token.text and not began:
                began, before = time.perf_counter(), len(model._cached)
            draw(token.text)
        # Counted as evaluated: an end that is no end has no text.
        return (len(model._cached) - before) / (time.perf_counter() - began)
    finally:
        model._library.llama_vocab_is_eog = end


if __name__ == "__main__":
    main()
