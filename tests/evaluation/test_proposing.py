"""Questions made from notes: what is asked, and that the answer stands where they say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from rag.evaluation.missing import near_misses
from rag.evaluation.proposal import Kind, Proposal
from rag.evaluation.proposing import checked, choose, propose
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
    assert answers["What does Must mean in my notes on Cider?"] == (
        "the juice before it ferments, skins and all",
        17,
    )
    assert "What do my notes say about Cider?" in answers
    assert len(answers) == 5, "not: What is it? What is the result? Can it freeze?"


HEADINGS = """# Mill: {drafts}

## Why it burnt

The thatch was dry, and a spark from the forge flew over. Nobody saw it in time.

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

[[People/Weber|Jonas Weber]] bought the mill and both of the meadows in 1830.
""".replace("{", "[").replace("}", "]")


def test_questions_are_such_as_a_person_asks():
    found = proposals(HEADINGS, "mill.md")
    assert {question: each.answer for question, each in found.items()} == {
        "What do my notes on Mill say about why it burnt?": "The thatch was dry, and a spark from "
        "the forge flew over.",
        "What happened in 1821, according to my notes on Mill?": "the mill is rebuilt with two "
        "wheels.",
        "Who bought the mill and both of the meadows in 1830?": "Jonas Weber",
        "When did Jonas Weber buy the mill and both of the meadows?": "1830",
        "Who or what bought the mill and both of the meadows in 1830?": "Jonas Weber",
    }


TOLD = """---
price: 640 €
---
# Kitchen fridge

- **Brand:** Liebherr
- Bought: 2021

| Device | Noise | Warranty until | Marked |
| --- | --- | --- | --- |
| Fridge | 39 dB | 2027-05-01 | yes |
| Dishwasher | 44 dB | 2026-01-12 | |
| Kettle | 50 dB | | |
| Kettle | 61 dB | | |

Our boat was built in 1987 by Jonas Weber in Bremen. The mooring in Kiel costs 420 euros a year.
In 1996, the North Sea Club was founded by sailors. Aunt Marta was born in Lisbon.
The red Volvo is kept in the barn behind the mill. Kiel Harbour has 240 berths for guests.
The length of the Elbe is about 1094 km. Aunt Marta is a retired teacher of music.
The North Sea Club (NSC) is a society of people who sail old boats.
"""


def test_who_when_where_how_many_and_cells():
    assert {question: each.answer for question, each in proposals(TOLD, "kf_2.md").items()} == {
        "What is the price of Kitchen fridge?": "640 €",
        "What is the brand of Kitchen fridge?": "Liebherr",
        "What is the noise of Fridge?": "39 dB",
        "What is the noise of Dishwasher?": "44 dB",
        "When was our boat built?": "1987",
        "Who built our boat in 1987 in Bremen?": "Jonas Weber",
        "How much does the mooring in Kiel cost?": "420 euros a year",
        "When was the North Sea Club founded by sailors?": "1996",
        "Where was Aunt Marta born?": "Lisbon",
        "Where is the red Volvo kept?": "the barn behind the mill",
        "How many berths does Kiel Harbour have?": "240 berths",
        "What is the length of the Elbe?": "1094 km",
        "Who is Aunt Marta?": "a retired teacher of music",
        "What is the North Sea Club?": "a society of people who sail old boats",
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "June was a month of heavy rain in the south of the country.",
        "Most other AI systems are a waste of money for small companies.",
        "To the south is a range of hills that nobody has ever climbed.",
        "Fraud is a problem in many fields of work and of trade.",
        "It was built in 1987 by somebody whom nobody knew.",
        "The result was sold in 1987 to a man from the coast.",
        "Headquartered in Bremen are the makers of the best sails.",
        "Among other grand ceremonies was a double coronation in the old church.",
        "A fundamental error was the belief that a force keeps things in motion.",
        "Newly built houses in the north have two floors and a cellar.",
    ],
)
def test_what_a_rule_would_get_wrong_is_not_asked(sentence: str):
    assert proposals(f"# utf16\n\n{sentence}\n", "utf16.md") == {}


@pytest.mark.parametrize("heading", ["Overview", "notes_final.md", "We did it all in one day."])
def test_the_name_of_a_file_and_a_bare_heading_are_no_subjects(heading: str):
    told = "We walked along the river for three hours, and then it began to rain so that we ran."
    assert proposals(f"## {heading}\n\n{told}\n", "utf16.md") == {}
    assert list(proposals(f"## Hailstones\n\n{told}\n", "utf16.md")) == [
        "What do my notes say about Hailstones?"
    ]


def test_near_misses_ask_for_what_stands_nowhere():
    found = proposals(TOLD, "fridge.md")
    missed = near_misses(found.values(), [TOLD], 8)
    assert len(missed) == 8
    assert len({each.question for each in missed}) == 8
    for each in missed:
        assert (each.kind, each.answer) == ("unanswerable", "")
        assert each.question not in found
        new = each.why.split("“")[-1].split("”")[0]
        assert new.casefold() not in TOLD.casefold(), each.why
        assert new.casefold() in each.question.casefold()
    assert near_misses(found.values(), [TOLD], 8) == missed
    assert near_misses(found.values(), [TOLD], 8, seed=1) != missed
    assert len(near_misses(found.values(), [TOLD], 99)) <= len(found)


def test_a_name_is_changed_where_a_person_would_change_it():
    def missed(question: str, told: str = "") -> str:
        base = Proposal(question, "x", "a.md", 1, 1, "who")
        (each,) = near_misses([base], [f"{question} {told}"], 1)
        return each.question

    assert missed("Who married Katharina von Bora?").startswith("Who married Katharina von ")
    assert missed("Who leads the University of Oslo?").startswith("Who leads the University of ")
    assert missed("Who built the Weser Bridge?", "a bridge").endswith(" Bridge?")
    assert "GPT-" in missed("Who wrote GPT-3?")
    assert "in 1987" not in missed("Who built the boat in 1987?")


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
        return [Proposal(f"{note} {n}?", "x", note, n, n, "when") for n in range(count)]

    by_note = [of("long.md", 50), of("a.md", 1), of("b.md", 2), []]
    chosen = choose(by_note, 5)
    assert [each.note for each in chosen].count("long.md") == 2
    assert {each.note for each in chosen} == {"long.md", "a.md", "b.md"}
    assert choose(by_note, 5) == chosen
    assert choose(by_note, 5, seed=1) != chosen
    assert len(choose(by_note, 500)) == 53


def test_chosen_of_as_many_kinds_as_can_be():
    def of(kind: Kind, count: int) -> list[Proposal]:
        return [Proposal(f"{kind} {n}?", "x", "a.md", n, n, kind) for n in range(count)]

    chosen = choose([[*of("heading", 50), *of("when", 4), *of("cell", 40)]], 12)
    assert Counter(each.kind for each in chosen) == {"heading": 4, "when": 4, "cell": 4}
    assert not choose([of("who", 3), of("who", 3)], 6), "what two notes answer is not asked"


@pytest.mark.parametrize(
    "text", ["", "\n", "# Only a title\n", "- a\n- b\n", "```\nx is a y z.\n```\n"]
)
def test_notes_that_say_too_little(text: str):
    assert proposals(text) == {}


@pytest.mark.model
def test_the_file_can_be_measured_with(box: Box):
    (box.notes / "cider.md").write_text(NOTE)
    file = box.folder / "made.jsonl"
    (box.notes / "fridge.md").write_text(TOLD)
    done = box.rag("eval", "--make", "10", "--by-rule", "made.jsonl")
    assert done.returncode == 0
    assert "10 questions in made.jsonl: " in done.stderr
    assert "2 unanswerable" in done.stderr
    assert "rag eval --answers made.jsonl" in done.stderr
    assert not file.stat().st_mode & 0o111, "questions are no program"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 10
    assert {row["note"] for row in rows} == {"barrel.md", "cider.md", "fridge.md"}
    answered = [each for each in load_questions(file, box.notes) if each.answers]
    assert [bool(row["answers"]) for row in rows].count(False) == 10 - len(answered) == 2
    assert all(("why" in row) != bool(row["answers"]) for row in rows)
    for question in answered:
        first, last = question.gold or (0, 0)
        lines = (box.notes / question.note).read_text().split("\n")
        assert checked(
            [Proposal("?", question.answers[0], question.note, first, last, "heading")],
            "\n".join(lines),
        )
    measured = box.rag("eval", "made.jsonl", "--answers", "--quote", "--json")
    assert json.loads(measured.stdout)["answerable"] == 8
    assert "abstained_right" in json.loads(measured.stdout)
    assert "is not known" not in measured.stderr
    file.write_text("".join(json.dumps(row) + "\n" for row in rows if row["answers"]))
    without = box.rag("eval", "made.jsonl", "--answers", "--quote")
    assert "How often it refuses rightly is not known" in without.stderr
    done = box.rag("eval", "--make", "500", "--by-rule", "more.jsonl")
    assert "all that these notes gave of 500: " in done.stderr
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
