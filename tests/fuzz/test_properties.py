"""Any input at all: a few hundred here, as many as RAG_TORTURE_CASES says in the long run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.inputs import inputs
from tests.fuzz.properties import PROPERTIES

QUICK = 250


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.mark.parametrize("target", PROPERTIES)
def test_any_input(target: str, scratch: Path):
    check(target, scratch, QUICK)


@pytest.mark.torture
@pytest.mark.parametrize("target", PROPERTIES)
def test_very_many_inputs(target: str, scratch: Path):
    check(target, scratch, int(os.environ.get("RAG_TORTURE_CASES", "200000")))


def check(target: str, scratch: Path, cases: int) -> None:
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=cases == QUICK,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=inputs(target))
    def holds(data: bytes) -> None:
        PROPERTIES[target](data, scratch)

    holds()


@given(st.text())
@settings(max_examples=QUICK, deadline=None, derandomize=True)
def test_what_is_printed_holds_nothing_that_a_terminal_obeys(text: str):
    from rag.output import one_line, safe

    for shown in (safe(text), one_line(text)):
        assert not any(is_control(character) for character in shown.replace("\n", ""))
        shown.encode("utf-8")
    assert "\n" not in one_line(text)


def is_control(character: str) -> bool:
    code = ord(character)
    return (code < 32 and code != 9) or 127 <= code < 160 or code in range(0x202A, 0x202F)
