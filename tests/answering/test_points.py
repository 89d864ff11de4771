"""The central sentences of a note, in its order and its own words."""

import numpy as np
import pytest

from rag.answering.points import central_points, how_many, seats
from rag.reading.sentences import sentence_spans
from rag.retrieval.found import Passage

TALK = (
    "The garden needs water every morning in summer.\n"
    "In summer the garden needs water every morning.\n"
    "My neighbour once owned a red car from Italy.\n"
    "Water the garden before the sun stands high in summer."
)


@pytest.fixture(scope="module")
def analyze():
    from rag.indexing.lexical import analyzer

    return analyzer().analyze


def piece(text: str, headings=(), first: int = 1, coarse=None):
    last = first + text.count("\n")
    return Passage(first, "n.md", "N", headings, first, last, text, 1.0, None, None), coarse


def test_points_are_verbatim_with_their_lines(analyze):
    pieces = [piece(TALK, first=5)]
    for each in central_points(pieces, analyze, 2):
        passage = pieces[each.n - 1][0]
        assert passage.text[each.start : each.end] == each.text
        assert passage.text.split("\n")[each.first - 5] == each.text


def test_what_most_sentences_are_about_wins_and_nothing_is_said_twice(analyze):
    said = [each.text for each in central_points([piece(TALK)], analyze, 2)]
    assert len(said) == 2
    assert not any("neighbour" in each for each in said)
    assert said[1].startswith("Water the garden"), "not the sentence that repeats the first"


def test_stored_vectors_are_used_where_there_are_any(analyze):
    text = "\n".join(f"Sentence number {n} says one thing of its own." for n in range(4))
    near = np.zeros((4, 8), np.int8)
    near[:, 0], near[1] = 100, [0, 100, 0, 0, 0, 0, 0, 0]
    near[2, 1] = near[3, 2] = 60
    (best,) = central_points([piece(text, coarse=near)], analyze, 1)
    assert "number 0" in best.text


def test_every_section_of_a_long_note_has_its_share(analyze):
    sections = [
        piece(
            "\n".join(f"The {name} of {n} things is worth a long look here." for n in range(6)),
            (name,),
            first,
        )
        for first, name in ((1, "Bees"), (10, "Barrels"), (20, "Rhine"))
    ]
    found = central_points(sections, analyze)
    assert {each.n for each in found} == {1, 2, 3}
    assert [each.first for each in found] == sorted(each.first for each in found)


def test_headings_code_rows_and_questions_are_no_points(analyze):
    text = (
        "## A heading of five whole words\n```\nrun the tool with all flags set\n```\n"
        "| a cell | of a table | with some | words |\nWhat did we want to do with it?\n"
        "The hive stands behind the shed, painted green."
    )
    (only,) = central_points([piece(text)], analyze)
    assert only.text == "The hive stands behind the shed, painted green."


def test_the_short_sentences_of_a_short_note_are_points_and_its_fields_are_not(analyze):
    day = "mood: good\nMowed the lawn. Saw a kingfisher at the weir.\nRain."
    said = [each.text for each in central_points([piece(day)], analyze)]
    assert said == ["Mowed the lawn.", "Saw a kingfisher at the weir."]
    longer = f"{TALK}\nMowed the lawn."
    assert "Mowed the lawn." not in [each.text for each in central_points([piece(longer)], analyze)]


def test_a_hard_wrapped_sentence_is_one_point(analyze):
    text = (
        "Generative AI means using AI to make new content of high quality: text, images,\n"
        "music, audio and video. It learns from data."
    )
    found = central_points([piece(text)], analyze, 1)
    assert found[0].text == text.removesuffix(" It learns from data.")
    assert (found[0].first, found[0].last) == (1, 2)


def test_a_note_of_another_script_has_points(analyze):
    text = (
        "图书馆成立于一九零二年由安娜创办。\n它收藏了三千多本关于花园的书籍。\n每天早上九点开门。"
    )
    assert len(central_points([piece(text)], analyze)) == 3


def test_an_empty_note_has_none(analyze):
    assert central_points([], analyze) == []
    assert central_points([piece("---")], analyze) == []


def test_length_is_bounded():
    assert [how_many(n) for n in (0, 1, 3, 9, 36, 5000)] == [0, 1, 3, 3, 6, 10]


@pytest.mark.parametrize(("sizes", "count"), [([9, 1, 1], 3), ([1, 1], 9), ([], 3), ([4], 2)])
def test_seats_are_all_given_out_and_none_is_overfull(sizes, count):
    given = seats(sizes, count)
    assert sum(given) == min(count, sum(sizes))
    assert all(one <= size for one, size in zip(given, sizes, strict=True))


def test_a_book_of_many_thousand_sentences_is_summed_up(analyze):
    lines = "\n".join(
        f"The year {n} brought rain to the valley and its farms." for n in range(9000)
    )
    assert len(central_points([piece(lines)], analyze)) == 10
    assert len(list(sentence_spans(lines))) == 9000


def test_all_of_a_short_note_is_said_where_as_much_is_asked_for(analyze):
    diary = "- Rain all day\n- Mended the bicycle light of Malo\n- Watched Paterson"
    said = [each.text for each in central_points([piece(diary)], analyze, 10)]
    assert said == diary.split("\n")
    assert len(central_points([piece(diary)], analyze, 1)) == 1
