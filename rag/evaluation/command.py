"""`rag eval`: what was asked for, checked first; then the run, its files and its figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rag.engine import Engine
from rag.errors import Cancelled, EvaluationError
from rag.evaluation.chart import risk_coverage_svg
from rag.evaluation.compare import Earlier, compare, load_earlier
from rag.evaluation.measures import check_library, figures, question_scores, risk_coverage
from rag.evaluation.questions import Question, load_questions, sample
from rag.evaluation.report import flat, table
from rag.evaluation.rows import Row, to_json
from rag.evaluation.run import run, stop_on_interrupt
from rag.output import progress_bar, safe, show, show_json


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that can start: every file was looked at."""

    questions: Sequence[Question]
    answers: bool
    rows: Path | None
    chart: Path | None
    earlier: Earlier | None
    as_json: bool
    quote: bool = False


def prepare(
    folder: Path,
    file: Path,
    count: int | None = None,
    seed: int = 0,
    answers: bool = False,
    rows: Path | None = None,
    chart: Path | None = None,
    against: Path | None = None,
    as_json: bool = False,
    quote: bool = False,
) -> Plan:
    """Check all that can be wrong before anything slow starts. Raises EvaluationError."""
    check_library()
    if count is not None and count < 1:
        raise EvaluationError(f"--sample {count} is out of range: one question at least.")
    if chart and not answers:
        raise EvaluationError("--chart draws answers.", "Add: --answers")
    if quote and not answers:
        raise EvaluationError("--quote says how to answer.", "Add: --answers")
    questions = load_questions(file, folder)
    if count is not None and count > len(questions):
        _say(f"--sample {count:,} is more than there are: all {len(questions):,} are taken.")
    earlier = load_earlier(against) if against else None
    for written in (rows, chart):
        if written:
            _check_writable(written, file, folder)
    if rows and rows.stat().st_size:
        _check_rows(rows)
    chosen = questions if count is None else sample(questions, count, seed)
    return Plan(chosen, answers, rows, chart, earlier, as_json, quote)


def evaluate(engine: Engine, plan: Plan) -> bool:
    """Run a plan and print its figures; whether it came to its end.

    Stopped with Ctrl-C, it prints the figures so far. Raises RagError.
    """
    rows: list[Row] = []
    total = len(plan.questions)
    with stop_on_interrupt() as stopped, ExitStack() as files, progress_bar() as bar:
        task = bar.add_task("answering" if plan.answers else "searching", total=total)
        keep: TextIO | None = None
        for row in run(engine, plan.questions, plan.answers, stopped, plan.quote):
            if plan.rows and not rows:  # only now does an earlier run's give way
                keep = files.enter_context(_rows_file(plan.rows))
            rows.append(row)
            if keep:
                keep.write(json.dumps(to_json(row), ensure_ascii=False) + "\n")
            bar.advance(task)
    if not rows:
        raise Cancelled
    _report(plan, rows)
    if len(rows) < total:
        _say(f"Stopped after {len(rows):,} of {total:,} questions.")
    return len(rows) == total


def _report(plan: Plan, rows: Sequence[Row]) -> None:
    pairs = list(zip(plan.questions, rows, strict=False))
    scores = question_scores(pairs)
    found = figures(pairs, scores)
    asked = [question for question, _ in pairs]
    differences = {} if plan.earlier is None else compare(found, scores, asked, plan.earlier)
    if plan.chart:
        with _written(plan.chart):
            picture = risk_coverage_svg(risk_coverage(pairs), len(pairs))
            plan.chart.write_text(picture, encoding="utf-8")
    if plan.as_json:
        show_json(flat(pairs, found, differences))
    else:
        show(table(pairs, found, differences))
    if plan.answers and all(each.answers for each in asked):
        _say("How often it refuses rightly is not known: the notes answer all of these questions.")
        _say('Add some that they do not, with "answers": [].')


@contextmanager
def _rows_file(file: Path) -> Iterator[TextIO]:
    # Notes may hold half a surrogate pair; a row of one is written with its mark, not refused.
    with _written(file), file.open("w", encoding="utf-8", errors="replace", buffering=1) as handle:
        yield handle


def _check_writable(file: Path, questions: Path, folder: Path) -> None:
    """Raise unless `file` can be written without harm to the questions or the notes."""
    if file.exists() and file.samefile(questions):
        raise EvaluationError(f"{file} is the file of questions.", "Name another one.")
    if file.suffix.lower() in (".md", ".markdown", ".txt") and folder in file.resolve().parents:
        raise EvaluationError(f"{file} would be a note among the notes.", "Name another place.")
    with _written(file), file.open("a", encoding="utf-8"):
        pass


def _check_rows(file: Path) -> None:
    """Raise unless a file that is there already holds the rows of an earlier run: all else, other
    questions say, stays."""
    with _written(file), file.open(encoding="utf-8", errors="replace") as handle:
        first = handle.readline()
    try:
        written = {"id", "passages", "in_context"} <= json.loads(first).keys()
    except (ValueError, AttributeError, RecursionError):
        written = False
    if not written:
        raise EvaluationError(
            f"{file} is there already, and is not what --rows wrote.", "Name another file."
        )


@contextmanager
def _written(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvaluationError(f"{file} cannot be written: {error.strerror}.") from error


def _say(text: str) -> None:
    sys.stderr.write(f"{safe(text)}\n")
