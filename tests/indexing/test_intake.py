"""Many notes are read a window at a time: the same index, flat memory, nothing embedded twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.errors import Cancelled
from rag.indexing import intake
from rag.indexing.build import update
from rag.indexing.embeddings import Embedded, PassageText
from rag.indexing.local import LocalIndex
from tests.indexing.conftest import Desk
from tests.indexing.fakes import FakeEmbedder


def series(desk: Desk, count: int, words: int = 20) -> None:
    for number in range(count):
        text = " ".join(f"w{number * 7 + n}" for n in range(words))
        desk.write(f"{number % 9}/n{number}.md", f"# N {number}\n\nNumber {number}: {text}.\n")


@pytest.fixture
def small_windows(monkeypatch) -> None:
    monkeypatch.setattr(intake, "_WINDOW", 8)
    monkeypatch.setattr(intake, "_KEPT_IN_MEMORY", 100)


def test_windows_end_where_one_window_does(desk: Desk, tmp_path: Path, monkeypatch):
    series(desk, 60)
    whole = Desk(desk.notes, tmp_path / "whole")
    whole.update()
    monkeypatch.setattr(intake, "_WINDOW", 8)
    monkeypatch.setattr(intake, "_KEPT_IN_MEMORY", 100)
    report = desk.update()
    assert (report.added, report.chunks) == (63, 63)
    assert desk.content() == whole.content()
    assert not [
        file
        for file in desk.folder.iterdir()
        if not file.name.startswith(("index", "w", "vectors"))
    ]


@pytest.mark.usefixtures("small_windows")
def test_progress_counts_up_and_ends_right(desk: Desk):
    series(desk, 60)
    index = LocalIndex(desk.folder, write=True)
    events = list(update(desk.notes, index, lambda: desk.embedder, "fake-32", {"dimension": 32}))
    index.close()
    embed = [each for each in events if each.stage == "embed"]
    files = [each.files_done for each in embed]
    assert files == sorted(files)
    assert files[0] < files[-1] == 63
    done = [each.chunks_done for each in embed]
    assert done == sorted(done)
    assert all(each.chunks_done <= each.chunks_total for each in embed)
    assert all(45 <= each.chunks_total <= 85 for each in embed), "a fair guess from the start"
    assert (embed[-1].chunks_done, embed[-1].chunks_total) == (63, 63)
    assert embed[-1].seconds_left == 0.0


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("stop_at", [3, 9, 14])
def test_a_run_goes_on_where_it_stopped(desk: Desk, tmp_path: Path, stop_at: int):
    series(desk, 60)
    embedded: list[str] = []
    desk.embedder.before_batch = lambda _: embedded.extend(desk.embedder.embedded[len(embedded) :])
    index = LocalIndex(desk.folder, write=True)
    with pytest.raises(Cancelled):
        for _ in update(
            desk.notes,
            index,
            lambda: desk.embedder,
            "fake-32",
            {"dimension": 32},
            cancel=lambda: len(desk.embedder.embedded) >= 4 * stop_at,
        ):
            pass
    index.close()
    first = len(desk.embedder.embedded)
    assert first >= 4 * stop_at
    assert desk.update().added == 63
    assert len(desk.embedder.embedded) == 63 - first


class Counting(FakeEmbedder):
    """Tells how many passages it was ever handed at once."""

    most = 0

    def embed_passages(self, passages: Sequence[PassageText]) -> Iterator[Embedded]:
        self.most = max(self.most, len(passages))
        return super().embed_passages(passages)


@pytest.mark.usefixtures("small_windows")
def test_no_more_than_a_window_is_held_at_once(desk: Desk, monkeypatch):
    rolled = []
    roll = tempfile.SpooledTemporaryFile.rollover
    monkeypatch.setattr(
        tempfile.SpooledTemporaryFile,
        "rollover",
        lambda file: rolled.append(file._TemporaryFileArgs["dir"]) or roll(file),
    )
    series(desk, 40)
    desk.embedder = Counting()
    desk.update()
    assert desk.embedder.most <= 8
    assert rolled == [str(desk.folder)], "what waits lies beside the index, not in memory"


@pytest.mark.usefixtures("small_windows")
def test_weights_are_released_once_much_was_embedded(desk: Desk):
    desk.update()
    assert desk.embedder.released == 0
    series(desk, 40)
    desk.update()
    assert desk.embedder.released == 1


def test_moved_notes_are_counted_once_each(desk: Desk):
    desk.write("twin.md", "# Bees\n\nThe hive stands behind the shed.\n")
    desk.update()
    for name in ("bees.md", "twin.md"):
        (desk.notes / name).rename(desk.notes / f"other-{name}")
    desk.write("third.md", "# Bees\n\nThe hive stands behind the shed.\n")
    report = desk.update()
    assert (report.moved, report.added, report.removed) == (2, 1, 0)
