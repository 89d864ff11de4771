"""Filters over a real index: what each leaves, and that they act inside the search."""

from __future__ import annotations

import os
from datetime import date, datetime

import pytest

from rag.indexing import bases, local
from rag.indexing.filtering import (
    FieldTest,
    Filters,
    Span,
    chunks_of,
    field_values,
    find_notes,
    known_fields,
    known_places,
    known_tags,
    lies_in,
)
from tests.indexing.conftest import Desk


def note(front: str, body: str = "Some text.") -> str:
    return f"---\n{front}\n---\n\n{body}\n"


def aged(file, day: str) -> None:
    then = datetime.fromisoformat(f"{day}T12:00").timestamp()
    os.utime(file, (then, then))


@pytest.fixture
def vault(desk: Desk):
    """The store of a small vault whose notes have tags, fields and dates of every kind."""
    for name in ("barrel.md", "bees.md", "trips/rhine.md"):
        (desk.notes / name).unlink()
    desk.write(
        "ml/rag.md", note("tags: [ML/RAG, work]\ndate: 2024-03-01\nstatus: Draft\nrating: 4")
    )
    desk.write("ml/plain.md", note("tags: ml\ncreated: Monday 5th February 2024 13:20\nrating: 10"))
    desk.write("work/html.md", note("tags: [html]\nstatus: [done, final]\ndue: 2024-05-01"))
    desk.write("work/2023-07-09 plan.md", "A plan, #home/garden.\n")
    desk.write("Work Notes/old.md", note("modified: 2022-01-02\npublic: true\nby: '[[Anna]]'"))
    aged(desk.write("loose.md", "No date of its own.\n"), "2021-06-15")
    aged(desk.notes / "work/html.md", "2020-02-03")
    desk.update()
    index = desk.open()
    yield index.store
    index.close()


def left(store, **filters) -> set[str]:
    return {each.path for each in find_notes(store, Filters(**filters))}


@pytest.mark.parametrize(
    ("tags", "paths"),
    [
        (["ml"], {"ml/rag.md", "ml/plain.md"}),
        (["ML/rag"], {"ml/rag.md"}),
        (["ml", "work"], {"ml/rag.md"}),
        (["home"], {"work/2023-07-09 plan.md"}),
        (["m"], set()),
    ],
)
def test_a_tag_is_met_by_itself_and_by_those_nested_in_it(vault, tags, paths):
    assert left(vault, tags=tuple(tags)) == paths


def test_tags_that_leave_notes_out(vault):
    rest = left(vault, without_tags=("ml",))
    assert "ml/rag.md" not in rest
    assert "loose.md" in rest
    assert left(vault, tags=("ml",), without_tags=("work",)) == {"ml/plain.md"}


@pytest.mark.parametrize(
    ("path", "place", "lies"),
    [
        ("work/a.md", "work/", True),
        ("work/a.md", "WORK", True),
        ("areas/work/a.md", "work", True),
        ("areas/work/a.md", "/work", False),
        ("areas/work/a.md", "./areas", True),
        ("workshop/a.md", "work", False),
        ("work/a.md", "a", True),
        ("work/a.md", "work/a.md", True),
        ("work/a.md", "work\\a", True),
        ("work/a.md", "b/a.md", False),
        ("work/a.md", "a.md/", True),
        ("journal/2024-02-05.md", "journal/2024*", True),
        ("x/journal/2024-02-05.md", "2024-??-05.md", True),
        ("work/[1].md", "[1]", True),
        ("work/1.md", "[1]", False),
        ("a.md", "/", True),
    ],
)
def test_where_a_note_lies(path, place, lies):
    assert lies_in(path, place) is lies


def test_any_of_several_paths_will_do(vault):
    assert left(vault, paths=("ml/", "Work Notes")) == {
        "ml/rag.md",
        "ml/plain.md",
        "Work Notes/old.md",
    }
    assert left(vault, without_paths=("work", "ml/")) == {"Work Notes/old.md", "loose.md"}


def test_which_date_counts(vault):
    days = {each.path: each.day for each in find_notes(vault, Filters())}
    assert days == {
        "ml/rag.md": date(2024, 3, 1),  # front matter
        "ml/plain.md": date(2024, 2, 5),  # in words
        "work/2023-07-09 plan.md": date(2023, 7, 9),  # file name
        "Work Notes/old.md": date(2022, 1, 2),  # its last change, as its author gave it
        "loose.md": date(2021, 6, 15),  # the file's
        "work/html.md": date(2020, 2, 3),
    }
    assert list(days.values()) == sorted(days.values(), reverse=True)


def test_spans_include_their_ends(vault):
    february = Span(date(2024, 2, 1), date(2024, 2, 29))
    assert left(vault, written=(february,)) == {"ml/plain.md"}
    assert left(vault, written=(Span(date(2024, 3, 1)),)) == {"ml/rag.md"}
    assert left(vault, written=(Span(None, date(2020, 2, 3)),)) == {"work/html.md"}
    assert not left(vault, written=(Span(date(2024, 1, 1)), Span(None, date(2023, 12, 31))))


def test_changed_is_what_the_author_says_else_the_file(vault):
    assert left(vault, changed=(Span(date(2022, 1, 1), date(2022, 12, 31)),)) == {
        "Work Notes/old.md"
    }
    long_ago = Span(None, date(2021, 12, 31))
    assert left(vault, changed=(long_ago,)) == {"loose.md", "work/html.md"}


@pytest.mark.parametrize(
    ("tests", "paths"),
    [
        ([("status", "=", "draft")], {"ml/rag.md"}),
        ([("STATUS", "=", "done")], {"work/html.md"}),
        ([("status", "=", "done"), ("status", "=", "draft")], {"ml/rag.md", "work/html.md"}),
        ([("status", "=", "draft"), ("rating", "=", "4")], {"ml/rag.md"}),
        ([("status", "=", "dr*")], {"ml/rag.md"}),
        ([("rating", ">", "4")], {"ml/plain.md"}),
        ([("rating", ">=", "4.0")], {"ml/rag.md", "ml/plain.md"}),
        ([("rating", "<", "5")], {"ml/rag.md"}),
        ([("due", "<", "2 May 2024")], {"work/html.md"}),
        ([("due", "=", "1.5.2024")], {"work/html.md"}),
        ([("public", "=", "true")], {"Work Notes/old.md"}),
        ([("by", "=", "anna")], {"Work Notes/old.md"}),
        ([("by", "=", "ann")], set()),
        ([("nothing", "=", "x")], set()),
    ],
)
def test_front_matter(vault, tests, paths):
    assert left(vault, fields=tuple(FieldTest(*each) for each in tests)) == paths


def test_a_field_that_is_not_a_value(vault):
    rest = left(vault, fields=(FieldTest("status", "!=", "draft"),))
    assert "ml/rag.md" not in rest
    assert {"work/html.md", "loose.md"} < rest


def test_what_there_is_to_filter_by(vault):
    assert known_tags(vault)["ML"] + known_tags(vault)["ml"] == 2
    assert known_tags(vault)["home/garden"] == known_tags(vault)["home"] == 1
    assert {"ml/", "Work Notes/", "loose.md"} <= set(known_places(vault))
    assert {"status", "rating", "due"} <= set(known_fields(vault))
    assert field_values(vault, "status") == ["Draft", "done", "final"]


def test_no_filter_leaves_all_and_joining_keeps_both():
    assert not Filters()
    both = Filters(tags=("a",)).joined(Filters(tags=("b",), paths=("c",)))
    assert both == Filters(tags=("a", "b"), paths=("c",))


# Inside the search


@pytest.fixture
def series(desk: Desk, monkeypatch) -> Desk:
    """A base of FAISS and a delta beside it: fifty notes, one of five tagged "rare"."""
    monkeypatch.setattr(bases, "DELTA_CHUNKS", 2)
    for number in range(45):
        front = "tags: rare" if number % 5 == 0 else "tags: common"
        desk.write(f"n{number}.md", note(front, f"Number {number} of the series."))
    desk.update()
    monkeypatch.setattr(bases, "DELTA_CHUNKS", 2000)
    for number in range(45, 50):
        front = "tags: rare" if number % 5 == 0 else "tags: common"
        desk.write(f"n{number}.md", note(front, f"Number {number} of the series."))
    (desk.notes / "n10.md").unlink()
    desk.update()
    return desk


@pytest.mark.parametrize("scanned", [0, 1000], ids=["bitmap", "one by one"])
@pytest.mark.parametrize("tag", ["rare", "common"])
def test_the_nearest_of_those_allowed_are_found(series: Desk, monkeypatch, scanned, tag):
    monkeypatch.setattr(local, "_SCANNED", scanned)
    index = series.open()
    allowed = chunks_of(index.store, find_notes(index.store, Filters(tags=(tag,))))
    query = series.embedder.embed_query("Number 3 of the series")
    every = [hit for hit in index.search_meaning(query, 100) if hit[0] in set(allowed)]
    got = index.search_meaning(query, 4, allowed)
    assert [score for _, score in got] == pytest.approx([score for _, score in every[:4]], abs=1e-3)
    assert len(index.search_meaning(query, 100, allowed)) == len(allowed)
    words = index.search_words(["seri"], 100, allowed)
    assert {chunk for chunk, _ in words} == set(allowed)
    index.close()


def test_words_score_the_same_with_a_filter_as_without(series: Desk):
    index = series.open()
    for filters in (Filters(tags=("rare",)), Filters(tags=("common",))):
        allowed = chunks_of(index.store, find_notes(index.store, filters))
        free = dict(index.search_words(["seri", "7"], 100))
        for chunk, score in index.search_words(["seri", "7"], 100, allowed):
            assert score == pytest.approx(free[chunk])
    index.close()


def test_nothing_allowed_finds_nothing(series: Desk, monkeypatch):
    index = series.open()
    query = series.embedder.embed_query("series")
    for scanned in (1000, -1):
        monkeypatch.setattr(local, "_SCANNED", scanned)
        assert index.search_meaning(query, 5, []) == []
    assert index.search_words(["seri"], 5, []) == []
    index.close()


def test_every_word_must_be_there_when_asked(series: Desk):
    index = series.open()
    found = index.search_words(["seri", "7"], 100, every=True)
    texts = index.passages([chunk for chunk, _ in found])
    assert [each.text for each in texts.values()] == ["Number 7 of the series."]
    index.close()


@pytest.mark.parametrize(
    ("op", "paths"),
    [
        ("=", {"b.md", "c.md"}),
        ("!=", {"a.md", "d.md"}),
        ("<", {"a.md"}),
        ("<=", {"a.md", "b.md", "c.md"}),
        (">", {"d.md"}),
        (">=", {"b.md", "c.md", "d.md"}),
    ],
)
def test_a_field_that_holds_a_day_is_compared_with_a_year(desk: Desk, op, paths):
    for name, day in (("a", "2022-12-31"), ("b", "2023-01"), ("c", "31.12.2023"),
                      ("d", "2024-01-01")):  # fmt: skip
        desk.write(f"{name}.md", note(f"read: {day}"))
    desk.update()
    index = desk.open()
    year = Span(date(2023, 1, 1), date(2023, 12, 31))
    found = left(index.store, fields=(FieldTest("read", op, "2023", year),))
    assert {path for path in found if len(path) == 4} == paths
    index.close()
