"""Figures against values computed by hand."""

from __future__ import annotations

import math

import pytest

from rag.evaluation.measures import figures, on_gold, question_scores, risk_coverage
from rag.evaluation.questions import Question
from rag.evaluation.rows import Cited, Found, Reply, Row

RIGHT = Found("n.md", (3, 4), "It was Ann.")
NEAR = Found("n.md", (9, 9), "Ann again, elsewhere.")
OTHER_NOTE = Found("o.md", (3, 4), "It was Ann.")
WRONG = Found("n.md", (5, 5), "It was Bob, who kept the old green barrel behind the shed.")


def question(id_: str, *answers: str) -> Question:
    return Question(id_, "Who was it?", answers, "n.md", (4, 4) if answers else None)


def row(
    id_: str, *passages: Found, relevant: int = 1, reply: Reply | None = None, ms: float = 1.0
) -> Row:
    return Row(id_, passages, relevant, RIGHT in passages, ms, reply)


def reply(
    answer: str, *cited: int, confidence: float = 0.5, seconds: float = 1.0, **changes: bool
) -> Reply:
    citations = tuple(Cited(n, "n.md", (3, 4), "Ann", changes.get("verbatim", True)) for n in cited)
    return Reply(
        changes.get("answered", True), answer, citations, ("supported",), (1, 2), confidence,
        seconds,
    )  # fmt: skip


def values(*pairs: tuple[Question, Row]) -> dict[str, float]:
    found = figures(pairs, question_scores(pairs))
    return {name: each.value for name, each in found.items()}


def test_ranks():
    found = values(
        (question("a", "Ann"), row("a", RIGHT, WRONG, ms=1)),
        (question("b", "Ann"), row("b", OTHER_NOTE, WRONG, NEAR, RIGHT, relevant=3, ms=2)),
        (question("c", "Ann"), row("c", *[WRONG] * 10, RIGHT, ms=9)),
        (question("d", "Ann"), row("d")),
        (question("e"), row("e", RIGHT, ms=3)),
    )
    assert [found[f"hit@{k}"] for k in (1, 3, 5, 10)] == [0.25, 0.5, 0.5, 0.5]
    assert found["mrr@10"] == pytest.approx((1 + 1 / 3) / 4)
    # b: ranks 3 and 4 of three relevant passages
    gain, ideal = 1 / math.log2(4) + 1 / math.log2(5), 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert found["ndcg@10"] == pytest.approx((1 + gain / ideal) / 4)
    assert [found[f"paragraph_hit@{k}"] for k in (1, 3, 5)] == [0.25, 0.25, 0.5]
    assert found["paragraph_mrr@10"] == pytest.approx((1 + 1 / 4) / 4)
    assert found["context@1000"] == 0.75
    assert found["search_ms_p50"] == 2


def test_a_hit_on_the_gold_lines_also_holds_the_answer():
    asked = question("a", "Ann")
    assert on_gold(asked, RIGHT)
    assert not on_gold(asked, NEAR)
    assert not on_gold(asked, Found("n.md", (4, 4), "It was Bob."))
    assert not on_gold(Question("a", "Who?", ("Ann",), "n.md"), RIGHT)


def test_unanswerable_questions_alone_have_no_ranks():
    assert set(values((question("a"), row("a", RIGHT)))) == {"search_ms_p50"}


def test_answers():
    long = "Bob kept his old green barrel behind some shed. [2]"
    pairs = (
        (question("a", "Ann"), row("a", RIGHT, WRONG, reply=reply("Ann [1]", 1, seconds=1))),
        (question("b", "Ann"), row("b", RIGHT, WRONG, reply=reply(long, 2, seconds=2))),
        (question("c", "Ann"), row("c", WRONG, WRONG, reply=reply("It was Ann.", 1, seconds=3))),
        (question("d", "Ann"), row("d", RIGHT, reply=reply("Ann?", answered=False, seconds=6))),
        (question("e"), row("e", WRONG, WRONG, reply=reply("Zoe [1]", 1, verbatim=False))),
        (question("f"), row("f", reply=reply("", answered=False))),
    )
    found = values(*pairs)
    assert found["em"] == pytest.approx(1 / 4)
    assert found["f1"] == pytest.approx((1 + 0 + 1 / 2 + 0) / 4)  # "it was ann" and "ann"
    assert found["contains"] == pytest.approx(2 / 4)
    assert found["citation_precision"] == pytest.approx(2 / 4)  # a, b; not c, e
    assert found["citation_gold"] == pytest.approx(1 / 3)  # a; not b, c
    assert found["citation_recall"] == pytest.approx(1 / 2)  # a; not b; c had no hit to cite
    assert found["quotes_verbatim"] == pytest.approx(3 / 4)
    assert found["abstained_right"] == pytest.approx(1 / 2)
    assert found["abstained_wrong"] == pytest.approx(1 / 4)
    assert found["supported"] == 1
    assert found["seconds_mean"] == pytest.approx((1 + 2 + 3 + 6 + 1 + 1) / 6)
    assert found["seconds_p95"] == pytest.approx(3 + 3 * 0.75)  # between the fifth and the last
    assert found["words_mean"] == pytest.approx((1 + 9 + 3 + 1) / 4)


def test_risk_against_coverage():
    pairs = [
        (question("a", "Ann"), row("a", RIGHT, reply=reply("Ann", confidence=0.9))),
        (question("b"), row("b", RIGHT, reply=reply("Ann", confidence=0.7))),
        (question("c", "Ann"), row("c", RIGHT, reply=reply("Ann", confidence=0.7))),
        (question("d", "Ann"), row("d", RIGHT, reply=reply("Ann", answered=False))),
    ]
    assert risk_coverage(pairs) == [(0.25, 1.0), (0.75, pytest.approx(2 / 3))]
    assert risk_coverage(pairs[3:]) == []
