"""Notes as points, whatever a model makes of them."""

from dataclasses import replace

import pytest

from rag.answering.steps import Drafted, Reading, Sentence
from rag.answering.summary import MOST_READ, Check, Points, read_points, summarise
from rag.errors import Cancelled
from rag.retrieval.found import Passage
from rag.retrieval.whole import ToSum, WholeNote
from tests.answering.test_answer import Said

BEES = "The hive stands behind the shed. It was painted green in 2019. Bees fly from March."
RHINE = "We cycled along the Rhine from Basel to Koblenz in nine days."


@pytest.fixture(scope="module")
def analyze():
    from rag.indexing.lexical import analyzer

    return analyzer().analyze


def note(path: str, title: str, *texts: str) -> WholeNote:
    pieces = [
        (Passage(n, path, title, (), n, n, text, 1.0, None, None), None)
        for n, text in enumerate(texts, 1)
    ]
    return WholeNote(path, title, lambda: pieces)


def to_sum(*notes: WholeNote, place: str = "", total: int = 0) -> ToSum:
    return ToSum(notes, total or len(notes), place)


def run(wanted: ToSum, analyze, model=None, strict: bool = False):
    *readings, points = read_points(wanted, analyze, whole=model is not None)
    assert isinstance(points, Points)
    assert [type(each) for each in readings] == [Reading] * len(wanted.notes)
    opener = None if model is None else lambda: model
    *steps, done = summarise(wanted, points, opener, Check(analyze, strict=strict))
    assert isinstance(done, Drafted)
    assert done.sentences == tuple(each for each in steps if isinstance(each, Sentence))
    for each in done.sentences:
        for citation in each.citations:
            passage = points.passages[citation.n - 1]
            assert citation.quote in passage.text
            assert citation.path == passage.path
    return points, done


def test_each_point_is_a_cited_quote_on_a_line_of_its_own(analyze):
    points, done = run(to_sum(note("bees.md", "Bees", BEES)), analyze)
    lines = done.text.split("\n")
    assert 2 <= len(lines) <= 3
    assert all(line.startswith("- ") and line.endswith("[1]") for line in lines)
    assert len(points.evidence) == len(lines)


def test_several_notes_are_named_and_how_many_there_are_is_said(analyze):
    notes = note("bees.md", "Bees", BEES), note("rhine.md", "Rhine", RHINE)
    points, done = run(to_sum(*notes, place="in all"), analyze)
    assert done.text.startswith("2 notes in all.\n\nBees:\n\n- ")
    assert f"\n\nRhine:\n\n- {RHINE} [2]" in done.text
    assert [each.path for each in points.passages] == ["bees.md", "rhine.md"]
    _, some = run(to_sum(*notes, place="in work/", total=90), analyze)
    assert some.text.startswith("2 of 90 notes in work/")


def test_a_model_that_was_taught_short_answers_writes_none(analyze):
    model = Said("Anything at all.", taught=True)
    _, done = run(to_sum(note("rhine.md", "Rhine", RHINE)), analyze, model)
    assert done.text == f"- {RHINE} [1]"
    assert model.given == 0


def test_what_another_model_writes_is_kept_where_the_note_bears_it_out(analyze):
    model = Said("1. The hive stands behind the shed. Napoleon kept bees there in 1806.\n")
    _, done = run(to_sum(note("bees.md", "Bees", "The sun was out.", BEES)), analyze, model)
    assert done.text == "- The hive stands behind the shed. [2]"
    assert done.by_model


@pytest.mark.parametrize(
    "text",
    [
        "Napoleon kept bees.",
        "养蜂人很高兴。",
        "the the the",
        "<|im_end|> Ok.",
        "",
        "The hive stands " * 99,
    ],
)
def test_nothing_that_the_note_does_not_say_is_shown(text, analyze):
    _, done = run(to_sum(note("rhine.md", "Rhine", RHINE)), analyze, Said(text))
    assert done.text == f"- {RHINE} [1]"
    assert not done.by_model


def test_a_note_larger_than_the_context_is_read_in_pieces(analyze):
    class Small(Said):
        context_size = 560
        asked = 0

        def stream(self, messages, max_tokens, cancel=None, avoid=""):
            assert sum(self.count_tokens(each.text) for each in messages) < self.context_size
            self.asked += 1
            return super().stream(messages, max_tokens, cancel, avoid)

    model = Small("")
    texts = [
        f"In {year} the barrel held water for the beans and the bees. " * 6 for year in range(9)
    ]
    _, done = run(to_sum(note("b.md", "Barrel", *texts)), analyze, model)
    assert model.asked > 3
    assert done.answered


def test_more_than_a_model_reads_in_minutes_is_left_to_the_notes_own_words(analyze):
    texts = [f"In the year {n} the barrel held water for the beans." for n in range(MOST_READ + 1)]
    *_, points = read_points(to_sum(note("b.md", "B", *texts)), analyze, whole=True)
    assert isinstance(points, Points)
    assert len(points.passages) <= 10


def test_a_summary_can_be_stopped_and_may_be_empty(analyze):
    wanted = to_sum(note("bees.md", "Bees", BEES))
    with pytest.raises(Cancelled):
        list(read_points(wanted, analyze, cancel=lambda: True))
    _, done = run(to_sum(note("e.md", "E")), analyze)
    assert not done.answered


def test_a_number_of_points_is_kept_to(analyze):
    wanted = replace(to_sum(note("bees.md", "Bees", BEES, RHINE)), points=1)
    _, done = run(wanted, analyze)
    assert len(done.sentences) == 1
