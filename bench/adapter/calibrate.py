"""Fit when to refuse: `python bench/adapter/calibrate.py FILE.jsonl ... [--scale N]`

Asks questions about articles that neither training nor scoring sees (`split.json`, "calibrate";
each FILE as `examples.py` reads it), among all articles of the files: answerable ones, unanswerable
ones, and answerable ones with their note left out of the search. Prints the coefficients of
`rag.answering.abstention` and what each threshold would refuse of each group.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from bench.adapter.examples import Asked, read_more
from bench.data import engine
from rag.answering.abstention import Signals, signals_of
from rag.engine import Engine
from rag.indexing.filtering import Filters
from rag.retrieval.evidence import find_evidence
from rag.retrieval.pointing import point

_ANSWERABLE, _UNANSWERABLE = 500, 300
_THRESHOLDS = (0.05, 0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.22, 0.25, 0.3, 0.35, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class Sample:
    """A question's signals, and the group that it is of."""

    group: str
    signals: Signals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of questions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes"
        questions = []
        for file in options.files:
            read_more(file, notes, held=False)
            questions += read_more(file, notes, held=True)[0]
        ours = engine(notes, Path(folder) / "index")
        for _ in ours.index():
            pass
        samples = list(_samples(ours, questions, options.seed, options.scale))
    _report(samples)


def _samples(ours: Engine, questions: Sequence[Asked], seed: int, scale: float) -> Iterator[Sample]:
    chance = random.Random(seed)
    answerable = [each for each in questions if each.answers]
    unanswerable = [each for each in questions if not each.answers]
    chance.shuffle(answerable)
    chance.shuffle(unanswerable)
    answerable = answerable[: int(_ANSWERABLE * scale)]
    for each in answerable:
        yield Sample("answerable", _signals(ours, each, None))
    for each in answerable[: len(answerable) // 2]:
        yield Sample("left out", _signals(ours, each, Filters(without_paths=(each.note,))))
    for each in unanswerable[: int(_UNANSWERABLE * scale)]:
        yield Sample("unanswerable", _signals(ours, each, None))


def _signals(ours: Engine, asked: Asked, filters: Filters | None) -> Signals:
    found = ours.explain(asked.question, filters=filters)
    reader = ours.models.reader()
    assert reader is not None
    found = point(found.query, found, reader)
    return signals_of(
        find_evidence(found.query, found.passages, ours.models.embedder()), found.passages
    )


def _report(samples: Sequence[Sample]) -> None:
    from sklearn.linear_model import LogisticRegression

    table = np.array([[s.signals.cosine, s.signals.share, s.signals.odds] for s in samples])
    answerable = np.array([s.group == "answerable" for s in samples])
    for name, columns in (("by what was found", [0, 1]), ("as read", [0, 1, 2])):
        fitted: Any = LogisticRegression(C=10.0).fit(table[:, columns], answerable)
        confidence = fitted.predict_proba(table[:, columns])[:, 1]
        print(f"\n{name}: {np.round(fitted.coef_[0], 2)} {fitted.intercept_[0]:.2f}")
        for threshold in _THRESHOLDS:
            refused = {
                group: np.mean(confidence[[s.group == group for s in samples]] < threshold)
                for group in ("answerable", "unanswerable", "left out")
            }
            shares = [f"{group} {share:.3f}" for group, share in refused.items()]
            print(f"  below {threshold:.2f}: {', '.join(shares)}")


if __name__ == "__main__":
    main()
