"""Whatever is wrong gets a sentence, status 2 and no traceback, and costs no index."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rag.indexing.store import Store
from rag.models.catalog import find_model
from rag.models.weights import locate
from tests.conftest import Box, mortal

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"


# The notes folder


def test_a_notes_folder_that_is_not_one(box: Box):
    file = box.folder / "file.md"
    file.write_text("x")
    (box.folder / "none").mkdir()
    box.refused("index", str(box.folder / "gone"), says="There is no folder")
    box.refused("index", str(file), says="is a file, not a folder")
    box.refused("index", str(box.folder / "none"), says="There are no notes in")
    box.refused("ask", "--notes", "", BARREL, says="name of the notes folder is empty")
    box.refused("status", "--notes", str(box.folder / "gone"), says="There is no folder")
    box.refused("status", says=f"has not been indexed yet. Run: rag index {box.notes}")
    assert not list(box.data.glob("indexes/*/index.db"))


def test_a_language_model_that_is_not_there_stops_answers_alone(box: Box):
    box.env["RAG_GENERATOR_MODEL"] = "SmolLM2-135"
    assert box.rag("index").returncode == 0
    assert "300 litres" in box.rag("search", BARREL).stdout
    assert "300 litres" in box.rag("ask", "--quote", BARREL).stdout
    assert "barrel.md" in box.rag("open", "--print", "rain barrel").stdout
    mends = "Did you mean 'SmolLM2-135M-Instruct'?"
    for each in (("ask", BARREL), ("eval", "--make", "3", "made.jsonl")):
        box.refused(*each, says=mends)
    assert mends in json.loads(box.rag("status", "--json").stdout)["generator_fault"]
    assert mends in " ".join(box.rag("status").stdout.split())


def test_a_language_model_whose_file_is_gone_is_told_by_the_status(box: Box):
    file = box.folder / "mine.gguf"
    file.symlink_to(locate(find_model("SmolLM2-135M-Instruct", "generator")))
    box.env["RAG_GENERATOR_MODEL"] = str(file)
    box.index()
    assert json.loads(box.rag("status", "--json").stdout)["generator_fault"] == ""
    file.unlink()
    fault = json.loads(box.rag("status", "--json").stdout)["generator_fault"]
    assert fault.startswith("The weights of mine.gguf are missing: ")
    assert "weights of mine.gguf are missing" in " ".join(box.rag("status").stdout.split())


def test_files_that_no_person_wrote_so(box: Box):
    """A date beyond SQLite's, half a surrogate pair, a number that JSON does not know."""
    late = box.notes / "late.md"
    late.write_text("# Late\n\nThe comet returns.\n")
    os.utime(late, (0, 10_413_792_000))  # the year 2300
    half = {"cell_type": "markdown", "source": ["The half \ud800 moon rises."]}
    (box.notes / "half.ipynb").write_text(
        json.dumps({"cells": [half], "metadata": {"title": "Half \ud800", "tags": [None]}})
    )
    whole = {"cell_type": "markdown", "source": ["The new moon sets."]}
    (box.notes / "nan.ipynb").write_text(
        json.dumps({"cells": [whole], "metadata": {"title": float("nan")}})
    )
    done = box.rag("index", str(box.notes))
    assert (done.returncode, "unforeseen" in done.stderr) == (0, False), done.stderr
    for question, path in (("comet", "late.md"), ("half moon", "half.ipynb"), ("new moon", "nan")):
        found = box.rag("search", "--json", f"At 13:20, the {question}")
        assert path in json.loads(found.stdout)["passages"][0]["path"], found.stderr
    again = box.rag("index", str(box.notes))
    assert "changed" not in again.stderr.replace("unchanged", "")


def test_a_question_with_bytes_that_are_no_text(box: Box):
    box.index()
    command = [sys.executable, "-m", "rag", "search", b"the rain \xff barrel"]
    done = subprocess.run(command, env=box.environ(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, b"barrel" in done.stdout) == (0, True), done.stderr


def test_a_folder_that_cannot_be_read(box: Box):
    box.notes.chmod(0o000)
    try:
        box.refused("index", str(box.notes), says="cannot be listed", preexec_fn=mortal())
    finally:
        box.notes.chmod(0o755)
    box.index()
    (box.notes / "bees.md").chmod(0)
    (box.notes / "bees.md").write_text("# Bees\n\nChanged, and out of reach.\n")
    (box.notes / "trips").chmod(0)
    try:
        done = box.rag("index", "--json", preexec_fn=mortal())
    finally:
        (box.notes / "trips").chmod(0o755)
    report = json.loads(done.stdout)
    assert {each["path"] for each in report["skipped"]} == {"bees.md", "trips"}
    assert report["removed"] == 0
    assert "bees.md" in box.finds("the hive behind the shed")
    assert "trips/rhine.md" in box.finds("cycling along the Rhine")


def test_a_folder_that_lost_its_notes_or_itself_keeps_its_index(box: Box):
    box.index()
    for file in box.notes.rglob("*.md"):
        file.unlink()
    box.refused("index", says="rag index --remove-missing")
    done = box.rag("ask", BARREL)
    assert "300" in done.stdout
    assert "rag index --remove-missing" in done.stderr
    (box.notes / "trips").rmdir()
    box.notes.rmdir()
    box.refused("index", says="There is no folder")
    done = box.rag("search", BARREL)
    assert done.returncode == 0
    assert "There is no folder" in done.stderr


def test_the_first_note_of_a_vault_may_be_replaced(box: Box):
    """As the "Welcome" of a new vault is: its disk is there."""
    for file in box.notes.rglob("*.md"):
        file.unlink()
    (box.notes / "Welcome.md").write_text("# Welcome\n\nThis is your new vault.\n")
    box.index()
    (box.notes / "Welcome.md").unlink()
    (box.notes / "Trip.md").write_text("# Trip\n\nWe fly to Lisbon on 4 May.\n")
    done = box.rag("ask", "When do we fly to Lisbon?")
    assert done.returncode == 0
    assert "4 May" in done.stdout
    assert "not mounted" not in done.stderr
    assert box.finds("What is this vault?") == ["Trip.md"]


def test_notes_that_are_gone_are_removed_once_that_is_said(box: Box):
    box.index()
    for name in ("bees.md", "barrel.md"):
        (box.notes / name).unlink()
    sentence = box.refused("index", says="2 of the 3 notes indexed from")
    assert "is a disk not mounted?" in sentence
    assert json.loads(box.rag("index", "--remove-missing", "--json").stdout)["removed"] == 2
    (box.notes / "trips/rhine.md").unlink()
    assert json.loads(box.rag("index", "--remove-missing", "--json").stdout)["chunks"] == 0
    assert box.rag("search", BARREL).returncode == 1


def test_files_that_are_no_notes_are_named(box: Box):
    (box.notes / "empty.md").touch()
    (box.notes / "binary.md").write_bytes(bytes(range(256)) * 4)
    (box.notes / "latin.txt").write_bytes("Café in Köln, très bien.".encode("latin-1"))
    with (box.notes / "large.md").open("wb") as file:
        file.truncate(20_000_001)
    (box.notes / "out.md").symlink_to("/etc/hostname")
    (box.notes / "loop.md").symlink_to("loop.md")
    (box.notes / "around").symlink_to(box.notes)
    done = box.rag("index")
    assert done.returncode == 0
    for name in (
        "empty.md is empty",
        "binary.md looks binary",
        "large.md is larger than 20 MB",
        "out.md leads out",
        "loop.md is a link",
        "around is a link",
        "latin.txt is not",
    ):
        assert name in done.stdout, done.stdout
    report = json.loads(box.rag("index", "--json").stdout)
    assert {each["path"] for each in report["skipped"]} == {
        "empty.md",
        "binary.md",
        "large.md",
        "out.md",
        "loop.md",
        "around",
    }
    assert report["unchanged"] == 4
    assert "unchanged" not in box.rag("search", "Café").stderr, "nothing to tell at each question"


# Questions


def test_bad_questions_and_flags(box: Box):
    box.index()
    for question in ("", "   ", "\n"):
        box.refused("ask", question, says="The question is empty")
    box.refused("ask", "?!…", says="no word in the question")
    box.refused("ask", says="The question is empty")
    for k in ("0", "51", "-3"):
        box.refused("ask", "-k", k, BARREL, says="out of range")
    box.refused("ask", "-k", "many", BARREL, says="takes a whole number")
    for words in ((), ("help",)):  # what is typed first
        assert "COMMAND" in box.rag(*words).stdout
    assert "--strict" in box.rag("help", "ask").stdout


def test_a_misspelt_command_line_gets_the_nearest_word(box: Box):
    for typed, says in (
        (("aks", BARREL), "Did you mean: rag ask?"),
        ((BARREL,), 'To ask your notes: rag ask "…"'),
        (("xylophone",), "It knows index, ask, search"),
        (("list",), "rag knows no 'list'. Notes: rag ask \"list my notes\". Models: rag models."),
        (("models", "pul", "x"), "Did you mean: rag models pull?"),
        (("ask", "--qoute", BARREL), "rag ask knows no --qoute. Did you mean --quote?"),
        (("ask", "--no-refrehs=1", BARREL), "Did you mean --no-refresh?"),
        (("service", "install", "--pritn"), "rag service install knows no --pritn. Did you mean"),
        (("ask", "--zzz", BARREL), "rag ask knows no --zzz. See: rag ask --help"),
        (("ask", "-tag:cat", "boiler"), "behind two dashes: rag ask -- -tag:cat …"),
        (("search", "boiler", "-path:old/"), "behind two dashes: rag search -- -path:old/ …"),
        (("serve", "--json"), "rag serve knows no --json. See: rag serve --help"),
        (("--versoin",), "rag knows no --versoin. Did you mean --version?"),
        (("status", "here"), "rag status has no use for 'here'."),
    ):
        box.refused(*typed, says=says)


def test_a_question_of_ten_thousand_words(box: Box):
    box.index()
    done = box.rag("ask", "-", input=BARREL + " barrel" * 10_000)
    assert done.returncode in (0, 1), done.stderr
    assert box.rag(
        "ask",
        input="\0\x1b[2J\udcff".encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        + BARREL,
    ).returncode in (0, 1)


# Models


def test_a_generator_that_is_none(box: Box):
    box.index()
    real = locate(find_model("SmolLM2-135M-Instruct", "generator"))
    cases = {
        "gone.gguf": (None, "is not there"),
        "text.gguf": (b"Dear diary", "not a GGUF file"),
        "cut.gguf": (real.read_bytes()[:3_000_000], "[generator]"),
        "garbage.gguf": (b"GGUF" + b"\xff" * 999, "not a GGUF file that can be used"),
    }
    for name, (content, says) in cases.items():
        if content is not None:
            (box.folder / name).write_bytes(content)
        (box.folder / "rag.toml").write_text(f'[generator]\nmodel = "./{name}"\n')
        sentence = box.refused("ask", BARREL, says=says)
        assert name in sentence
    assert box.rag("search", BARREL).returncode == 0, "searching needs no language model"


def test_an_index_of_another_embedder(box: Box):
    box.index()
    store = Store(box.index_dir / "index.db", write=True)
    store.put(fingerprint="other", embedder="other")
    store.close()
    for command in (["ask", BARREL], ["search", BARREL], ["index"]):
        box.refused(*command, says="rag index --rebuild")
    assert box.rag("index", "--rebuild").returncode == 0
    assert box.finds(BARREL)[0] == "barrel.md"


# The index


def test_an_index_of_a_newer_format(box: Box):
    box.index()
    db = sqlite3.connect(box.index_dir / "index.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    for command in (["ask", BARREL], ["index"], ["status"]):
        box.refused(*command, says="newer version of rag")
    assert box.rag("index", "--rebuild").returncode == 0
    assert box.finds(BARREL)[0] == "barrel.md"


def overwrite(data: bytes) -> bytes:
    return b"\xa5" * len(data)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def scratch(data: bytes) -> bytes:
    return data[:4096] + b"\xa5" * (len(data) - 4096)


def nothing(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("harm", [overwrite, cut, scratch, nothing])
def test_a_damaged_database_is_built_again_from_the_notes(box: Box, harm):
    box.index()
    file = box.index_dir / "index.db"
    file.write_bytes(harm(file.read_bytes()))
    done = box.rag("search", BARREL)
    assert done.stdout.startswith("[1] barrel.md")
    if harm is not nothing:
        assert done.stderr.startswith("The index was damaged and was built again"), done.stderr
    assert box.index().unchanged == 3


def test_a_damaged_registry_is_read_from_the_index(box: Box):
    box.index()
    (box.data / "folders.json").write_text("{")
    assert box.rag("search", "--no-refresh", BARREL).returncode == 0
    assert box.index().unchanged == 3


# The disk


def test_a_data_folder_that_cannot_be_written(box: Box):
    box.index()
    (box.notes / "new.md").write_text("# New\n\nA note about elephants.\n")
    folders = [box.data, *(path for path in box.data.rglob("*"))]
    for path in folders:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        for command in (["search", "--no-refresh"], ["search"], ["ask"]):
            done = box.rag(*command, BARREL, preexec_fn=mortal())
            assert done.returncode == 0, done.stderr
            assert "300" in done.stdout
            told = "" if "--no-refresh" in command else "Asking what was indexed."
            assert done.stderr.startswith(told), "that a new note is missing is said"
            assert ("cannot be written" in done.stderr) == bool(told)
        box.refused("index", says="cannot be written", preexec_fn=mortal())
    finally:
        for path in folders:
            path.chmod(0o755)
    assert box.index().added == 1


def test_folders_that_can_be_none(box: Box):
    (box.folder / "file").write_text("in the way")
    box.env["RAG_DATA_DIR"] = str(box.folder / "file" / "data")
    box.refused(
        "index", says="cannot be used: not a directory. Name another folder with RAG_DATA_DIR"
    )
    box.env["RAG_DATA_DIR"] = str(box.folder / "data")
    box.env["RAG_CACHE_DIR"] = "/proc/nothing"
    names = "RAG_DATA_DIR, RAG_CACHE_DIR or RAG_CONFIG_DIR"
    box.refused("index", says=f"Name another folder with {names}")


def limit(size: int):
    def apply() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return apply


@pytest.mark.parametrize("kilobytes", [0, 1, 8, 60, 120])
def test_a_full_disk_while_indexing(box: Box, kilobytes: int):
    box.index()
    for number in range(30):
        (box.notes / f"n{number}.md").write_text(
            f"# N{number}\n\nElephants: {'x' * 150} {'-' * 3000} {number}\n"
        )
    done = box.rag("index", preexec_fn=limit(kilobytes << 10))
    if done.returncode:  # with luck it all fits
        assert done.returncode == 2
        assert "disk" in done.stderr.lower(), done.stderr
    assert "barrel.md" in box.finds(BARREL)
    box.index()
    assert "barrel.md" in box.finds(BARREL)
    assert box.engine().status().notes == 33
    assert box.index().unchanged == 33
    assert len(list(box.index_dir.rglob("*partial*"))) == 0


def test_a_small_disk(box: Box):
    disk = box.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only root may mount")
    box.env["RAG_DATA_DIR"] = str(disk / "data")
    try:
        assert box.rag("index").returncode == 0
        for number in range(40):
            (box.notes / f"n{number}.md").write_text(f"# N{number}\n\n{'x' * 7000}{number}\n")
        used = sum(file.stat().st_size for file in disk.rglob("*") if file.is_file())
        (disk / "filler").write_bytes(b"x" * (900_000 - used))
        sentence = box.refused("index", says="The disk is full")
        assert "last complete index is untouched" in sentence
        assert "300" in box.rag("search", "--no-refresh", BARREL).stdout
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# Places


def test_the_folder_this_runs_in_is_gone(box: Box):
    gone = box.folder / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && exec {os.sys.executable} -m rag status"
    done = subprocess.run(
        ["sh", "-c", script],
        env=box.environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


def test_a_home_folder_is_not_indexed_unasked(box: Box, tmp_path: Path):
    box.env["HOME"] = str(box.notes)
    box.refused("index", str(box.notes), says="--yes")
    box.refused("index", str(box.folder), says="It was not indexed")
    box.refused("index", "/", says="--yes")
    box.refused("ask", BARREL, says="--yes")
    assert not box.data.exists()
    assert box.rag("index", "--yes").returncode == 0
