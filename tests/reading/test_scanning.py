"""Finding notes in a folder, on real files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rag.errors import NotesError
from rag.reading.notes import NoteText, Skipped, read_note
from rag.reading.scanning import Scan, scan


def write(path: Path, content: bytes | str = "words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def found(folder: Path) -> list[str]:
    return [note.path for note in scan(folder).files]


def skipped(folder: Path) -> dict[str, str]:
    return {item.path: item.reason for item in scan(folder).skipped}


def test_finds_notes_in_sub_folders_sorted_by_path(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.MD", "a/b/c.markdown", "é.txt", "A.Txt"):
        write(tmp_path / name)
    assert found(tmp_path) == ["A.Txt", "a/b/c.markdown", "a/z.MD", "b.md", "é.txt"]


def test_reports_size_and_time_of_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", "12345")
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    (note,) = scan(tmp_path).files
    assert (note.size, note.mtime_ns) == (5, path.stat().st_mtime_ns)


def test_leaves_out_silently_what_is_no_note(tmp_path: Path) -> None:
    for name in (
        "a.png", "md", "notes.md.bak", ".hidden.md", ".git/a.md", ".obsidian/a.md", ".trash/b.md",
        "node_modules/a.md", "x/__pycache__/a.md",
    ):  # fmt: skip
        write(tmp_path / name)
    (tmp_path / "photo.png").symlink_to("nowhere.png")
    assert scan(tmp_path) == Scan((), ())


def test_a_folder_named_like_a_note_is_walked(tmp_path: Path) -> None:
    write(tmp_path / "folder.md" / "a.md")
    assert found(tmp_path) == ["folder.md/a.md"]


def test_skips_empty_and_oversized_notes_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path / "empty.md", b"")
    with (tmp_path / "large.md").open("wb") as file:
        file.truncate(20_000_001)
    assert skipped(tmp_path) == {"empty.md": "is empty", "large.md": "is larger than 20 MB"}


def test_skips_a_fifo_without_opening_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert skipped(tmp_path) == {"pipe.md": "is not a regular file"}
    assert read_note(tmp_path, "pipe.md") == Skipped("pipe.md", "is not a regular file")


def test_skips_names_that_are_not_unicode(tmp_path: Path) -> None:
    for name in (b"caf\xe9.md", b"d\xe9/a.md"):
        path = os.fsencode(tmp_path) + b"/" + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"words")
    reason = "has a name that is not valid UTF-8"
    assert skipped(tmp_path) == {"caf\ufffd.md": reason, "d\ufffd": reason}


def test_names_are_not_normalised(tmp_path: Path) -> None:
    write(tmp_path / "e\u0301.md")
    assert found(tmp_path) == ["e\u0301.md"]


class TestLinks:
    def test_a_real_file_is_read_once_under_its_own_path(self, tmp_path: Path) -> None:
        write(tmp_path / "z.md")
        (tmp_path / "a.md").symlink_to("z.md")
        assert scan(tmp_path).skipped == ()
        assert found(tmp_path) == ["z.md"]

    def test_a_linked_folder_is_read_once_under_its_own_path(self, tmp_path: Path) -> None:
        write(tmp_path / "z" / "n.md")
        (tmp_path / "a").symlink_to("z", target_is_directory=True)
        assert scan(tmp_path).skipped == ()
        assert found(tmp_path) == ["z/n.md"]

    def test_links_into_a_hidden_folder_are_followed(self, tmp_path: Path) -> None:
        write(tmp_path / ".store" / "sub" / "n.md")
        (tmp_path / "shelf").symlink_to(".store")
        (tmp_path / "again").symlink_to(".store/sub")
        assert found(tmp_path) == ["again/n.md"]

    def test_two_hard_links_are_two_notes(self, tmp_path: Path) -> None:
        os.link(write(tmp_path / "a.md"), tmp_path / "b.md")
        assert found(tmp_path) == ["a.md", "b.md"]

    def test_links_that_lead_out_are_skipped(self, tmp_path: Path) -> None:
        write(tmp_path / "outside" / "n.md")
        folder = tmp_path / "notes"
        folder.mkdir()
        (folder / "n.md").symlink_to("../outside/n.md")
        (folder / "out").symlink_to("../outside")
        reason = "leads out of the notes folder"
        assert scan(folder).files == ()
        assert skipped(folder) == {"n.md": reason, "out": reason}

    def test_a_folder_that_begins_with_the_same_letters_is_outside(self, tmp_path: Path) -> None:
        write(tmp_path / "notes2" / "n.md")
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "n.md").symlink_to("../notes2/n.md")
        assert skipped(tmp_path / "notes") == {"n.md": "leads out of the notes folder"}

    def test_circles_are_skipped(self, tmp_path: Path) -> None:
        write(tmp_path / "sub" / "n.md")
        (tmp_path / "sub" / "up").symlink_to("..")
        (tmp_path / "a.md").symlink_to("b.md")
        (tmp_path / "b.md").symlink_to("a.md")
        reason = "is a link that leads back to itself"
        assert found(tmp_path) == ["sub/n.md"]
        assert skipped(tmp_path) == {"a.md": reason, "b.md": reason, "sub/up": reason}

    def test_two_folders_that_link_to_each_other_are_read_once(self, tmp_path: Path) -> None:
        for here, there in (("a", "b"), ("b", "a")):
            write(tmp_path / here / f"{here}.md")
            (tmp_path / here / "other").symlink_to(f"../{there}")
        assert found(tmp_path) == ["a/a.md", "b/b.md"]

    def test_dangling_links_are_skipped(self, tmp_path: Path) -> None:
        (tmp_path / "n.md").symlink_to("gone.md")
        (tmp_path / "folder").symlink_to("gone")
        reason = "is a link to something that does not exist"
        assert skipped(tmp_path) == {"n.md": reason, "folder": reason}

    def test_a_linked_fifo_is_skipped(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "n.md").symlink_to("pipe")
        assert skipped(tmp_path) == {"n.md": "is not a regular file"}

    def test_the_notes_folder_itself_may_be_a_link(self, tmp_path: Path) -> None:
        write(tmp_path / "real" / "n.md")
        (tmp_path / "notes").symlink_to("real")
        assert found(tmp_path / "notes") == ["n.md"]
        assert isinstance(read_note(tmp_path / "notes", "n.md"), NoteText)


def test_a_sub_folder_that_cannot_be_listed_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.md")
    write(tmp_path / "secret" / "b.md")
    listing = os.scandir

    def refuse(path: str) -> object:  # tests may run as root, whom no permission stops
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return listing(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tmp_path) == ["a.md"]
    assert skipped(tmp_path) == {"secret": "cannot be listed: permission denied"}


def test_a_missing_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(NotesError, match=r"There is no folder .*gone.*rag index PATH"):
        scan(tmp_path / "gone")


def test_a_file_instead_of_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotesError, match="is a file, not a folder"):
        scan(write(tmp_path / "a.md"))


def test_a_circular_notes_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(NotesError, match="cannot be listed"):
        scan(tmp_path / "a")


def test_ten_thousand_notes_are_scanned_quickly(tmp_path: Path) -> None:
    for group in range(10):
        (tmp_path / str(group)).mkdir()
        for number in range(1000):
            (tmp_path / str(group) / f"{number}.md").write_bytes(b"x")
    begun = time.process_time()
    assert len(scan(tmp_path).files) == 10_000
    assert time.process_time() - begun < 1  # about 0.07 s on an idle machine
