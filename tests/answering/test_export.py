"""A conversation as a note."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.export import as_markdown, export_note
from rag.errors import NotesError, RagError
from rag.reading.documents import parse_document
from tests.answering.test_conversations import CITATION, PASSAGE, TURN

FROM = replace(PASSAGE, path="house/barrel.md")
PLAIN = replace(TURN, citations=(replace(CITATION, path=FROM.path),), passages=(FROM,))


def test_the_note_has_headings_and_links_that_lead_to_the_sources():
    text = as_markdown("Water", [PLAIN, replace(PLAIN, question="And\nthe tap?", citations=())])
    note = parse_document("Water.md", text)
    assert note.title == "Water"
    assert [link.target for link in note.links] == ["house/barrel"]
    assert note.blocks[-1].headings == ("Water", "And the tap?")
    assert "- \\[1\\] [[house/barrel|Barrel]], line 3: “The rain barrel holds 300 litres.”" in text


def test_a_document_is_cited_by_its_page_or_as_a_whole():
    cited = (
        replace(CITATION, path="a.pdf", first=9, last=12, place="p. 3"),
        replace(CITATION, path="b.docx", first=9, last=12),
    )
    text = as_markdown("Water", [replace(TURN, citations=cited, passages=())])
    assert "[[a.pdf|a]], p. 3: “" in text
    assert "[[b.docx|b]]: “" in text


def test_the_index_can_tell_what_was_exported():
    assert parse_document("Water.md", as_markdown("Water", [PLAIN])).is_conversation
    others = ("---\nsource: rag\n---\nx", "---\nsource: [rag chat]\n---\nx", "source: rag chat\n")
    assert not any(parse_document("Water.md", text).is_conversation for text in others)


def test_nothing_is_overwritten_and_names_are_safe(tmp_path: Path):
    title = '../a/b: [[x]] "|#^\x1b[31m'
    first, second = (export_note(tmp_path, title, [PLAIN]) for _ in range(2))
    assert {first.parent, second.parent} == {tmp_path}
    assert first != second
    assert first.read_text() == second.read_text()
    assert not first.name.startswith(".")
    assert not set(first.name) & set('/\\:*?"<>|#^[]\x1b')
    assert export_note(tmp_path, "...", [PLAIN]).name == "Conversation.md"


def test_a_title_may_be_longer_than_a_file_name(tmp_path: Path):
    for letter in "🌧雨é":
        first, second = (export_note(tmp_path, letter * 300, [PLAIN]) for _ in range(2))
        assert first.stem == letter * len(first.stem)
        assert len(first.stem) >= 50
        assert second.stem == f"{first.stem} 2"


def test_of_several_folders_it_is_the_one_most_sources_lie_in(tmp_path: Path):
    folders = {name: tmp_path / name for name in ("garden", "my house")}
    for folder in folders.values():
        folder.mkdir()

    def place(path: str) -> tuple[Path, str]:
        name, _, rest = path.partition("/")
        return folders[name], rest

    paths = ("garden/plants/bean.md", "my house/barrel.md", "my house/tap.md")
    cited = tuple(replace(CITATION, path=path, n=n) for n, path in enumerate(paths, 1))
    file = export_note(folders["garden"], "Water", [replace(TURN, citations=cited)], place)
    assert file == tmp_path / "my house" / "Water.md"
    text = file.read_text()
    assert [link.target for link in parse_document("Water.md", text).links] == ["barrel", "tap"]
    assert f"](<{(tmp_path / 'garden/plants/bean.md').as_uri()}>)" in text
    bare = export_note(folders["garden"], "Nothing", [replace(TURN, citations=())], place)
    assert bare.parent == folders["garden"]


def test_untrusted_text_brings_no_escapes(tmp_path: Path):
    evil = replace(PLAIN, question="a\x1b[2J\u202eb", answer="x\x1b]0;t\x07\udcff")
    text = export_note(tmp_path, "t", [evil]).read_text()
    assert not set(text) & set("\x1b\x07\u202e")


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path):
    with pytest.raises(RagError) as caught:
        export_note(tmp_path / "gone", "t", [PLAIN])
    assert not isinstance(caught.value, NotesError)
