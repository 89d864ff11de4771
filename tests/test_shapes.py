"""What is printed has the shape that is documented: nothing missing, nothing more."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rag.commands.parser import build_parser
from rag.evaluation.measures import FIGURES
from rag.models.catalog import find_model
from rag.models.weights import locate
from rag.shapes import SHAPES, EvalJson, json_schema
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


ELSEWHERE = {  # held against their shapes beside what they need: a hub, a measured model
    ("models", "pull"): "tests/models/test_download.py",
    ("models", "bench"): "tests/models/test_command.py",
}
COMMANDS = (
    (("index", "--json"), "IndexJson"),
    (("index", "--check", "--json"), "IndexJson"),
    (("ask", "--json", "Which notes mention the hive?"), "AnswerJson"),
    (("ask", "--json", "--quote", "--with", "rules.txt", "What must be locked?"), "AnswerJson"),
    (("search", "--json", BARREL), "SearchJson"),
    (("search", "--json", "--explain", BARREL), "ExplainedJson"),
    (("open", "--json", "rain barrel"), "OpenJson"),
    (("status", "--json"), "StatusJson"),
    (("models", "--json"), "ModelJson"),
    (("models", "list", "--json"), "ModelJson"),
    (("models", "ls", "--json"), "ModelJson"),
    (("models", "show", "--json", "Qwen3-4B"), "ModelJson"),
    (("doctor", "--json"), "FindingJson"),
    (("doctor", "--deep", "--json"), "FindingJson"),
    (("models", "add", "--json", "MODEL", "--name", "mine"), "ModelHereJson"),
    (("models", "use", "--json", "mine"), "ModelInUseJson"),
    (("models", "use", "--json", "SmolLM2-135M-Instruct"), "ModelInUseJson"),
    (("models", "remove", "--json", "mine"), "ModelHereJson"),
    (("models", "add", "--json", "MODEL", "--name", "mine"), "ModelHereJson"),
    (("models", "rm", "--json", "mine"), "ModelHereJson"),
    (("service", "install", "--json"), "ServiceJson"),
    (("service", "status", "--json"), "ServiceJson"),
    (("service", "uninstall", "--json"), "ServiceJson"),
    (("eval", "--json", "--make", "2", "--by-rule", "made.jsonl"), "MadeJson"),
    (("forget", "--json", "bees.md"), "ForgottenJson"),
    (("forget", "--json", "--undo", "bees.md"), "RememberedJson"),
)


def json_commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> set[Any]:
    """The words of every command that knows --json."""
    found = {words} if "--json" in parser._option_string_actions else set()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, each in action.choices.items():
                found |= json_commands(each, (*words, word))
    return found


def test_no_command_is_left_out():
    tried = {tuple(takewhile(lambda word: word[:1] != "-", command)) for command, _ in COMMANDS}
    assert tried | set(ELSEWHERE) | {("eval",)} == json_commands(build_parser())


@pytest.mark.model
def test_every_command(box: Box):
    (box.notes / "empty.md").write_text("")
    (box.folder / "rules.txt").write_text("The gate must be locked at night.\n")
    box.env |= {"HOME": str(box.folder), "XDG_CONFIG_HOME": ""}  # where a service's file goes
    weights = str(locate(find_model("SmolLM2-135M-Instruct", "generator")))
    for command, shape in COMMANDS:
        value = printed(box, *(weights if word == "MODEL" else word for word in command))
        values = value if isinstance(value, list) else [value]
        assert values
        for each in values:
            check(each, shape)


@pytest.mark.model
def test_figures_of_questions(box: Box):
    asked = {"id": "1", "question": BARREL, "answers": ["300 litres"], "note": "barrel.md"}
    (box.folder / "questions.jsonl").write_text(json.dumps(asked) + "\n")
    flat = printed(box, "eval", "--json", "--answers", "--quote", "questions.jsonl")
    named = EvalJson.__annotations__.keys()
    check({name: flat[name] for name in named}, "EvalJson")
    assert flat.keys() - named <= FIGURES.keys()
    assert all(isinstance(each, int | float) for each in flat.values())


@pytest.mark.model
def test_answers(box: Box):
    answer = printed(box, "ask", "--json", BARREL)
    check(answer, "AnswerJson")
    assert answer["citations"]
    refused = printed(box, "ask", "--json", "Who won the chess tournament in Reykjavik?")
    check(refused, "AnswerJson")
    assert refused["citations"] == []
    listed = printed(box, "ask", "--json", "Which notes mention the hive?")
    check(listed, "AnswerJson")
    assert [each["path"] for each in listed["notes"]] == ["bees.md"]


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
