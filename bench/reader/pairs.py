"""Training pairs for the reader: `pairs.py OUT --squad FOLDER --more FILE.jsonl ... [--seed N]`

FOLDER and FILEs are read as `bench/adapter/examples.py` reads them, and split by the same file:
nothing is read of the articles under "score" or "calibrate". OUT gets a pair a line: `question`,
`title`, `text`, and `start`, `end`, the characters of the answer in the text; both are -1 where
the text does not answer. Such pairs are the questions that people wrote to have no answer, a
question beside a near paragraph that lacks its answer, and answerable ones of which the question
or the text is changed (`changes.py`, with WordNet's files from `--wordnet`). Most of the texts are
cut to three sentences, which is what the reader sees of a passage when it is asked. A FILE named
twice is seen twice.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bench.adapter.examples import read_split
from bench.reader.changes import Changes, Said, nearest_sentence, sentence_around
from bench.reader.wordnet import WordNet
from rag.evaluation.matching import holds

_NEAR = 0.15  # of the answerable questions that are also asked of a paragraph without the answer
_MISSED = 0.2  # of them that are also asked with one thing changed
_ALTERED = 0.1  # of them that are also asked of their text with one thing changed
_CUT = 0.7  # of the texts that are cut to the sentence that matters and its neighbours
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
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asked = list(_read_squad(options.squad)) if options.squad else []
    for file in options.more:
        asked += _read_more(file)
    chance = random.Random(options.seed)
    pairs = list(_pairs(asked, WordNet(options.wordnet), chance))
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


def _pairs(asked: Sequence[Asked], wordnet: WordNet, chance: random.Random) -> Iterator[Pair]:
    nearest = _nearest(asked)
    changes = Changes(wordnet, (each.question for each in asked), chance)
    for n, each in enumerate(asked):
        if not each.answers:
            yield _cut(Pair(each.question, each.title, each.text), chance)
            continue
        answer = min(each.answers, key=len)
        start = each.text.find(answer)
        if start < 0:
            continue
        end = start + len(answer)
        yield _cut(Pair(each.question, each.title, each.text, start, end), chance)
        lacking = [(title, text) for title, text in nearest[n] if not holds(text, each.answers)]
        if lacking and chance.random() < _NEAR:
            yield _cut(Pair(each.question, *chance.choice(lacking)), chance)
        said, others = Said(each.question, each.text, start, end), [text for _, text in lacking]
        if chance.random() < _MISSED and (question := changes.question(said, others)):
            yield _cut(Pair(question, each.title, each.text), chance)
        if chance.random() < _ALTERED and (text := changes.text(said, others)):
            yield _cut(Pair(each.question, each.title, text), chance)


def _cut(pair: Pair, chance: random.Random) -> Pair:
    """The pair, or the sentence of its text that matters most with those beside it."""
    if chance.random() >= _CUT:
        return pair
    span = (pair.start, pair.end)
    if pair.start < 0:
        span = nearest_sentence(pair.text, pair.question)
    first, last = sentence_around(pair.text, *span, more=1)
    text = pair.text[first:last]
    if pair.start < 0:
        return Pair(pair.question, pair.title, text)
    return Pair(pair.question, pair.title, text, pair.start - first, pair.end - first)


def _nearest(asked: Sequence[Asked]) -> list[list[tuple[str, str]]]:
    """For each question the texts that share most words with it, weighed by rarity, but its own."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = list(dict.fromkeys((each.title, each.text) for each in asked))
    place = {text: n for n, text in enumerate(texts)}
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    table = words.fit_transform(f"{title} {text}" for title, text in texts).T
    near = []
    for start in range(0, len(asked), 512):
        some = asked[start : start + 512]
        shared = (words.transform(each.question for each in some) @ table).toarray()
        best = np.argsort(-shared, axis=1)[:, : _CANDIDATES + 1]
        for each, order in zip(some, best, strict=True):
            own = place[each.title, each.text]
            near.append([texts[n] for n in order if n != own][:_CANDIDATES])
    return near


if __name__ == "__main__":
    main()
