"""A model's words as they come, cut into sentences."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rag.answering.messages import Token
from rag.reading.sentences import split_sentences


def _split(text: str) -> list[str]:
    """Sentences, then the unfinished rest, which may be empty."""
    *lines, last = text.split("\n")
    parts = [part for line in lines for part in split_sentences(line)]
    # With a letter behind it, a full stop at the very end is seen for what it is.
    parts += split_sentences(f"{last}x")
    return [*parts[:-1], parts[-1][:-1]]


class Draft:
    """The model's words as they come, cut into sentences."""

    def __init__(self) -> None:
        self._buffer = ""
        self._seen: set[str] = set()
        self.said = self.thoughts = ""
        self.loops = self.used = False  # used: something of it stands in the answer
        self.first_token: float | None = None
        self._tokens = 0

    def count(self) -> None:
        """One more token has come."""
        if self.first_token is None:
            self.first_token = time.perf_counter()
        self._tokens += 1

    def add(self, token: Token) -> Iterator[str]:
        """The sentences that this token completes."""
        self.count()
        self.said += token.text
        self._buffer += token.text
        *whole, self._buffer = _split(self._buffer)
        for text in whole:
            yield from self._once(text)

    def rest(self) -> Iterator[str]:
        """What is left when the model has ended, if it is a whole sentence or all there is."""
        text, self._buffer = self._buffer, ""
        yield from self._once(text)

    def end(self) -> None:
        """Forget an unfinished rest, and what was said: the model begins anew."""
        self._buffer = ""
        self._seen.clear()
        self.loops = False

    def _once(self, text: str) -> Iterator[str]:
        key = " ".join(text.casefold().split())
        if not key:
            return
        if key in self._seen:
            self.loops = True
            return
        self._seen.add(key)
        yield text.strip()

    @property
    def tokens_per_s(self) -> float:
        if self.first_token is None or self._tokens < 2:
            return 0.0
        return (self._tokens - 1) / max(1e-6, time.perf_counter() - self.first_token)
