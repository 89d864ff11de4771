"""A number answers for the thing that is counted."""

from __future__ import annotations

import pytest

from rag.answering.counts import counted, measures, number_of, with_unit
from rag.answering.phrases import find_phrase
from rag.retrieval.found import Evidence, Passage

TEXT = "It learned 3.3 billion tokens (words) in total, held by 340 million parameters."
OTHER = "The first one has 12 hidden layers and seven gates."


def evidence(*texts: str) -> list[Evidence]:
    return [Evidence(n, text, 1, 1, 0, len(text), 1.0, 0.7) for n, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("How many layers does it have?", "layers"),
        ("On how many tokens was BERT trained?", "tokens"),
        ("How many human languages can BLOOM write?", "languages"),
        ("How many of them are green?", ""),
        ("Who made it?", ""),
        ("How many", ""),
    ],
)
def test_what_a_question_counts(question: str, thing: str):
    assert counted(question) == thing


def test_the_number_before_the_thing():
    read = evidence(TEXT, OTHER)
    assert number_of("tokens", read) == ("3.3 billion", read[0])
    assert number_of("layers", read) == ("12", read[1])
    assert number_of("gates", read) == ("seven", read[1])
    assert number_of("heads", read) is None


@pytest.mark.parametrize(
    ("question", "said", "answer"),
    [
        ("How many tokens did it learn?", "340 million [1]", "3.3 billion [1]"),
        ("How many layers does the first have?", "seven [2]", "12 [2]"),
        ("How many parameters hold it?", "340 million [1]", "340 million [1]"),
        ("How many heads has it?", "seven [2]", "seven [2]"),
        ("How much does it hold?", "340 million [1]", "340 million [1]"),
    ],
)
def test_a_number_of_another_thing_gives_way(question: str, said: str, answer: str):
    read = evidence(TEXT, OTHER)
    passages = [
        Passage(n, "x.md", "X", (), 1, 1, each.text, 1.0, 0.7, 1.0)
        for n, each in enumerate(read, 1)
    ]
    found = find_phrase(said, passages, read, question)
    assert found is not None
    assert found.text == answer


@pytest.mark.parametrize(
    ("phrase", "question", "wrong"),
    [
        ("250 g", "How many people does the dal serve?", True),
        ("3 metres", "How many boards do we need?", True),
        ("40%", "How many members came?", True),
        ("25 minutes", "How many lentils do I need?", True),
        ("25 minutes", "How many minutes does it take?", False),
        ("4", "How many people does it serve?", False),
        ("four people", "How many people does it serve?", False),
        ("250 g", "How many grams of lentils?", False),
        ("12 litres", "How many litres does it hold?", False),
        ("10 km", "How many kilometers did I run?", False),
        ("300 m", "How many meters tall is the tower?", False),
        ("25%", "How many percent of users left?", False),
        ("200 °C", "How many degrees does the oven need?", False),
        ("25 €", "How many euros does Tom owe me?", False),
        ("5 M", "How many users are there?", False),
    ],
)
def test_a_weight_or_a_length_counts_no_things(phrase: str, question: str, wrong: bool):
    assert measures(phrase, question) is wrong


@pytest.mark.parametrize(
    ("phrase", "text", "said"),
    [
        ("90", "Fresh water: 90 L tank under the port settee", "90 L"),
        ("2.3", "Tyres: 2.3 bar front, 2.5 bar rear", "2.3 bar"),
        ("19", "It was 19°C at noon", "19°C"),
        ("5", "The 5 Vikings had 15 V in 2.5 h", "5"),  # neither "V" nor "h" is the 5's
        ("1990", "Built in 1990 by hand", "1990"),
        ("many", "many kg", "many"),
    ],
)
def test_a_number_has_its_unit(phrase: str, text: str, said: str):
    (read,) = evidence(text)
    assert with_unit(phrase, read) == said


@pytest.mark.parametrize(
    ("phrase", "text", "said"),
    [
        ("11oz", "Born at 04.12, 7lb 11oz, in the spare room", "7lb 11oz"),
        ("7lb", "Born at 04.12, 7lb 11oz, in the spare room", "7lb 11oz"),
        ("20 minutes", "It took us 1 hour and 20 minutes to get there", "1 hour and 20 minutes"),
        ("3y", "Found at 3y 2m, missed at birth", "3y 2m"),
        ("20 minutes", "20 minutes by bus, 1 hour and 20 minutes on foot", "20 minutes"),
        ("300 m", "In 2 days 300 m were dug", "300 m"),
        ("7h", "17h 5m out, 7h 10m back", "7h 10m"),
        ("2 pounds", "Add the 1st 2 pounds of flour", "2 pounds"),
    ],
)
def test_an_amount_in_two_units_is_whole(phrase: str, text: str, said: str):
    passage = Passage(1, "x.md", "X", (), 1, 1, text, 1.0, 0.7, 1.0)
    found = find_phrase(f"{phrase} [1]", [passage], evidence(text), "How much was it?")
    assert found is not None
    assert found.text == f"{said} [1]"
