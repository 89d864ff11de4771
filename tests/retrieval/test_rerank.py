"""Reranking: the order, the budget, and what comes of a slow model."""

from dataclasses import dataclass, field

import pytest

from rag.retrieval.found import Found, Passage
from rag.retrieval.rerank import rerank


@dataclass
class Clock:
    """Time that passes only while something is done."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Judge:
    """Finds the texts relevant that hold `wanted`, and takes `seconds` for each."""

    wanted: str
    clock: Clock
    seconds: float = 0.01
    loading: float = 0.0
    batches: list[int] = field(default_factory=list)
    name: str = "judge"

    def load(self):
        self.clock.now += self.loading

    def score(self, question, texts):
        assert question == "what?"
        self.batches.append(len(texts))
        self.clock.now += self.seconds * len(texts)
        return [1.0 if self.wanted in text else 0.0 for text in texts]


def found(count=40):
    """Passages p0, p1, … whose scores fall from 0.8."""
    return Found(
        tuple(
            Passage(n, f"{n}.md", "T", (), 1, 1, f"p{n}!", 0.8 - n / 100, 0.5, None)
            for n in range(count)
        ),
        count,
        {"embed": 0.1},
        "what?",
    )


def order(done):
    return [each.id for each in done.passages]


def test_the_best_judged_comes_first_and_scores_stay_in_order():
    clock = Clock()
    done = rerank(found(), 5, Judge("p7!", clock), 10.0, clock)
    assert order(done) == [7, 0, 1, 2, 3]
    assert [each.score for each in done.passages] == [0.8, 0.79, 0.78, 0.77, 0.76]
    best = done.passages[0]
    assert (best.reasons.found_at, best.reasons.judged) == (8, 1.0)
    assert (done.reranked.scored, done.reranked.offered) == (40, 40)
    assert done.seconds == {"embed": 0.1, "rerank_load": 0.0, "rerank": pytest.approx(0.4)}


def test_a_model_that_finds_all_alike_changes_nothing():
    clock = Clock()
    done = rerank(found(), 40, Judge("p", clock), 10.0, clock)
    assert order(done) == list(range(40))


@pytest.mark.parametrize("budget", [0.05, 0.1, 0.25])
def test_a_slow_model_stops_within_its_budget_and_the_rest_keeps_its_order(budget):
    clock = Clock()
    judge = Judge("p3!", clock, seconds=0.01, loading=3.0)
    done = rerank(found(), 40, judge, budget, clock)
    scored = done.reranked.scored
    assert 4 <= scored < 40
    assert done.reranked.seconds <= budget + 1e-9, "loading is not counted, scoring is"
    assert order(done) == [3, 0, 1, 2, *range(4, 40)]
    assert [each.reasons.judged is not None for each in done.passages[:scored]] == [True] * scored
    assert {each.reasons.judged for each in done.passages[scored:]} == {None}
    assert judge.batches[0] == 2, "a few tell how long the others take"


def test_one_batch_is_read_however_small_the_budget():
    clock = Clock()
    done = rerank(found(), 3, Judge("p1!", clock, seconds=5.0), 0.001, clock)
    assert (order(done), done.reranked.scored) == ([1, 0, 2], 2)
