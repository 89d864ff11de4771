"""SQuAD's normalisation, gold answers in texts, and answers in passages."""

from __future__ import annotations

import pytest

from rag.evaluation.matching import bears_out, exact, holds, normalise, token_f1, unmarked


def test_normalise_as_squad_does():
    assert normalise("  The U.S. Army, an\tArmy!") == "us army army"
    assert normalise("well-known theatre") == "wellknown theatre"


@pytest.mark.parametrize(
    ("text", "answer", "held"),
    [
        ("The Pauli exclusion principle.[1] It says", "Pauli exclusion principle", True),
        ("In the U.S. it was", "US", True),
        ("See [[GPT-4|the large model]] there.", "large model", True),
        ("**Théâtre D'opéra** Spatial", "Théâtre D'opéra Spatial", True),
        ("It was 1957.", "195", False),
        ("partial art", "art", True),
        ("partial", "art", False),
        ("anything", "the", False),
    ],
)
def test_holds(text: str, answer: str, held: bool):
    assert holds(text, ["no such thing", answer]) is held


def test_exact_and_f1():
    assert exact("The barrel.", ["a cask", "Barrel"])
    assert not exact("300 litres", ["300"])
    # 2 of 3 words said are gold, 2 of 2 gold are said: 2 * 2 / (3 + 2)
    assert token_f1("about 300 litres", ["400", "300 litres"]) == pytest.approx(0.8)
    assert token_f1("litres litres", ["litres"]) == pytest.approx(2 / 3)
    assert token_f1("nothing", ["300"]) == 0.0


def test_marks_are_taken_out():
    assert unmarked("It holds 300. [1] It is green [2, as [12]") == (
        "It holds 300. It is green [2, as"
    )


def test_a_passage_bears_out_an_answer():
    text = "The rain barrel behind the old shed holds 300 litres when it is full."
    assert bears_out(text, "300 litres")
    assert not bears_out(text, "litres 300")
    # Content words: rain barrel behind old shed holds 300 litres; then one foreign of nine
    assert bears_out(text, "The rain barrel behind the old shed holds some 300 litres.")
    assert not bears_out(text, "The bees behind the old shed gave honey, about 300 litres a year.")
