"""Reading notes, on real files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rag.reading import notes
from rag.reading.notes import NoteText, Skipped, hash_note, read_note


def read(folder: Path, content: bytes) -> NoteText | Skipped:
    (folder / "a.md").write_bytes(content)
    return read_note(folder, "a.md")


def text_of(folder: Path, content: bytes) -> str:
    note = read(folder, content)
    assert isinstance(note, NoteText)
    return note.text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("naïve ☕".encode(), "naïve ☕"),
        (b"\xef\xbb\xbf# T", "# T"),
        ("naïve ☕".encode("utf-16"), "naïve ☕"),
        (b"\xfe\xff" + "naïve".encode("utf-16-be"), "naïve"),
    ],
)
def test_reads_unicode_without_a_warning(tmp_path: Path, raw: bytes, text: str) -> None:
    note = read(tmp_path, raw)
    assert note == NoteText(text, hashlib.sha256(raw).hexdigest(), "")


def test_reads_other_bytes_as_windows_1252_with_a_warning(tmp_path: Path) -> None:
    note = read(tmp_path, b"caf\xe9 \x80 \x81")
    assert isinstance(note, NoteText)
    assert note.text == "café € \ufffd"
    assert note.warning == "is not UTF-8; read as Windows-1252"


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b", ""]),
        (b"a\r\r\nb", ["a", "", "b"]),
        ("a\x0cb\x0bc\u2028d\x85e\u2029f".encode(), ["a\x0cb\x0bc\u2028d\x85e\u2029f"]),
        ("a\r\nb".encode("utf-16"), ["a", "b"]),
    ],
)
def test_line_numbers_are_those_of_an_editor(tmp_path: Path, raw: bytes, lines: list[str]) -> None:
    assert text_of(tmp_path, raw).split("\n") == lines


@pytest.mark.parametrize(
    "raw", [b"abc\0def", b"\x89PNG\r\n\x1a\n\0\0", b"\x01\x02\x03 words", b"\xff\xfea\0b\0c"]
)
def test_binary_files_are_skipped(tmp_path: Path, raw: bytes) -> None:
    assert read(tmp_path, raw) == Skipped("a.md", "looks binary")


def test_a_few_control_characters_are_text(tmp_path: Path) -> None:
    assert text_of(tmp_path, b"a red \x1b[31mword\x1b[0m and more") == (
        "a red \x1b[31mword\x1b[0m and more"
    )


@pytest.mark.parametrize("raw", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", "\u2003\n".encode()])
def test_blank_files_are_skipped(tmp_path: Path, raw: bytes) -> None:
    assert read(tmp_path, raw) == Skipped("a.md", "is empty")


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"caf\xe9\r\n")
    note = read_note(tmp_path, "a.md")
    assert isinstance(note, NoteText)
    assert note.raw_hash == hashlib.sha256(b"caf\xe9\r\n").hexdigest()
    assert hash_note(tmp_path, "a.md") == note.raw_hash


@pytest.mark.parametrize("reader", [read_note, hash_note])
def test_reading_never_leaves_the_folder(tmp_path: Path, reader: object) -> None:
    assert callable(reader)
    (tmp_path / "secret.md").write_bytes(b"words")
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").symlink_to("../secret.md")  # swapped since the scan
    reason = "leads out of the notes folder"
    assert reader(folder, "a.md") == Skipped("a.md", reason)
    assert reader(folder, "../secret.md") == Skipped("../secret.md", reason)


def test_what_vanished_or_is_a_folder_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "b.md").mkdir()
    assert read_note(tmp_path, "a.md") == Skipped("a.md", "is gone")
    assert isinstance(hash_note(tmp_path, "b.md"), Skipped)


def test_a_note_that_grew_too_large_since_the_scan_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "largest_of", lambda _path: 4)
    assert read(tmp_path, b"12345") == Skipped("a.md", "is larger than 0 MB")
    assert text_of(tmp_path, b"1234") == "1234"
