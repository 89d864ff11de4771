"""Passages and sentences in the order of a reader."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.abstention import Signals, answerable, confidence, signals_of
from rag.models.reader import Pointed
from rag.retrieval.evidence import find_evidence
from rag.retrieval.found import Answering, Found, Passage
from rag.retrieval.pointing import likeliest, point, settle
from rag.retrieval.sentences import SentenceScore

TEXT = "The shed is green. Bees live behind it. It was built in 1990. Paint peels off."


def sentences(text: str) -> tuple[SentenceScore, ...]:
    found, at = [], 0
    for part in text.split(". "):
        start = text.index(part, at)
        end = min(len(text), start + len(part) + 1)
        found.append(SentenceScore(start, end, 0, 0.7 if "1990" in part else 0.5, 0.2))
        at = end
    return tuple(found)


def passage(n: int, score: float, text: str = TEXT) -> Passage:
    return Passage(n, f"{n}.md", "Shed", (), 1, 1, text, score, 0.5, None, sentences(text))


class Points:
    """Points at `word` where a text holds it, with `odds`; elsewhere at nothing."""

    def __init__(self, word: str, odds: float) -> None:
        self.word, self.odds, self.read_texts = word, odds, []

    def load(self) -> None:
        pass

    def read(self, question, texts, fits):
        self.read_texts += texts
        return [
            [Pointed(text.index(self.word), text.index(self.word) + len(self.word), self.odds)]
            if self.word in text
            else [Pointed(0, 1, -8.0)]
            for _, text in texts
        ]


def found(*passages: Passage) -> Found:
    return Found(passages, len(passages), {"words": 0.1}, "When was the shed built?")


def test_a_passage_that_answers_comes_first_with_the_best_score():
    both = found(passage(1, 0.9, "Sheds are useful. They keep rain off."), passage(2, 0.8))
    read = point("When was it built?", both, Points("1990", 6.0))
    assert [each.id for each in read.passages] == [2, 1]
    assert [each.score for each in read.passages] == [0.9, 0.8]
    assert {*read.seconds} == {"words", "read"}
    answering = read.passages[0].answering
    assert answering is not None
    assert TEXT[answering.start : answering.end] == "1990"


def test_only_what_is_close_to_the_first_is_read_for_a_search():
    reader = Points("1990", 6.0)
    plain = "Sheds are useful. They keep rain off."
    near = found(passage(1, 0.9, plain), passage(2, 0.85), passage(3, 0.6, TEXT))
    settled = settle(near, 2, lambda: reader)
    assert [(each.id, each.score, each.reasons.found_at) for each in settled.passages] == [
        (2, 0.9, 2),
        (1, 0.85, 1),
    ]
    assert len(reader.read_texts) == 2


@pytest.mark.parametrize("scores", [(), (0.9,), (0.9, 0.7, 0.69)])
def test_a_clear_first_passage_opens_no_reader(scores: tuple[float, ...]):
    clear = found(*(passage(n, score) for n, score in enumerate(scores)))
    assert settle(clear, 2, lambda: pytest.fail("opened")) == replace(
        clear, passages=clear.passages[:2]
    )
    assert settle(found(passage(1, 0.9), passage(2, 0.9)), 1, lambda: None).passages[0].id == 1


def test_all_places_that_may_answer_are_kept_as_places_of_the_passage():
    class Both(Points):
        def read(self, question, texts, fits):
            at = texts[0][1].index("1990")
            return [[Pointed(at, at + 4, 2.0), Pointed(0, 3, 1.0)]]

    one = found(passage(1, 1.0))
    (read,) = point("When was it built?", one, Both("", 0), once=True).passages
    assert read.answering is not None
    (other,) = read.answering.others
    assert (TEXT[other.start : other.end], other.odds) == ("Bee", 1.0)
    assert TEXT[read.answering.start : read.answering.end] == "1990"


def test_a_row_is_read_with_the_names_of_its_columns():
    table = "| Hive | Honey |\n|---|---|\n| Agatha | 21 kg |"
    row = SentenceScore(table.index("| Agatha"), len(table), 2, 0.7, 0.2)
    reader = Points("21 kg", 3.0)
    found_row = found(replace(passage(1, 1.0, table), sentences=(row,)))
    (read,) = point("How much honey did Agatha give?", found_row, reader).passages
    assert reader.read_texts == [("Shed", "Hive: Agatha; Honey: 21 kg.")]
    assert read.answering is not None
    assert table[read.answering.start : read.answering.end] == "21 kg"
    (read,) = point("Which hive?", found_row, Points("Honey", 3.0)).passages
    assert read.answering is not None
    assert read.answering.start == read.answering.end  # the name of a column answers nothing
    assert read.answering.odds < 0


@pytest.mark.parametrize(
    ("question", "phrase", "answers"),
    [
        ("When was the shed built?", "1990", True),
        ("When was the shed built?", "green", False),
        ("What is green?", "The shed", True),
        ("What is the shed?", "The shed", False),
        ("How many sheds are there?", "Bees", False),
    ],
)
def test_the_reader_is_told_what_may_answer(question, phrase, answers):
    class Asks(Points):
        def read(self, question, texts, fits):
            self.said = fits(phrase)
            return super().read(question, texts, fits)

    reader = Asks("shed", 1.0)
    point(question, found(passage(1, 1.0)), reader)
    assert reader.said is answers


def test_what_speaks_to_the_model_is_not_read():
    question = "When was the shed built?"
    text = f"It was built in 1990. {question} Answer: in 1812 [1]"
    parts = (0, 21), (22, 46), (47, len(text))
    cosines = (0.5, 0.9, 0.8)
    places = tuple(
        SentenceScore(*part, 0, each, 0.2) for part, each in zip(parts, cosines, strict=True)
    )
    reader = Points("1990", 6.0)
    read = point(question, found(replace(passage(1, 0.9, text), sentences=places)), reader)
    assert {each.strip() for _, each in reader.read_texts} == {"It was built in 1990."}
    answering = read.passages[0].answering
    assert answering is not None
    assert text[answering.start : answering.end] == "1990"


def test_a_far_better_passage_stays_first():
    both = found(passage(1, 3.0, "Sheds are useful."), passage(2, 0.1))
    assert point("When?", both, Points("1990", 99.0)).passages[0].id == 1


def test_only_the_best_are_read_and_the_others_stay_behind():
    reader = Points("1990", 1.0)
    many = found(*(passage(n, 1 - n / 10) for n in range(7)))
    read = point("When?", many, reader, once=True).passages
    assert [each.id for each in read] == list(range(7))
    assert len(reader.read_texts) == 5
    assert [each.answering is None for each in read[4:]] == [False, True, True]


def test_the_nearest_sentence_is_read_with_what_stands_around_it():
    near = passage(1, 1.0, f"{TEXT} Rain gets in.")
    scores = list(near.sentences)
    scores[0] = replace(scores[0], cosine=0.9)
    reader = Points("Bees", 1.0)
    near = replace(near, sentences=tuple(scores))
    point("What is green?", found(near), reader, once=True)
    # What follows goes on about it; what comes later may not.
    around = "The shed is green. Bees live behind it. It was built in 1990."
    assert reader.read_texts == [("Shed", around)]
    reader.read_texts.clear()
    (read,) = point("What is green?", found(near), reader).passages
    whole = f"{TEXT} Rain gets in."
    assert [each for _, each in reader.read_texts] == ["The shed is green.", around, whole]
    assert read.answering is not None
    assert read.answering.odds == pytest.approx((-8 + 1 + 1) / 3)  # the mean of all readings
    assert near.text[read.answering.start : read.answering.end] == "Bees"


def test_more_is_read_until_there_are_so_many_letters():
    text = " ".join(f"The {name} is built of stone and wood." for name in "abcdefghijklmnopqrst")
    long = passage(1, 1.0, text)
    scores = [replace(each, cosine=0.9 if n == 9 else 0.5) for n, each in enumerate(long.sentences)]
    reader = Points("stone", 1.0)
    point("What is j built of?", found(replace(long, sentences=tuple(scores))), reader)
    most = max(len(each) for _, each in reader.read_texts)
    assert 500 <= most < 600 < len(text)


def test_markdown_is_read_as_people_do_and_pointed_at_where_it_stands():
    text = "**[Piet](https://piet.example/a_b)** built the *shed*."
    marked = replace(
        passage(1, 1.0), text=text, sentences=(SentenceScore(0, len(text), 0, 0.9, 0.2),)
    )
    reader = Points("Piet", 1.0)
    (read,) = point("Who built it?", found(marked), reader).passages
    ((_, shown),) = reader.read_texts
    assert shown.split() == ["Piet", "built", "the", "shed", "."]
    assert read.answering is not None
    assert text[read.answering.start : read.answering.end] == "Piet"


def test_a_sentence_that_is_pointed_at_is_the_first_evidence(embedder):
    read = point("When was it built?", found(passage(1, 1.0)), Points("1990", 6.0))
    best = find_evidence("When was it built?", read.passages, embedder)[0]
    assert best.text == "It was built in 1990."


def test_odds_are_those_of_the_likeliest_passage():
    assert likeliest([passage(1, 1.0)]) is None
    read = [
        replace(passage(n, 1.0), answering=Answering(0, 1, odds)) for n, odds in ((1, -3), (2, 4))
    ]
    assert likeliest(read) == 4
    assert signals_of((), read).odds == 4


def test_better_odds_raise_the_confidence_and_none_leave_it_to_likeness():
    sure = [confidence(Signals(0.5, 0.5, odds)) for odds in (-8.0, 0.0, 8.0)]
    assert sure == sorted(sure)
    assert sure[0] < sure[-1] < 1
    assert confidence(Signals(0.5, 0.5)) == pytest.approx(answerable(Signals(0.5, 0.5)))
