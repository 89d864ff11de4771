"""Several notes folders, by path and by name, asked as one."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.api import open_notes
from rag.config import choose_folders
from rag.config_files import load_config
from rag.errors import ConfigError, NoIndex, NotesError
from rag.events import Answered
from rag.merging import merge
from rag.retrieval.found import Passage
from rag.several import name_folders
from rag.wiring import build_several
from tests.conftest import Box

BARREL = "How many litres does the rain barrel hold?"


def passage(number: int, score: float, path: str = "a.md") -> Passage:
    return Passage(number, path, "a", (), 1, 1, "x", score, score, None)


def test_each_ranking_keeps_a_share_and_the_rest_goes_by_score():
    large = [passage(n, 0.9 - n / 100) for n in range(10)]
    small = [passage(100 + n, 0.2 - n / 100) for n in range(10)]
    assert [each.id for each in merge([large, small], 5)] == [0, 1, 2, 3, 100]
    assert [each.id for each in merge([small, large], 8)] == [0, 1, 2, 3, 4, 5, 100, 101]
    assert [each.id for each in merge([large, small], 1)] == [0]
    assert [each.id for each in merge([large[:1], small], 4)] == [0, 100, 101, 102]
    assert merge([[], []], 5) == ()


def test_folders_get_names_of_their_own():
    a, b, c = Path("/x/notes"), Path("/y/notes"), Path("/z/work")
    named = name_folders([("", a), ("", b), ("", a), ("notes", c), ("", Path("/"))])
    assert named == {"notes": a, "notes-2": b, "notes-3": c, "notes-4": Path("/")}


def config(folder: Path, toml: str, **environ: str):
    (folder / "rag.toml").write_text(toml)
    return load_config(folder, environ)


def test_folders_are_named_in_a_table(tmp_path: Path):
    settings = config(tmp_path, '[notes]\nwork = "w"\nhome = "/h"\n[search]\nk = 3\n')
    assert settings.folders == {"work": tmp_path / "w", "home": Path("/h")}
    assert settings.search_k == 3
    both = [("work", tmp_path / "w"), ("home", Path("/h"))]
    assert choose_folders(settings, [], tmp_path) == both
    assert choose_folders(settings, ["home"], tmp_path) == [("home", Path("/h"))]
    assert choose_folders(settings, ["./home", "work"], tmp_path) == [
        ("", tmp_path / "home"),
        both[0],
    ]
    (tmp_path / "near").mkdir()
    assert choose_folders(settings, ["near"], tmp_path) == [("", tmp_path / "near")]


def test_one_folder_named_elsewhere_wins_over_the_table(tmp_path: Path):
    settings = config(tmp_path, '[notes]\nwork = "w"\n', RAG_NOTES="/one")
    assert choose_folders(settings, [], tmp_path) == [("", Path("/one"))]


@pytest.mark.parametrize("toml", ["", "[notes]\n"])
def test_no_folder_may_be_named_at_all(tmp_path: Path, toml: str):
    assert choose_folders(config(tmp_path, toml), [], tmp_path) == []
    assert choose_folders(config(tmp_path, toml), ["x"], tmp_path) == [("", tmp_path / "x")]


@pytest.mark.parametrize(
    "table", ["work = 3", 'work = ""', 'work = ["a"]', '"a/b" = "x"', '"~a" = "x"', '"" = "x"']
)
def test_a_table_that_cannot_be_understood(tmp_path: Path, table: str):
    with pytest.raises(ConfigError, match=r"rag\.toml"):
        config(tmp_path, f"[notes]\n{table}\n")


def test_an_unknown_name_suggests_the_nearest(tmp_path: Path):
    settings = config(tmp_path, '[notes]\nwork = "w"\ngarden = "g"\n')
    with pytest.raises(NotesError, match=r"'gardn'.*work, garden.*Did you mean 'garden'"):
        choose_folders(settings, ["gardn"], tmp_path)
    with pytest.raises(NotesError, match="empty"):
        choose_folders(settings, [" "], tmp_path)


def test_the_file_that_names_no_folder_is_not_said_to(tmp_path: Path):
    own, here = tmp_path / "own", tmp_path / "here"
    for folder in (own, here):
        folder.mkdir()
    (own / "rag.toml").write_text('[notes]\nwork = "w"\n')
    settings = config(here, "[search]\nk = 3\n", RAG_CONFIG_DIR=str(own))
    assert settings.file == here / "rag.toml"
    with pytest.raises(NotesError, match=r"'wrk'.*work.*Did you mean 'work'") as caught:
        choose_folders(settings, ["wrk"], here)
    assert str(here) not in str(caught.value)


@pytest.fixture
def two(box: Box) -> Box:
    """The notes of the box as "home", and a folder "work" beside it."""
    work = box.folder / "work"
    work.mkdir()
    (work / "sales.md").write_text("# Sales\n\nIn May we sold 12 tractors to Denmark.\n")
    (work / "empty.md").write_text("")
    (box.folder / "rag.toml").write_text(f'[notes]\nhome = "{box.notes}"\nwork = "work"\n')
    box.env["RAG_NOTES"] = ""
    return box


@pytest.mark.model
def test_all_folders_of_the_table_are_indexed_searched_and_shown(two: Box):
    report = json.loads(two.rag("index", "--json").stdout)
    assert (report["added"], report["chunks"]) == (4, 5)
    assert report["notes_folders"] == [str(two.notes), str(two.folder / "work")]
    assert [each["path"] for each in report["skipped"]] == ["work/empty.md"]
    assert len(list((two.data / "indexes").iterdir())) == 2
    found = json.loads(two.rag("search", "--json", "-k", "4", BARREL).stdout)["passages"]
    paths = [each["path"] for each in found]
    assert paths[0] == "home/barrel.md"
    assert "work/sales.md" in paths, "each folder has its share"
    states = json.loads(two.rag("status", "--json").stdout)
    assert [each["notes"] for each in states] == [3, 1]
    shown = two.rag("status").stdout
    assert shown.count("Notes folder") == 2


@pytest.mark.model
def test_some_folders_are_picked_by_name_and_by_path(two: Box):
    one = json.loads(two.rag("search", "--json", "--notes", "work", "tractors").stdout)
    assert [each["path"] for each in one["passages"]] == ["sales.md"]
    both = two.rag("search", "--notes", "work", "--notes", str(two.notes), "tractors")
    assert "work/sales.md" in both.stdout
    assert "notes/barrel.md" in both.stdout
    two.refused("search", "--notes", "wrk", "x", says="did you mean 'work'")
    two.refused("index", "hme", says="did you mean 'home'")
    two.refused("ask", "--notes", "work", "--notes", "/no/such", "x", says="/no/such")


@pytest.mark.model
def test_a_path_is_understood_as_it_is_shown(two: Box):
    two.rag("index")

    def found(*asked: str) -> set[str]:
        done = json.loads(two.rag("search", "--no-refresh", "--json", *asked).stdout)
        return {each["path"] for each in done["passages"]}

    assert found("--path", "work/", "tractors") == {"work/sales.md"}
    assert found("tractors path:work/sales.md") == {"work/sales.md"}
    assert found("--path", "sales", "tractors") == {"work/sales.md"}
    assert not any(each.startswith("home/") for each in found("tractors -path:home/"))
    two.refused("search", "--path", "wrok/", "x", says="did you mean 'work/'")
    two.refused("search", "--path", "zzz/", "x", says="there are the folders home/, work/")


@pytest.mark.model
def test_a_note_is_forgotten_by_the_path_that_is_shown(two: Box):
    two.rag("index")
    assert two.rag("forget", "work/sales.md").stdout.startswith("Forgotten: work/sales.md.")
    assert "sales.md" not in two.rag("search", "tractors").stdout
    two.refused("forget", "work/sales.md", "home/bees.md", says="the notes to forget lie in one")
    two.refused("forget", "sales.md", says="rag forget home/note.md")
    assert "1 note will be" in two.rag("forget", "--undo", "work/sales.md").stderr
    done = two.rag("forget", "--json", str(two.notes / "bees.md"))
    assert json.loads(done.stdout)["notes"] == ["home/bees.md"]


@pytest.mark.model
def test_an_answer_cites_the_folder(two: Box, embedder):
    engine = build_several(two_config(two), [("home", two.notes), ("work", two.folder / "work")])
    engine.models._embedder = embedder
    with pytest.raises(NoIndex, match="rag index"):
        engine.search(BARREL)
    assert engine.changed()
    *_, done = engine.refresh()
    assert done.report.added == 4
    assert engine.has_index()
    assert list(engine.refresh()) == []
    answer = list(engine.ask("How many tractors were sold to Denmark?"))[-1]
    assert isinstance(answer, Answered)
    assert "12" in answer.answer
    assert {each.path for each in answer.citations} == {"work/sales.md"}
    everything = list(engine.ask("summarise all my notes"))[-1]
    assert isinstance(everything, Answered)
    assert everything.answer.startswith("4 notes in all.")
    assert {each.path.split("/")[0] for each in everything.citations} == {"home", "work"}
    one = list(engine.ask("Summarise [[sales]]"))[-1]
    assert {each.path for each in one.citations} == {"work/sales.md"}
    folder, path = engine.place("work/sales.md")
    assert engine.place("sold/x.md") == (engine.notes_folder, "sold/x.md"), "of an old conversation"
    assert (folder / path).is_file()
    assert len({each.id for each in answer.passages}) == len(answer.passages)
    (two.folder / "work" / "sales.md").write_text("# Sales\n\nNothing in June.\n")
    os.utime(two.folder / "work" / "sales.md", (1, 1))
    assert engine.changed()
    *_, done = engine.index_in_process()
    assert (done.report.changed, done.report.unchanged) == (1, 3)
    assert engine.status().notes == 4
    engine.close()


@pytest.mark.model
def test_folders_that_look_into_each_other_are_asked_from_many_threads(two: Box, embedder):
    engine = build_several(two_config(two), [("home", two.notes), ("work", two.folder / "work")])
    engine.models._embedder = embedder
    list(engine.refresh())
    (two.folder / "work" / "jobs.md").write_text("# Jobs\n\n- dig\n- sow\n- mow\n")
    list(engine.refresh())
    with ThreadPoolExecutor(4) as pool:
        asked = pool.map(engine.search, ["How much does the rain barrell hold?"] * 24, timeout=60)
        assert {found[0].path for found in asked} == {"home/barrel.md"}
    *_, done = engine.ask("How many jobs do I have?")
    assert isinstance(done, Answered)
    assert (done.answer.split()[0], done.citations[0].path) == ("3", "work/jobs.md")
    engine.close()


def two_config(box: Box):
    from rag.config import Config

    return Config(data_dir=box.data, cache_dir=box.cache)


@pytest.mark.model
def test_the_same_folder_twice_is_one(two: Box):
    engine = build_several(two_config(two), [("", two.notes), ("home", two.notes)])
    assert engine.folders == [two.notes]
    assert engine.place("a.md") == (two.notes, "a.md")


@pytest.mark.model
def test_a_folder_that_is_gone_keeps_no_other_from_being_indexed_and_served(two: Box):
    two.rag("index")
    os.rename(two.folder / "work", two.folder / "elsewhere")
    (two.notes / "sun.md").write_text("The sun dial stands in the yard.\n")
    done = two.rag("index")
    assert done.returncode == 2
    assert "Notes: 1 added" in done.stdout
    assert f"There is no folder {two.folder / 'work'}" in done.stderr
    gone = [two.folder / each for each in ("gone1", "gone2")]
    done = two.rag("index", *(f"--notes={each}" for each in (*gone, two.notes)))
    assert all(f"There is no folder {each}" in done.stderr for each in gone)
    found = json.loads(two.rag("search", "--no-refresh", "--json", "sun dial").stdout)["passages"]
    assert found[0]["path"].endswith("sun.md")
    server = two.start("serve", "--http", "--port", "0")
    said = [server.stderr.readline() for _ in range(2)]
    server.terminate()
    server.communicate(timeout=60)
    assert f"There is no folder {two.folder / 'work'}: what was indexed" in said[0]
    assert said[1].startswith("Notes: ")
    done = two.rag("mcp", input="")
    assert done.returncode == 0, done.stderr
    with open_notes(two.notes, two.folder / "work", data_dir=two.data, cache_dir=two.cache) as both:
        assert both.search("sun dial")
    with pytest.raises(NotesError, match="There is no folder"):
        open_notes(two.notes, two.folder / "never", data_dir=two.data, cache_dir=two.cache)
