"""Questions made from notes: what is asked, and that the answer stands where they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.evaluation.proposing import Proposal, checked, choose, propose
from rag.evaluation.questions import load_questions
from rag.evaluation.sensible import sensible
from rag.indexing.lexical import Words
from rag.reading.documents import parse_document
from tests.conftest import Box

NOTE = """# Cider

A cider press is a machine that squeezes juice out of crushed apples, by hand or by motor.
It is a heavy thing. The Bramley is an apple for cooking that was found in Southwell.
The result is a brown juice.

## 2. Yeast

The yeast of last year slept in [[Cellar log|the cellar]] until we woke it with sugar in March.

## Can it freeze?

Below minus two degrees the cider turns to slush within a night.

## Words

- **Must**: the juice before it ferments, skins and all
- plain item
"""


def proposals(text: str = NOTE, path: str = "cider.md") -> dict[str, Proposal]:
    found = checked(propose(parse_document(path, text)), text)
    return {each.question: each for each in found}


def test_what_is_asked():
    found = proposals()
    answers = {question: (each.answer, each.first) for question, each in found.items()}
    assert answers["What is a cider press?"] == (
        "a machine that squeezes juice out of crushed apples",
        3,
    )
    assert answers["What is the Bramley?"][1] == 4
    assert answers["What do my notes on Cider say about Yeast?"][1] == 9
    assert answers["Can it freeze?"] == (
        "Below minus two degrees the cider turns to slush within a night.",
        13,
    )
    assert answers["What do my notes on Cider say about Must?"] == (
        "the juice before it ferments, skins and all",
        17,
    )
    (gap,) = [each for each in found.values() if each.kind == "link"]
    assert gap.answer == "the cellar"
    assert "slept in ___ until" in gap.question
    assert not {"What is it?", "What is the result?"} & found.keys()


HEADINGS = """# Mill: {drafts}

## Why it burnt

The thatch was dry, and a spark from the forge flew over.

## A verse to copy

```
Turn, wheel, turn.
```

Beware of the third line, which is not ours.

## The wheel

It was made of elm. Two men carried it.

## Timeline

- **1821**: the mill is rebuilt with two wheels. It opens in May.
- **Race** and **sluice** are cleaned in spring by the miller.

## Owners

[[People/Weber|Jonas Weber]] bought the mill and both of its meadows in 1830.
""".replace("{", "[").replace("}", "]")


def test_questions_are_such_as_a_person_asks():
    found = proposals(HEADINGS, "mill.md")
    assert {question: each.answer for question, each in found.items()} == {
        "What do my notes on Mill say about why it burnt?": "The thatch was dry, and a spark from "
        "the forge flew over.",
        "What happened in 1821, according to my notes on Mill?": "the mill is rebuilt with two "
        "wheels.",
        "Who or what bought the mill and both of its meadows in 1830?": "Jonas Weber",
        "What do my notes on Mill say about Owners?": "Jonas Weber bought the mill and both of "
        "its meadows in 1830.",
    }


def test_a_link_that_a_sentence_begins_with_is_asked_for():
    text = "# Mill\n\n- a\n\n[[Weber]] planted the row of old lime trees along the race.\n"
    (asked,) = proposals(text, "mill.md").values()
    assert (asked.question, asked.answer) == (
        "Who or what planted the row of old lime trees along the race?",
        "Weber",
    )


CIDER = (
    "A cider press squeezes juice out of apples. Messages are JSON-RPC 2.0. Transport is stdio. "
    "Cider is the best of drinks, and apples are cheap."
)


@pytest.mark.parametrize(
    ("question", "answer", "kept"),
    [
        ("What does a cider press squeeze out of apples?", "juice", True),
        ("What kind of fruit is used?", "apples", False),  # of what the text does not say
        ("What's the difference between cider and cider?", "juice out of apples", False),
        ("What does it squeeze out of apples?", "juice", False),
        ("What is JSON-RPC 2.0?", "stdio", False),  # it says something, but not what that is
        ("What is the transport?", "stdio", True),
        ("What is the best of drinks?", "Cider", True),  # it stands before what it is
        ("What is the best of drinks?", "apples", False),
        ("What juice does a cider press squeeze?", "cider juice", False),  # given away
        ("What does a cider press squeeze?", "Those are apples", False),
    ],
)
def test_what_a_model_asked_is_kept_where_it_makes_sense(question: str, answer: str, kept: bool):
    assert sensible(question, answer, CIDER, CIDER, Words()) is kept


def test_an_answer_must_stand_in_the_text_and_not_in_the_question():
    good = Proposal("What is a press?", "a machine", "a.md", 3, 3, "definition")
    elsewhere = Proposal("What is a press?", "a machine", "a.md", 4, 4, "definition")
    told = Proposal("Is a press a machine?", "a machine", "a.md", 3, 3, "model")
    text = "# A\n\nA press is a machine.\nMore.\n"
    assert checked([good, elsewhere, told], text) == [good]


def test_chosen_from_as_many_notes_as_can_be():
    def of(note: str, count: int) -> list[Proposal]:
        return [Proposal(f"{note} {n}?", "x", note, 1, 1, "heading") for n in range(count)]

    by_note = [of("long.md", 50), of("a.md", 1), of("b.md", 2), []]
    chosen = choose(by_note, 5)
    assert [each.note for each in chosen].count("long.md") == 2
    assert {each.note for each in chosen} == {"long.md", "a.md", "b.md"}
    assert choose(by_note, 5) == chosen
    assert choose(by_note, 5, seed=1) != chosen
    assert len(choose(by_note, 500)) == 53


@pytest.mark.parametrize(
    "text", ["", "\n", "# Only a title\n", "- a\n- b\n", "```\nx is a y z.\n```\n"]
)
def test_notes_that_say_too_little(text: str):
    assert proposals(text) == {}


@pytest.mark.model
def test_the_file_can_be_measured_with(box: Box):
    (box.notes / "cider.md").write_text(NOTE)
    file = box.folder / "made.jsonl"
    done = box.rag("eval", "--make", "8", "--by-rule", "made.jsonl")
    assert done.returncode == 0
    assert "rag eval" in done.stderr
    assert not file.stat().st_mode & 0o111, "questions are no program"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 8
    assert {row["note"] for row in rows} == {"barrel.md", "bees.md", "cider.md", "trips/rhine.md"}
    for question in load_questions(file, box.notes):
        first, last = question.gold or (0, 0)
        lines = (box.notes / question.note).read_text().split("\n")
        assert checked(
            [Proposal("?", question.answers[0], question.note, first, last, "heading")],
            "\n".join(lines),
        )
    box.refused("eval", "--make", "8", "made.jsonl", says="is there already")
    box.refused("eval", "--make", "0", "new.jsonl", says="out of range")
    assert not Path(box.folder / "new.jsonl").exists()


@pytest.mark.model
def test_files_that_are_no_notes_here_are_not_asked_about(box: Box):
    from rag.evaluation.making import make

    (box.notes / "cider.md").write_text(NOTE)
    (box.notes / "cider.txt").write_text(NOTE)
    file = box.folder / "made.jsonl"
    make(box.engine(notes_formats=("md",)), file, 99, by_model=False)
    asked = {json.loads(line)["note"] for line in file.read_text().splitlines()}
    assert "cider.md" in asked
    assert "cider.txt" not in asked


@pytest.mark.model
def test_the_model_proposes_what_the_notes_answer(box: Box, monkeypatch: pytest.MonkeyPatch):
    """A model that writes good and bad questions: those that the notes answer are kept."""
    from rag.evaluation import making

    (box.notes / "oak.md").write_text(
        "# Oak\n\nThe old oak behind the chapel was planted in 1794 by Jonas Weber, who later "
        "gave the whole meadow around it to the parish for a yearly feast.\n"
    )
    box.index()
    said = iter(["Who planted the old oak behind the chapel?", "Who won the chess cup in Riga?"])
    monkeypatch.setattr(making, "_written", lambda writer, block: next(said, ""))
    file = box.folder / "made.jsonl"
    making.make(box.engine(), file, 3)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    (kept,) = [row for row in rows if row["kind"] == "model"]
    assert kept["question"] == "Who planted the old oak behind the chapel?"
    assert kept["lines"] == [3, 3]
