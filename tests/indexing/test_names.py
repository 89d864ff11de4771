"""Notes by name and links by where they lead, in a real index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from rag.errors import NoIndex
from rag.indexing.local import DATABASE, LocalIndex
from rag.indexing.names import find_notes, links_to, resolve_link
from tests.indexing.conftest import Desk

PLAN = """---
aliases: [Master Plan, "TCP/IP"]
---
# The Plan

Start early.

## Care (yearly)

Water it.

### Winter

Cover the barrel.
Empty it. ^frost

- shears
  sharp ones
- gloves ^gloves

| a | b |
| - | - |
| 1 | 2 |

^table

## Later

## Log

Nothing yet.
"""


@pytest.fixture
def index(desk: Desk) -> Iterator[LocalIndex]:
    desk.write("garden/plan.md", PLAN)
    desk.write("trips/plan.md", "# Route\n\nSee [[plan]], [[garden/plan|g]] and [x](../bees.md).\n")
    desk.write("deep/down/here/plan.md", "# Buried\n\nUp: [[../../../garden/plan]]\n")
    desk.write("v1.2 Café.md", "# Café notes\n\n[[master plan#Winter]] ![[PLAN.md#^frost]]\n")
    desk.write("list.txt", "Groceries:\n\nmilk\n")
    desk.update()
    index = desk.open()
    yield index
    index.close()


def paths(index: LocalIndex, name: str, from_path: str | None = None) -> list[str]:
    return [note.path for note in index.find_notes(name, from_path)]


@pytest.mark.parametrize(
    ("name", "from_path", "best"),
    [
        ("bees", None, "bees.md"),
        ("Bees.MD", None, "bees.md"),
        ("/bees", None, "bees.md"),
        ("/rhine", None, None),
        ("rhine", None, "trips/rhine.md"),
        ("plan", None, "trips/plan.md"),  # the shortest path
        ("plan", "garden/other.md", "garden/plan.md"),  # the own folder before that
        ("plan", "deep/x.md", "deep/down/here/plan.md"),
        ("garden/plan", "trips/rhine.md", "garden/plan.md"),
        ("here/plan", None, "deep/down/here/plan.md"),
        ("ere/plan", None, None),
        ("../garden/plan", "trips/rhine.md", "garden/plan.md"),
        ("./plan", "trips/rhine.md", "trips/plan.md"),
        ("../plan", "trips/rhine.md", None),
        ("../../../etc/passwd", "trips/rhine.md", None),
        ("Master plan", None, "garden/plan.md"),
        ("tcp/ip", None, "garden/plan.md"),
        ("The Plan", None, "garden/plan.md"),
        ("v1.2 cafe", None, "v1.2 Café.md"),
        ("v1.2 Cafe\u0301", None, "v1.2 Café.md"),
        ("list", None, "list.txt"),
        ("list.md", None, None),
        ("", "bees.md", "bees.md"),
        ("", None, None),
        ("nothing", None, None),
    ],
)
def test_names_mean_what_they_mean_in_obsidian(
    index: LocalIndex, name: str, from_path: str | None, best: str | None
) -> None:
    assert next(iter(paths(index, name, from_path)), None) == best


def test_all_notes_of_a_name_are_given(index: LocalIndex) -> None:
    assert paths(index, "plan") == ["trips/plan.md", "garden/plan.md", "deep/down/here/plan.md"]


def test_an_exact_name_wins_over_one_without_accents(desk: Desk) -> None:
    for name in ("résumé", "resume", "Resumé"):
        desk.write(f"{name}.md", f"# On {name}\n\nText.\n")
    desk.update()
    index = desk.open()
    assert paths(index, "résumé")[0] == "résumé.md"
    assert paths(index, "resumé")[0] == "Resumé.md"
    assert len(paths(index, "resume")) == 3
    index.close()


@pytest.mark.parametrize(
    ("heading", "block", "lines"),
    [
        ("Winter", "", (14, 25)),
        ("care yearly", "", (10, 25)),
        ("Care (yearly)#winter", "", (14, 25)),
        ("The Plan#Winter", "", (14, 25)),
        ("Later", "", (27, 27)),
        ("Log", "", (31, 31)),
        ("", "frost", (14, 15)),
        ("", "GLOVES", (19, 19)),
        ("", "table", (21, 23)),
    ],
)
def test_headings_and_blocks_are_found_by_line(
    index: LocalIndex, heading: str, block: str, lines: tuple[int, int]
) -> None:
    place = resolve_link(index.store, "garden/plan", heading, block)
    assert place is not None
    assert (place.first, place.last, place.part) == (*lines, True)


def test_a_part_that_is_not_there_leads_to_the_note(index: LocalIndex) -> None:
    for heading, block in (("Winter#Care", ""), ("Nowhere", ""), ("", "nothing"), ("#", "")):
        place = resolve_link(index.store, "garden/plan", heading, block)
        assert place is not None
        assert (place.first, place.last, place.part) == (1, 31, False)
    assert resolve_link(index.store, "nothing", "Winter") is None


def test_a_link_without_a_note_leads_within_its_own(index: LocalIndex) -> None:
    place = resolve_link(index.store, "", "Winter", "", "garden/plan.md")
    assert place is not None
    assert (place.note.path, place.first, place.part) == ("garden/plan.md", 14, True)


def test_what_links_to_a_note(index: LocalIndex) -> None:
    (plan,) = (note for note in find_notes(index.store, "plan") if note.path.startswith("garden"))
    found = [
        (each.note.path, each.line, each.heading, each.block)
        for each in links_to(index.store, plan)
    ]
    assert found == [
        ("deep/down/here/plan.md", 3, "", ""),
        ("trips/plan.md", 3, "", ""),
        ("v1.2 Café.md", 3, "Winter", ""),
    ]  # [[plan]] in trips/ and ![[PLAN.md]] mean trips/plan.md
    (bees,) = find_notes(index.store, "bees")
    assert [each.note.path for each in links_to(index.store, bees)] == ["trips/plan.md"]


def test_names_follow_the_notes(desk: Desk, index: LocalIndex) -> None:
    assert paths(index, "bees") == ["bees.md"]
    desk.write("bees.md", "# Wasps\n\nGone.\n", age=5)
    (desk.notes / "trips/rhine.md").unlink()
    desk.update()
    assert paths(index, "wasps") == ["bees.md"]
    assert paths(index, "rhine") == []


def test_an_index_of_the_first_format_is_migrated_and_read_anew(desk: Desk) -> None:
    desk.update()
    with sqlite3.connect(desk.folder / DATABASE) as db:
        db.executescript(
            "DROP TABLE names; DROP TABLE linked; DROP TABLE other_script;"
            "ALTER TABLE vectors DROP COLUMN sentences; PRAGMA user_version = 1;"
            "DELETE FROM meta WHERE key = 'sum';"
            "UPDATE meta SET value = '1' WHERE key = 'lexical_rules';"
            "UPDATE meta SET value = '2' WHERE key = 'chunk_rules'"
        )
    with pytest.raises(NoIndex, match="older version"):
        desk.open()
    desk.update()
    index = desk.open()
    assert not index.rules_changed()
    assert paths(index, "bees") == ["bees.md"]
    index.close()
