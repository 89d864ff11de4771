"""How often the right passage is found: by all signals, by each alone, and by the baseline.

    python bench/quality.py --data FOLDER [--sample N]

A hit is a passage of the right note that holds a gold answer.
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
from rag.retrieval.query import search_terms
from rag.retrieval.search import WEIGHTS, Weights, search

Ranked = Sequence[tuple[str, str]]  # (note, text) in rank order
K = 10


# The released weights, then what is lost without a part, then each part alone.
_VARIANTS = {
    "rag": WEIGHTS,
    "without sentences": Weights(sentence=0.0, passage=0.6, sentence_words=0.0, passage_words=0.4),
    "without words of sentences": Weights(0.5, 0.1, 0.0, 0.4),
    "meaning of sentences alone": Weights(1.0, 0.0, 0.0, 0.0),
    "meaning of passages alone": Weights(0.0, 1.0, 0.0, 0.0),
    "words of sentences alone": Weights(0.0, 0.0, 1.0, 0.0),
    "words of passages alone": Weights(0.0, 0.0, 0.0, 1.0),
}


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    folder = data_folder(options)
    asked = questions(folder, "answerable", options.sample, options.seed)
    table = Table(
        "", "hit@1", "hit@5", "MRR@10", "ms a question", title=f"{len(asked):,} questions"
    )
    with tempfile.TemporaryDirectory() as home:
        ours = engine(folder / "notes", Path(home))
        for _ in ours.index():
            pass
        for name, weights in _VARIANTS.items():
            _row(table, name, asked, lambda q, weights=weights: _ours(ours, q, weights))  # type: ignore[misc]
    baseline = Baseline()
    baseline.index(folder / "notes")
    _row(table, "baseline", asked, lambda q: baseline.search([q.question], K)[0])
    Console().print(table)


def _ours(ours: Engine, question: Question, weights: Weights) -> Ranked:
    index = ours._open_index()
    terms = search_terms(question.question, ours.models.analyze)
    with index.store.snapshot():
        found = search(
            index,
            ours.models.embedder(),
            ours.models.analyze,
            terms,
            question.question,
            K,
            weights,
        )
    return [(passage.path, passage.text) for passage in found.passages]


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
