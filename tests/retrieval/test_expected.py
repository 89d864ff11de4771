"""A question for a time is not answered by a name, nor one for a number or a name by a thing."""

from __future__ import annotations

import pytest

from rag.answering.phrases import find_phrase
from rag.retrieval.expected import expected, fits, nearest_fitting, repeats
from rag.retrieval.found import Evidence, Passage

NOTE = "Anna Berg named it. The name dates from 1902."


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was it named?", "time"),
        ("and when?", "time"),
        ("Since when has it been called that?", "time"),
        ("When violence is used, what is it called?", None),
        ("Who named it when it opened?", "name"),
        ("Whenever did that happen", None),
        ("In which year was it named?", "year"),
        ("What date was my note created?", "date"),
        ("On which wedding day did it rain?", "date"),
        ("How many books were given?", "number"),
        ("In how many languages does it write?", "number"),
        ("What percentage is lent?", "number"),
        ("How big is GPT-3?", "number"),
        ("How much does the heat pump cost?", "price"),
        ("What did the flight to Lisbon cost?", "price"),
        ("What is Ada's phone number?", "phone"),
        ("What is Ada's e-mail address?", "email"),
        ("What did Ada write in the email to Ben?", None),
        ("Brook & Sons phone number", "phone"),
        ("phone number of the vet", "phone"),
        ("ada's email address", "email"),
        ("Whose phone number begins with 0?", None),
        ("What mark did Ada get in French?", "mark"),
        ("what did ada get in the english test", "mark"),
        ("What did Ada get in the raffle?", None),
        ("What was the price of the hive?", "price"),
        ("How much honey is left?", "number"),
        ("How many dollars did it cost to paint?", "price"),
        ("How long until it opens?", None),
        ("Who invented the loom?", "name"),
        ("But who thought up the name?", "name"),
        ("Who teaches the children?", None),
        ("Who was it named after?", None),
    ],
)
def test_what_is_expected(question, kind):
    assert expected(question) == kind


@pytest.mark.parametrize(
    ("kind", "fitting", "other"),
    [
        ("time", ["1902", "in May", "the 19th century", "after the war", "at night"], "Anna Berg"),
        (
            "time",
            ["tonight", "on weekends", "the ninth", "on the first", "the Twelfth"],
            "the king",
        ),
        ("time", ["the twenty-third", "the thirtieth", "ninth", "at six"], "the first model"),
        ("time", ["marked on the ninth.", "the ninth of the month"], "it first looks them up"),
        ("mark", ["58%", "B", "a merit", "her best yet", "17 of 20"], "hazelnuts"),
        ("price", ["3 €", "25", "£1,200"], "25 mm"),
        ("date", ["5th February 2024", "2024-02-05", "Tuesdays", "Boxing Day"], "2022"),
        ("year", ["1902", "in June 1902", "395 AD"], "in May"),
        ("number", ["3,000", "seven", "half of them", "twenty-one", "none"], "old books"),
        (
            "price",
            ["€12,000", "12,000", "nine dollars", "40 cents a kilo", "3 for 2"],
            "seven years",
        ),
        ("phone", ["+49 30 5550199", "(0171) 555-0123"], "1906"),
        ("email", ["ada@example.org"], "Ada"),
        ("price", ["40 monthly", "20 marks", "9 decimal"], "3 May"),
        ("price", ["$5", "nothing"], "7 years"),
        ("name", ["Anna Berg", "the Normans", "IBM", "eBay", "otto"], "the generator"),
        ("name", ["The Normans"], "The generator"),
        (None, ["whatever"], ""),
    ],
)
def test_what_fits(kind, fitting, other):
    assert all(fits(each, kind) for each in fitting)
    assert not other or not fits(other, kind)


@pytest.mark.parametrize(
    ("text", "question", "repeated"),
    [
        ("the hive", "Where is the hive?", True),
        ("the hive of Anna", "Where is the hive?", False),
        ("the hive", "Is it the hive or the shed?", False),
        ("one", "How many hives are there?", False),
        ("Generative Networks (GANs", "Who invented generative adversarial networks?", True),
        ("GANs", "Who invented generative adversarial networks?", True),
        ("AI", "Who thought up the name artificial intelligence?", True),
        ("AI", "Which aunt is coming?", False),
        ("HP", "Who made our house with a red pencil?", False),
        ("WHO", "Which health organization declared it?", False),
        ("WTO", "Who invented generative adversarial networks?", False),
        ("GAN", "What is the abbreviation for generative adversarial network?", False),
    ],
)
def test_what_only_repeats_the_question(text, question, repeated):
    assert repeats(text, question) is repeated


def test_a_name_gives_way_to_the_sentence_that_tells_when():
    first, second = "Anna Berg named it.", "The name dates from 1902."
    evidence = [
        Evidence(1, first, 1, 1, 0, len(first), 1.0),
        Evidence(1, second, 1, 1, len(first) + 1, len(NOTE), 0.9),
    ]
    passages = [Passage(1, "l.md", "Library", (), 1, 1, NOTE, 1.0, 0.6, None)]
    assert find_phrase("Anna Berg [1]", passages, evidence, "and when?") is None
    assert nearest_fitting(evidence, "time").text == second
    assert nearest_fitting(evidence[:1], "time").text == first
    said = find_phrase("1902 [1]", passages, evidence, "and when?")
    assert said is not None
    assert said.text == "1902 [1]"


def test_a_day_in_words_is_a_time():
    note = "The queen was marked blue on the ninth. North | 11"
    best, row = note[:39], note[40:]
    evidence = [
        Evidence(1, best, 1, 1, 0, len(best), 1.8),
        Evidence(1, row, 1, 1, len(best) + 1, len(note), 1.0),
    ]
    passages = [Passage(1, "bees.docx", "Bee log", (), 1, 1, note, 1.0, 0.6, None)]
    assert nearest_fitting(evidence, "time").text == best
    said = find_phrase("the ninth [1]", passages, evidence, "When was the queen marked?")
    assert said is not None
    assert said.text == "the ninth [1]"
