"""What goes into a chat model and what comes out: messages and tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Cancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat, its text untrusted."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer and the natural logarithm of its probability.

    An empty `text` with `prompt_done` below `prompt_total` reports reading of the prompt.
    A `thought` is what the model says to itself before it answers.
    """

    text: str
    logprob: float
    prompt_done: int
    prompt_total: int
    thought: bool = False
