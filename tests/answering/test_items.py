"""Whole lists of a note that a question names."""

from __future__ import annotations

import pytest

from rag.answering.items import find_items
from rag.indexing.lexical import analyzer
from rag.retrieval.search import Passage

PACKING = "## Clothes\n- rain jacket\n- socks\n  of wool\n\nAnd:\n\n- hat\n- scarf\n"
PANCAKES = "## Ingredients\n- 200 g flour\n- 2 eggs\n\n## Method\n1. Whisk.\n2. Fry.\n"
SOUP = "For it you need:\n1. a pumpkin\n2. an onion\n\n- only one\n"
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


def found(question: str) -> list[tuple[str, int, int]]:
    """The paths and lines of the lists that a question asks for."""
    analyze = analyzer().analyze
    sentences = find_items(question, PASSAGES, lambda text: list(analyze(text)))
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
        ("What do I need to make pumpkin soup?", [("r/Soup.md", 2, 3)]),
        ("What do I need for the garden shed?", [("Shed.md", 1, 2)]),
    ],
)
def test_the_list_of_the_note_that_is_named(question: str, lists: list[tuple[str, int, int]]):
    assert found(question) == lists


@pytest.mark.parametrize(
    "question",
    [
        "What goes into the soup?",  # of two
        "What does the garden contain?",
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
    analyze = analyzer().analyze
    for question, count in (
        ("How many subscriptions do I have?", "3 [6]"),
        ("How many servers are there?", "2 [7]"),
    ):
        (sentence,) = find_items(question, PASSAGES, lambda text: list(analyze(text)))
        assert sentence.text == count
    assert found("How many packing lists do I have?") == []  # of two lists


def test_items_are_quoted_as_they_stand():
    analyze = analyzer().analyze
    (sentence,) = find_items(
        "What goes into the pancakes?", PASSAGES, lambda text: list(analyze(text))
    )
    assert sentence.text == "- 200 g flour\n- 2 eggs\n[2]"
    assert sentence.citations[0].quote == "- 200 g flour\n- 2 eggs"
