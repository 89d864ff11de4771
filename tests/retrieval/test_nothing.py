"""Filters that leave nothing say which of them it is, and what is nearest."""

from __future__ import annotations

from datetime import date

import pytest

from rag.errors import QuestionError
from rag.indexing.filtering import FieldTest, Filters, Span, find_notes
from rag.retrieval.nothing import check_fields, nothing_left
from tests.indexing.conftest import Desk

FEBRUARY = Span(date(2024, 2, 1), date(2024, 2, 29))


@pytest.fixture
def store(desk: Desk):
    for name in ("barrel.md", "bees.md", "trips/rhine.md"):
        (desk.notes / name).unlink()
    desk.write("ml/rag.md", "---\ntags: [ml/rag]\ndate: 2024-03-01\nstatus: draft\n---\n\nText.\n")
    desk.write("areas/work/plan.md", "---\ntags: garden\ndate: 2023-01-01\n---\n\nText.\n")
    desk.update()
    index = desk.open()
    yield index.store
    index.close()


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (Filters(tags=("mll",)), "No note is tagged 'mll'. Did you mean 'ml'?"),
        (Filters(tags=("ML/rga",)), "Did you mean 'ml/rag'?"),
        (Filters(tags=("zebra",)), "The most common tags: "),
        (Filters(paths=("wrok/",)), "No note lies in 'wrok/'. Did you mean 'areas/work/'?"),
        (Filters(paths=("zebra",)), "There are the folders areas/, areas/work/, ml/."),
        (
            Filters(fields=(FieldTest("status", "=", "drft"),)),
            "no note whose status is 'drft'. Did you mean 'draft'?",
        ),
        (Filters(fields=(FieldTest("status", ">", "z"),)), "Among its values: draft."),
        (
            Filters(written=(FEBRUARY,)),
            "No note is dated February 2024. Your notes are from 1 January 2023 to 1 March 2024.",
        ),
        (
            Filters(written=(Span(date(2024, 2, 1)), Span(None, date(2024, 1, 1)))),
            "The dates leave no day between them.",
        ),
        (
            Filters(written=(Span(date(2024, 1, 1)), Span(None, date(2001, 1, 1)))),
            "The dates leave no day between them. Swap since and until.",
        ),
        (Filters(changed=(Span(None, date(2000, 1, 1)),)), "was changed until 1 January 2000"),
        (
            Filters(tags=("ml",), paths=("work/",)),
            "No note is tagged ml and in work/. Leave one of these filters out.",
        ),
    ],
)
def test_what_leaves_nothing(store, filters, says):
    assert find_notes(store, filters) == ()
    assert says in str(nothing_left(store, filters))


def test_without_any_tags_or_folders(desk: Desk):
    (desk.notes / "trips/rhine.md").unlink()
    desk.update()
    index = desk.open()
    assert "Your notes have no tags." in str(nothing_left(index.store, Filters(tags=("x",))))
    assert "lie in one folder" in str(nothing_left(index.store, Filters(paths=("x",))))
    index.close()


@pytest.mark.parametrize("op", ["=", "!="])
def test_a_field_that_no_note_has(store, op):
    check_fields(store, Filters(fields=(FieldTest("status", op, "x"),)))
    with pytest.raises(QuestionError, match=r"front-matter field 'statu'; there.*mean 'status'"):
        check_fields(store, Filters(fields=(FieldTest("statu", op, "x"),)))
