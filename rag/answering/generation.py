"""A prompt into a stream of tokens, by llama.cpp.

Uses the library's C interface: the prompt is evaluated in slices so that it can be cancelled
and reported, what it shares with the one before stays in the KV cache, and special tokens come
from the chat template alone (`chat_tokens.py`).
"""

from __future__ import annotations

import codecs
import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as Steps
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.answering.chat_tokens import ChatTokens
from rag.answering.exclusive import Exclusive
from rag.answering.messages import Cancel, Message, Token
from rag.answering.pace import Pace
from rag.answering.thoughts import Folding, opened_by
from rag.errors import Cancelled, ModelError
from rag.models.header import context_for, free_memory, header_of
from rag.models.prepared import found_damaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FOLLOWS = 900_000_000  # weights: below, models refuse and cite at random
# Tokens evaluated between two looks at `cancel`: under a quarter of a second on two cores.
_SLICE = 128
_THOUGHTS = 1024  # tokens of thought before the answer is asked for


class Generator(Protocol):
    """A chat model. Sizes are in tokens. It is `taught` where it was trained on our prompt, and
    otherwise `follows` instructions or is too small to."""

    @property
    def name(self) -> str: ...
    @property
    def context_size(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def taught(self) -> bool: ...
    @property
    def follows(self) -> bool: ...
    def load(self) -> None: ...
    def close(self) -> None: ...
    def count_tokens(self, text: str) -> int: ...
    def stream(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        cancel: Cancel | None = None,
        avoid: str = "",
    ) -> Iterator[Token]: ...
    def likelihood(
        self, messages: Sequence[Message], text: str, cancel: Cancel | None = None
    ) -> float: ...


class LlamaGenerator:
    """A GGUF chat model. Greedy, so that the same question gets the same answer.

    `taught`: it was trained on the prompt of `rag.answering.prompt`, and answers as asked there.
    A `context` of 0 is what the file and the memory at hand allow; `thinks` lets a model think
    that can be told to.
    `opening`: how every chat begins. It is read as soon as the model is loaded, which is while the
    notes are searched, and no question waits for it. `prepare` writes a prepared file that was
    damaged again.
    """

    def __init__(
        self,
        file: Path,
        name: str,
        context: int,
        threads: int,
        taught: bool = False,
        thinks: bool = False,
        opening: Sequence[Message] = (),
        prepare: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self.taught = taught
        self._thinks = thinks
        self.file = file
        self.fingerprint = file.name
        self._threads = threads
        self._opening, self._prepare = tuple(opening), prepare
        self._wanted_context = context
        self._lock = Exclusive()
        self._model: Any = None
        self._context: Any = None
        self._cached: list[int] = []
        self.evaluated = 0  # prompt tokens evaluated for the last answer; the rest was cached

    def load(self) -> None:
        """Load the weights and read the opening now instead of at the first question.

        Raises ModelError.
        """
        with self._lock.held():
            fresh = self._context is None
            self._load()
            if fresh and self._opening:
                self._decode(self._shared_ids())

    def _shared_ids(self) -> list[int]:
        """The ids with which every chat that has the opening begins."""
        one, other = (
            self.chat.ids([*self._opening, Message("user", text)]) for text in ("a question", "1.")
        )
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        return [each for each, _ in pairs][: self._library.llama_n_batch(self._context)]

    def _load(self) -> None:
        if self._context is not None:
            return
        from rag.models.llama import load_library, open_model

        self._library = load_library()
        try:
            self._model = open_model(self.file)
        except ModelError:
            if self._prepare is None or not found_damaged(self.file):
                raise
            self._prepare()
            self._model = open_model(self.file)
        params = self._library.llama_context_default_params()
        params.n_ctx = self._fitting_context()
        params.n_batch = params.n_ubatch = _SLICE
        params.n_threads = params.n_threads_batch = self._threads
        params.no_perf = True
        self._context = self._library.llama_init_from_model(self._model, params)
        if not self._context:
            raise ModelError(
                f"{self.file.name} does not fit in memory with a context of {params.n_ctx} tokens.",
                "Set a smaller one in rag.toml, table [generator], key context.",
            )
        self._memory = self._library.llama_get_memory(self._context)
        self.chat = ChatTokens(self._library, self._model, self.name, self.taught, self._thinks)

    def _fitting_context(self) -> int:
        head = header_of(self._model, self.file)
        size = self.file.stat().st_size
        wanted = self._wanted_context
        return context_for(wanted, head.context, head.kv, size, free_memory(), self._thinks)

    def close(self) -> None:
        with self._lock.held():
            if self._context is not None:
                self._library.llama_free(self._context)
                self._library.llama_model_free(self._model)
                self._context = self._model = None
                self._cached = []

    @property
    def context_size(self) -> int:
        self.load()
        return int(self._library.llama_n_ctx(self._context))

    @property
    def follows(self) -> bool:
        """Whether the model is large enough to do as it is told."""
        self.load()
        return int(self._library.llama_model_n_params(self._model)) >= _FOLLOWS

    def count_tokens(self, text: str) -> int:
        self.load()
        return len(self.chat.tokenize(text, special=False))

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a chat: the template's special tokens, and text that can make none."""
        self.load()
        return self.chat.ids(messages)

    def stream(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        cancel: Cancel | None = None,
        avoid: str = "",
    ) -> Iterator[Token]:
        """Read the prompt, then yield the answer piece by piece. It does not begin with the first
        token of `avoid`.

        Raises Cancelled within a quarter of a second of `cancel()` turning true, ModelError
        when the prompt does not fit.
        """
        yield from self._lock.follow(self._steps(messages, max_tokens, cancel, avoid))

    def _steps(
        self, messages: Sequence[Message], max_tokens: int, cancel: Cancel | None, avoid: str
    ) -> Steps[Token, None, None]:
        with self._lock.held():
            self._load()
        rendered = self.chat.render([message.role for message in messages])
        ids = self.chat.ids_of(rendered, messages)
        opened = opened_by(rendered[-40:])
        with self._lock.held():
            room = self._library.llama_n_ctx(self._context) - len(ids)
            if room < 1:
                raise ModelError(
                    f"The question needs {len(ids)} tokens; {self.name} reads "
                    f"{len(ids) + room - 1}.",
                    "Ask a shorter question.",
                )
            yield from self._read_prompt(ids, cancel)
            yield from self._answer(len(ids), max_tokens, room, cancel, avoid, Folding(opened))

    def likelihood(
        self, messages: Sequence[Message], text: str, cancel: Cancel | None = None
    ) -> float:
        """The log-probability that `text` answers and the mark of its note follows. Of a prompt
        that was just answered nothing is read again. Raises Cancelled, ModelError."""
        ids = self.prompt_ids(messages)
        wanted = self.chat.tokenize(f"{text} [", special=False)[: _SLICE - 1]
        with self._lock.held():
            if len(ids) + len(wanted) > self._library.llama_n_ctx(self._context):
                return -math.inf
            shared = self._keep(ids[:-1])
            self._check(cancel)
            for start in range(shared, len(ids) - 1, _SLICE):
                self._check(cancel)
                self._decode(ids[start : min(start + _SLICE, len(ids) - 1)])
            self._decode([ids[-1], *wanted[:-1]], every=True)
            return sum(_logprob(self._logits(place), each) for place, each in enumerate(wanted))

    def _keep(self, ids: Sequence[int]) -> int:
        """How many of `ids` are in the KV cache from the start; what else is there is dropped."""
        pairs = zip(self._cached, ids, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if not self._library.llama_memory_seq_rm(self._memory, 0, shared, -1):
            self._library.llama_memory_clear(self._memory, True)
            shared = 0
        self._cached = self._cached[:shared]
        return shared

    def _read_prompt(self, ids: list[int], cancel: Cancel | None) -> Iterator[Token]:
        shared = self._keep(ids[:-1])
        self.evaluated = len(ids) - shared
        for start in range(shared, len(ids), _SLICE):
            self._check(cancel)
            self._decode(ids[start : start + _SLICE])
            yield Token("", 0.0, min(start + _SLICE, len(ids)), len(ids))

    def _answer(
        self,
        total: int,
        max_tokens: int,
        room: int,
        cancel: Cancel | None,
        avoid: str,
        folding: Folding,
    ) -> Iterator[Token]:
        """At most `max_tokens` of answer after `_THOUGHTS` of thought, in `room` tokens."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        pace = Pace(self._threads)
        if avoid:
            self._logits()[self.chat.tokenize(avoid, special=False)[0]] = -math.inf
        said = False
        left, thoughts = min(max_tokens, room), min(_THOUGHTS, room - max_tokens - 16)
        while left > 0:
            self._check(cancel)
            pace.step(self._set_threads)
            token, logprob = self._best()
            if self.chat.ends(token):
                break
            piece = decoder.decode(self.chat.piece(token))
            for text, thought in folding.add(piece):
                yield Token(text, logprob, total, total, thought)
                said = said or bool(text.strip())
            if said and "\n" in piece and not self.chat.template:
                break  # it goes on with a text of its own making
            self._decode([token])
            if not folding.inside:
                left -= 1
                continue
            thoughts -= 1
            if thoughts <= 0:  # enough: it is told that it has ended its thought
                self._decode(self.chat.tokenize(f"\n{folding.closing}\n\n", special=True))
                for text, thought in folding.force():
                    yield Token(text, logprob, total, total, thought)
        for text, thought in (*folding.add(decoder.decode(b"", final=True)), *folding.rest()):
            yield Token(text, 0.0, total, total, thought)

    def _set_threads(self, threads: int) -> None:
        self._library.llama_set_n_threads(self._context, threads, self._threads)

    def _decode(self, ids: Sequence[int], every: bool = False) -> None:
        """Evaluate tokens; the scores of what comes next are of the last, or of `every` one."""
        array = (ctypes.c_int32 * len(ids))(*ids)
        batch = self._library.llama_batch_get_one(array, len(ids))
        if every:
            wanted = (ctypes.c_int8 * len(ids))(*[1] * len(ids))
            batch.logits = wanted
        if self._library.llama_decode(self._context, batch) != 0:
            self._library.llama_memory_clear(self._memory, True)
            self._cached = []
            raise ModelError(
                f"{self.name} failed while reading.",
                "Ask again; if it happens again, name another model in rag.toml.",
            )
        self._cached += ids

    def _logits(self, place: int = -1) -> NDArray[np.float32]:
        """The scores of all tokens to come next, shape (vocabulary,), after the token at a place of
        what was evaluated last; the context's own memory."""
        import numpy as np

        return np.ctypeslib.as_array(
            self._library.llama_get_logits_ith(self._context, place), shape=(self.chat.size,)
        )

    def _best(self) -> tuple[int, float]:
        logits = self._logits()
        best = int(logits.argmax())
        return best, _logprob(logits, best)

    def _check(self, cancel: Cancel | None) -> None:
        if cancel is not None and cancel():
            raise Cancelled()


def _logprob(logits: NDArray[np.float32], token: int) -> float:
    import numpy as np

    top = float(logits.max())
    return float(logits[token]) - top - float(np.log(np.sum(np.exp(logits - top))))
