"""Training pairs of written notes: `pieces.py OUT PIECES.jsonl [--seed N] [--held]`

Each line of PIECES (pieces.jsonl, twins.jsonl, words.jsonl) is a piece of somebody's notes as
people type them, or a paragraph: `title`, `text` and `questions`, each with its answer `a` (null
where the piece does not say it) and `line`, the number of the line where it stands, from 0, or
which comes nearest. A pair is as in `pairs.py`. The text is what the reader sees of a passage, read
as `rag/reading/rows.py` reads it: mostly a sentence and its neighbours, else the whole piece; a
question is also asked beside sentences that lack its answer.
Every tenth piece is held back, for measuring: `--held` writes those.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.reading.rows import AsRead, as_read
from rag.reading.sentences import Span, sentence_spans

_HELD = 10
_WHOLE = 0.25  # of the texts that are whole pieces
_ELSEWHERE = 0.35  # of the answered questions that are also asked beside other lines
_BEFORE, _AFTER = 1, 2  # sentences around the nearest one, as in rag/retrieval/pointing.py
NOWHERE = (-1, -1)
_WORD = re.compile(r"\w{3,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("pieces", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held", action="store_true", help="the pieces that are held back")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with options.out.open("w", encoding="utf-8") as out:
        for n, line in enumerate(options.pieces.read_text(encoding="utf-8").splitlines()):
            if (n % _HELD == _HELD - 1) == options.held:
                for pair in pairs(json.loads(line), chance):
                    out.write(json.dumps(pair, ensure_ascii=False) + "\n")


def pairs(piece: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    """The questions about a piece, each beside a part of it."""
    text = piece["text"]
    shown, spans = as_read(text), list(sentence_spans(text))
    for each in piece["questions"]:
        asked = {"question": each["q"], "title": piece["title"]}
        at = _sentence(text, spans, each)
        near = min(max(0, at + chance.randint(-_AFTER, _BEFORE)), len(spans) - 1)
        whole = chance.random() < _WHOLE
        window = shown if whole else _window(shown, spans, near)
        place = (
            _place(window, text, each["a"], _line(text, each["line"])[0]) if each["a"] else NOWHERE
        )
        if place:
            yield {**asked, "text": window.text, "start": place[0], "end": place[1]}
        far = [n for n in range(len(spans)) if not n - _BEFORE <= at <= n + _AFTER]
        if each["a"] and far and chance.random() < _ELSEWHERE:
            other = _window(shown, spans, chance.choice(far)).text
            if each["a"] not in other:
                yield {**asked, "text": other, "start": -1, "end": -1}


def _sentence(text: str, spans: Sequence[Span], asked: dict[str, Any]) -> int:
    """Which sentence of its line answers, or shares most words with the question."""
    start, end = _line(text, asked["line"])
    inside = [n for n, each in enumerate(spans) if each.start < end and each.end > start]
    if asked["a"]:
        at = text.index(asked["a"], start)
        return next((n for n in inside if spans[n].start <= at < spans[n].end), inside[0])
    words = set(_WORD.findall(asked["q"].casefold()))
    said = [set(_WORD.findall(text[spans[n].start : spans[n].end].casefold())) for n in inside]
    return inside[max(range(len(inside)), key=lambda n: len(words & said[n]))]


def _line(text: str, number: int) -> tuple[int, int]:
    lines = text.split("\n")
    start = sum(len(each) + 1 for each in lines[:number])
    return start, start + len(lines[number])


def _window(shown: AsRead, spans: Sequence[Span], near: int) -> AsRead:
    first, last = max(0, near - _BEFORE), min(near + _AFTER, len(spans) - 1)
    return shown.window(spans[first].start, spans[last].end)


def _place(window: AsRead, text: str, answer: str, line: int) -> tuple[int, int] | None:
    """Where the answer, which stands in a line of the Markdown, stands in what is read of it."""
    start = text.index(answer, line)
    own = [n for n, at in enumerate(window.places) if start <= at < start + len(answer)]
    while own and not window.text[own[0]].strip():
        own = own[1:]
    return (own[0], own[-1] + 1) if own else None


if __name__ == "__main__":
    main()
