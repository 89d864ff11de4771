"""Answers in the notes' own words: whole lists, both sides, nothing twice."""

from dataclasses import replace

import pytest

from rag.answering.abstention import lacks_codes
from rag.answering.grounding import cite
from rag.answering.quotes import (
    Sides,
    code_around,
    members_around,
    of_title,
    quotes,
    row_around,
    rows_named,
)
from rag.answering.steps import Sentence
from rag.reading.sentences import sentence_spans
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.sentences import SentenceScore

GREEN = "Green tea is steamed soon after it was picked."
BLACK = "Black tea is left to oxidise for some hours."
TABLE = "| | Green | Black |\n| --- | --- | --- |\n| Taste | fresh | strong |"
TOOLS = "For a pot you need:\n\n- a kettle\n- a thermometer\n- a strainer"
NO_SIDES = Sides()


@pytest.fixture(scope="module")
def analyze():
    from rag.indexing.lexical import analyzer

    return analyzer().analyze


def passages(*texts: str) -> list[Passage]:
    return [
        Passage(n, f"{n}.md", "Drinks", (), 1, 1 + text.count("\n"), text, 1.0, 0.5, None)
        for n, text in enumerate(texts, 1)
    ]


def sentence(n: int, passage: Passage, text: str, score: float, share: float = 1.0) -> Evidence:
    start = passage.text.index(text)
    line = passage.first + passage.text.count("\n", 0, start)
    return Evidence(n, text, line, line, start, start + len(text), score, 0.5, share)


def test_a_comparison_has_a_sentence_for_each_side(analyze):
    found = passages(GREEN, BLACK, "Tea has been drunk for ages.")
    green, black = (sentence(n, found[n - 1], found[n - 1].text, 0.9) for n in (1, 2))
    other = sentence(3, found[2], found[2].text, 1.2)
    sides = Sides(("green tea", "black tea"), ((green, other), (other, black)))
    said = quotes("comparison", found, [other, green], sides, analyze)
    assert [each.citations[0].path for each in said] == ["1.md", "2.md"]


def test_a_table_of_both_sides_is_enough(analyze):
    found = passages(TABLE, GREEN)
    row = sentence(1, found[0], "| Taste | fresh | strong |", 1.0)
    green = sentence(2, found[1], GREEN, 0.9)
    sides = Sides(("green tea", "black tea"), ((green,), (green,)))
    (said,) = quotes("comparison", found, [row, green], sides, analyze)
    assert said.citations[0].quote == TABLE


def test_a_side_that_the_notes_do_not_know_has_no_sentence(analyze):
    found = passages(GREEN)
    green = sentence(1, found[0], GREEN, 0.9)
    sides = Sides(("green tea", "mate"), ((green,), (green,)))
    (said,) = quotes("comparison", found, [green], sides, analyze)
    assert said.text == f"{GREEN} [1]"


def test_a_list_is_whole_though_a_sentence_before_it_is_nearer(analyze):
    found = passages(f"Tea is a pleasure to make.\n\n{TOOLS}", GREEN)
    evidence = [
        sentence(1, found[0], "Tea is a pleasure to make.", 1.0),
        sentence(1, found[0], "- a kettle", 0.8),
        sentence(2, found[1], GREEN, 0.5),
    ]
    (said,) = quotes("list", found, evidence, NO_SIDES, analyze)
    assert "- a strainer" in said.text
    lines = found[0].text.split("\n")
    citation = said.citations[0]
    assert citation.quote in "\n".join(lines[citation.first - 1 : citation.last])


def test_the_list_with_more_sentences_near_the_question_wins(analyze):
    found = passages("- one recipe\n- another dish\n- a third meal", TOOLS)
    evidence = [
        sentence(1, found[0], "- one recipe", 1.0),
        *(sentence(2, found[1], f"- a {tool}", 0.95) for tool in ("kettle", "thermometer")),
        sentence(2, found[1], "- a strainer", 0.9),
        sentence(1, found[0], "- another dish", 0.2),
    ]
    (said,) = quotes("list", found, evidence, NO_SIDES, analyze)
    assert "kettle" in said.text


def test_a_list_spread_over_passages_is_gathered(analyze):
    found = passages("Music is made with MusicLM.", "Others use Jukebox.", "Rain fell.")
    evidence = [
        sentence(n, found[n - 1], found[n - 1].text, score)
        for n, score in ((1, 1.0), (2, 0.9), (3, 0.4))
    ]
    said = quotes("list", found, evidence, NO_SIDES, analyze)
    assert [each.citations[0].path for each in said] == ["1.md", "2.md"]


def test_a_line_set_in_columns_is_quoted_whole(analyze):
    text = "Forgetting    Tuning wipes out the past.    Memory networks, LoRA."
    found = passages(text)
    evidence = [sentence(1, found[0], "Tuning wipes out the past.", 1.0)]
    (said,) = quotes("explanation", found, evidence, NO_SIDES, analyze)
    assert said.citations[0].quote == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Funding dried up twice. Those years are the winters.", 2),
        ("Funding dried up twice. The years are the winters.", 1),
        ("Funding dried up twice.\n\nThose years are the winters.", 1),
        ("## Funding\nThose years are the winters.", 1),
        ("- Funding dried up\n- Those years are the winters.", 1),
    ],
)
def test_a_sentence_that_leans_on_the_one_before_it_brings_it(text: str, said: int, analyze):
    spans = list(sentence_spans(text))
    scores = tuple(SentenceScore(each.start, each.end, each.line, 0.5, 0.5) for each in spans)
    (found,) = passages(text)
    found = replace(found, sentences=scores)
    best = sentence(1, found, text[spans[-1].start : spans[-1].end], 1.0)
    assert len(quotes("explanation", [found], [best], NO_SIDES, analyze)) == said


def around(text: str, part: str) -> str:
    """What is shown in place of a part of a text."""
    (found,) = passages(text)
    citation = cite(sentence(1, found, part, 1.0), [found])
    shown = code_around(citation, [found]) or row_around(citation, [found])
    return shown.text if shown else ""


def test_a_word_of_a_command_gives_way_to_the_command():
    code = "Do this:\n\n```sh\nbisect start\nbisect bad\n```\n\nThen wait."
    assert around(code, "bad") == "```sh\nbisect start\nbisect bad\n```\n[1]"
    assert around(code, "wait") == ""
    lines = "\n".join(f"step {n} -x[1]" for n in range(20))
    assert around(f"```\n{lines}\n```", "step 7") == "```\nstep 7 -x(1)\n```\n[1]"


def test_a_cell_gives_way_to_its_row():
    assert around(TABLE, "strong") == f"{TABLE}\n\n[1]"
    assert around(f"{TABLE}\n| Price | 3 | 4 |", "fresh") == f"{TABLE}\n\n[1]"
    assert (
        around(f"Teas.\n{TABLE}\n| Price | 3 | 4 |", "Black")
        == f"{TABLE}\n| Price | 3 | 4 |\n\n[1]"
    )
    assert around("| no | table |", "no") == ""


@pytest.mark.parametrize(
    ("text", "phrase", "every"),
    [
        (TOOLS, "a kettle", "- a kettle\n- a thermometer\n- a strainer\n[1]"),
        ("The bag holds:\n- a torch\n- water", "torch", "The bag holds:\n- a torch\n- water\n[1]"),
        ("Present: Ana, Bo and Cy", "Bo", "Present: Ana, Bo and Cy [1]"),
        ("Present: Ana, Bo and Cy", "Bo and Cy", "Present: Ana, Bo and Cy [1]"),
        ("Present: Ana, Bo and Cy", "Bo and C", None),
        ("Present: Ana, Bo", "Ana", None),
        ("There we met Ana, Bo and Cy.", "Bo", None),  # a sentence, which may say more of them
    ],
)
def test_a_member_gives_way_to_all_of_them(text: str, phrase: str, every: str | None):
    (found,) = passages(text)
    line = next(each for each in text.split("\n") if phrase in each)
    cited = cite(sentence(1, found, line, 1.0), [found])
    shown = members_around(Sentence(f"{phrase} [1]", (cited,), "weak"), [found])
    assert (shown.text if shown else None) == every
    assert shown is None or shown.support == "weak"


@pytest.mark.parametrize(
    ("question", "title", "said"),
    [
        ("Who has our spare key?", "Ada Moss", "**Ada Moss:** Has our spare key. [1]"),
        ("Who has Ada Moss seen?", "Ada Moss", ""),
        ("Who has our spare key?", "Spare key", ""),
        ("Where is our spare key?", "Ada Moss", ""),
    ],
)
def test_whom_a_note_is_called_after_has_what_it_tells(question: str, title: str, said: str):
    found = [replace(each, title=title) for each in passages("Has our spare key. Piet does not.")]
    read = [sentence(1, found[0], "Has our spare key.", 1.0, 0.8)]
    told = of_title(question, read, found)
    assert (told.text if told else "") == said


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("What does error E24 mean?", True),
        ("What does error E18 mean?", False),
        ("How much CO2 is that?", False),
        ("Which GPT-4 is it?", False),
        ("What happened on the 20th at 5pm?", False),
        ("Is it 15kg?", False),
    ],
)
def test_a_name_of_letters_and_digits_that_no_passage_has(question: str, lacks: bool):
    found = passages("Error E18: the drain.", "500 tons of CO₂ for GPT 4.")
    assert lacks_codes(question, found) is lacks


MEDS = (
    "Taken\n\n| who | what |\n|---|---|\n| Ada Byron | metformin |\n| Ada Byron | 20 mg of iron |\n"
    "| Ines | cetirizine |\n| Tom | none |\n"
)
IN_TABLE = Evidence(1, "| Ines |", 7, 7, MEDS.index("| Ines"), MEDS.index("| Ines") + 8, 1.0)


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("what tablets is Ada Byron on?", [5, 6]),
        ("What tablets are Ada Byron and Ines on?", [5, 6, 7]),
        ("what tablets is Ada on?", []),  # another Ada, maybe
        ("what tablets is Ines on?", []),  # one row is found as any other
        ("what tablets are there?", []),
        ("what tablets are Ada Byron, Ines and Tom on?", []),  # all of it
        ("which tablets is Ada Byron not on?", []),
        ("which tablets did Ada Byron take in 2020?", []),
    ],
)
def test_rows_of_what_is_named(question: str, lines: list[int]):
    found = Passage(1, "meds.md", "Tablets", (), 1, 8, MEDS, 1.0, 0.7, 1.0)
    rows = rows_named(question, IN_TABLE, [found])
    assert [each.first for each in (rows.citations if rows else ())] == lines
    if rows:
        assert rows.text.startswith("| who | what |\n|---|---|\n| Ada Byron | metformin |\n")
        assert all(each.quote == MEDS.split("\n")[each.first - 1] for each in rows.citations)
        assert rows.support == "supported"
        doubted = rows_named(question.replace("tablets", "chores"), IN_TABLE, [found])
        assert doubted is not None
        assert doubted.support == "weak"


def test_a_table_beside_the_best_sentence_answers_nothing():
    found = Passage(1, "meds.md", "Tablets", (), 1, 8, MEDS, 1.0, 0.7, 1.0)
    best = Evidence(1, "Taken", 1, 1, 0, 5, 1.0)
    assert rows_named("what tablets is Ada Byron on?", best, [found]) is None
