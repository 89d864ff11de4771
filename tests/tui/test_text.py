"""Text made fit for a terminal."""

from __future__ import annotations

import pytest
from textual.content import Span

from tui.text import (
    ago,
    clean,
    find_quote,
    highlighted,
    one_line,
    shorten,
    time_left,
    written_place,
)
from tui.widgets.status_line import fit

ESCAPES = "a\x1b[31mred\x1b]0;title\x07\x9b2J\rb\x00\u202eevil\u2066"


def test_nothing_that_a_terminal_obeys_is_left() -> None:
    assert clean(ESCAPES) == "a[31mred]0;title2Jbevil"
    assert clean("tab\there\nnew") == "tab    here\nnew"
    clean("caf\udce9.md").encode()  # a file name that is not UTF-8


@pytest.mark.parametrize("cut", range(len(ESCAPES) + 1))
def test_cleaning_parts_is_cleaning_the_whole(cut: int) -> None:
    assert clean(ESCAPES[:cut]) + clean(ESCAPES[cut:]) == clean(ESCAPES)


def test_one_line_and_shorten() -> None:
    assert one_line(" a\n b\t c ") == "a b c"
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"
    assert shorten("日本語", 6) == "日本語"
    assert shorten("日本語", 5) == "日本…"
    assert shorten("日本語", 4) == "日…"
    assert written_place("a\n.md", 3, 3) == "a .md:3"
    assert written_place("a.md", 3, 5) == "a.md:3–5"
    assert written_place("a.ipynb", 3, 5, "cell 2") == "a.ipynb:3–5 (cell 2)"
    assert written_place("a.pdf", 3, 5, "p. 4") == "a.pdf, p. 4"
    assert written_place("Letter.DOCX", 3, 5) == "Letter.DOCX"


def test_quotes_are_found_across_line_breaks() -> None:
    text = "One two\nthree. Four (five)."
    assert find_quote(text, "Four (five).") == (15, 27)
    assert find_quote(text, "two three.") == (4, 14)
    assert find_quote(text, "six") is None
    assert find_quote(text, " ") is None


def test_highlights_fit_the_cleaned_text() -> None:
    content = highlighted("x\x1b[1m\tabc def", [((6, 9), "bold"), ((6, 13), "underline")])
    assert content.plain == "x[1m    abc def"
    assert content.spans == [Span(8, 11, "bold"), Span(11, 15, "underline")]
    assert highlighted("abc", [((-5, 99), "bold")]).spans == [Span(0, 3, "bold")]


def test_phrases() -> None:
    assert [ago(s) for s in (3, 200, 4000, 90000, 999999)] == [
        "just now",
        "3 min ago",
        "1 hour ago",
        "1 day ago",
        "11 days ago",
    ]
    assert [time_left(s) for s in (0.2, 40, 120, 9000)] == [
        "1 s left",
        "40 s left",
        "about 2 min left",
        "about 2 h left",
    ]


def test_status_drops_the_least_useful_first() -> None:
    left, right = ["ready", "4 notes", "9 passages", "indexed just now"], ["Model", "3 tok/s"]
    assert fit(left, right, 99) == (
        "ready · 4 notes · 9 passages · indexed just now",
        "Model · 3 tok/s",
    )
    assert fit(left, right, 55) == ("ready · 4 notes · indexed just now", "Model · 3 tok/s")
    assert fit(left, right, 45) == ("ready · indexed just now", "Model · 3 tok/s")
    assert fit(left, right, 6) == ("ready", "")
    assert fit(left, right, 3) == ("re…", "")
