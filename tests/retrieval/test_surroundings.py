"""What is shown around the evidence: of the same section, nearest first, within a budget."""

import pytest

from rag.answering.prompt import ANSWER_TOKENS, build_prompt
from rag.indexing.rows import StoredPassage
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.surroundings import section_of, widen

TEXT = "The hive stands behind the shed. It was painted green in 2019. Bees do not mind."
GREEN = (TEXT.index("It was"), TEXT.index(" Bees"))
PASSAGE = Passage(5, "bees.md", "Bees", ("Hive",), 10, 10, TEXT, 1.0, 0.5, None)


def stored(chunk, first, text, headings=("Hive",), path="bees.md"):
    return StoredPassage(chunk, path, "Bees", (), headings, first, first, text)


def shown(section, spans):
    return [section.text[start:end] for start, end in spans]


def test_the_section_is_what_stands_under_the_same_heading_of_the_note():
    near = [
        stored(3, 6, "Of another part.", headings=("Honey",)),
        stored(4, 8, "Before."),
        stored(6, 12, "After."),
        stored(7, 2, "Of another note.", path="wasps.md"),
    ]
    section = section_of(PASSAGE, near)
    assert section.text == f"Before.\n{TEXT}\nAfter."
    assert section.text[section.start :].startswith(TEXT)


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (0, ["It was painted green in 2019."]),
        (65, ["The hive stands behind the shed.", "It was painted green in 2019."]),
        (
            80,
            [
                "The hive stands behind the shed.",
                "It was painted green in 2019.",
                "Bees do not mind.",
            ],
        ),
        (99, [*TEXT.replace(". ", ".|").split("|"), "After it all, winter."]),
    ],
)
def test_the_sentence_before_comes_first_then_the_one_after(budget, expected):
    section = section_of(PASSAGE, [stored(4, 8, "Before."), stored(6, 12, "After it all, winter.")])
    assert shown(section, widen(section, [GREEN], budget)) == expected


def test_an_item_of_a_list_gets_the_line_that_introduces_it():
    text = "Take with you:\n- a rope\n- a lamp\n"
    section = section_of(Passage(1, "a.md", "A", (), 1, 3, text, 1.0, 0.5, None), [])
    lamp = (text.index("- a lamp"), len(text) - 1)
    assert shown(section, widen(section, [lamp], 40)) == ["Take with you:", "- a rope", "- a lamp"]


def test_the_prompt_shows_them_only_where_there_is_room():
    evidence = [Evidence(1, TEXT[slice(*GREEN)], 10, 10, *GREEN, 1.0)]
    sections = {1: section_of(PASSAGE, [])}

    def count(text):
        return len(text.split())

    def prompt(context, sections=sections):
        return build_prompt(
            "Which?", [PASSAGE], evidence, [], count, context, False, sections
        ).messages

    wide = prompt(4096)
    assert wide[-1].text.startswith(f"[1] Bees: {TEXT}")
    narrow = prompt(ANSWER_TOKENS + 64 + 16 + sum(count(each.text) for each in prompt(4096, None)))
    assert narrow[-1].text.startswith("[1] Bees: It was painted green in 2019.\n")
