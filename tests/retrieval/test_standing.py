"""A passage against its note as it is now."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from rag.retrieval.found import Passage
from rag.retrieval.standing import look_up

LINES = ["# Barrel", "", "It holds 300 litres.", "Tap at the back.", "", "## Care", "", "Empty it."]
PASSAGE = Passage(1, "barrel.md", "Barrel", (), 3, 4, "\n".join(LINES[2:4]), 1.0, 1.0, None)
QUOTES = ["It holds 300 litres."]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    file = tmp_path / "barrel.md"
    file.write_text("\n".join(LINES))
    return file


def stand(note: Path, indexed: str = "", quotes: list[str] = QUOTES, margin: int = 3):
    return look_up(note.parent, PASSAGE, quotes, indexed, margin)


def test_an_unchanged_note_gives_the_lines_around(note: Path):
    digest = hashlib.sha256(note.read_bytes()).hexdigest()
    found = stand(note, digest)
    assert (found.state, found.first) == ("current", 3)
    assert found.before == ("# Barrel", "")
    assert found.after == ("", "## Care")
    assert stand(note, digest, margin=1).after == ()


def test_front_matter_is_no_line_around(note: Path):
    front = ["---", "tags: [house]", "---"]
    note.write_text("\n".join([*front, *LINES[2:]]))
    found = look_up(note.parent, replace(PASSAGE, first=4, last=5), QUOTES, "")
    assert (found.state, found.before) == ("current", ())
    assert found.after == ("", "## Care")


def test_a_change_elsewhere_is_told(note: Path):
    note.write_text("\n".join([*LINES, "More."]))
    assert stand(note, "0" * 64).state == "edited"
    assert stand(note).state == "current"  # not known how it was


def test_what_moved_is_found_at_its_new_lines(note: Path):
    note.write_text("\n".join(["New first line.", "", *LINES]))
    found = stand(note, "0" * 64)
    assert (found.state, found.first) == ("moved", 5)
    note.write_text("A.\n\nB.\n\nIt holds 300\nlitres. Tap in front.\n")
    assert stand(note).state == "moved"  # the quote is there, though its passage changed


def test_how_far_a_quote_moved_and_since_when(note: Path):
    quotes = ["Tap at the back."]  # the second line of the passage
    for text in ("\n".join(["New.", "", *LINES]), "New.\n\n\n\n\nTap at the back.\n"):
        note.write_text(text)
        found = stand(note, "0" * 64, quotes)
        assert (found.state, found.moved) == ("moved", 2)
        assert found.since == "since it was indexed"
        again = stand(note, hashlib.sha256(note.read_bytes()).hexdigest(), quotes)
        assert (again.state, again.since) == ("moved", "since this was answered")


def test_what_the_note_no_longer_says_is_lost(note: Path):
    note.write_text("# Barrel\n\nIt holds 200 litres.\nTap at the back.\n")
    assert stand(note).state == "lost"
    note.unlink()
    assert stand(note).state == "gone"


def test_comments_that_were_left_out_do_not_count_as_changes(note: Path):
    note.write_text("\n".join(LINES).replace("300 litres.", "300 litres.%% sure? %%"))
    assert stand(note).state == "current"


def test_part_of_a_long_line_is_where_it_was(tmp_path: Path):
    (tmp_path / "barrel.md").write_text("One sentence. Another one.\n")
    part = replace(PASSAGE, text="Another one.", first=1, last=1)
    assert look_up(tmp_path, part, ["Another one."], "").state == "current"
    assert look_up(tmp_path, part, ["Another one."], "other").state == "edited"
