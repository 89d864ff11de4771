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
from bench.data import data_folder, engine, parser, questions
from rag.engine import Engine
from rag.evaluation.measures import figures, question_scores
from rag.evaluation.questions import Question
from rag.evaluation.rows import Found, Row
from rag.retrieval import search as fusion
from rag.retrieval.query import search_terms

Ranked = Sequence[tuple[str, str]]  # (note, text) in rank order
K = 10


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--sweep", action="store_true")
    options = arguments.parse_args()
    folder = data_folder(options)
    asked = questions(folder, "answerable", options.sample, options.seed)
    table = Table(
        "", "hit@1", "hit@5", "MRR@10", "ms a question", title=f"{len(asked):,} questions"
    )
    with tempfile.TemporaryDirectory() as home:
        ours = engine(folder / "notes", Path(home))
        for _ in ours.index():
            pass
        _row(table, "rag", asked, lambda q: _ours(ours, q, fusion.MEANING_WEIGHT))
        _row(table, "rag, meaning alone", asked, lambda q: _ours(ours, q, 1.0))
        _row(table, "rag, words alone", asked, lambda q: _ours(ours, q, 0.0))
        if options.sweep:
            for weight in (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8):
                _row(
                    table,
                    f"rag, weight of meaning {weight}",
                    asked,
                    lambda q, weight=weight: _ours(ours, q, weight),
                )  # type: ignore[misc]
    baseline = Baseline()
    baseline.index(folder / "notes")
    _row(table, "baseline", asked, lambda q: baseline.search([q.question], K)[0])
    Console().print(table)


def _ours(ours: Engine, question: Question, weight: float) -> Ranked:
    index = ours._open_index()
    terms = search_terms(question.question, ours.analyze)
    with index.store.snapshot():
        found = fusion.search(
            index, ours._open_embedder(), terms, question.question, K, weight=weight
        )
    return [(passage.path, passage.text) for passage in found]


def _row(
    table: Table, name: str, asked: Sequence[Question], search: Callable[[Question], Ranked]
) -> None:
    pairs = []
    started = time.perf_counter()
    for question in asked:
        found = tuple(Found(note, (1, 1), text) for note, text in search(question))
        pairs.append((question, Row(question.id, found, 1, False, 0.0)))
    milliseconds = (time.perf_counter() - started) / len(asked) * 1000
    measured = figures(pairs, question_scores(pairs))
    shown = (f"{measured[each].value:.3f}" for each in ("hit@1", "hit@5", "mrr@10"))
    table.add_row(name, *shown, f"{milliseconds:.1f}")


if __name__ == "__main__":
    main()
