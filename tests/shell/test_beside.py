"""`rag ask --with`: documents read beside the notes, cited, and forgotten."""

from __future__ import annotations

import json
import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from rag.reading.notes import LARGEST
from tests.conftest import Box

pytestmark = pytest.mark.model
LEASE = (
    "# Lease\n\nThe flat is let from the first of May.\n\n"
    "The period of notice is three months, to the end of a quarter.\n"
)
NOTICE = "How long is the period of notice?"
BARREL = "How many litres does the rain barrel hold?"
FLOOD = "When is the delta closed?"
DOCUMENTS = Path(__file__).parents[1] / "data" / "documents"


@pytest.fixture
def lease(box: Box) -> Path:
    file = box.folder / "lease.md"
    file.write_text(LEASE)
    return file


def test_a_document_is_cited_by_name_and_lines(box: Box, lease: Path):
    done = box.rag("ask", "--json", "--with", "lease.md", NOTICE)
    reply = json.loads(done.stdout)
    assert done.returncode == 0
    assert "three months" in reply["answer"]
    (cited,) = reply["citations"]
    assert (cited["path"], cited["lines"]) == ("lease.md", [5, 5])
    assert cited["quote"] in LEASE
    assert "[1] lease.md:3-5" in box.rag("ask", "--quote", "--with", "lease.md", NOTICE).stdout


def test_the_notes_are_still_asked(box: Box, lease: Path):
    reply = json.loads(box.rag("ask", "--json", "--with", str(lease), BARREL).stdout)
    assert "300" in reply["answer"]
    assert reply["citations"][0]["path"] == "barrel.md"
    assert str(lease) in {each["path"] for each in reply["passages"]}


def test_a_document_comes_before_notes_that_say_another_thing(box: Box, lease: Path):
    (box.notes / "flat.md").write_text("# Flat\n\nThe notice period is six weeks for the flat.\n")
    for question in (NOTICE, "How long is the notice period?"):
        reply = json.loads(box.rag("ask", "--json", "--with", "lease.md", question).stdout)
        assert reply["citations"][0]["path"] == "lease.md"


@pytest.mark.parametrize(
    "question", ["Summarise it", "what does this document say?", "Summarise [[lease]]"]
)
def test_a_document_is_summed_up(box: Box, lease: Path, question: str):
    reply = json.loads(box.rag("ask", "--json", "--with", "lease.md", question).stdout)
    assert reply["answered"]
    assert {each["path"] for each in reply["citations"]} == {"lease.md"}
    assert reply["answer"].startswith("- ")


def test_nothing_of_it_is_kept(box: Box, lease: Path, tmp_path: Path):
    box.env["TMPDIR"] = str(tmp_path)
    box.index()
    assert box.rag("ask", "--with", "lease.md", NOTICE).returncode == 0
    assert not list(tmp_path.glob("rag-*"))
    assert len(os.listdir(box.data / "indexes")) == 1
    assert "lease" not in box.rag("search", "--json", NOTICE).stdout
    assert box.rag("ask", NOTICE).returncode == 1


def test_from_a_pipe(box: Box, lease: Path):
    done = box.rag("ask", "--json", "--with", "-", NOTICE, input=LEASE)
    reply = json.loads(done.stdout)
    assert reply["citations"][0]["path"] == "standard input"
    asked = box.rag("ask", "--json", "--with", "lease.md", input=NOTICE)
    assert "three months" in json.loads(asked.stdout)["answer"]
    box.refused("ask", "--with", "-", says="both the question and the document")


@pytest.mark.parametrize(
    ("name", "question"),
    [("river.epub", FLOOD), ("heat.pdf", "How many watts does the unit draw at full load?")],
)
def test_a_pipe_is_read_as_the_kind_that_its_first_bytes_tell(box: Box, name: str, question: str):
    file = DOCUMENTS / name
    named = json.loads(box.rag("ask", "--json", "--with", str(file), question).stdout)
    with file.open("rb") as piped:
        done = box.rag("ask", "--json", "--with", "-", question, stdin=piped)
    reply = json.loads(done.stdout)
    assert named["answered"]
    assert reply["answer"] == named["answer"]
    assert reply["citations"][0]["path"] == f"standard input{file.suffix}"


def test_several_and_plain_text(box: Box, lease: Path):
    (box.folder / "server.log").write_text("start\nThe disk of host heron failed at noon.\n")
    both = ["--with", "lease.md", "--with", "server.log"]
    reply = json.loads(box.rag("ask", "--json", *both, "Which disk failed at noon?").stdout)
    assert reply["citations"][0]["path"] == "server.log"
    assert reply["citations"][0]["lines"] == [2, 2]
    reply = json.loads(box.rag("ask", "--json", *both, NOTICE).stdout)
    assert reply["citations"][0]["path"] == "lease.md"


def test_without_any_notes(box: Box, lease: Path):
    box.env["RAG_NOTES"] = ""
    done = box.rag("ask", "--with", "lease.md", NOTICE)
    assert done.returncode == 0
    assert "three months" in done.stdout
    assert not (box.data / "folders.json").exists()


def test_several_notes_folders_and_a_document(box: Box, lease: Path):
    other = box.folder / "other"
    other.mkdir()
    (other / "sun.md").write_text("The sun dial stands in the yard.\n")
    folders = ["--notes", str(box.notes), "--notes", str(other)]
    reply = json.loads(box.rag("ask", "--json", *folders, "--with", "lease.md", NOTICE).stdout)
    assert {each["path"] for each in reply["passages"]} == {"lease.md"}
    reply = json.loads(box.rag("ask", "--json", *folders, "--with", "lease.md", BARREL).stdout)
    paths = {each["path"].partition("/")[0] for each in reply["passages"]}
    assert paths == {"lease.md", "notes", "other"}


def test_a_note_on_the_same_matter_in_the_words_of_the_question_does_not_come_first(box: Box):
    """It is nearer to the question, and what is given with it is what it is about."""
    agreement = "# Tenancy\n\nThe landlord is a church.\n\nThe notice period is three months.\n"
    (box.notes / "tenancy.md").write_text(agreement)
    (box.folder / "contract.txt").write_text(
        "TENANCY AGREEMENT\n\nThe landlord is Mrs Ogden of Leeds.\n"
        "The notice period is two calendar months.\n\nThe rent is due on the first of each month.\n"
    )
    for question in ("How long is the notice?", "How long is the notice period?"):
        done = box.rag("ask", "--json", "--with", "contract.txt", question)
        assert json.loads(done.stdout)["answer"] == "two calendar months [1]"


def test_filters_are_of_notes(box: Box, lease: Path):
    (box.notes / "garden").mkdir()
    (box.notes / "garden" / "plan.md").write_text(
        "---\ntags: [garden]\nstatus: active\n---\n# Plan\n\nThe notice board is green.\n"
    )
    for flags in (
        ["--tag", "garden"], ["--path", "garden/"], ["--where", "status=active"],
        ["--since", "2020"],
    ):  # fmt: skip
        done = box.rag("ask", "--json", *flags, "--with", "lease.md", NOTICE)
        assert "three months" in json.loads(done.stdout)["answer"], flags
    done = box.rag("ask", "--json", "--tag", "garden", "--with", "lease.md", BARREL)
    assert {each["path"] for each in json.loads(done.stdout)["passages"]} <= {
        "garden/plan.md", "lease.md",
    }  # fmt: skip
    says = "No note is tagged 'gardn'. Did you mean 'garden'?"
    box.refused("ask", "--tag", "gardn", "--with", "lease.md", NOTICE, says=says)
    box.env |= {"RAG_NOTES": "", "RAG_DATA_DIR": str(box.folder / "other data")}
    says = "There are no notes to filter"
    box.refused("ask", "--tag", "garden", "--with", "lease.md", NOTICE, says=says)


@pytest.mark.parametrize("folders", [1, 2])
def test_lists_and_summaries_are_of_the_notes(box: Box, lease: Path, folders: int):
    named, front = [], ""
    if folders == 2:
        other = box.folder / "other"
        other.mkdir()
        (other / "sun.md").write_text("The sun dial stands in the yard.\n")
        named, front = ["--notes", str(box.notes), "--notes", str(other)], "notes/"
    (box.notes / "tasks.md").write_text("# Tasks\n\n- [ ] paint the hive\n\nSee [[Rain barrel]].\n")

    def asked(question: str) -> dict:
        return json.loads(box.rag("ask", "--json", *named, "--with", "lease.md", question).stdout)

    (task,) = asked("Which tasks are open?")["notes"]
    assert (task["path"], task["text"]) == (f"{front}tasks.md", "paint the hive")
    listed = asked("Which notes mention the hive?")["notes"]
    assert {each["path"] for each in listed} == {f"{front}bees.md", f"{front}tasks.md"}
    (linking,) = asked("What links to [[Rain barrel]]?")["notes"]
    assert linking["path"] == f"{front}tasks.md"
    summed = asked("Summarise [[Bees]]")
    assert len(summed["citations"]) == 2
    assert {each["path"] for each in summed["citations"]} == {f"{front}bees.md"}
    lease.write_text(LEASE + "\n- [ ] sign it\n")
    told = [(each["path"], each["text"]) for each in asked("Which tasks are open?")["notes"]]
    assert told == [(f"{front}tasks.md", "paint the hive"), ("lease.md", "sign it")]


@pytest.mark.parametrize("folders", [1, 2])
def test_tables_of_both_are_read_with_what_stands_beside_them(box: Box, folders: int):
    """What stands beside a passage is looked up in the index that the passage is from."""
    row = "| Tool {0} | {0}{0} euros | in the shed, third shelf from the left, behind the rakes |\n"
    rows = "".join(row.format(n) for n in range(10, 60))
    table = f"# Tools\n\n| Name | Price | Place |\n| --- | --- | --- |\n{rows}"
    (box.notes / "tools.md").write_text(table)
    (box.folder / "boats.md").write_text(table.replace("Tool", "Boat"))
    named: list[str] = []
    if folders == 2:
        other = box.folder / "other"
        other.mkdir()
        (other / "sun.md").write_text("The sun dial stands in the yard.\n")
        named = ["--notes", str(box.notes), "--notes", str(other)]
    for question, price, path in (
        ("What is the price of tool 14?", "1414 euros", "tools.md"),
        ("What is the price of boat 14?", "1414 euros", "boats.md"),
    ):
        done = box.rag("ask", "--json", *named, "--with", "boats.md", question)
        reply = json.loads(done.stdout)
        assert reply["answer"].startswith(price), done.stdout[:2000]
        assert reply["citations"][0]["path"].endswith(path)


def test_a_document_may_be_as_large_as_a_note_of_its_kind(box: Box):
    book = box.folder / "river.epub"
    book.write_bytes((DOCUMENTS / "river.epub").read_bytes())
    with ZipFile(book, "a") as pages:  # a picture: the book is as good as without
        pages.writestr("picture.png", bytes(LARGEST))
    plain = json.loads(box.rag("ask", "--json", "--with", str(DOCUMENTS / book.name), FLOOD).stdout)
    large = json.loads(box.rag("ask", "--json", "--with", book.name, FLOOD).stdout)
    assert large["answered"]
    assert large["answer"] == plain["answer"]
    (box.folder / "long.md").write_bytes(b"a " * LARGEST)
    box.refused("ask", "--with", "long.md", FLOOD, says="long.md is larger than 20 MB")


def test_what_cannot_be_read(box: Box):
    temporary = box.folder / "temporary"
    temporary.mkdir()
    box.env["TMPDIR"] = str(temporary)
    box.refused("ask", "--with", "nowhere.md", NOTICE, says="nowhere.md cannot be read")
    (box.folder / "empty.md").write_text("")
    box.refused("ask", "--with", "empty.md", NOTICE, says="empty.md is empty")
    (box.folder / "noise.bin").write_bytes(bytes(range(256)) * 40)
    box.refused("ask", "--with", "noise.bin", NOTICE, says="noise.bin looks binary")
    box.refused("ask", "--with", str(box.notes), NOTICE, says="is a directory")
    assert not list(temporary.glob("rag-*"))
