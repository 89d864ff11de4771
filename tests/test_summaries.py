"""Whole notes summed up, and other answers in the notes' own words, down to the shell."""

from __future__ import annotations

import json

import pytest

from rag.answering.steps import Reading
from rag.engine import Engine
from rag.errors import Cancelled, QuestionError
from rag.events import Answered, Retrieved
from rag.retrieval.query import Turn
from tests.conftest import Box

pytestmark = pytest.mark.model
TEA = (
    "# Drinks\n\nGreen tea is steamed soon after it was picked, and keeps its colour.\n\n"
    "Black tea is left to oxidise for some hours, which makes it dark and strong.\n\n"
    "## Tools\n\nFor a pot of tea you need:\n\n- a kettle\n- a thermometer\n- a strainer\n"
)


def ask(engine: Engine, question: str, **options) -> Answered:
    *_, done = engine.ask(question, **options)
    assert isinstance(done, Answered)
    return done


def borne_out(box: Box, done: Answered) -> None:
    """Every citation stands in its note, at its lines."""
    assert done.citations
    for each in done.citations:
        lines = (box.notes / each.path).read_text().split("\n")
        assert each.quote in "\n".join(lines[each.first - 1 : each.last])
        assert done.passages[each.n - 1].path == each.path


@pytest.mark.parametrize(
    "question",
    ["Summarise [[bees]]", "summarize my note on bees", "summarise bees.md", "Summarise Bees"],
)
def test_a_note_is_summed_up_without_a_model(question: str, engine: Engine, box: Box):
    reading, found, *sentences, done = engine.ask(question)
    assert isinstance(reading, Reading)
    assert (reading.tokens_done, reading.tokens_total, reading.unit) == (1, 1, "notes")
    assert isinstance(found, Retrieved)
    assert isinstance(done, Answered)
    assert done.answer == "".join(each.text for each in sentences)
    assert done.answer.split("\n") == [
        "- The hive stands behind the shed. [1]",
        "- It was painted green in 2019. [1]",
    ]
    assert done.model == ""
    borne_out(box, done)


def test_a_folder_and_all_notes_are_summed_up_note_by_note(engine: Engine, box: Box):
    trips = ask(engine, "summarise trips/")
    assert {each.path for each in trips.citations} == {"trips/rhine.md"}
    everything = ask(engine, "summarise all my notes")
    assert everything.answer.startswith("3 notes in all.\n\nRain barrel:\n\n- ")
    assert {each.path for each in everything.citations} == {
        "barrel.md",
        "bees.md",
        "trips/rhine.md",
    }
    borne_out(box, everything)


def test_part_of_a_note_and_a_number_of_points(engine: Engine):
    assert ask(engine, "Summarise [[barrel#Care]]").answer.startswith("- Empty it before")
    assert ask(engine, "Summarise [[bees]] in one sentence").answer.count("[1]") == 1


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Summarise [[Beess]]", "There is no note “Beess”. Did you mean “Bees”"),
        ("summarise my note on rain barrels", "Did you mean “Rain barrel”"),
        ("Summarise tripps/", "Did you mean 'trips/'"),
        ("Summarise [[bees#Honey]]", "There is no heading “Honey” in bees.md"),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest_names(question, says, engine: Engine):
    with pytest.raises(QuestionError, match=says):
        list(engine.ask(question))


def test_a_topic_that_is_no_note_is_asked_as_a_question(engine: Engine):
    done = ask(engine, "summarise where the hive stands")
    assert "behind the shed" in done.answer


def test_many_notes_are_cut_to_the_most_central(box: Box):
    for n in range(40):
        text = "The bees of the valley gather nectar for honey all summer"
        (box.notes / f"hive {n}.md").write_text(f"# Hive {n}\n\n{text}, hive {n} most of all.\n")
    box.index()
    done = ask(box.engine(), "summarise all my notes")
    assert done.answer.startswith("24 of all 43 notes, the most central ones.")
    assert "Rhine:" not in done.answer
    assert len(done.citations) == 24


def test_stopped_before_the_first_note(engine: Engine):
    with pytest.raises(Cancelled):
        list(engine.ask("Summarise [[bees]]", cancel=lambda: True))


def test_the_shell_shows_points_on_lines_and_marks(box: Box):
    box.index()
    shown = box.rag("ask", "Summarise [[bees]]")
    assert "- The hive stands behind the shed. [1] ✓\n- It was painted" in shown.stdout
    tree = json.loads(box.rag("ask", "--json", "--strict", "Summarise [[bees]]").stdout)
    assert [each["support"] for each in tree["sentences"]] == ["supported", "supported"]
    assert tree["sentences"][0] == {
        "text": "- The hive stands behind the shed. [1]", "support": "supported", "citations": [1],
    }  # fmt: skip
    box.refused("ask", "Summarise [[beess]]", says="Did you mean")


def test_comparisons_cite_both_sides_and_lists_are_whole(box: Box):
    (box.notes / "tea.md").write_text(TEA)
    box.index()
    engine = box.engine()
    for question in ("How does green tea differ from black tea?", "compare green and black tea"):
        done = ask(engine, question, quote=True)
        assert "steamed" in done.answer
        assert "oxidise" in done.answer
        borne_out(box, done)
    listed = ask(
        engine, "Which tools do I need for tea? List the tools for a pot of tea", quote=True
    )
    assert "steamed" in listed.answer or "kettle" in listed.answer
    tools = ask(engine, "List the tools for a pot of tea", quote=True)
    assert all(each in tools.answer for each in ("kettle", "thermometer", "strainer"))


def test_a_bare_follow_up_is_judged_by_the_question_it_goes_on_with(engine: Engine):
    first = ask(engine, "Who painted the hive, and in which colour?", quote=True)
    turn = Turn(first.question, first.answer, first.query)
    assert ask(engine, "and when?", history=[turn], quote=True).answered
    assert not ask(engine, "and the president of France?", history=[turn], quote=True).answered
