"""Which note a link means, and what links where."""

from __future__ import annotations

import pytest

from rag.indexing.linking import all_names, links_from, links_to, notes_named
from tests.indexing.conftest import Desk


@pytest.fixture
def web(desk: Desk):
    desk.write(
        "topics/LLM.md", "---\naliases: [Large Language Model]\n---\n\n# LLM\n\nA [[LLM]].\n"
    )
    desk.write("a.md", "First.\n\nSee [[llm#History|them]] and [[Nowhere]].\n")
    desk.write("deep/b.md", "See [the model](../topics/LLM.md) and [[a]].\n")
    desk.write("deep/c.md", "See [[Large language model]] and [[b]] and [[b]].\n")
    desk.write("d.md", "See [[topics/LLM]], `[[a]]`.\n")
    desk.update()
    index = desk.open()
    yield index.store
    index.close()


def paths(store, found) -> list[tuple[str, int]]:
    names = dict(store.query("SELECT id, path FROM notes"))
    return sorted((names[each.note], each.line) for each in found)


@pytest.mark.parametrize("name", ["LLM", "llm.md", "topics/LLM", "large language model"])
def test_backlinks_by_any_name_of_the_note(web, name):
    assert paths(web, links_to(web, name)) == [
        ("a.md", 3),
        ("d.md", 1),
        ("deep/b.md", 1),
        ("deep/c.md", 1),
    ]


def test_a_note_that_is_not_there_may_be_linked(web):
    assert notes_named(web, "Nowhere") == set()
    assert paths(web, links_to(web, "nowhere")) == [("a.md", 3)]
    assert links_to(web, "M") == []


def test_links_that_lead_out_of_a_note(web):
    sources = notes_named(web, "c")
    assert len(sources) == 1
    found = [path for path, _ in paths(web, links_from(web, sources))]
    assert found == ["deep/b.md", "topics/LLM.md"]


def test_names_to_choose_from(web):
    assert {"LLM", "Large Language Model", "a", "rhine"} <= set(all_names(web))
