"""Training pairs of written notes: `pieces.py OUT PIECES.jsonl [--seed N] [--held]`

Each line of PIECES is a piece of somebody's notes as people type them: `title`, `text` and
`questions`, each with its answer `a` (null where the piece does not say it) and the `line` where it
stands, or which comes nearest. A pair is as in `pairs.py`. The text is what the reader sees of a
passage: mostly the line and its neighbours, else the whole piece, read as
`rag/reading/rows.py` reads it; a question is also asked beside lines that lack its answer. Every
tenth piece is held back, for measuring: `--held` writes those.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.reading.rows import AsRead, as_read

_HELD = 10
_WHOLE = 0.25  # of the texts that are whole pieces
_ELSEWHERE = 0.35  # of the answered questions that are also asked beside other lines
_BEFORE, _AFTER = 1, 2  # lines around the nearest one, as in rag/retrieval/pointing.py


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
    shown, lines = as_read(text), _lines(text)
    for each in piece["questions"]:
        asked = {"question": each["q"], "title": piece["title"]}
        at = next(n for n, (a, b) in enumerate(lines) if text[a:b].strip() == each["line"].strip())
        near = min(max(0, at + chance.randint(-_AFTER, _BEFORE)), len(lines) - 1)
        whole = chance.random() < _WHOLE
        window = shown if whole else _window(shown, lines, near)
        place = _place(window, text, each["a"], lines[at]) if each["a"] else (-1, -1)
        if place:
            yield {**asked, "text": window.text, "start": place[0], "end": place[1]}
        far = [n for n in range(len(lines)) if not n - _BEFORE <= at <= n + _AFTER]
        if each["a"] and far and chance.random() < _ELSEWHERE:
            other = _window(shown, lines, chance.choice(far)).text
            if each["a"] not in other:
                yield {**asked, "text": other, "start": -1, "end": -1}


def _lines(text: str) -> list[tuple[int, int]]:
    """Where the lines stand that are not empty."""
    places, start = [], 0
    for line in text.split("\n"):
        if line.strip():
            places.append((start, start + len(line)))
        start += len(line) + 1
    return places


def _window(shown: AsRead, lines: list[tuple[int, int]], near: int) -> AsRead:
    first, last = max(0, near - _BEFORE), min(near + _AFTER, len(lines) - 1)
    return shown.window(lines[first][0], lines[last][1])


def _place(window: AsRead, text: str, answer: str, line: tuple[int, int]) -> tuple[int, int] | None:
    """Where the answer, which stands in a line of the Markdown, stands in what is read of it."""
    start = text.index(answer, line[0])
    own = [n for n, at in enumerate(window.places) if start <= at < start + len(answer)]
    while own and not window.text[own[0]].strip():
        own = own[1:]
    return (own[0], own[-1] + 1) if own else None


if __name__ == "__main__":
    main()
