"""A run beside an earlier one, and the picture of answers by confidence."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rag.errors import EvaluationError
from rag.evaluation.chart import risk_coverage_svg
from rag.evaluation.compare import compare, load_earlier
from rag.evaluation.measures import figures, question_scores
from rag.evaluation.questions import Question
from rag.evaluation.rows import Cited, Found, Reply, Row, load_rows, to_json

HIT, MISS = Found("n.md", (1, 1), "Ann"), Found("n.md", (2, 2), "Bob")
QUESTIONS = [Question(str(n), "Who?", ("Ann",), "n.md") for n in range(8)]


def rows(*hits: bool) -> list[Row]:
    return [
        Row(str(n), (HIT if hit else MISS, HIT), 1, True, 1.0, None) for n, hit in enumerate(hits)
    ]


def write(file: Path, written: list[Row]) -> Path:
    file.write_text("".join(json.dumps(to_json(each)) + "\n" for each in written))
    return file


def test_rows_come_back_as_they_were(tmp_path: Path):
    cited = Cited(2, "n.md", (2, 2), "Bob", True)
    reply = Reply(True, "Bob [2]", (cited,), ("supported", "weak"), (1, 2), 0.25, 1.5)
    written = [*rows(True), Row("x", (HIT, MISS), 3, False, 2.5, reply)]
    assert load_rows(write(tmp_path / "rows.jsonl", written)) == written


def test_the_sign_test(tmp_path: Path):
    now = rows(*[True] * 7, False)
    pairs = list(zip(QUESTIONS, now, strict=True))
    scores = question_scores(pairs)
    found = figures(pairs, scores)
    # Six of seven earlier questions were lost then and are won now, one was won both times.
    earlier = load_earlier(write(tmp_path / "rows.jsonl", rows(*[False] * 6, True)))
    change = compare(found, scores, QUESTIONS, earlier)["hit@1"]
    assert change.before == pytest.approx(1 / 7)
    assert change.change == pytest.approx(6 / 7)
    assert change.p == pytest.approx(2 * 0.5**6)
    assert change.pairs == 7
    same = compare(found, scores, QUESTIONS, now)
    assert (same["hit@1"].change, same["hit@1"].p) == (0.0, 1.0)
    with pytest.raises(EvaluationError, match="none of these questions"):
        compare(found, scores, [Question("z", "Who?", ("Ann",), "n.md")], earlier)


def test_against_printed_figures(tmp_path: Path):
    pairs = list(zip(QUESTIONS, rows(*[True] * 8), strict=True))
    scores = question_scores(pairs)
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"n": 5, "hit@1": 0.25, "em": 0.5}, indent=2))
    found = compare(figures(pairs, scores), scores, QUESTIONS, load_earlier(file))
    assert list(found) == ["hit@1"]
    assert (found["hit@1"].change, found["hit@1"].p) == (0.75, None)


@pytest.mark.parametrize(
    "text",
    ["{}", "nonsense", '{"id": "a", "passages": [{"path": 1}]}', '{"n": true}', "[]"],
)
def test_files_that_no_run_wrote(tmp_path: Path, text: str):
    file = tmp_path / "file"
    file.write_text(text)
    with pytest.raises(
        EvaluationError, match=r"file.*Name what rag eval wrote with --rows"
    ) as told:
        load_earlier(file)
    assert '"question"' not in str(told.value)
    with pytest.raises(EvaluationError, match="cannot be read"):
        load_earlier(tmp_path / "gone")


def test_a_citation_of_no_passage_is_refused(tmp_path: Path):
    reply = Reply(True, "Bob", (Cited(3, "n.md", (2, 2), "Bob", True),), (), (1,), 0.25, 1.5)
    file = write(tmp_path / "rows.jsonl", [Row("x", (HIT, MISS), 1, True, 1.0, reply)])
    with pytest.raises(EvaluationError, match="line 1 was not written"):
        load_rows(file)


def test_the_picture_goes_through_its_points():
    root = ElementTree.fromstring(risk_coverage_svg([(0.25, 1.0), (0.75, 0.5)], 1234))
    line = root.find(".//{*}polyline")
    assert line is not None
    assert line.get("points") == "190.0,50.0 430.0,210.0"
    assert "1,234 questions" in "".join(root.itertext())
    empty = risk_coverage_svg([], 3)
    assert "polyline" not in empty
    assert "No question was answered." in empty
