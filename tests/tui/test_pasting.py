"""Keys and pastes as a terminal sends them, in whatever pieces they come."""

from __future__ import annotations

import pytest
from textual import events

from tui.pasting import PastedAsText

PASTED = "\x1b[200~a \x1b[31mred\x1b[0m one\n\x1b\x1b[20 \x11 two\x1b\x1b[201~"


def _events(pieces: list[str]) -> list[str]:
    parser = PastedAsText()
    found: list[str] = []
    for piece in pieces:
        for each in parser.feed(piece):
            if isinstance(each, events.Paste):
                found.append(each.text)
            elif isinstance(each, events.Key):
                found.append(each.key)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_what_is_pasted_is_no_keys(size: int) -> None:
    sent = f"x{PASTED}y\x1b[A{PASTED}z"
    text = "a [31mred[0m one\n[20 \x11 two"
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    assert _events(pieces) == ["x", text, "y", "up", text, "z"]


def test_escape_does_not_wait_for_a_paste() -> None:
    parser = PastedAsText()
    found = [*parser.feed("\x1b"), *parser.feed("\x1b")]
    assert [each.key for each in found if isinstance(each, events.Key)] == ["escape"]


def test_an_empty_paste_and_the_end_of_input() -> None:
    assert _events(["\x1b[200~\x1b[201~a"])[-1] == "a"
    parser = PastedAsText()
    list(parser.feed("\x1b[200~\x1b"))
    assert list(parser.feed("")) == []
