"""What the benchmarks share: the data folder, its questions, engines in throw-away folders."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from rag.config import Config
from rag.engine import Engine
from rag.evaluation.questions import Question, load_questions, sample
from rag.wiring import build_engine


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


def questions(folder: Path, name: str, count: int = 0, seed: int = 0) -> list[Question]:
    """The questions of `name`.jsonl; 0: all."""
    found = load_questions(folder / f"{name}.jsonl", folder / "notes")
    return sample(found, count or len(found), seed)


def engine(notes: Path, home: Path, config: Config | None = None) -> Engine:
    """An engine whose index lies in `home`; prepared models stay in the user's cache."""
    return build_engine(replace(config or Config(), notes=notes, data_dir=home))


def environment(**more: str) -> dict[str, str]:
    """For a process that is timed: as a user's would, it keeps the byte code of its modules."""
    given = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**given, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), **more}
