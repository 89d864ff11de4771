"""PDF, Word, PowerPoint and EPUB: real files made by other programs, and files that are broken."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rag.reading import formats, notes, office
from rag.reading.documents import Document, parse_document
from rag.reading.formats import suffix_of_content
from rag.reading.notes import NoteText, Skipped, read_note
from rag.reading.readable import Readable
from rag.reading.scanning import scan
from rag.reading.texts import Recent, Texts

FILES = Path(__file__).parents[1] / "data" / "documents"


def opened(name: str) -> tuple[NoteText, Document]:
    note = read_note(FILES, name)
    assert isinstance(note, NoteText), note
    return note, parse_document(name, note.text, note.readable)


def test_a_pdf_names_its_pages() -> None:
    note, document = opened("heat.pdf")
    assert document.title == "Heat pump manual"
    assert [label for _, label in document.places] == ["p. 1", "p. 2", "p. 3"]
    lines = note.text.split("\n")
    for (line, _), words in zip(document.places, ("Heat pump", "Error", "Warranty"), strict=True):
        assert lines[line - 1].startswith(words)
    assert "E4 The flow sensor is blocked" in lines


def test_no_passage_crosses_a_page() -> None:
    _, document = opened("heat.pdf")
    parted = [block.text for block in document.blocks if block.before is None]
    assert parted == ["Heat pump manual", "Error codes", "Warranty"]


def test_word_has_headings_lists_and_tables() -> None:
    note, document = opened("bees.docx")
    assert document.title == "Bee log"
    assert {block.headings for block in document.blocks[1:]} == {("May",)}
    assert "- smoker\n- veil" in note.text
    assert "North | 11" in note.text


def test_each_paragraph_of_a_short_word_file_has_a_line(tmp_path: Path) -> None:
    """A letter without headings; what Word wraps inside a run of text ends no line."""
    texts = ("Rent: 640\neuros", "Landlord: Mr Novak", "Keys: two")
    body = "".join(f"<w:p><w:r><w:t>{each}</w:t></w:r></w:p>" for each in texts)
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    with (
        zipfile.ZipFile(FILES / "bees.docx") as bees,
        zipfile.ZipFile(tmp_path / "flat.docx", "w") as flat,
    ):
        for each in set(bees.namelist()) - {"word/document.xml"}:
            flat.writestr(each, bees.read(each))
        flat.writestr(
            "word/document.xml", f"<w:document {space}><w:body>{body}</w:body></w:document>"
        )
    note = read_note(tmp_path, "flat.docx")
    assert isinstance(note, NoteText), note
    assert note.text.split("\n\n") == ["Rent: 640 euros", "Landlord: Mr Novak", "Keys: two"]


def test_powerpoint_has_slides_tables_and_notes() -> None:
    note, document = opened("soil.pptx")
    assert [label for _, label in document.places] == ["slide 1", "slide 2"]
    assert document.blocks[0].headings == ("Soil plan",)
    for words in ("- Compost in spring", "- Lime | 12 EUR", "Ask the farm for a discount."):
        assert words in note.text


def test_a_book_has_its_chapters_in_order() -> None:
    _, document = opened("river.epub")
    assert document.title == "River days"
    assert [block.headings for block in document.blocks] == [("The source",), ("The mouth",)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("locked.pdf", "is encrypted"),
        ("scan.pdf", "holds no text, only pictures of pages"),
    ],
)
def test_what_holds_no_text_to_be_had_is_skipped(name: str, reason: str) -> None:
    assert read_note(FILES, name) == Skipped(name, reason)


@pytest.mark.parametrize("name", ["heat.pdf", "bees.docx", "soil.pptx", "river.epub"])
def test_damaged_files_are_skipped_with_a_sentence(tmp_path: Path, name: str) -> None:
    whole = (FILES / name).read_bytes()
    for raw in (whole[:200], b"words", b"PK\x05\x06" + bytes(18)):
        (tmp_path / name).write_bytes(raw)
        skipped = read_note(tmp_path, name)
        assert isinstance(skipped, Skipped)
        assert skipped.reason.startswith("is damaged")


def test_a_word_file_with_a_password_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    skipped = Skipped("a.docx", "is encrypted, or of an Office before 2007")
    assert read_note(tmp_path, "a.docx") == skipped


def test_an_archive_that_is_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(office, "_MOST", 1_000_000)
    with zipfile.ZipFile(tmp_path / "a.epub", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xhtml", bytes(1_000_001))
    skipped = Skipped("a.epub", "is far too large once unpacked")
    assert read_note(tmp_path, "a.epub") == skipped


def test_without_the_extra_one_line_names_the_command(tmp_path: Path, monkeypatch) -> None:
    for name in ("a.pdf", "b.pdf", "c.docx"):
        shutil.copy(FILES / "heat.pdf", tmp_path / name)
    shutil.copy(FILES / "river.epub", tmp_path / "d.epub")
    monkeypatch.setattr(formats, "find_spec", lambda _name: None)
    found = scan(tmp_path)
    assert [each.path for each in found.files] == ["d.epub"]
    (skipped,) = found.skipped
    assert skipped.path == "a.pdf and 2 more"
    assert "pip install -c constraints.txt '.[documents]'" in skipped.reason


def test_a_converted_text_is_kept_and_taken_from_there(tmp_path: Path, monkeypatch) -> None:
    texts = Texts(tmp_path)
    first = read_note(FILES, "heat.pdf", texts)
    monkeypatch.setattr(notes, "format_of", lambda _path: formats.Format("pdf", (), convert=never))
    assert isinstance(first, NoteText)
    assert read_note(FILES, "heat.pdf", texts) == first
    texts.keep_only([])
    assert texts.get(first.raw_hash) is None


def test_a_document_is_converted_once_until_it_changes(tmp_path: Path, monkeypatch) -> None:
    """Every look at a quote reads the file, and compares its bytes with those converted."""
    converted: list[int] = []
    pdf = formats.format_of("heat.pdf")
    assert pdf is not None
    assert pdf.convert is not None
    convert = pdf.convert

    def counted(raw: bytes) -> Readable:
        converted.append(len(raw))
        return convert(raw)

    monkeypatch.setattr(notes, "format_of", lambda _path: replace(pdf, convert=counted))
    file = tmp_path / "heat.pdf"
    file.write_bytes((FILES / "heat.pdf").read_bytes() + b"\n% one\n")
    first = read_note(tmp_path, "heat.pdf")
    assert isinstance(first, NoteText)
    assert read_note(tmp_path, "heat.pdf") == first
    assert len(converted) == 1
    file.write_bytes(file.read_bytes() + b"% two\n")
    second = read_note(tmp_path, "heat.pdf")
    assert isinstance(second, NoteText)
    assert (second.text, len(converted)) == (first.text, 2)


def test_what_an_index_keeps_is_only_read(tmp_path: Path) -> None:
    Texts(tmp_path / "texts").put("a1", Readable("The text of a document."))
    assert Recent(tmp_path / "texts").get("a1") == Readable("The text of a document.")
    Recent(tmp_path / "texts").put("b2", Readable("Another."))
    assert Recent().get("b2") == Readable("Another.")
    assert [each.name[:2] for each in (tmp_path / "texts").iterdir()] == ["a1"]


def test_memory_holds_the_latest_alone(monkeypatch) -> None:
    monkeypatch.setattr("rag.reading.texts._IN_MEMORY", 100)
    recent = Recent()
    for name in ("c1", "c2", "c3"):
        recent.put(name, Readable(name * 25))
    assert recent.get("c1") is None
    assert recent.get("c2") is not None
    recent.put("c4", Readable("long" * 100))
    assert recent.get("c2") is None
    assert recent.get("c4") is not None


def never(_raw: bytes) -> None:
    raise AssertionError("converted again")


def test_keywords_of_properties_are_tags(tmp_path: Path) -> None:
    from pptx import Presentation

    show = Presentation(FILES / "soil.pptx")
    show.core_properties.keywords = "clay; garden & field"
    show.save(tmp_path / "soil.pptx")
    core = "<cp:coreProperties><cp:keywords>bees, wax</cp:keywords></cp:coreProperties>"
    with (
        zipfile.ZipFile(FILES / "bees.docx") as bees,
        zipfile.ZipFile(tmp_path / "bees.docx", "w") as tagged,
    ):
        for name in bees.namelist():
            if name != "docProps/core.xml":
                tagged.writestr(name, bees.read(name))
        tagged.writestr("docProps/core.xml", core)
    for name, tags in (("soil.pptx", ("clay", "garden & field")), ("bees.docx", ("bees", "wax"))):
        note = read_note(tmp_path, name)
        assert isinstance(note, NoteText)
        assert parse_document(name, note.text, note.readable).tags == tags


@pytest.mark.parametrize("name", ["bees.docx", "heat.pdf", "river.epub", "soil.pptx"])
def test_the_kind_of_a_document_is_told_by_what_it_holds(name: str) -> None:
    raw = (FILES / name).read_bytes()
    assert suffix_of_content(raw) == name[name.index(".") :]
    if not name.endswith(".pdf"):
        assert suffix_of_content(raw[:100]) == ""  # cut, it is no archive


def test_the_kind_of_a_text_is_told_for_pages_alone() -> None:
    page = b"\xef\xbb\xbf\n<!-- saved --> <!DOCTYPE html><p>x"
    assert suffix_of_content(page) == ".html"
    assert suffix_of_content(b"<html lang=en>") == ".html"
    for text in (b"", b"# Notes on <html>", b"<htmlx>", b"PK\x03\x04", b"<!-- -->" * 100):
        assert suffix_of_content(text) == ""
