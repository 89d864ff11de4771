"""Sentences are verbatim, with their places; markup alone is none."""

import pytest

from rag.reading.sentences import find_spans, sentence_spans, split_sentences, whole_sentence

LIST = "It works in steps:\n\n- **First**, read.\n- Second, rank.\n\nThat is all. Really."


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("Dr. A. Smith met J. Doe. They spoke.", ["Dr. A. Smith met J. Doe. ", "They spoke."]),
        ("He said “Stop!” Then he left.", ["He said “Stop!” ", "Then he left."]),
        ("雨水桶有三百升。蜜蜂在后面！走", ["雨水桶有三百升。", "蜜蜂在后面！", "走"]),
        ("Well... That is it.", ["Well... ", "That is it."]),
        ("Version 3.2 of e.g. this", ["Version 3.2 of e.g. this"]),
        ("", [""]),
    ],
)
def test_a_line_is_split_and_joins_again(line: str, sentences: list[str]):
    assert split_sentences(line) == sentences
    assert "".join(sentences) == line


@pytest.mark.parametrize("text", [LIST, "One. Two! Three?", "\n\nOne.\n"])
def test_spans_are_verbatim_and_know_their_lines(text: str):
    lines = text.split("\n")
    spans = list(sentence_spans(text))
    assert all(text[each.start : each.end] in lines[each.line] for each in spans)
    kept = "".join(text[each.start : each.end] for each in spans).replace(" ", "")
    assert kept == text.replace("\n", "").replace(" ", "")


def test_a_line_of_markup_is_no_sentence():
    text = "| --- | --- |\n***\n![[picture.png]]\nText."
    assert [text[each.start : each.end] for each in sentence_spans(text)] == ["Text."]


def test_parts_are_found_in_order_and_a_missing_one_is_empty():
    text = "A b. A b. C."
    assert find_spans(text, ["A b.", "A b.", "none", "C.", ""]) == [
        (0, 4),
        (5, 9),
        (9, 9),
        (10, 12),
        (12, 12),
    ]


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        (
            "It begins here. The barrel that stands behind the shed since the spring of 2019\n"
            "holds rain for the beans. It ends.",
            "holds rain for the beans.",
            "The barrel that stands behind the shed since the spring of 2019\n"
            "holds rain for the beans.",
        ),
        ("Cut\nin two lines.", "Cut", "Cut\nin two lines."),
        ("- one item\n- another item", "- one item", "- one item"),
        ("Status: done\nOwner: Anna", "Status: done", "Status: done"),
        ("# A heading\nwith text below.", "with text below.", "with text below."),
        ("Two paragraphs\n\nare two.", "are two.", "are two."),
        ("One. Two. Three.", "Two.", "Two."),
    ],
)
def test_a_sentence_broken_over_lines_is_put_together(text: str, part: str, whole: str):
    start = text.index(part)
    first, last = whole_sentence(text, start, start + len(part))
    assert text[first:last] == whole


def test_the_day_of_a_german_date_ends_no_sentence():
    assert split_sentences("Wir kamen am 14. Mai an. Dann Regen.") == [
        "Wir kamen am 14. Mai an. ",
        "Dann Regen.",
    ]
    assert split_sentences("It took 14. May came.")[0] == "It took 14. "
    assert split_sentences("Es waren 1914. Juli war es.")[0] == "Es waren 1914. "


def test_a_field_of_front_matter_is_a_sentence_of_its_own():
    text = "birthday: 1987-03-14\nphone: 555"
    assert whole_sentence(text, 0, 20) == (0, 20)
    assert whole_sentence(text, 21, len(text)) == (21, len(text))
