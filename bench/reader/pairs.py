"""Training pairs for the reader: `pairs.py OUT --squad FOLDER --more FILE.jsonl ... [--seed N]`

FOLDER and FILEs are read as `bench/adapter/examples.py` reads them, and split by the same file:
nothing is read of the articles under "score" or "calibrate". OUT gets a pair a line: `question`,
`title`, `text`, and `start`, `end`, the characters of the answer in the text; both are -1 where
the text does not answer. Such pairs are the questions that people wrote to have no answer, a
question beside the paragraph nearest to it that lacks its answer, and the answerable ones with
one name, year or quality changed (`bench/adapter/near_misses.py`).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bench.adapter.examples import read_split
from bench.adapter.near_misses import near_miss
from bench.data import engine
from rag.evaluation.matching import holds

_NEAR = 0.45  # of the answerable questions that are also asked of a paragraph without the answer
_MISSED = 0.35  # of them that are also asked with one thing changed
_TIMES = 2  # people's own unanswerable questions are few: each is seen this often
_LONGEST = 2_400  # characters; stories are far longer than passages
_CANDIDATES = 6  # nearest paragraphs among which one is chosen


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a text; no answers: the text does not say."""

    question: str
    title: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a text, and where the text answers, in characters; -1 where it does not."""

    question: str
    title: str
    text: str
    start: int = -1
    end: int = -1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--more", type=Path, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asked = list(_read_squad(options.squad)) if options.squad else []
    for file in options.more:
        asked += _read_more(file)
    chance = random.Random(options.seed)
    pairs = list(_pairs(asked, chance))
    chance.shuffle(pairs)
    with options.out.open("w", encoding="utf-8") as out:
        for pair in pairs:
            out.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
    answered = sum(pair.start >= 0 for pair in pairs)
    print(f"{len(pairs)} pairs, {answered} of them answered")


def _read_squad(squad: Path) -> Iterator[Asked]:
    train = read_split("train")
    paragraphs = {
        note: [
            block
            for block in (squad / "notes" / note).read_text(encoding="utf-8").split("\n\n")
            if not block.startswith("#")
        ]
        for note in sorted(train)
    }
    for kind in ("answerable", "unanswerable"):
        for line in (squad / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["note"] in train:
                text = paragraphs[row["note"]][row["paragraph"]].strip()
                title = row["note"].removesuffix(".md").replace("_", " ")
                yield Asked(row["question"], title, text, tuple(row["answers"]))


def _read_more(file: Path) -> Iterator[Asked]:
    held = read_split("calibrate")
    for line in file.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        text = " ".join(row["context"].split())
        if row["title"] not in held and len(text) <= _LONGEST:
            yield Asked(
                row["question"], row["title"].replace("_", " "), text, tuple(row["answers"])
            )


def _pairs(asked: Sequence[Asked], chance: random.Random) -> Iterator[Pair]:
    nearest = _nearest(asked)
    for n, each in enumerate(asked):
        if not each.answers:
            yield from [Pair(each.question, each.title, each.text)] * _TIMES
            continue
        answer = min(each.answers, key=len)
        start = each.text.find(answer)
        if start < 0:
            continue
        yield Pair(each.question, each.title, each.text, start, start + len(answer))
        lacking = [(title, text) for title, text in nearest[n] if not holds(text, each.answers)]
        if lacking and chance.random() < _NEAR:
            yield Pair(each.question, *chance.choice(lacking))
        if lacking and chance.random() < _MISSED:
            notes = [f"[1] {each.text}", *(f"[2] {text}" for _, text in lacking)]
            changed = near_miss(
                {"question": each.question, "answer": f"{answer} [1]"}, notes, chance
            )
            if changed:
                yield Pair(changed, each.title, each.text)


def _nearest(asked: Sequence[Asked]) -> list[list[tuple[str, str]]]:
    """For each question the texts nearest to it but its own, as the bundled embedder has it."""
    with tempfile.TemporaryDirectory() as folder:
        embedder = engine(Path(folder), Path(folder)).models.embedder()
    texts = list(dict.fromkeys((each.title, each.text) for each in asked))
    place = {text: n for n, text in enumerate(texts)}
    table = embedder.embed([f"{title}\n{text}" for title, text in texts])
    near = []
    for start in range(0, len(asked), 512):
        some = asked[start : start + 512]
        queries = embedder.embed([each.question for each in some])
        best = np.argsort(-(queries @ table.T), axis=1)[:, : _CANDIDATES + 1]
        for each, order in zip(some, best, strict=True):
            own = place[each.title, each.text]
            near.append([texts[n] for n in order if n != own][:_CANDIDATES])
    return near


if __name__ == "__main__":
    main()
