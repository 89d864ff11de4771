"""How many threads decode, by the time that tokens take. The clock is simulated."""

from __future__ import annotations

import pytest

from rag.answering.pace import Pace


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    made = _Clock()
    monkeypatch.setattr("rag.answering.pace.time", made)
    return made


def _threads(clock: _Clock, taken: list[float]) -> list[int]:
    """The threads of each token, and of the one after the last."""
    pace, now = Pace(2), [2]

    def set_threads(count: int) -> None:
        now[0] = count

    used = []
    pace.step(set_threads)
    for seconds in taken:
        used.append(now[0])
        clock.now += seconds
        pace.step(set_threads)
    return [*used, now[0]]


def test_an_even_pace_keeps_all_threads(clock: _Clock) -> None:
    assert set(_threads(clock, [0.018, 0.016, 0.02, 0.017] * 8)) == {2}


def test_a_few_slow_tokens_change_nothing(clock: _Clock) -> None:
    """Drawing the screen takes that long."""
    assert set(_threads(clock, [0.016, 0.016, 0.3, 0.04, 0.05, 0.017, 0.05] * 8)) == {2}


def test_four_slow_tokens_are_followed_by_some_on_one_thread(clock: _Clock) -> None:
    used = _threads(clock, [0.016, 0.016, *[0.04] * 4, *[0.025] * 33])
    assert used[:6] == [2] * 6
    assert used[6:38] == [1] * 32
    assert used[38:] == [2, 2]


def test_one_thread_again_while_it_stays_busy(clock: _Clock) -> None:
    used = _threads(clock, [0.016, *[0.3] * 4, *[0.025] * 32, *[0.3] * 4, 0.025])
    assert used[37:] == [2, 2, 2, 2, 1, 1]


def test_an_answer_begins_with_all_threads(clock: _Clock) -> None:
    """However the one before ended: the context keeps its count."""
    now = [1]
    Pace(2).step(lambda count: now.__setitem__(0, count))
    assert now == [2]
