"""How fast a language model reads and writes on this machine."""

from __future__ import annotations

import time
from datetime import date

from rag.answering.generation import Generator
from rag.answering.messages import Message
from rag.errors import ModelError
from rag.models.installed import Speed

_READ, _WRITTEN = 512, 64  # tokens
_SENTENCE = "The library was founded in 1902 by Anna Berg, who gave it three thousand books. "


def measure(generator: Generator) -> Speed:
    """Read some five hundred tokens, write sixty. Takes seconds; raises ModelError."""
    generator.load()
    each = max(1, generator.count_tokens(_SENTENCE))
    text = _SENTENCE * (_READ // each) + "Count from one to one hundred in words: one, two, three,"
    list(generator.stream([Message("user", "Warm up.")], 1))
    started = time.perf_counter()
    read_at = written_at = started
    read = written = 0
    for token in generator.stream([Message("user", text)], _WRITTEN):
        now = time.perf_counter()
        if token.text:
            written, written_at = written + 1, now
        else:
            read, read_at = token.prompt_done, now
    generator.close()
    if not read or written < 2:
        raise ModelError(f"{generator.name} wrote too little to be measured.", "Try another.")
    decode = written / max(1e-6, written_at - read_at)
    prefill = read / max(1e-6, read_at - started)
    return Speed(round(prefill, 1), round(decode, 1), date.today().isoformat())
