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


def test_a_slow_token_is_followed_by_some_on_one_thread(clock: _Clock) -> None:
    used = _threads(clock, [0.016, 0.016, 0.3] + [0.025] * 17)
    assert used[:3] == [2, 2, 2]
    assert used[3:19] == [1] * 16
    assert used[19:] == [2, 2]


def test_one_thread_again_while_it_stays_busy(clock: _Clock) -> None:
    used = _threads(clock, [0.016, 0.3] + [0.025] * 16 + [0.3, 0.025])
    assert used[18:] == [2, 1, 1]
