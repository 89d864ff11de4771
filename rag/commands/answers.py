"""An answer as it is written: its sentences and their marks, or JSON for programs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.commands.sources import show_cited, show_found, show_listed, show_nearest
from rag.errors import ModelError, RagError
from rag.output import console, safe, show_json, show_respelled
from rag.reading.links import without_links

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from rag.answering.steps import Sentence
    from rag.events import Answered, Event, Retrieved
    from rag.retrieval.found import Evidence

_MARK = re.compile(r"\[(\d{1,3})\]")
# Behind each sentence.
_MARKS = {"supported": (" ✓", "green"), "weak": (" ≈", "yellow"), "unsupported": (" (?)", "red")}


def answering(events: Iterator[Event], stream: bool, thoughts: bool = False) -> Answered:
    """Print an answer as its sentences come, then its sources; what the model thought first is
    folded into a line unless `thoughts` are wanted."""
    from rag.answering.steps import joined

    out, numbers = console(), _Numbers()
    done, sentences, evidence = _followed(out, events, stream, numbers)
    if done.listed and done.answered:
        show_listed(out, done.listed)
        return done
    if not done.answered:
        out.print(safe(done.answer), style="bold", markup=False)
        _show_thoughts(done, thoughts)
        show_nearest(out, done.passages, evidence)
        return done
    if not stream:
        for number, each in enumerate(sentences):
            _say_sentence(out, each, numbers, joined(sentences[:number]))
    out.print("\n")
    _show_thoughts(done, thoughts)
    show_cited(out, done, numbers)
    _show_legend(out, sentences)
    return done


class _Numbers(dict[int, int]):
    """The number that a cited passage is shown by: the first that is cited is 1, whatever place it
    was found at."""

    def __missing__(self, found_at: int) -> int:
        self[found_at] = len(self) + 1
        return self[found_at]

    def shown(self, text: str) -> str:
        """A sentence of an answer with these numbers for its marks."""
        return _MARK.sub(lambda mark: f"[{self[int(mark[1])]}]", text)


def _followed(
    out: Console, events: Iterator[Event], stream: bool, numbers: _Numbers
) -> tuple[Answered, list[Sentence], Sequence[Evidence]]:
    """The whole answer, its sentences, which are printed as they come to `stream` them, and what
    was found before."""
    from rag.answering.steps import Reading, Sentence, Thinking, joined
    from rag.events import Answered, Retrieved

    done: Answered | None = None
    sentences: list[Sentence] = []
    evidence: Sequence[Evidence] = ()
    found: list[Retrieved] = []
    thought = 0
    with _broken_off(out, sentences if stream else (), found, numbers), _Waiting() as waiting:
        for event in events:
            if isinstance(event, Retrieved):
                show_respelled(event.respelled)
                evidence = event.evidence
                found.append(event)
            elif isinstance(event, Reading):
                waiting.say(f"reading {event.tokens_done}/{event.tokens_total} {event.unit}")
            elif isinstance(event, Thinking):
                thought += len(event.text.split())
                waiting.say(f"thinking, {thought} words")
            elif isinstance(event, Sentence):
                sentences.append(event)
                if stream:
                    waiting.stop()
                    _say_sentence(out, event, numbers, joined(sentences[:-1]))
                    sys.stdout.flush()
            elif isinstance(event, Answered):
                done = event
    return _whole(done), sentences, evidence


@contextmanager
def _broken_off(
    out: Console, said: Sequence[Sentence], found: Sequence[Retrieved], numbers: _Numbers
) -> Iterator[None]:
    """Where an error breaks off what was `said`, it is told on a line of its own. Where it is the
    language model's, what was found without it is not lost."""
    try:
        yield
    except RagError as error:
        if said:
            out.print()
        if found and isinstance(error, ModelError):
            show_found(out, found[-1].passages, found[-1].evidence, numbers)
        raise


def answering_json(events: Iterator[Event]) -> Answered:
    """Print an answer as one JSON object."""
    from rag.events import Answered
    from rag.schema import answer_json

    done = _whole(next((event for event in events if isinstance(event, Answered)), None))
    show_json(answer_json(done))
    return done


def answering_lines(events: Iterator[Event]) -> Answered:
    """Print each step of an answer as one line of JSON as it comes."""
    from rag.events import Answered
    from rag.schema import event_json

    done: Answered | None = None
    for event in events:
        show_json(event_json(event), indent=None)
        done = event if isinstance(event, Answered) else done
    return _whole(done)


def _whole(done: Answered | None) -> Answered:
    if done is None:
        raise RagError("The answer broke off.", "Ask again.")
    return done


def _show_thoughts(done: Answered, whole: bool) -> None:
    """What the model said to itself, on standard error: it is no answer, and nothing checked it."""
    text = safe(done.thoughts).strip()
    if not text:
        return
    count = len(text.split())
    words = f"{count:,} word{'' if count == 1 else 's'}"
    folded = f"▸ thought first, {words} (shown with --thoughts)"
    shown = f"▾ thought first, unchecked:\n{text}\n" if whole else folded
    console(stderr=True).print(shown, style="dim", markup=False, soft_wrap=True)


def _say_sentence(out: Console, sentence: Sentence, numbers: _Numbers, before: str) -> None:
    """One sentence and the mark of its support, set off from what stands `before`."""
    from rag.answering.steps import between

    gap = between(before, sentence.text)
    said = without_links(sentence.text) if out.is_terminal else sentence.text
    text = _marked(f"{gap}{numbers.shown(said)}").append(*_MARKS[sentence.support])
    out.print(text, end="", soft_wrap=True)


def _marked(text: str) -> Text:
    """An answer with its `[n]` marks in colour."""
    from rich.text import Text

    styled = Text(safe(text))
    styled.highlight_regex(r"\[\d+\]", "cyan")
    return styled


def _show_legend(out: Console, sentences: Sequence[Sentence]) -> None:
    from rag.answering.steps import legend

    if text := legend(sentences):
        out.print(text, style="dim", markup=False)


class _Waiting:
    """A line on a terminal's standard error until the first sentence comes."""

    def __init__(self) -> None:
        self._status: Any = None
        self._shown = ""

    def __enter__(self) -> _Waiting:
        if sys.stderr.isatty() and sys.stdout.isatty():
            self._status = console(stderr=True).status("searching")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def say(self, text: str) -> None:
        if self._status is not None and text != self._shown:
            self._shown = text
            self._status.update(text)

    def stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
