"""Notes by name: found by title, alias, path or text, and by the links to them."""

from __future__ import annotations

import pytest

from rag.errors import NoIndex
from rag.indexing.library import Library, NoteEntry, count_tags, find_named
from tests.indexing.conftest import Desk


def entry(path: str, title: str = "", aliases: tuple[str, ...] = ()) -> NoteEntry:
    return NoteEntry(path, title or path.rsplit("/", 1)[-1].removesuffix(".md"), aliases, (), "")


NOTES = (
    entry("garden/Rain barrel.md"),
    entry("garden/log.md", "Garden log"),
    entry("house/log.md", "House log", ("Repairs",)),
    entry("people/Ann.md", "Ann", ("Annie Ericsson",)),
    entry("barrel-organ.txt", "Organ"),
)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ann", "people/Ann.md"),
        ("rain", "garden/Rain barrel.md"),
        ("barrel rain", "garden/Rain barrel.md"),
        ("repairs", "house/log.md"),
        ("ERIC", "people/Ann.md"),
        ("house/", "house/log.md"),
        ("organ", "barrel-organ.txt"),
    ],
)
def test_the_nearest_name_comes_first(text: str, first: str):
    assert find_named(NOTES, text)[0].path == first


def test_a_match_that_is_not_the_title_says_so():
    assert find_named(NOTES, "repairs")[0].why == "Repairs"
    assert find_named(NOTES, "garden log")[0].why == ""
    assert find_named(NOTES, "zebra") == []
    assert len(find_named(NOTES, "")) == len(NOTES)


def test_an_index_lists_its_notes_and_finds_their_text(desk: Desk):
    with pytest.raises(NoIndex):
        Library(desk.folder)
    desk.write("trips/rhine.md", "---\ntags: [river, bike]\n---\n# Rhine\n\nx\n\nFrom Basel on.\n")
    desk.write("bees.md", "---\ntags: bike\naliases: [Hive]\n---\n# Bees\n\nBehind the shed.\n")
    desk.update()
    library = Library(desk.folder)
    assert [each.path for each in library.notes()] == ["barrel.md", "bees.md", "trips/rhine.md"]
    assert library.tags() == [("bike", 2), ("river", 1)]
    (found,) = library.find_text("basel")
    assert (found.path, found.line, found.why) == ("trips/rhine.md", 8, "From Basel on.")
    desk.write("new.md", "# New\n\nBasel again.\n")
    desk.update()
    assert len(library.notes()) == 4
    assert {each.path for each in library.find_text("basel")} == {"trips/rhine.md", "new.md"}
    for typed in ("bas", "BASE", "from bas"):  # a word that is still being typed
        assert {each.path for each in library.find_text(typed)} == {"trips/rhine.md", "new.md"}
    assert library.find_text("bas ") == library.find_text("asel") == []
    library.close()


def test_links_are_resolved_as_everywhere(desk: Desk):
    desk.write("trips/rhine.md", "# Rhine\n\nFrom [[bees]] on.\n")
    desk.write("bees.md", "---\naliases: [Hive]\n---\n# Bees\n\nBehind the shed.\n")
    desk.update()
    library = Library(desk.folder)
    assert library.resolve("hive", "trips/rhine.md") == "bees.md"
    assert library.resolve("", "bees.md") == "bees.md"
    assert library.resolve("../../etc/passwd", "bees.md") is None
    library.close()


def test_a_tag_counts_once_however_it_is_written():
    notes = [
        NoteEntry(f"{tag}.md", tag, (), (tag, "x"), "") for tag in ("AI", "ai", "ai", "AI/text")
    ]
    assert count_tags(notes) == [("x", 4), ("ai", 3), ("AI/text", 1)]
