"""The reader: a small encoder that reads a question and a text together, and points at the answer.

It is the bundled embedder with what `bench/reader/train.py` taught it (Devlin et al. 2019, section
4.3: for each token whether the answer starts and ends there; the first token stands for "the text
does not say"). It is exported once, and runs on ONNX Runtime.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, storage_errors
from rag.models.catalog import BUNDLED
from rag.models.prepared import drop_others, is_sound, seal, sha256_of
from rag.models.sessions import Prepare, start_session
from rag.models.weights import ADAPTERS, run_apart, verified

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    # Of each token whether the answer starts there, and whether it ends there: (tokens,) each.
    Logits = tuple[NDArray[np.float32], NDArray[np.float32]]

READER = "reader.safetensors"
READER_SHA256 = "7cba72212b139eb7f87b3d0fd704e5e14df7998e9c8fd767b621145b6d5274a5"
TOKENS = 320  # of question, title and text together
_LONGEST = 24  # tokens of an answer
SPANS = 24  # of a text
_UNFITTING = 4.0  # log-odds
_LEAST_ROOM = 32  # tokens that are left to a text beside the longest question


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where a text may answer: `text[start:end]`, and the log-odds that it does, against its not
    answering at all."""

    start: int
    end: int
    odds: float


@dataclass(frozen=True, slots=True)
class Encoded:
    """A question and a text as the reader takes them: token ids, the first token of the text, and
    where each of its tokens stands in it."""

    ids: list[int]
    begin: int
    offsets: list[tuple[int, int]]


def encode_pair(tokenizer: Any, question: str, title: str, text: str, start: int = 0) -> Encoded:
    """[CLS] question [SEP] title [SEP] text [SEP]; the text from its token `start` on, as far as
    it fits."""
    head = tokenizer.encode(question, title)
    end = head.ids[-1]
    ids = head.ids
    if len(ids) > TOKENS - _LEAST_ROOM:
        ids = [*ids[: TOKENS - _LEAST_ROOM - 1], end]
    body = tokenizer.encode(text, add_special_tokens=False)
    kept = slice(start, start + TOKENS - len(ids) - 1)
    return Encoded([*ids, *body.ids[kept], end], len(ids), body.offsets[kept])


class Reader:
    """Reads texts for the answer to a question, as many at once as `threads`: with a core each, a
    dozen takes a sixth less time than one by one on both, and half as much where another program
    computes, since no core waits for the other within a text. Loads at its first use; `prepare`
    writes a file that was damaged again."""

    def __init__(
        self, onnx: Path, tokenizer: Path, threads: int = 1, prepare: Prepare | None = None
    ) -> None:
        self._onnx, self._file = onnx, tokenizer
        self._prepare = prepare
        self._session: Any = None
        self._tokenizer: Any = None
        self._loading = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, "reader")

    def load(self) -> None:
        """Load tokenizer and weights now. Raises ModelError."""
        with self._loading:
            if self._session is None:
                self._tokenizer = open_tokenizer(self._file)
                self._session = start_session(self._onnx, 1, self._prepare)

    def read(
        self,
        question: str,
        texts: Sequence[tuple[str, str]],
        fits: Callable[[str], bool] = lambda _: True,
    ) -> list[list[Pointed]]:
        """Where each of `texts`, a title and a text, may answer with what `fits`: at most `SPANS`
        places, best first; one where nothing fits, with `_UNFITTING` less. Raises ModelError.

        Each is read alone: rounded to eight bits, activations share a scale, and what a text says
        must not depend on what is read beside it.
        """
        if not texts:
            return []
        self.load()
        pairs = [encode_pair(self._tokenizer, question, title, text) for title, text in texts]
        return [
            _pointed(pair, text, logits, fits)
            for pair, (_, text), logits in zip(
                pairs, texts, self._threads.map(self._run, pairs), strict=True
            )
        ]

    def _run(self, pair: Encoded) -> Logits:
        start, end = self._session.run(None, _inputs(pair))
        return start[0], end[0]


def open_tokenizer(file: Path) -> Any:
    """The tokenizer of the embedder, without a limit of its own. "[SEP]" in a text is letters."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True  # that is: as the text that they are
    return tokenizer


def _inputs(pair: Encoded) -> dict[str, Any]:
    import numpy as np

    ids = np.array([pair.ids], dtype=np.int64)
    kinds = np.zeros_like(ids)
    kinds[:, pair.begin :] = 1
    return {"input_ids": ids, "token_type_ids": kinds, "attention_mask": np.ones_like(ids)}


def _pointed(
    pair: Encoded, text: str, logits: Logits, fits: Callable[[str], bool]
) -> list[Pointed]:
    spans = list(_spans(pair, *logits))
    fitting = [each for each in spans if fits(text[each.start : each.end])]
    return fitting or [replace(spans[0], odds=spans[0].odds - _UNFITTING)]


def _spans(
    pair: Encoded, start: NDArray[np.float32], end: NDArray[np.float32]
) -> Iterator[Pointed]:
    """The best spans of the text, best first, against the first token, which stands for none."""
    import numpy as np

    inside = slice(pair.begin, pair.begin + len(pair.offsets))
    both = start[inside, None] + end[None, inside] - start[0] - end[0]
    if not both.size:
        yield Pointed(0, 0, -np.inf)
        return
    both[np.tril(np.triu(np.ones_like(both)), _LONGEST - 1) == 0] = -np.inf
    for place in np.argsort(-both, axis=None, kind="stable")[:SPANS]:
        first, last = np.unravel_index(place, both.shape)
        if np.isfinite(both[first, last]):
            odds = float(both[first, last])
            yield Pointed(pair.offsets[first][0], pair.offsets[last][1], odds)


def prepared_reader(cache: Path, threads: int = 1) -> Reader | None:
    """The reader, prepared in `cache` at its first use; None where it cannot be prepared here.

    Raises ModelError where its base is missing or damaged.
    """
    weights, sha256 = verified(BUNDLED[0], cache)
    learnt = ADAPTERS / READER
    target = cache / f"reader-{READER_SHA256[:8]}-{sha256[:8]}.onnx"
    refused = target.with_suffix(".failed")
    sound = is_sound(target)
    if not sound and not refused.is_file():
        if not learnt.is_file() or sha256_of(learnt) != READER_SHA256:
            raise ModelError(
                f"The reader is missing or damaged: {learnt}.",
                "Install rag again: pip install --force-reinstall --no-deps rag-notes",
            )
        sound = _export(weights.parent, learnt, target, refused)
    if not sound:
        return None
    tokenizer = weights.parent / "tokenizer.json"
    return Reader(target, tokenizer, threads, lambda: prepared_reader(cache))


def _export(folder: Path, learnt: Path, target: Path, refused: Path) -> bool:
    """Whether it could be exported, in a process of its own; where that fails it is remembered,
    and not tried again."""
    with storage_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            done = run_apart("rag.models.export_reader", str(folder), str(learnt), str(target))
        finally:
            target.with_name(f"{target.name}.{os.getpid()}.partial").unlink(missing_ok=True)
        if done.returncode < 0:  # killed: says nothing about the model
            raise ModelError("Preparing the reader was interrupted.", "Run the command again.")
        if done.returncode:
            refused.write_text(done.stderr[-4000:], encoding="utf-8", errors="replace")
            return False
        seal(target)
        drop_others(target, "reader-*.onnx")
        return is_sound(target)
