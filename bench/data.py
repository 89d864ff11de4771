"""What the benchmarks share: the data folder, its questions, gold matching, engines in
throw-away folders."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.config import Config
from rag.engine import Engine
from rag.wiring import build_engine

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation, " "))


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    question: str
    answers: tuple[str, ...]
    note: str


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with `--data` (folder of notes/, answerable.jsonl, unanswerable.jsonl)."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--data",
        default=os.environ.get("RAG_BENCH_DATA"),
        type=Path,
        help="folder with notes/, answerable.jsonl and unanswerable.jsonl",
    )
    made.add_argument("--sample", type=int, default=0, metavar="N", help="questions; 0: all")
    made.add_argument("--seed", type=int, default=0)
    return made


def data_folder(arguments: argparse.Namespace) -> Path:
    if arguments.data is None or not (arguments.data / "answerable.jsonl").is_file():
        raise SystemExit("Name the data folder: --data FOLDER, or RAG_BENCH_DATA.")
    return Path(arguments.data)


def load_questions(file: Path, sample: int = 0, seed: int = 0) -> list[Question]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    found = [
        Question(row["id"], row["question"], tuple(row["answers"]), row["note"]) for row in rows
    ]
    if sample and sample < len(found):
        found = random.Random(seed).sample(found, sample)
    return found


def normalise(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def holds(text: str, answers: Iterable[str]) -> bool:
    """Whether a gold answer stands in a text, as whole words."""
    padded = f" {normalise(text)} "
    return any(f" {normalise(answer)} " in padded for answer in answers)


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """SQuAD's token F1 against the best gold answer."""
    best = 0.0
    said = normalise(answer).split()
    for gold in golds:
        wanted = normalise(gold).split()
        rest = list(wanted)
        common = 0
        for word in said:
            if word in rest:
                rest.remove(word)
                common += 1
        if common:
            best = max(best, 2 * common / (len(said) + len(wanted)))
    return best


def engine(notes: Path, home: Path, config: Config | None = None) -> Engine:
    """An engine whose index lies in `home`; prepared models stay in the user's cache."""
    return build_engine(replace(config or Config(), notes=notes, data_dir=home))
