"""Each nasty note is indexed, or skipped with a reason, in time and memory that grow with it."""

from __future__ import annotations

import gc
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from rag.indexing.build import IndexReport
from rag.reading.chunks import chunk_document
from rag.reading.documents import parse_document
from rag.reading.notes import LARGEST, NoteText, Skipped, read_note
from rag.reading.scanning import scan
from tests.attacks.nasty import BYTES, TEXTS, make_names, make_specials
from tests.conftest import mortal
from tests.fuzz.properties import check_chunks, count_tokens
from tests.indexing.conftest import Desk

SMALL, TIMES = 8_000, 4
# Twice what is proportionate: clocks are coarse and other programs run.
_TIME, _MEMORY = 2.0 * TIMES, 1.5 * TIMES
_BLINK = 0.02  # seconds below which a clock says nothing
QUICK = ("links", "nested lists", "lazy quotes", "open links", "half emphasis", "backticks")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "notes").mkdir()
    return Desk(tmp_path / "notes", tmp_path / "index")


def seconds(text: str) -> float:
    """Processor time that it takes to read a note and cut it."""
    started = time.process_time()
    chunk_document(parse_document("a.md", text), count_tokens, 256)
    return time.process_time() - started


def peak(text: str) -> int:
    """Bytes at the peak while a note is read."""
    gc.collect()
    tracemalloc.start()
    parse_document("a.md", text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def check_time(name: str, size: int) -> None:
    small, large = TEXTS[name](size), TEXTS[name](size * TIMES)
    tries = []
    for _ in range(3):  # a busy machine may be slow once
        tries.append((max(_BLINK, seconds(small)), seconds(large)))
        if tries[-1][1] < tries[-1][0] * _TIME:
            return
    raise AssertionError(f"{name}, seconds for a note and one {TIMES} times as large: {tries}")


@pytest.mark.parametrize("name", QUICK)
def test_time_grows_with_size(name: str):
    check_time(name, SMALL)


@pytest.mark.torture
@pytest.mark.parametrize("name", TEXTS)
def test_time_and_memory_grow_with_size(name: str):
    check_time(name, SMALL * 50)
    small, large = peak(TEXTS[name](SMALL * 5)), peak(TEXTS[name](SMALL * 5 * TIMES))
    assert large < small * _MEMORY + 100_000, name


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("suffix", ["md", "txt"])
def test_what_is_promised_of_chunks_holds(name: str, suffix: str):
    check_chunks(f"a.{suffix}", TEXTS[name](3000), max_tokens=64)


def indexed(desk: Desk) -> tuple[IndexReport, dict[str, str]]:
    report = desk.update()
    return report, {each.path: each.reason for each in report.skipped}


def test_any_bytes(desk: Desk):
    for name, data in BYTES.items():
        (desk.notes / name).write_bytes(data)
    report, skipped = indexed(desk)
    assert skipped == {
        "nul.md": "looks binary",
        "nuls.md": "looks binary",
        "utf16-half.md": "looks binary",
        "utf16-odd.md": "looks binary",
        "utf32.md": "looks binary",
        "blank.md": "is empty",
    } | {path: why for path, why in skipped.items() if path == "only-front.md"}
    assert report.added == len(BYTES) - len(skipped)
    assert desk.words("tonne", "300") == ["Die Tonne fasst 300 Liter."]
    lines = {}
    for name in ("mixed.md", "separators.md"):
        note = read_note(desk.notes, name)
        assert isinstance(note, NoteText)
        chunks = check_chunks(name, note.text)
        lines[name] = {chunk.text.split("\n")[-1]: chunk.last for chunk in chunks}
    assert lines["mixed.md"]["Four."] == 8, "as an editor counts them"
    assert list(lines["separators.md"].values()) == [3], "no editor breaks a line there"


def test_any_name(desk: Desk):
    made = make_names(desk.notes)
    assert len(made) > 10
    report, skipped = indexed(desk)
    assert (report.added, set(skipped.values())) == (
        len(made),
        {"has a name that is not valid UTF-8"},
    )
    again = desk.update()
    assert (again.unchanged, again.added) == (len(made), 0)
    index = desk.open()
    assert set(index.note_states()) == set(made)
    index.close()


def test_what_is_no_file(desk: Desk):
    (desk.notes / "good.md").write_text("# Good\n\nText.\n")
    made = make_specials(desk.notes)
    started = time.monotonic()
    report, skipped = indexed(desk)
    assert time.monotonic() - started < 60, "nobody waits for a pipe to be written to"
    assert set(skipped) == set(made)
    assert report.added == 1
    for name in made:
        assert isinstance(read_note(desk.notes, name), Skipped), name


def test_a_file_that_becomes_a_pipe(desk: Desk):
    """Between the scan and the reading."""
    desk.write("a.md", "# A\n\nText.\n")
    assert scan(desk.notes).files
    (desk.notes / "a.md").unlink()
    os.mkfifo(desk.notes / "a.md")
    assert read_note(desk.notes, "a.md") == Skipped("a.md", "is not a regular file")


def test_a_folder_that_nobody_may_read(desk: Desk, tmp_path: Path):
    desk.write("good.md", "# Good\n\nText.\n")
    desk.write("closed/a.md", "# A\n\nText.\n")
    (desk.notes / "closed").chmod(0)
    pid = os.fork()
    if pid == 0:
        drop = mortal()
        if drop:
            drop()
            os.setgid(65534)
        skipped = {each.path for each in scan(desk.notes).skipped} if not drop else {"closed"}
        os._exit(0 if skipped == {"closed"} else 1)
    _, status = os.waitpid(pid, 0)
    (desk.notes / "closed").chmod(0o755)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_line_of_a_hundred_megabytes_is_skipped(desk: Desk):
    desk.write("good.md", "# Good\n\nText.\n")
    with (desk.notes / "large.md").open("wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    report, skipped = indexed(desk)
    assert (report.added, skipped) == (1, {"large.md": "is larger than 20 MB"})


@pytest.mark.torture
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("word and " * (LARGEST // 9), id="20 MB on one line"),
        pytest.param("x" * LARGEST, id="20 MB of one word"),
        pytest.param("# h\n\n" * 1_000_000, id="a million headings"),
        pytest.param("[[note|alias]] and [x](other.md)\n" * 25_000, id="50,000 links"),
        pytest.param("".join("\t" * n + "- a\n" for n in range(5000)), id="lists 5,000 deep"),
    ],
)
def test_as_large_as_a_note_may_be(desk: Desk, text: str):
    desk.write("large.md", text)
    report, skipped = indexed(desk)
    assert (report.added, skipped) == (1, {})
    assert report.chunks > 0
