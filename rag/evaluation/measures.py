"""Questions and rows into figures.

Each question has scores of its own, so that two runs can be compared question by question; a
figure is their mean over the questions that have one. What each figure counts is said in FIGURES.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rag.errors import EvaluationError
from rag.evaluation.matching import bears_out, exact, holds, token_f1, unmarked
from rag.evaluation.questions import Question
from rag.evaluation.rows import Found, Reply, Row

Pairs = Sequence[tuple[Question, Row]]
Scores = dict[str, dict[str, float]]  # figure by name by question id

CUTOFFS = (1, 3, 5, 10)
CONTEXT_TOKENS = 1000
FIGURES: Mapping[str, str] = {
    "hit@1": "the first passage is a hit",
    **{f"hit@{k}": f"a hit among the first {k}" for k in CUTOFFS[1:]},
    "mrr@10": "1 / rank of the first hit",
    "ndcg@10": "hits near the top, of all there are",
    "paragraph_hit@1": "… and is on the gold lines",
    **{f"paragraph_hit@{k}": f"… on the gold lines, first {k}" for k in CUTOFFS[1:]},
    "paragraph_mrr@10": "1 / rank of the first such",
    "context@1000": "a gold answer in the first 1,000 tokens (the embedder's)",
    "search_ms_p50": "milliseconds a search, median",
    "em": "exactly a gold answer",
    "f1": "words shared with a gold answer",
    "contains": "a gold answer is in it",
    "citation_precision": "a cited passage holds the answer",
    "citation_gold": "a cited passage is a hit",
    "citation_recall": "… where a hit was among those read",
    "quotes_verbatim": "quotes that stand in the note",
    "supported": "sentences that the notes bear out",
    "abstained_right": "refused, rightly",
    "abstained_wrong": "refused, though the notes say",
    "seconds_mean": "seconds an answer",
    "seconds_p95": "… of all but the slowest 5 %",
    "words_mean": "words an answer",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and how many questions, quotes or sentences it was counted over."""

    value: float
    over: int


def is_hit(question: Question, passage: Found) -> bool:
    """A passage of the right note that holds a gold answer."""
    return passage.path == question.note and holds(passage.text, question.answers)


def on_gold(question: Question, passage: Found) -> bool:
    """A hit that touches the gold lines."""
    if question.gold is None or not is_hit(question, passage):
        return False
    first, last = passage.lines
    return first <= question.gold[1] and question.gold[0] <= last


def check_library() -> None:
    """Raise EvaluationError unless the library of measures is installed."""
    try:
        import ir_measures  # noqa: F401
    except ImportError as error:
        raise EvaluationError(
            "rag eval needs the package ir-measures.",
            "Run, where you installed rag from: pip install -c constraints.txt '.[eval]'",
        ) from error


def question_scores(pairs: Pairs) -> Scores:
    """What each question scores, by figure; a question that a figure leaves out has none."""
    scores: Scores = {question.id: {} for question, _ in pairs}
    asked = [(question, row) for question, row in pairs if question.answers]
    _add_retrieval(scores, asked)
    for question, row in asked:
        scores[question.id]["context@1000"] = row.in_context
    for question, row in pairs:
        if row.reply is not None:
            scores[question.id] |= _answer_scores(question, row, row.reply)
    return scores


def _add_retrieval(scores: Scores, pairs: Pairs) -> None:
    """Rank measures by ir_measures (trec_eval), of hits and of hits on the gold lines."""
    from ir_measures import RR, Success, calc, nDCG

    names = {Success @ k: f"hit@{k}" for k in CUTOFFS} | {RR @ 10: "mrr@10", nDCG @ 10: "ndcg@10"}
    golden = {measure: name for measure, name in names.items() if measure != nDCG @ 10}
    known = [(question, row) for question, row in pairs if question.gold]
    for prefix, kept, judge, wanted in (
        ("", pairs, is_hit, names),
        ("paragraph_", known, on_gold, golden),
    ):
        qrels, run = {}, {}
        for question, row in kept:
            hits = [judge(question, passage) for passage in row.passages]
            missed = max(row.relevant - sum(hits), 0 if any(hits) else 1)
            qrels[question.id] = {str(n): int(hit) for n, hit in enumerate(hits)} | {
                f"missed {n}": 1 for n in range(missed)
            }
            run[question.id] = {str(n): -float(n) for n in range(len(hits))}
        if kept:
            for each in calc(list(wanted), qrels, run).per_query:
                scores[each.query_id][prefix + wanted[each.measure]] = each.value


def _answer_scores(question: Question, row: Row, reply: Reply) -> dict[str, float]:
    said = unmarked(reply.answer) if reply.answered else ""
    scores: dict[str, float] = {}
    if question.answers:
        scores["em"] = reply.answered and exact(said, question.answers)
        scores["f1"] = token_f1(said, question.answers) if reply.answered else 0.0
        scores["contains"] = holds(said, question.answers)
    refused = "abstained_wrong" if question.answers else "abstained_right"
    scores[refused] = not reply.answered
    if reply.answered:
        cited = [row.passages[each.n - 1] for each in reply.citations]
        scores["citation_precision"] = any(bears_out(each.text, said) for each in cited)
        scores["words_mean"] = len(said.split())
        if question.answers:
            gold = any(is_hit(question, each) for each in cited)
            scores["citation_gold"] = gold
            if any(is_hit(question, row.passages[n - 1]) for n in reply.given):
                scores["citation_recall"] = gold
    return {name: float(value) for name, value in scores.items()}


def figures(pairs: Pairs, scores: Scores) -> dict[str, Figure]:
    """All figures that these questions give, in the order of FIGURES."""
    found: dict[str, Figure] = {}
    for name in FIGURES:
        values = [each[name] for each in scores.values() if name in each]
        if values:
            found[name] = Figure(fmean(values), len(values))
    import numpy as np

    found["search_ms_p50"] = Figure(float(np.median([r.search_ms for _, r in pairs])), len(pairs))
    replies = [row.reply for _, row in pairs if row.reply is not None]
    if replies:
        seconds = [reply.seconds for reply in replies]
        found["seconds_mean"] = Figure(fmean(seconds), len(seconds))
        found["seconds_p95"] = Figure(float(np.percentile(seconds, 95)), len(seconds))
    for name, held in (
        ("quotes_verbatim", [each.verbatim for reply in replies for each in reply.citations]),
        ("supported", [each == "supported" for reply in replies for each in reply.support]),
    ):
        if held:
            found[name] = Figure(fmean(held), len(held))
    return {name: found[name] for name in FIGURES if name in found}


def risk_coverage(pairs: Pairs) -> list[tuple[float, float]]:
    """(coverage, accuracy) if only answers of at least some confidence were given.

    Coverage is the share of all questions answered, accuracy the share of those answers that
    hold a gold answer; an answer to a question that the notes do not answer is wrong.
    """
    given = sorted(
        (
            (row.reply.confidence, holds(unmarked(row.reply.answer), question.answers))
            for question, row in pairs
            if row.reply is not None and row.reply.answered
        ),
        key=lambda each: -each[0],
    )
    points, right = [], 0
    for n, (confidence, correct) in enumerate(given, 1):
        right += correct
        if n == len(given) or given[n][0] != confidence:  # equal confidence, one decision
            points.append((n / len(pairs), right / n))
    return points
