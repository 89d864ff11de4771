"""The coverage-guided fuzzer, where it is installed (pip install atheris): the long run."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.fuzz.properties import PROPERTIES


@pytest.mark.torture
@pytest.mark.parametrize("target", PROPERTIES)
def test_guided_by_coverage(target: str):
    pytest.importorskip("atheris")
    cases = os.environ.get("RAG_TORTURE_CASES", "200000")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", target, cases],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    ran = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert ran is not None, done.stderr[-4000:]
    assert int(ran[1]) >= int(cases)
