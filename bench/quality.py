"""How often the right passage is found: by all signals, by each alone, and by the baselines.

    python bench/quality.py --data FOLDER [--sample N] [--txtai PYTHON]

A hit is a passage of the right note that holds a gold answer; `context@1000` counts the questions
whose gold answer stands in the first 1,000 tokens of the passages found, the last one cut where
they end. The first row is what the commands do; the rows below it search without the engine's
rules (names of notes, spelling). PYTHON is an interpreter that has txtai.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from bench.baseline import Baseline
from bench.data import data_folder, engine, parser, questions
from rag.engine import Engine
from rag.evaluation.measures import figures, question_scores
from rag.evaluation.questions import Question
from rag.evaluation.rows import Found, Row
from rag.evaluation.run import DEPTH, in_context
from rag.models.catalog import find_model
from rag.models.weights import locate
from rag.retrieval.found import Passage
from rag.retrieval.query import search_terms
from rag.retrieval.search import WEIGHTS, Weights, search

Ranked = Sequence[tuple[str, str]]  # (note, text) in rank order
K = DEPTH  # ten for the ranks, more so that short passages fill the context


# The released weights without the engine's rules, what is lost without a part, each part alone.
_VARIANTS = {
    "the signals alone": WEIGHTS,
    "without sentences": Weights(sentence=0.0, passage=0.6, sentence_words=0.0, passage_words=0.4),
    "without words of sentences": Weights(0.5, 0.1, 0.0, 0.4),
    "meaning of sentences alone": Weights(1.0, 0.0, 0.0, 0.0),
    "meaning of passages alone": Weights(0.0, 1.0, 0.0, 0.0),
    "words of sentences alone": Weights(0.0, 0.0, 1.0, 0.0),
    "words of passages alone": Weights(0.0, 0.0, 0.0, 1.0),
}


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--txtai", metavar="PYTHON", help="also measure its hybrid search")
    options = arguments.parse_args()
    folder = data_folder(options)
    asked = questions(folder, "answerable", options.sample, options.seed)
    heads = ("hit@1", "hit@5", "MRR@10", "context@1000", "ms a question")
    table = Table("", *heads, title=f"{len(asked):,} questions")
    with tempfile.TemporaryDirectory() as home:
        ours = engine(folder / "notes", Path(home))
        for _ in ours.index():
            pass
        tokenizer = ours.parts.identity().tokenizer
        tokenizer.no_truncation()
        ours.search(asked[0].question)  # loads what no question should wait for

        def row(name: str, search: Callable[[Question], Ranked], timed: bool = True) -> None:
            *shown, spent = _figures(asked, search, tokenizer)
            shown.append(spent if timed else "–")
            table.add_row(name, *shown)
            print(name, *shown, file=sys.stderr, flush=True)  # a run takes long

        row("rag", lambda q: _pairs(ours.search(q.question, K)))
        baseline = Baseline()
        baseline.index(folder / "notes")
        row("baseline", lambda q: baseline.search([q.question], K)[0])
        if options.txtai:
            found = _txtai(options.txtai, folder / "notes", asked)
            row("txtai, hybrid", lambda q: found[q.id], timed=False)
        for name, weights in _VARIANTS.items():
            row(name, lambda q, weights=weights: _ours(ours, q, weights))  # type: ignore[misc]
    Console().print(table)


def _txtai(python: str, notes: Path, asked: Sequence[Question]) -> dict[str, Ranked]:
    """What txtai finds for each question, by id; its passages are the notes' paragraphs."""
    model = locate(find_model("all-MiniLM-L6-v2", "embedder")).parent
    script = Path(__file__).with_name("txtai_search.py")
    done = subprocess.run(
        [python, str(script), str(notes), str(model), str(K)],
        input=json.dumps([each.question for each in asked]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows = json.loads(done.stdout)
    return {each.id: row for each, row in zip(asked, rows, strict=True)}


def _pairs(passages: Sequence[Passage]) -> Ranked:
    return [(each.path, each.text) for each in passages]


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
    return _pairs(found.passages)


def _figures(
    asked: Sequence[Question], search: Callable[[Question], Ranked], tokenizer: Any
) -> list[str]:
    """The figures of one way to search, as they are shown."""
    pairs = []
    spent = 0.0
    for question in asked:
        started = time.perf_counter()
        ranked = search(question)
        spent += time.perf_counter() - started
        found = tuple(Found(note, (1, 1), text) for note, text in ranked)
        held = in_context(tokenizer, [text for _, text in ranked], question.answers)
        pairs.append((question, Row(question.id, found, 1, held, 0.0)))
    measured = figures(pairs, question_scores(pairs))
    names = ("hit@1", "hit@5", "mrr@10", "context@1000")
    return [*(f"{measured[each].value:.3f}" for each in names), f"{spent / len(asked) * 1000:.1f}"]


if __name__ == "__main__":
    main()
