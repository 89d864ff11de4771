"""Files of questions: what is read, and what is refused with its line and key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import EvaluationError
from rag.evaluation.questions import load_questions, paragraphs, sample

NOTE = "# Title\n\nFirst block,\nsecond line.\n\n\n  \nSecond block.\n\nThird.\n"
GOOD = {"id": "a", "question": "Who?", "answers": ["Ann"], "note": "sub/n.md"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes" / "sub").mkdir(parents=True)
    (tmp_path / "notes" / "sub" / "n.md").write_text(NOTE)
    (tmp_path / "outside.md").write_text(NOTE)
    return tmp_path / "notes"


def write(folder: Path, *rows: object) -> Path:
    file = folder.parent / "questions.jsonl"
    lines = [each if isinstance(each, str) else json.dumps(each) for each in rows]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_what_is_read(folder: Path):
    file = write(
        folder,
        "\ufeff" + json.dumps(GOOD),
        "",
        GOOD | {"id": 7, "lines": [3, 4], "note": "./sub/n.md", "kind": "fact"},
        GOOD | {"id": "c", "lines": " 3-4 "},
        GOOD | {"id": "d", "paragraph": 1},
        {"id": "e", "question": "What?", "answers": []},
        GOOD | {"id": "f", "answers": [], "paragraph": 99},
    )
    found = load_questions(file, folder)
    assert [each.id for each in found] == ["a", "7", "c", "d", "e", "f"]
    assert [each.gold for each in found] == [None, (3, 4), (3, 4), (8, 8), None, None]
    assert {each.note for each in found} == {"sub/n.md", ""}


def test_paragraphs_are_the_blocks_after_the_title(folder: Path):
    assert paragraphs(folder, "sub/n.md") == [(3, 4), (8, 8), (10, 10)]
    (folder / "tight.md").write_text("\n# Title\nAt once.\n")
    assert paragraphs(folder, "tight.md") == [(3, 3)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("not json", "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON"),
        ("[1]", "line 2 is not a JSON object"),
        ({"question": "Who?", "answers": []}, "line 2: the key 'id' is missing"),
        ({"id": "b", "answers": []}, "line 2: the key 'question' is missing"),
        ({"id": "b", "question": "Who?"}, "line 2: the key 'answers' is missing"),
        ({"id": "b", "question": "Who?", "answers": ["x"]}, "line 2: the key 'note' is missing"),
        (GOOD, "line 2: the id 'a' comes twice"),
        (GOOD | {"id": ""}, "line 2: 'id' must be a text"),
        (GOOD | {"id": "b", "question": "?!"}, "line 2: 'question': There is no word"),
        (GOOD | {"id": "b", "answers": "Ann"}, "line 2: 'answers' must be a list"),
        (GOOD | {"id": "b", "answers": [""]}, "line 2: 'answers' must be a list"),
        (GOOD | {"id": "b", "note": "gone.md"}, "line 2: 'note': there is no note 'gone.md'"),
        (GOOD | {"id": "b", "note": "../outside.md"}, "line 2: 'note': there is no note"),
        (GOOD | {"id": "b", "note": "n\0.md"}, "line 2: 'note': there is no note"),
        (GOOD | {"id": "b", "note": "n" * 5000}, "line 2: 'note': there is no note"),
        (GOOD | {"id": "b", "paragraph": 3}, "line 2: 'paragraph': sub/n.md has 3"),
        (GOOD | {"id": "b", "paragraph": "1"}, "line 2: 'paragraph' must be a number"),
        (GOOD | {"id": "b", "lines": [4, 3]}, "line 2: 'lines' must be"),
        (GOOD | {"id": "b", "lines": "3"}, "line 2: 'lines' must be"),
        (GOOD | {"id": "b", "lines": [10, 11]}, "line 2: 'lines': sub/n.md has 10, so none is"),
    ],
)
def test_what_is_refused(folder: Path, row: object, says: str):
    with pytest.raises(EvaluationError) as refused:
        load_questions(write(folder, GOOD, row), folder)
    assert says in str(refused.value)


def test_files_without_questions(folder: Path):
    with pytest.raises(EvaluationError, match="no question"):
        load_questions(write(folder, "", "  "), folder)
    with pytest.raises(EvaluationError, match="cannot be read"):
        load_questions(folder / "gone.jsonl", folder)
    file = write(folder, GOOD)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(EvaluationError, match="not UTF-8"):
        load_questions(file, folder)


def test_a_sample_is_the_same_for_a_seed(folder: Path):
    file = write(folder, *(GOOD | {"id": str(n)} for n in range(50)))
    questions = load_questions(file, folder)
    some = sample(questions, 10, 3)
    assert some == sample(questions, 10, 3)
    assert some != sample(questions, 10, 4)
    assert len({each.id for each in some}) == 10
    assert sample(questions, 51, 0) == questions
