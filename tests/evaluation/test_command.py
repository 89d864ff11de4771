"""`rag eval` as a shell sees it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import Box

pytestmark = pytest.mark.model
ROWS = [
    {
        "id": "barrel",
        "question": "How many litres does the rain barrel hold?",
        "answers": ["300 litres", "300"],
        "note": "barrel.md",
        "lines": [3, 3],
    },
    {
        "id": "hive",
        "question": "Where does the hive stand?",
        "answers": ["behind the shed"],
        "note": "bees.md",
        "paragraph": 0,
    },
    {"id": "chess", "question": "Who won the chess tournament in Reykjavik?", "answers": []},
]


@pytest.fixture
def questions(box: Box) -> Path:
    file = box.folder / "questions.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in ROWS))
    return file


def test_figures_rows_and_picture(box: Box, questions: Path):
    rows, chart = box.folder / "rows.jsonl", box.folder / "chart.svg"
    options = ("--answers", "--rows", str(rows), "--chart", str(chart))
    done = box.rag("eval", str(questions), "--json", *options)
    assert done.returncode == 0, done.stderr
    flat = json.loads(done.stdout)
    assert all(isinstance(each, int | float) for each in flat.values())
    assert flat["n"] == 3
    assert flat["answerable"] == 2
    for name in ("hit@1", "hit@10", "mrr@10", "ndcg@10", "paragraph_hit@1", "context@1000"):
        assert flat[name] == 1.0
    assert flat["abstained_right"] == flat["quotes_verbatim"] == 1.0
    assert flat["abstained_wrong"] == 0.0
    written = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [each["id"] for each in written] == ["barrel", "hive", "chess"]
    for each in written:
        for cited in each["citations"]:
            passage = each["passages"][cited["n"] - 1]
            assert cited["path"] == passage["path"]
            assert cited["quote"] in passage["text"]
    assert [each["answered"] for each in written] == [True, True, False]
    # The model may say "the shed" for "behind the shed": the figures must count what it said.
    golds = {each["id"]: each["answers"] for each in ROWS}
    right = sum(any(gold in each["answer"] for gold in golds[each["id"]]) for each in written)
    assert right >= 1
    assert flat["contains"] == right / 2
    assert f"coverage 0.667, accuracy {right / 2:.3f}" in chart.read_text()
    ElementTree.parse(chart)


def test_the_table_and_an_earlier_run(box: Box, questions: Path):
    rows, figures = box.folder / "rows.jsonl", box.folder / "figures.json"
    done = box.rag("eval", str(questions), "--rows", str(rows))
    assert done.returncode == 0, done.stderr
    assert "Questions: 3, answerable: 2" in done.stdout
    assert "hit@1" in done.stdout
    assert "the first passage is a hit" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    again = json.loads(box.rag("eval", str(questions), "--json", "--against", str(rows)).stdout)
    assert again["hit@1_change"] == 0.0
    assert again["hit@1_p"] == 1.0
    figures.write_text(json.dumps(again | {"hit@1": 0.5}))
    done = box.rag("eval", str(questions), "--against", str(figures))
    assert "+0.500" in done.stdout


def test_what_is_refused_costs_no_index(box: Box, questions: Path):
    box.refused("eval", str(box.folder / "gone"), says="cannot be read")
    box.refused("eval", str(questions), "--sample", "0", says="out of range")
    box.refused("eval", str(questions), "--chart", "x.svg", says="Add: --answers")
    box.refused("eval", str(questions), "--rows", str(questions), says="is the file of questions")
    box.refused("eval", str(questions), "--rows", "/gone/rows", says="cannot be written")
    box.refused("eval", str(questions), "--against", "gone", says="cannot be read")
    inside = str(box.notes / "rows.txt")
    box.refused("eval", str(questions), "--rows", inside, says="a note among the notes")
    box.refused("eval", str(questions), "--no-refresh", says="rag index")
    others = box.folder / "others.jsonl"
    others.write_text(questions.read_text())
    box.refused("eval", str(questions), "--rows", str(others), says="is not what --rows wrote")
    assert others.read_text() == questions.read_text()
    two = ("--notes", str(box.notes), "--notes", str(box.notes / "trips"))
    for each in ((str(questions),), ("--make", "3", "new file.jsonl")):
        box.refused("eval", *each, *two, says=f"rag eval --notes FOLDER {shlex.join(each)}")
    assert not box.data.exists()


def test_what_leaves_the_machine_is_said_before_it_does(box: Box, questions: Path):
    box.env = {
        "RAG_GENERATOR_MODEL": "endpoint",
        "RAG_ENDPOINT_URL": "https://ai.invalid/v1",
        "RAG_ENDPOINT_MODEL": "big",
    }
    box.index()
    place = "go to big at ai.invalid."
    done = box.rag("eval", str(questions), "--answers")
    assert done.returncode == 2
    assert f"Every question and the passages found for it {place}" in done.stderr
    made = str(box.folder / "made.jsonl")
    for also in ((), ("--quote",)):  # which is about answers alone
        done = box.rag("eval", "--make", "1", made, *also)
        assert f"Paragraphs of these notes, each as a whole, {place}" in done.stderr
    assert "go to" not in box.rag("eval", str(questions), "--answers", "--quote").stderr
    assert "go to" not in box.rag("eval", str(questions)).stderr


def test_rows_of_an_earlier_run_stay_until_there_are_others(box: Box, questions: Path):
    rows = box.folder / "rows.jsonl"
    assert box.rag("eval", str(questions), "--rows", str(rows)).returncode == 0
    before = rows.read_text()
    questions.write_text(json.dumps(ROWS[0] | {"question": "tag:nosuch Who?"}) + "\n")
    box.refused("eval", str(questions), "--rows", str(rows), says="No note is tagged")
    assert rows.read_text() == before
    questions.write_text(json.dumps(ROWS[1]) + "\n")
    assert box.rag("eval", str(questions), "--rows", str(rows)).returncode == 0
    assert len(rows.read_text().splitlines()) == 1


def test_a_question_that_cannot_be_asked_is_named(box: Box, questions: Path):
    box.index()
    wrong = {"id": "boat", "question": "tag:nosuch Who rows the boat?", "answers": []}
    questions.write_text(questions.read_text() + json.dumps(wrong) + "\n")
    box.refused("eval", str(questions), says=f"{questions}, line 4, id 'boat': No note is tagged")


def test_a_sample_larger_than_there_is(box: Box, questions: Path):
    done = box.rag("eval", str(questions), "--sample", "9", "--json")
    assert "all 3 are taken" in done.stderr
    assert json.loads(done.stdout)["n"] == 3
    assert json.loads(box.rag("eval", str(questions), "--sample", "2", "--json").stdout)["n"] == 2


def test_without_the_library(box: Box, questions: Path):
    script = (
        "import sys; sys.modules['ir_measures'] = None; from rag.cli import main;"
        f"sys.exit(main(['eval', {str(questions)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=box.environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install -c constraints.txt" in done.stderr


def test_ctrl_c_shows_the_figures_so_far(box: Box):
    box.index()
    many, rows = box.folder / "many.jsonl", box.folder / "rows.jsonl"
    many.write_text("".join(json.dumps(ROWS[0] | {"id": n}) + "\n" for n in range(20_000)))
    process = box.start("eval", str(many), "--json", "--rows", str(rows))
    while not (rows.exists() and rows.stat().st_size):
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    flat = json.loads(out)
    assert 0 < flat["n"] < 20_000
    assert flat["hit@1"] == 1.0
    assert len(rows.read_text().splitlines()) == flat["n"]
    assert f"Stopped after {flat['n']:,} of 20,000 questions." in err


ISSUE_KEYS = (
    "n hit@1 hit@5 mrr@10 ndcg@10 em f1 contains citation_precision citation_gold citation_recall "
    "quotes_verbatim supported abstained_right abstained_wrong seconds_mean seconds_p95 words_mean"
).split()


def test_evidence_alone_and_the_model_without_its_adapter_are_measured_too(
    box: Box, questions: Path
):
    box.index()
    given: dict[str, str] = {}
    for flags in ((), ("--quote",), ("--no-adapter",)):
        rows = box.folder / f"rows{len(given)}.jsonl"
        done = box.rag("eval", str(questions), "--answers", "--json", "--rows", str(rows), *flags)
        assert done.returncode == 0, done.stderr
        flat = json.loads(done.stdout)
        assert [key for key in ISSUE_KEYS if key not in flat] == []
        assert flat["citation_precision"] == flat["quotes_verbatim"] == 1.0
        given[" ".join(flags)] = json.loads(rows.read_text().split("\n")[0])["answer"]
    assert given[""] != given["--quote"] == "The rain barrel holds 300 litres. [1]"
    assert "300" in given["--no-adapter"]
    assert "Add: --answers" in box.refused("eval", str(questions), "--quote", says="how to answer")
    box.refused("eval", str(questions), "--model", "gone", says="No generator is called")
