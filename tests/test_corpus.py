"""The example notes and their questions: what a question set says is where it says, and every link
leads somewhere."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(__file__).parents[1] / "corpus"
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "corpus-questions.jsonl").read_text().splitlines()
]
NOTES = {each.stem.casefold(): each for each in CORPUS.rglob("*") if each.is_file()}


@pytest.mark.parametrize("question", QUESTIONS, ids=[each["id"] for each in QUESTIONS])
def test_a_gold_answer_stands_at_its_lines(question: dict[str, Any]):
    places = [question, *question.get("also", [])]
    if question["kind"] == "unanswerable":
        assert not question["answers"]
        assert len(places) == 1
        assert "lines" not in question
        return
    for place in places:
        first, last = place["lines"]
        lines = (CORPUS / place["note"]).read_text(encoding="utf-8").split("\n")
        assert 1 <= first <= last <= len(lines)
        text = " ".join(" ".join(lines[first - 1 : last]).split())
        assert place["answers"]
        assert [each for each in place["answers"] if each not in text] == []


def test_the_set_holds_what_it_is_for():
    kinds = Counter(each["kind"] for each in QUESTIONS)
    answered = sum(kinds.values()) - kinds["unanswerable"]
    assert kinds["unanswerable"] == 15
    assert answered >= 60
    assert kinds["explain"] + kinds["compare"] + kinds["list"] >= answered / 3
    assert len({each["question"] for each in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_every_link_leads_somewhere(note: Path):
    for link in re.findall(r"\[\[([^\]|]+)", note.read_text(encoding="utf-8")):
        name, _, heading = link.partition("#")
        target = NOTES[name.casefold()]
        headings = re.findall(r"^#+ (.*?)\s*$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in headings, link
