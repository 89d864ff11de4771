"""What is printed has the shape that is documented: nothing missing, nothing more."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rag.shapes import SHAPES, json_schema
from tests.conftest import Box

DOCS = Path(__file__).parents[1] / "docs"
BARREL = "How many litres does the rain barrel hold?"


def check(value: object, shape: str) -> None:
    """Hold a value against a shape; keys that the shape does not name are wrong."""
    schema = json.loads((DOCS / "schema.json").read_text())
    for each in schema["$defs"].values():
        each["additionalProperties"] = False
    Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": schema["$defs"]}).validate(value)


def printed(box: Box, *command: str) -> Any:
    return json.loads(box.rag(*command).stdout)


def test_the_schema_is_current():
    assert json.loads((DOCS / "schema.json").read_text()) == json_schema(), "run: make schema"


def test_the_documentation_names_every_shape_and_key():
    text = (DOCS / "json.md").read_text()
    named = set(re.findall(r"[`\"](\w+)[`\"]", text))
    for shape in SHAPES:
        if shape.__name__ == "NoteJson":
            continue  # of the HTTP server alone
        assert f"[{shape.__name__}]" in text
        assert shape.__annotations__.keys() <= named, shape


@pytest.mark.model
def test_every_command(box: Box):
    (box.notes / "empty.md").write_text("")
    check(printed(box, "index", "--json"), "IndexJson")
    answer = printed(box, "ask", "--json", BARREL)
    check(answer, "AnswerJson")
    assert answer["citations"]
    refused = printed(box, "ask", "--json", "Who won the chess tournament in Reykjavik?")
    check(refused, "AnswerJson")
    assert refused["citations"] == []
    listed = printed(box, "ask", "--json", "Which notes mention the hive?")
    check(listed, "AnswerJson")
    assert [each["path"] for each in listed["notes"]] == ["bees.md"]
    check(printed(box, "search", "--json", BARREL), "SearchJson")
    check(printed(box, "search", "--json", "--explain", BARREL), "ExplainedJson")
    check(printed(box, "open", "--json", "rain barrel"), "OpenJson")
    check(printed(box, "status", "--json"), "StatusJson")
    for name, shape in (("models", "ModelJson"), ("doctor", "FindingJson")):
        rows = printed(box, name, "--json")
        assert rows
        for each in rows:
            check(each, shape)
    used = printed(box, "models", "use", "--json", "SmolLM2-135M-Instruct")
    check(used, "ModelInUseJson")
    check(printed(box, "forget", "--json", "bees.md"), "ForgottenJson")
    check(printed(box, "forget", "--json", "--undo", "bees.md"), "RememberedJson")
    check(printed(box, "service", "status", "--json"), "ServiceJson")


@pytest.mark.model
@pytest.mark.parametrize(
    "command",
    [
        ("ask", "--json", "--notes", "no such folder", BARREL),
        ("ask", "--json", "--since", "someday", BARREL),
        ("ask", "--json", "--no-such-flag", BARREL),
        ("search", "--json", "-k", "99", BARREL),
        ("index", "--json", "no such folder"),
        ("models", "use", "--json", "SmolLM2-135M-Instrukt"),
        ("eval", "--json", "no such file"),
        ("no such command", "--json"),
    ],
    ids=" ".join,
)
def test_an_error_is_json_and_a_sentence(box: Box, command: tuple[str, ...]):
    done = box.rag(*command)
    assert done.returncode == 2
    wrong = json.loads(done.stdout)
    check(wrong, "ErrorJson")
    assert done.stderr.strip() == f"{wrong['error']} {wrong['remedy']}".strip()


@pytest.mark.model
def test_without_json_an_error_is_a_sentence_alone(box: Box):
    assert box.rag("ask", "--notes", "no such folder", "--", "--json").stdout == ""


@pytest.mark.model
def test_an_error_that_nobody_reads(box: Box):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rag", "index", "--json", "no such folder"],
            env=box.environ(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("There is no folder")


@pytest.mark.model
def test_several_folders(box: Box):
    (box.folder / "other").mkdir()
    (box.folder / "other" / "sun.md").write_text("The sun dial stands in the yard.\n")
    (box.folder / "rag.toml").write_text('[notes]\na = "notes"\nb = "other"\n')
    box.env["RAG_NOTES"] = ""
    check(printed(box, "index", "--json"), "IndexJson")
    check(printed(box, "ask", "--json", BARREL), "AnswerJson")
    for each in printed(box, "status", "--json"):
        check(each, "StatusJson")


@pytest.mark.model
def test_lines_as_they_come(box: Box):
    def lines(question: str, status: int) -> list[dict[str, Any]]:
        done = box.rag("ask", "--json-lines", question)
        assert done.returncode == status
        return [json.loads(line) for line in done.stdout.splitlines()]

    steps = lines(BARREL, 0)
    kinds = [each["event"] for each in steps]
    assert kinds[0] == "retrieved"
    assert kinds[-2:] == ["sentence", "answer"]
    assert set(kinds[1:-2]) <= {"reading", "sentence"}
    for each in steps:
        check(each, f"{each['event'].capitalize()}EventJson")
    assert steps[-1]["answer"] == " ".join(
        each["text"] for each in steps if each["event"] == "sentence"
    )
    assert [each["event"] for each in lines("Which notes mention the hive?", 0)] == ["answer"]
    assert lines("Who won the chess tournament in Reykjavik?", 1)[-1]["answered"] is False
    (wrong,) = lines("since:someday where is the hive?", 2)
    check(wrong, "ErrorEventJson")
    early = json.loads(box.rag("ask", "--json-lines", "-k", "99", BARREL).stdout)
    check(early, "ErrorEventJson")
    box.refused("ask", "--json", "--json-lines", BARREL, says="not allowed with")
