"""Rows of tables as a reader that was taught sentences takes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.reading.rows import as_read, spoken

TABLE = (
    "Three *hives*.\n"
    "\n"
    "| Hive | Queen | Marked | Honey 2026 |\n"
    "|---|:--|---|---|\n"
    "| Agatha | 2025, **Carniolan** | blue | 21 kg |\n"
    "| [[Brunhilde\\|Bruni]] | | - | 14 kg |\n"
    "\n"
    "All are | well.\n"
)
AGATHA = "Hive: Agatha; Queen: 2025, Carniolan; Marked: blue; Honey 2026: 21 kg."


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_a_row_names_its_columns_and_leaves_out_what_is_empty():
    assert [squeezed(line) for line in as_read(TABLE).text.split("\n") if line.strip()] == [
        "Three hives .",
        AGATHA,
        "Hive: Bruni; Honey 2026: 14 kg.",
        "All are | well.",
    ]


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("21 kg", "21 kg"),
        ("Honey 2026: 21 kg", "21 kg"),  # the name of the column stands elsewhere
        ("2026: 21", "21"),
        ("Bruni", "Bruni"),
        ("hives", "hives"),
        ("All are | well", "All are | well"),
        ("21 kg.", "21 kg"),  # the full stop stands nowhere
        ("Marked", None),
        ("blue; Honey 2026: 21 kg", None),  # two cells are no phrase of the note
        ("blue; Hon", None),
    ],
)
def test_what_is_pointed_at_is_found_in_the_note(said: str, stands: str | None):
    shown = as_read(TABLE)
    start = shown.text.index(said)
    place = shown.span(start, start + len(said))
    assert (TABLE[slice(*place)] if place else None) == stands


def test_a_window_has_the_names_of_its_rows():
    start = TABLE.index("| Agatha")
    window = as_read(TABLE).window(start, TABLE.index("\n", start))
    assert squeezed(window.text) == AGATHA
    at = window.text.index("blue")
    assert window.span(at, at + 4) == (TABLE.index("blue"), TABLE.index("blue") + 4)
    assert as_read(TABLE).window(5, 5).text == ""


def test_rows_without_names_are_cells():
    assert as_read("| a | b \\| c |\n| d |  |").text == "a; b \\| c.\nd."


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("```\n| grep a\n```", ["", "| grep a.", ""]),  # code is no table
        ("~~~\n| a | b |\n|---|---|\n| 1 | 2 |\n~~~", ["", "| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("Hive | Honey\n--- | ---\nAgatha | 21 kg", ["Hive: Agatha; Honey: 21 kg."]),
        (
            "| Day | Done |\n|---|---|\n| Mon | swim |\n| - | - |\n| Tue | run |",
            ["Day: Mon; Done: swim.", "Day: Tue; Done: run."],  # an empty row is no rule
        ),
        ("ls | wc\nis a | pipe", ["ls | wc.", "is a | pipe."]),
    ],
)
def test_what_is_a_table(text: str, read: list[str]):
    lines = [line.strip() for line in as_read(text).text.split("\n")]
    assert [line for line in lines if line] == [line for line in read if line]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("- Oven\n- Fridge 20 L\n", "Oven. Fridge 20 L."),  # no sentence "Oven Fridge 20 L"
        ("## Hives\n\nThree:\n- one!", "Hives. Three: one!"),
        (
            "A long sentence, wrapped where the line is quite full\ngoes on. Another\nends here",
            "A long sentence, wrapped where the line is quite full goes on. Another. ends here.",
        ),
    ],
)
def test_a_line_ends_with_a_full_stop(text: str, read: str):
    assert squeezed(as_read(text).text) == read


def test_a_phrase_ends_with_its_line():
    shown = as_read("- Oven\n- Fridge 20 L\n")
    assert shown.span(*re.search("Oven.*Fridge", shown.text, re.DOTALL).span()) is None


@given(st.text(alphabet="ab |\\-:\n*[]", max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_every_letter_has_its_place(text: str, start: int, end: int):
    shown = as_read(text)
    assert len(shown.text) == len(shown.places)
    own = [(letter, at) for letter, at in zip(shown.text, shown.places, strict=True) if at >= 0]
    assert all(letter in (text[at], " ") for letter, at in own)  # a mark is read as a blank
    assert [at for _, at in own] == sorted({at for _, at in own})
    window = shown.window(start, end)
    assert all(start <= (at if at >= 0 else -1 - at) < end for at in window.places)
    if place := window.span(0, len(window.text)):
        assert start <= place[0] < place[1] <= end


def test_an_excerpt_is_read_as_one_line_without_marks():
    assert spoken("- [ ] **Milk**, see [[Shop|the shop]]") == "[ ] Milk, see the shop"
    assert spoken("| Hive | Honey |\n| --- | --- |\n| Agatha | 21 kg |").endswith(
        "Hive: Agatha; Honey: 21 kg"
    )
    assert spoken("| | RAG | Fine-tuning |") == "RAG; Fine-tuning"
    assert spoken("It rained.") == "It rained."
    assert spoken("") == ""
