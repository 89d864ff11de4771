"""Whole lists of a note that a question names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.items import find_items, find_wanted, led_note, named_note
from rag.answering.steps import Sentence
from rag.indexing.lexical import analyzer
from rag.retrieval.found import Passage

PACKING = "## Clothes\n- rain jacket\n- socks\n  of wool\n\nAnd:\n\n- hat\n- scarf\n"
PANCAKES = "## Ingredients\n- 200 g flour\n- 2 eggs\n\n## Method\n1. Whisk.\n2. Fry.\n"
SOUP = "For it you need:\n1. a pumpkin\n2. an onion\n\nAnd time.\n\n- only one\n"
FEES = "\n- Gym: 39 €\n  - until May\n- Music: 11 €\n- Paper: 13 €\n"
SERVERS = "| Name | RAM |\n|---|---|\n| alpha | 16 |\n| beta | 64 |\n"
SHED = "- boards\n- nails\n"
PASSAGES = [
    Passage(1, "Packing list.md", "Packing list", (), 3, 11, PACKING, 1.0, 0.5, None),
    Passage(2, "r/Pancakes.md", "Pancakes", ("Pancakes",), 5, 11, PANCAKES, 0.9, 0.5, None),
    Passage(3, "r/Soup.md", "Pumpkin soup", (), 1, 5, SOUP, 0.8, 0.5, None),
    Passage(4, "Shed.md", "Garden shed", (), 1, 2, SHED, 0.7, 0.5, None),
    Passage(5, "House.md", "Garden house", (), 1, 2, SHED, 0.7, 0.5, None),
    Passage(7, "Fees.md", "Subscriptions", (), 2, 6, FEES, 0.7, 0.5, None),
    Passage(8, "Servers.md", "Servers", (), 1, 4, SERVERS, 0.7, 0.5, None),
    Passage(6, "Fish soup.md", "Fish soup", (), 1, 1, "Fish.", 0.7, 0.5, None),
]


def analyze(text: str) -> list[str]:
    return list(analyzer().analyze(text))


def told(question: str, passages: list[Passage] = PASSAGES) -> tuple[Sentence, ...]:
    """The lists that a question asks for."""
    wanted = find_wanted(question)
    path = named_note(wanted, passages, analyze) if wanted else ""
    return find_items(wanted, path, passages, analyze) if wanted and path else ()


def found(question: str) -> list[tuple[str, int, int]]:
    """The paths and lines of the lists that a question asks for."""
    sentences = told(question)
    assert all(each.support == "supported" for each in sentences)
    return [(one.path, one.first, one.last) for each in sentences for one in each.citations]


@pytest.mark.parametrize(
    ("question", "lists"),
    [
        ("What's on my packing list?", [("Packing list.md", 4, 6), ("Packing list.md", 10, 11)]),
        ("What do I need to pack?", [("Packing list.md", 4, 6), ("Packing list.md", 10, 11)]),
        ("Which subscriptions do I have?", [("Fees.md", 3, 6)]),
        ("List my subscriptions", [("Fees.md", 3, 6)]),
        ("What servers are there?", [("Servers.md", 1, 4)]),
        ("What does the garden shed contain?", [("Shed.md", 1, 2)]),
        ("What goes into the pancakes?", [("r/Pancakes.md", 6, 7)]),
        ("Which ingredients do I need for pancakes?", [("r/Pancakes.md", 6, 7)]),
        ("What are the ingredients of the pancakes?", [("r/Pancakes.md", 6, 7)]),
        ("What ingredients does the pancake recipe need?", [("r/Pancakes.md", 6, 7)]),
        ("List the ingredients for pancakes", [("r/Pancakes.md", 6, 7)]),
        ("ingredients of the pancakes", [("r/Pancakes.md", 6, 7)]),
        ("steps for pancakes", [("r/Pancakes.md", 10, 11)]),
        ("What are the steps of the pancake recipe?", [("r/Pancakes.md", 10, 11)]),
        ("What do I need to make pumpkin soup?", [("r/Soup.md", 2, 3)]),
        ("What do I need to buy for pumpkin soup?", [("r/Soup.md", 2, 3)]),
    ],
)
def test_the_list_of_the_note_that_is_named(question: str, lists: list[tuple[str, int, int]]):
    assert found(question) == lists


@pytest.mark.parametrize(
    "question",
    [
        "What goes into the soup?",  # of two
        "What does the garden contain?",
        "What do I need for the garden shed?",
        "What is in the garden shed?",  # its list may be of anything
        "What do I need for pancakes with blueberries?",
        "What do I need?",
        "What is on television?",
        "How many eggs do I need for pancakes?",
        "What does the fish soup contain?",
        "What is the method of the pancakes?",
    ],
)
def test_what_names_no_note_or_more_is_another_question(question: str):
    assert found(question) == []


def test_items_and_rows_are_counted_without_those_inside_them():
    for question, count in (
        ("How many subscriptions do I have?", "3 [6]"),
        ("How many servers are there?", "2 [7]"),
    ):
        (sentence,) = told(question)
        assert sentence.text == count
    assert told("How many packing lists do I have?") == ()  # of two lists
    assert told("How many gardens do I have?") == ()  # a garden shed is none


def test_a_list_goes_on_in_the_next_passage_and_over_blank_lines():
    parts = ["- one\n\n- two", "- three\n- [x] four\n\nNo more.\n", "- five\n- six\n"]
    passages = [
        Passage(n, "Jobs.md", "Jobs list", (), 4 * n, 4 * n + 3, text, 1.0, 0.5, None)
        for n, text in reversed([*enumerate(parts, 1)])
    ]
    first, second = told("What's still on my jobs list?", passages)
    assert first.text == "- one\n- two\n- three\n[3] [2]"
    assert [(each.first, each.quote) for each in first.citations] == [
        (4, "- one\n\n- two"),
        (8, "- three\n- [x] four"),
    ]
    assert second.text == "- five\n- six\n[1]"
    assert told("How many jobs do I have?", passages[1:])[0].text == "4 [2] [1]"


def test_fields_of_the_front_matter_are_no_list():
    front = Passage(1, "Bikes.md", "Bikes", (), 2, 4, "friends:\n  - Ann\n  - Bob", 1.0, 0.5, None)
    assert told("Which bikes do I have?", [front]) == ()


def test_ingredients_of_all_parts_are_told_and_nothing_else():
    text = (
        "## Equipment needed\n- a dish\n- a whisk\n\n## Ingredients for the dough\n- flour\n"
        "- water\n\n## Ingredients for the filling\n- apples\n- sugar\n"
    )
    pie = Passage(1, "Pie.md", "Apple pie", (), 1, 11, text, 1.0, 0.5, None)
    dough, filling = told("What are the ingredients of the apple pie?", [pie])
    assert (dough.text, filling.text) == ("- flour\n- water\n[1]", "- apples\n- sugar\n[1]")
    assert len(told("What do I need for the apple pie?", [pie])) == 3


def test_a_list_ends_with_its_section():
    parts = (("Ingredients", "- flour\n- eggs"), ("Method", "1. Whisk.\n2. Fry."))
    passages = [
        Passage(n, "C.md", "Crepes", (heading,), 3 * n, 3 * n + 1, text, 1.0, 0.5, None)
        for n, (heading, text) in enumerate(parts, 1)
    ]
    (sentence,) = told("What goes into the crepes?", passages)
    assert sentence.text == "- flour\n- eggs\n[1]"


SHOP = Passage(2, "Shop.md", "Shopping", (), 1, 3, "To buy:\n- rice\n- oil\n", 1.0, 0.5, None)
KIT = (
    "Checked in May.\n\nGrab bag holds:\n- handheld VHF\n- 2 L water\n\n- [ ] check drain\n"
    "- [x] pump\n\nLocker:\n- rope\n- buoy\n"
)


@pytest.mark.parametrize(
    ("question", "items"),
    [
        ("what's packed in the grab bag?", "- handheld VHF\n- 2 L water"),
        ("What is in my grab bag?", "- handheld VHF\n- 2 L water"),
        ("what does the grab bag contain", "- handheld VHF\n- 2 L water"),
        ("what's in the locker", "- rope\n- buoy"),
        ("what's in the blue bag?", ""),
        ("what's in the grab bag of the dinghy?", ""),
        ("who packed the grab bag?", ""),
    ],
)
def test_a_line_leads_to_the_list(question: str, items: str):
    kit = Passage(1, "Kit.md", "Safety kit", (), 2, 14, KIT, 1.0, 0.5, None)
    wanted = find_wanted(question)
    path = led_note(wanted, [[SHOP], [kit]], analyze) if wanted else ""
    assert path == ("Kit.md" if items else "")
    if wanted and path:
        (sentence,) = find_items(replace(wanted, led=True), path, [SHOP, kit], analyze)
        assert sentence.text == f"{items}\n[2]"
        assert led_note(wanted, [[kit], [replace(kit, path="Old kit.md")]], analyze) == ""


KNEE = (
    "MRI in May.\n\nExercises (still meant to do!)\n1. leg raise\n2. wall sit\n\n- seen by Ed\n"
    "- ran 3 km\n"
)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("which knee exercises am I supposed to do", True),
        ("what exercises do I need to do for my knee?", True),
        ("Which exercises did I do for the ankle?", False),
        ("which knee exercises did Ed show me", False),
        ("which knee pills am I supposed to take", False),
    ],
)
def test_a_line_heads_the_list_of_a_note(question: str, told: bool):
    knee = Passage(1, "Health/Knee.md", "Knee (right)", (), 2, 8, KNEE, 1.0, 0.5, None)
    wanted = find_wanted(question)
    path = led_note(wanted, [[SHOP], [knee]], analyze) if wanted else ""
    assert bool(path) == told
    if wanted and path:
        (sentence,) = find_items(wanted, path, [SHOP, knee], analyze)
        assert sentence.text == "1. leg raise\n2. wall sit\n[2]"


def test_items_are_quoted_as_they_stand():
    (sentence,) = told("What goes into the pancakes?")
    assert sentence.text == "- 200 g flour\n- 2 eggs\n[2]"
    assert sentence.citations[0].quote == "- 200 g flour\n- 2 eggs"
