"""Notes of several formats in one index."""

from __future__ import annotations

import shutil
from pathlib import Path

from rag.indexing.build import plan
from rag.indexing.local import LocalIndex
from rag.indexing.names import find_notes, links_to
from rag.retrieval.names import named_passages

DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"


def test_a_row_of_a_table_and_a_line_of_html_are_found(desk) -> None:
    desk.write("people.csv", "name,born\nAda,1815\n")
    desk.write("old/trip.html", "<h1>Trip</h1>\n<p>The ferry left at noon.</p>\n")
    assert desk.update().added == 5
    assert desk.words("1815")[0].endswith("- name: Ada; born: 1815")
    (passage,) = (each for each in _passages(desk) if each.path == "old/trip.html")
    assert (passage.first, passage.last, passage.headings) == (2, 2, ("Trip",))


def test_formats_that_are_not_wanted_any_more_leave_the_index(desk) -> None:
    desk.write("people.csv", "name,born\nAda,1815\n")
    desk.update()
    index = desk.open()
    try:
        todo = plan(desk.notes, index.note_states(), 0, suffixes=(".md",))
    finally:
        index.close()
    assert todo.gone == ("people.csv",)


def test_a_link_names_an_org_note_without_its_suffix(desk) -> None:
    desk.write("soil.org", "#+TITLE: Lime and soil\n\nLime sweetens it.\n")
    desk.update()
    index: LocalIndex = desk.open()
    try:
        assert [each.path for each in find_notes(index.store, "soil")] == ["soil.org"]
    finally:
        index.close()


def _passages(desk):
    index = desk.open()
    try:
        return list(index.store.all_passages())
    finally:
        index.close()


def test_a_passage_of_a_pdf_knows_its_page_and_its_text_is_kept(desk) -> None:
    shutil.copy(DOCUMENTS / "heat.pdf", desk.notes / "heat.pdf")
    desk.update()
    index = desk.open()
    try:
        ids = [each.id for each in index.store.all_passages() if each.path == "heat.pdf"]
        places = {each.text: each.place for each in index.passages(ids).values()}
    finally:
        index.close()
    assert {text.split("\n")[0]: place for text, place in places.items()} == {
        "Heat pump manual": "p. 1",
        "Error codes": "p. 2",
        "Warranty": "p. 3",
    }
    assert len(list((desk.folder / "texts").iterdir())) == 1
    (desk.notes / "heat.pdf").unlink()
    desk.update()
    assert list((desk.folder / "texts").iterdir()) == []


def test_what_a_note_embeds_belongs_to_it(desk) -> None:
    desk.write("pump.md", "# Pump log\n\n![[heat.pdf]] and ![](data/flow.csv)\n")
    desk.write("data/flow.csv", "day,litres\nMonday,41\n")
    shutil.copy(DOCUMENTS / "heat.pdf", desk.notes / "heat.pdf")
    desk.update()
    index = desk.open()
    try:
        ids = named_passages(index, "What does the Pump log say?")
        found = {each.path for each in index.passages(ids).values()}
        (pdf,) = find_notes(index.store, "heat.pdf")
        sources = [each.note.path for each in links_to(index.store, pdf)]
    finally:
        index.close()
    assert found == {"pump.md", "heat.pdf", "data/flow.csv"}
    assert sources == ["pump.md"]


def test_an_attachment_outside_the_folder_is_not_read(desk) -> None:
    shutil.copy(DOCUMENTS / "heat.pdf", desk.notes.parent / "heat.pdf")
    desk.write("pump.md", "# Pump log\n\n![[../heat.pdf]]\n")
    desk.update()
    index = desk.open()
    try:
        ids = named_passages(index, "What does the Pump log say?")
        assert {each.path for each in index.passages(ids).values()} == {"pump.md"}
    finally:
        index.close()
