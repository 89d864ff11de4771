"""A run beside an earlier one: differences, and whether they can be chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rag.errors import EvaluationError
from rag.evaluation.measures import Figure, Pairs, Scores, question_scores
from rag.evaluation.questions import Question
from rag.evaluation.rows import WRITTEN, Row, load_rows

Earlier = Mapping[str, float] | Sequence[Row]


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure before and how much it changed since.

    `p` is that of the two-sided sign test over the `pairs` questions that both runs have: how
    often chance alone would part better from worse that unevenly. None without rows.
    """

    before: float
    change: float
    p: float | None = None
    pairs: int = 0


def load_earlier(file: Path) -> Earlier:
    """What an earlier run printed with --json, or the rows it wrote. Raises EvaluationError."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvaluationError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        value = None  # several objects, one a line
    if not isinstance(value, dict) or "passages" in value:
        return load_rows(file)
    numbers = {
        name: float(figure)
        for name, figure in value.items()
        if isinstance(figure, int | float) and not isinstance(figure, bool)
    }
    if "hit@1" not in numbers and "em" not in numbers and "abstained_right" not in numbers:
        raise EvaluationError(f"There are no figures in {file}.", WRITTEN)
    return numbers


def compare(
    now: Mapping[str, Figure], scores: Scores, questions: Sequence[Question], earlier: Earlier
) -> dict[str, Difference]:
    """The differences of all figures that both runs have, by name.

    With rows, of the questions that both runs have. Raises EvaluationError where there are none.
    """
    if isinstance(earlier, Mapping):
        return {
            name: Difference(earlier[name], figure.value - earlier[name])
            for name, figure in now.items()
            if name in earlier
        }
    rows = {row.id: row for row in earlier}
    pairs: Pairs = [(each, rows[each.id]) for each in questions if each.id in rows]
    if not pairs:
        raise EvaluationError("The earlier run has none of these questions.")
    before = question_scores(pairs)
    found = {}
    for name in now:
        both = [
            (old[name], scores[id_][name])
            for id_, old in before.items()
            if name in old and name in scores.get(id_, {})
        ]
        if both:
            found[name] = _difference(both)
    return found


def _difference(both: Sequence[tuple[float, float]]) -> Difference:
    from scipy.stats import binomtest

    changes = [new - old for old, new in both]
    better, worse = sum(each > 0 for each in changes), sum(each < 0 for each in changes)
    p = float(binomtest(better, better + worse).pvalue) if better + worse else 1.0
    return Difference(fmean(old for old, _ in both), fmean(changes), p, len(both))
