"""Texts in other than Latin letters."""

import pytest

from rag.reading.scripts import in_other_script

RUSSIAN = "Мы долго жили в старом городе у реки. "


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Plain English, and nothing else.", False),
        ("“Çà et là” — l'été, größer, Łódź, Việt Nam", False),
        (RUSSIAN, True),
        ("東京都庁は新宿にある。", True),
        ("# Notes\n\nनमस्ते दुनिया", True),
        ("مرحبا بالعالم", True),
        ("서울에서 부산까지", True),
        ("See the river: река. It runs through the old part of the town.", False),
        ("The sum of α and β over ∑ is γ·δ, in all cases that matter here.", False),
        (RUSSIAN + "An English sentence.", True),
        (RUSSIAN + "An English sentence. " * 8, False),
        ("☃ 12 — …", False),
        ("", False),
    ],
)
def test_which_texts_are_in_another_script(text, other):
    assert in_other_script(text) == other
