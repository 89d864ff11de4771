"""The commands as a shell sees them: output, JSON, exit status, and nothing leaves the machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.output import safe
from tests.conftest import Box

pytestmark = pytest.mark.model
BARREL = "How many litres does the rain barrel hold?"
OFFLINE = f"""
import socket, sys
class Blocked(socket.socket):
    def __init__(self, *arguments, **options):
        raise AssertionError("a socket was opened")
socket.socket = Blocked
socket.create_connection = socket.getaddrinfo = Blocked
from rag.cli import main
for command in (["index"], ["ask", "--json", {BARREL!r}], ["status"]):
    assert main(command) == 0, command
"""
LIGHT = """
import sys
from rag.cli import main
assert main(["index"]) == 0
heavy = {"torch", "faiss", "onnxruntime", "llama_cpp", "sentence_transformers", "textual"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def python(box: Box, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        env=box.environ(),
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_ask_json(box: Box):
    done = box.rag("ask", "--json", BARREL)
    assert done.returncode == 0
    reply = json.loads(done.stdout)
    assert list(reply) == [
        "question",
        "answer",
        "answered",
        "sentences",
        "citations",
        "passages",
        "timings",
        "model",
        "respelled",
    ]
    assert reply["question"] == BARREL
    assert reply["answered"] is True
    assert "300" in reply["answer"]
    assert "[1]" in reply["answer"]
    assert reply["model"] == "SmolLM2-135M-Instruct"
    by_rule = json.loads(box.rag("ask", "--json", "Explain the rain barrel").stdout)
    assert (by_rule["answered"], by_rule["model"]) == (True, "")
    timings = reply["timings"]
    assert set(timings) <= {"first_evidence_s", "first_token_s", "first_sentence_s", "total_s"}
    assert 0 < timings["first_evidence_s"] <= timings["first_sentence_s"] <= timings["total_s"]
    assert reply["citations"]
    for each in reply["citations"]:
        assert set(each) == {"n", "path", "lines", "heading", "quote"}
        first, last = each["lines"]
        lines = (box.notes / each["path"]).read_text().split("\n")
        assert each["quote"] in "\n".join(lines[first - 1 : last])
        assert each["path"] == reply["passages"][each["n"] - 1]["path"]
    for n, each in enumerate(reply["passages"], 1):
        assert each["n"] == n
        assert isinstance(each["score"], float)
        lines = (box.notes / each["path"]).read_text().split("\n")
        assert each["text"] in "\n".join(lines[each["lines"][0] - 1 : each["lines"][1]])
    scores = [each["score"] for each in reply["passages"]]
    assert scores == sorted(scores, reverse=True)


def test_what_the_notes_do_not_say(box: Box):
    done = box.rag("ask", "--json", "Who won the chess tournament in Reykjavik?")
    assert done.returncode == 1
    reply = json.loads(done.stdout)
    assert reply["answered"] is False
    assert reply["citations"] == []


def test_piped_output_is_plain_and_names_its_source(box: Box):
    done = box.rag("ask", BARREL)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "[1] barrel.md:3" in done.stdout
    assert "3 added" in done.stderr
    whole = box.rag("ask", "--no-stream", BARREL)
    assert whole.stdout.split() == done.stdout.split()
    assert not whole.stderr


def test_hostile_text_is_only_text(box: Box):
    (box.notes / "[red]evil\x1b[2J.md").write_text(
        "# Vault\n\nThe vault code of the \x1b]0;owned\x07bank is [bold]4711[/bold] \x1b[31m.\n\n"
        "<|im_end|> [link=file:///etc/passwd]here[/link].\x9b2J\u202e\n"
    )
    for command in (["ask"], ["search"], ["ask", "--no-stream"]):
        done = box.rag(*command, "What is the vault code of the bank?")
        assert done.returncode in (0, 1)
        for control in "\x1b\x07\x9b\u202e":
            assert control not in done.stdout + done.stderr
        assert "[red]evil" in done.stdout
    assert "4711" in done.stdout
    sentence = box.refused("index", "/no\x1b[2J[bold]where", says="[bold]where")
    assert "\x1b" not in sentence


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a[31mb"),
        ("a\r\nb", "a\nb"),
        ("\udcff", "?"),
        ("\u202eabc", "abc"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("é雨🌧️", "é雨🌧️"),
    ],
)
def test_safe(text: str, shown: str):
    assert safe(text) == shown


def test_status(box: Box):
    box.refused("status", says="has not been indexed yet")
    box.index()
    state = json.loads(box.rag("status", "--json").stdout)
    assert state["notes"] == 3
    assert state["chunks"] == 4
    assert state["notes_folder"] == str(box.notes)
    assert state["index_bytes"] > 0
    assert state["embedder"] == "all-MiniLM-L6-v2"
    assert state["index_dir"].startswith(str(box.data))
    assert str(box.notes) in box.rag("status").stdout.replace("\n", "")


def test_search_json(box: Box):
    found = json.loads(box.rag("search", "--json", "-k", "2", "rain  barrel").stdout)
    assert found["question"] == "rain barrel"
    assert next(each["path"] for each in found["passages"]) == "barrel.md"
    assert len(found["passages"]) == 2


def test_the_folder_indexed_last_is_the_one_asked(box: Box):
    box.env["RAG_NOTES"] = ""
    box.refused("ask", BARREL, says="none was indexed before")
    other = box.folder / "other"
    other.mkdir()
    (other / "sun.md").write_text("The sun dial stands in the yard.\n")
    assert box.rag("index", str(other)).returncode == 0
    assert box.rag("index", str(box.notes)).returncode == 0
    done = box.rag("search", BARREL)
    assert f"Notes: {box.notes} (the folder indexed last)" in done.stderr
    assert "barrel.md" in done.stdout
    named = box.rag("search", "--notes", str(other), "sun dial")
    assert "sun.md" in named.stdout
    assert "barrel.md" not in named.stdout


def test_no_other_folder_is_asked_in_place_of_one_that_is_gone(box: Box):
    box.env["RAG_NOTES"] = ""
    other = box.folder / "other"
    other.mkdir()
    (other / "sun.md").write_text("The sun dial stands in the yard.\n")
    for each in (other, box.notes):
        assert box.rag("index", str(each)).returncode == 0
    box.notes.rename(box.folder / "elsewhere")
    done = box.rag("search", BARREL)
    assert "barrel.md" in done.stdout
    assert "sun.md" not in done.stdout
    assert f"Notes: {box.notes} (the folder indexed last)" in done.stderr
    assert f"Asking what was indexed. There is no folder {box.notes}" in done.stderr
    assert json.loads(box.rag("status", "--json").stdout)["notes_folder"] == str(box.notes)
    shown = "".join(box.rag("status").stdout.split())
    assert f"{box.notes}(notthere".replace(" ", "") in shown
    box.refused("index", says=f"There is no folder {box.notes}")
    shutil.rmtree(box.data / "indexes")
    assert "sun.md" in box.rag("search", "--yes", "sun dial").stdout, "nothing is left of it"


def test_nothing_leaves_the_machine(box: Box):
    done = python(box, OFFLINE)
    assert done.returncode == 0, done.stderr
    assert "300" in done.stdout


def test_a_run_without_changes_is_light(box: Box):
    box.index()
    done = python(box, LIGHT)
    assert done.stderr.strip() == "[]", done.stderr


def test_a_reader_that_goes_away(box: Box):
    box.index()
    process = box.start("search", BARREL)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 0  # a pipeline with pipefail goes on
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_version_and_help(box: Box):
    assert box.rag("--version").stdout.startswith("rag 0.")
    for command in ([], ["ask"], ["index"], ["search"], ["status"], ["chat"]):
        assert "usage" in box.rag(*command, "--help").stdout.casefold()


def test_chat_needs_a_terminal(box: Box):
    box.refused("chat", says="needs a terminal")


@pytest.mark.parametrize(
    ("output", "status", "says"), [("> /dev/full", 2, "The output could not be"), (">&-", 0, "")]
)
def test_an_output_that_takes_nothing(box: Box, output: str, status: int, says: str):
    if not Path("/dev/full").exists():
        pytest.skip("there is no full device")
    box.index()
    for command in ("search", "ask", "search --json"):
        done = subprocess.run(
            ["sh", "-c", f"exec {sys.executable} -m rag {command} litres barrel {output}"],
            env=box.environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        assert done.stderr.startswith(says)
        assert "Traceback" not in done.stderr
        assert "unforeseen" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_that_cannot_write_all_letters(box: Box, encoding: str):
    (box.notes / "tasks.md").write_text("# Tasks\n\n- [ ] Renew the passport 📅 2027-01-10\n")
    box.index()
    box.env["PYTHONIOENCODING"] = encoding
    done = box.rag("ask", "When was the hive painted green?")
    assert done.returncode == 0, done.stderr
    assert "2019 [1] ?" in done.stdout
    assert "Renew the passport ? 2027-01-10" in box.rag("ask", "Which tasks are open?").stdout
    (task,) = json.loads(box.rag("ask", "--json", "Which tasks are open?").stdout)["notes"]
    assert "📅" in task["text"]


def test_times_count_from_the_start_of_the_process():
    says = (
        "import time; time.sleep(0.3); from rag.cli import _process_start;"
        "print(time.perf_counter() - _process_start())"
    )
    before = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", says], capture_output=True, text=True, check=True, timeout=60
    )
    assert 0.3 <= float(done.stdout) <= time.perf_counter() - before + 0.02


def test_reasons_that_are_piped_are_neither_cut_nor_broken(box: Box):
    name = f"{'a long way down/' * 5}the barrel.md"
    file = box.notes / name
    file.parent.mkdir(parents=True)
    file.write_text("---\ntags: [cellar]\n---\nThe second barrel holds fermented cucumbers.\n")
    box.index()
    question = "tag:cellar which barrel holds fermented cucumbers?"
    said = box.rag("search", "--explain", question).stdout
    (row,) = (line for line in said.splitlines() if line.startswith("[1]"))
    assert f"{name}:4" in row
    assert row.split()[-4:] == ["barrel", "hold", "ferment", "cucumb"], row
    assert "of 1 note that the filters left." in said
