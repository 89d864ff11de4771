"""How often the right passage is found, beside the afternoon's baseline in the same run.

    python bench/quality.py --data FOLDER [--sample N] [--sweep]

A hit is a passage of the right note that holds a gold answer. `--sweep` tries fusion weights
on our index; what it showed is in bench/RESULTS.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from bench.baseline import Baseline
from bench.data import Question, data_folder, engine, holds, load_questions, parser
from rag.engine import Engine
from rag.retrieval import search as fusion
from rag.retrieval.query import search_terms

Found = Sequence[tuple[str, str]]  # (note, text) in rank order
K = 10


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--sweep", action="store_true")
    options = arguments.parse_args()
    folder = data_folder(options)
    questions = load_questions(folder / "answerable.jsonl", options.sample, options.seed)
    table = Table(
        "", "hit@1", "hit@5", "MRR@10", "ms a question", title=f"{len(questions):,} questions"
    )
    with tempfile.TemporaryDirectory() as home:
        ours = engine(folder / "notes", Path(home))
        for _ in ours.index():
            pass
        _row(table, "rag", questions, lambda q: _ours(ours, q, fusion.MEANING_WEIGHT))
        _row(table, "rag, meaning alone", questions, lambda q: _ours(ours, q, 1.0))
        _row(table, "rag, words alone", questions, lambda q: _ours(ours, q, 0.0))
        if options.sweep:
            for weight in (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8):
                _row(
                    table,
                    f"rag, weight of meaning {weight}",
                    questions,
                    lambda q, weight=weight: _ours(ours, q, weight),
                )  # type: ignore[misc]
    baseline = Baseline()
    baseline.index(folder / "notes")
    _row(table, "baseline", questions, lambda q: baseline.search([q.question], K)[0])
    Console().print(table)


def _ours(ours: Engine, question: Question, weight: float) -> Found:
    index = ours._open_index()
    terms = search_terms(question.question, ours.analyze)
    with index.store.snapshot():
        found = fusion.search(
            index, ours._open_embedder(), terms, question.question, K, weight=weight
        )
    return [(passage.path, passage.text) for passage in found]


def _row(
    table: Table, name: str, questions: Sequence[Question], search: Callable[[Question], Found]
) -> None:
    first = five = reciprocal = 0.0
    started = time.perf_counter()
    found = [search(question) for question in questions]
    milliseconds = (time.perf_counter() - started) / len(questions) * 1000
    for question, passages in zip(questions, found, strict=True):
        hits = [note == question.note and holds(text, question.answers) for note, text in passages]
        rank = hits.index(True) + 1 if any(hits) else 0
        first += rank == 1
        five += 0 < rank <= 5
        reciprocal += 1 / rank if rank else 0.0
    n = len(questions)
    table.add_row(
        name, f"{first / n:.3f}", f"{five / n:.3f}", f"{reciprocal / n:.3f}", f"{milliseconds:.1f}"
    )


if __name__ == "__main__":
    main()
