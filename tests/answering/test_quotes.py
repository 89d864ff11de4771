"""Answers in the notes' own words: whole lists, both sides, nothing twice."""

from dataclasses import replace

import pytest

from rag.answering.quotes import Sides, quotes
from rag.reading.sentences import sentence_spans
from rag.retrieval.evidence import Evidence
from rag.retrieval.search import Passage
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
