"""Lists of notes from a real index, with the fake embedder: no model is needed for them."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

from rag.errors import QuestionError
from rag.indexing.filtering import Filters
from rag.indexing.lexical import analyzer
from rag.retrieval.intent import Listing
from rag.retrieval.listing import SHOWN, Listed, list_notes
from tests.indexing.conftest import Desk


def dated(day: str, text: str) -> str:
    return f"---\ndate: {day}\n---\n\n{text}\n"


@pytest.fixture
def shelf(desk: Desk):
    """What lists of a small vault hold: `shelf(listing, filters)`."""
    desk.write("mcp.md", dated("2024-03-01", "# Protocol\n\nText.\n\nMCP servers give tools."))
    desk.write("old.md", dated("2021-01-01", "# Old\n\nThe MCP of old; see [[mcp|it]]."))
    desk.write("far.md", dated("2022-01-01", "# Far\n\nA server for tools. Not that one."))
    desk.write(
        "m/c.md", dated("2023-01-01", "# A *b* [1] <c>\n\nThe tools and the servers: MCP_x.")
    )
    for name in ("barrel.md", "bees.md", "trips/rhine.md"):
        then = datetime(2020, 1, 1).timestamp()
        os.utime(desk.notes / name, (then, then))
    desk.update()
    index = desk.open()
    analyze = analyzer().analyze

    def listed(listing: Listing, filters: Filters | None = None) -> Listed:
        return list_notes(index, listing, filters or Filters(), lambda text: list(analyze(text)))

    yield listed
    index.close()


def paths(listed: Listed) -> list[str]:
    return [each.path for each in listed.notes]


def test_notes_that_mention_a_topic_with_the_line(shelf):
    listed = shelf(Listing("MCP servers"))
    assert paths(listed) == ["mcp.md", "m/c.md"]
    first = listed.notes[0]
    assert (first.n, first.line, first.text) == (1, 9, "MCP servers give tools.")
    assert listed.passages[0].path == "mcp.md"
    assert listed.head == "2 notes mention “MCP servers”:"


def test_notes_that_link_to_what_they_mention_by_another_name_are_listed(shelf):
    assert set(paths(shelf(Listing("Protocol")))) == {"mcp.md", "old.md"}


def test_quoted_words_are_looked_for_as_they_stand(shelf):
    assert set(paths(shelf(Listing("server tools")))) == {"mcp.md", "far.md", "m/c.md"}
    assert paths(shelf(Listing('"server for tools"'))) == ["far.md"]
    assert not paths(shelf(Listing('"tools server"')))


def test_order_and_number(shelf):
    assert paths(shelf(Listing("MCP", order="newest"))) == ["mcp.md", "m/c.md", "old.md"]
    assert paths(shelf(Listing("MCP", order="oldest", limit=2))) == ["old.md", "m/c.md"]
    one = shelf(Listing("MCP", order="newest", limit=1))
    assert one.head == "The newest of 3 notes that mention “MCP”:"
    assert paths(shelf(Listing(order="newest", limit=2))) == ["mcp.md", "m/c.md"]


def test_filters_narrow_a_list(shelf):
    inside = Filters(paths=("m/",))
    assert paths(shelf(Listing("MCP"), inside)) == ["m/c.md"]
    assert shelf(Listing("MCP"), inside).head == "1 note in m/ mentions “MCP”:"
    assert paths(shelf(Listing(), inside)) == ["m/c.md"]


def test_links_in_both_directions(shelf):
    listed = shelf(Listing(links_to="MCP"))
    assert paths(listed) == ["old.md"]
    assert listed.head == "1 note links to “MCP”:"
    assert listed.notes[0].text == "The MCP of old; see it."
    assert paths(shelf(Listing(links_from="old"))) == ["mcp.md"]


def test_nothing_found_says_so(shelf):
    listed = shelf(Listing("elephants"))
    assert (listed.text, listed.notes, listed.passages) == ("No note mentions “elephants”.", (), ())
    assert shelf(Listing(links_to="bees")).text == "No note links to “bees”."


@pytest.mark.parametrize("listing", [Listing(links_to="barel"), Listing(links_from="Barels")])
def test_a_note_that_is_not_there_suggests_the_nearest(shelf, listing):
    with pytest.raises(QuestionError, match=r"There is no note.*Did you mean “barrel”"):
        shelf(listing)


def test_markdown_shows_names_as_they_are(shelf):
    text = shelf(Listing("MCP"), Filters(paths=("m",))).text
    assert "- [1] **A b \\[1\\]** m/c.md:7, 2023-01-01: The tools" in text
    assert text.endswith("MCP\\_x.")


def test_a_long_list_shows_its_beginning_and_holds_all(desk):
    for number in range(SHOWN + 5):
        desk.write(f"n{number}.md", f"Number {number} of the series.\n")
    desk.update()
    index = desk.open()
    listed = list_notes(
        index, Listing("series"), Filters(), lambda text: list(analyzer().analyze(text))
    )
    index.close()
    assert len(listed.notes) == SHOWN + 5
    assert len(listed.passages) == SHOWN
    assert listed.text.endswith("- … and 5 more")
    assert [each.n for each in listed.notes][-6:] == [SHOWN, 0, 0, 0, 0, 0]
