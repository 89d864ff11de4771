"""Passages that speak of a day, however it is written."""

from __future__ import annotations

from datetime import date

import pytest

from rag.indexing.lexical import analyzer
from rag.retrieval.dated import speaking_of
from tests.indexing.conftest import Desk

DAY = date(2024, 3, 8)


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-08",
        "2024/03/08",
        "2024-3-8",
        "08.03.2024",
        "8.3.2024",
        "8 March 2024",
        "March 8, 2024",
        "8 MARCH 2024",
        "8 Mar 2024",
        "Mar 8, 2024",
        "8. March 2024",
    ],
)
def test_a_day_is_found_as_people_write_it(desk: Desk, written: str):
    desk.write("log.md", f"We ran eight kilometres. {written}, that was.\n")
    desk.write(
        "other.md",
        "8 miles in 2024, and 03 of them in March. 2024-03-18 was worse.\n"
        "18 March 2024, 18.3.2024\n",
    )
    desk.update()
    index = desk.open()
    found = speaking_of(index, DAY, analyzer().analyze)
    assert found is not None
    assert found.written.casefold() == written.casefold()
    assert [each.path for each in index.passages(found.chunks).values()] == ["log.md"]
    assert speaking_of(index, date(2024, 3, 9), analyzer().analyze) is None
    index.close()


def test_a_day_may_be_a_heading(desk: Desk):
    desk.write("log.md", "# Garden\n\n## 2024-03-08\n\nPlanted garlic in bed two.\n")
    desk.update()
    index = desk.open()
    assert speaking_of(index, DAY, analyzer().analyze) is not None
    index.close()
