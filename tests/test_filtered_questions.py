"""Filters, words of time and lists of notes through the engine and the command line."""

from __future__ import annotations

import json
import os
from datetime import date, datetime

import pytest

from rag.engine import Engine
from rag.errors import Cancelled, NoIndex, QuestionError
from rag.events import Answered, Retrieved
from rag.indexing.filtering import Filters
from rag.retrieval.query import Turn
from tests.conftest import Box
from tests.test_cli import python

pytestmark = pytest.mark.model
TODAY = date(2024, 3, 14)
HIVE = "What colour is the hive?"
LIGHT = """
import sys
from rag.cli import main
assert main(["ask", "--no-refresh", "which notes mention the hive?"]) == 0
heavy = {"torch", "faiss", "onnxruntime", "llama_cpp", "sentence_transformers", "textual"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def vault(box: Box) -> Box:
    """Notes of which three tell a colour of the hive, at different times."""
    for name, front, colour in (
        ("a.md", "date: 2024-03-06\ntags: [home/bees]\nstatus: draft", "blue"),
        ("b.md", "date: 2024-02-10\ntags: [home]", "red"),
        ("work/c.md", "date: 2022-05-05\ntags: [work]", "black"),
    ):
        file = box.notes / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"---\n{front}\n---\n\n# Hive\n\nThe colour of the hive is {colour}.\n")
    for name in ("barrel.md", "bees.md", "trips/rhine.md"):
        then = datetime(2019, 1, 1).timestamp()
        os.utime(box.notes / name, (then, then))
    box.index()
    return box


@pytest.fixture
def asking(vault: Box) -> Engine:
    return vault.engine()


def answered(engine: Engine, question: str, **options) -> Answered:
    *_, done = engine.ask(question, today=TODAY, **options)
    assert isinstance(done, Answered)
    return done


def test_a_log_has_a_line_for_the_day_whatever_the_day_of_its_note(box: Box):
    (box.notes / "running.md").write_text(
        "---\ndate: 2022-01-01\n---\n# Running\n\n2024-03-04: 5 km in 27:40\n"
        "2024-03-08: 8 km in 46:10\n2024-03-13: 10 km in 58:02\n"
    )
    (box.notes / "2024-03-08.md").write_text("Rain all day, and two outages of the cache.\n")
    box.index()
    engine = box.engine()
    for question, told in (
        ("How long did I run on 8 March 2024?", "46:10"),
        ("How far did I run on 2024-03-08?", "8 km"),
        ("How far did I run yesterday?", "10 km"),
    ):
        done = answered(engine, question)
        assert told in done.answer, question
        assert done.citations[0].path == "running.md"
    assert "outages" in answered(engine, "What did I do on 8 March 2024?").answer
    engine.close()


@pytest.mark.parametrize(
    ("question", "colour", "found"),
    [
        (f"tag:home/bees {HIVE}", "blue", {"a.md"}),
        (f"{HIVE} path:work/", "black", {"work/c.md"}),
        (f"{HIVE} since:2024-02 until:2024-02", "red", {"b.md"}),
        (f"-tag:home {HIVE} since:2020", "black", {"work/c.md"}),
        (f"status:DRAFT {HIVE}", "blue", {"a.md"}),
        ("What did I write last week about the colour of the hive?", "blue", {"a.md"}),
        ("What did I note in 2022 about the colour of the hive?", "black", {"work/c.md"}),
        ("What did I last write about the hive?", "blue", {"a.md"}),
        ("What does my oldest note on the hive say about colour?", "", {"bees.md"}),
    ],
)
def test_only_notes_that_the_filters_leave_are_read(asking, question, colour, found):
    events = list(asking.ask(question, today=TODAY))
    assert isinstance(events[0], Retrieved)
    assert {each.path for each in events[0].passages} == found
    done = events[-1]
    assert done.question == question
    assert colour in done.answer
    assert done.listed is None


def test_flags_and_words_hold_together(asking):
    given = Filters(tags=("home",))
    done = answered(asking, f"{HIVE} until:2024-02", filters=given)
    assert {each.path for each in done.passages} == {"b.md"}
    assert {each.path for each in asking.search("hive", filters=given)} == {"a.md", "b.md"}


def test_a_year_that_may_belong_to_the_question_does_not_empty_it(asking):
    events = list(asking.ask("What do my notes say of the hive painted in 2017?", today=TODAY))
    assert len({each.path for each in events[0].passages}) > 3
    assert "2017" in events[0].query


def test_a_follow_up_is_not_filtered_and_knows_its_topic(asking):
    first = answered(asking, f"path:work {HIVE}")
    turn = Turn(first.question, first.answer, first.query)
    *_, second = asking.ask("and what holds it?", [turn], today=TODAY)
    assert len({each.path for each in second.passages}) > 1
    assert "path" not in second.query


@pytest.mark.parametrize(
    ("question", "paths"),
    [
        ("which notes mention the hive?", {"a.md", "b.md", "work/c.md", "bees.md"}),
        ("notes tagged home from February", {"b.md"}),
        ("tag:home", {"a.md", "b.md"}),
        ("What did I write last week?", {"a.md"}),
        ("since March", {"a.md"}),
        ("my newest note on the hive", {"a.md"}),
        ("list my notes about the hive from 2022", {"work/c.md"}),
    ],
)
def test_lists_need_no_model(vault, question, paths):
    engine = vault.engine()
    done = answered(engine, question)
    assert {each.path for each in done.listed.notes} == paths
    assert done.answered
    assert done.model == ""
    assert done.citations == ()
    for each in done.listed.notes:
        assert done.passages[each.n - 1].path == each.path
        assert f"[{each.n}] **" in done.answer
    assert engine.models._generator is None


def test_what_links_to_a_note_or_is_a_question(asking):
    assert answered(asking, "what links to [[bees]]?").answer == "No note links to “bees”."
    assert answered(asking, "what links to the Rhine?").listed is None


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (f"tag:hom {HIVE}", "Did you mean 'home'"),
        (f"path:wrok/ {HIVE}", "Did you mean 'work/'"),
        (f"since:2024-04 {HIVE}", "from 1 April 2024 on"),
        ("What did I write yesterday about bees?", "dated 13 March 2024"),
        ("notes tagged home from 2020", "tagged home and dated 2020|dated 2020"),
    ],
)
def test_nothing_left_is_said(asking, question, says):
    with pytest.raises(QuestionError, match=says):
        list(asking.ask(question, today=TODAY))


def test_lists_want_an_index_and_searches_want_words(box: Box, vault: Box):
    with pytest.raises(QuestionError, match="rag ask"):
        vault.engine().search("tag:home")
    vault.notes = vault.folder / "other"
    vault.notes.mkdir()
    with pytest.raises(NoIndex):
        next(vault.engine().ask("which notes mention X?"))
    (vault.notes / "x.md").write_text("X.\n")
    with pytest.raises(Cancelled):
        list(vault.engine().index(cancel=lambda: True))
    for question in ("which notes mention X?", "tag:home x", "since March"):
        with pytest.raises(NoIndex):
            next(vault.engine().ask(question))


def test_the_command_line(vault: Box):
    done = vault.rag("ask", "--no-refresh", "--tag", "home/bees", HIVE)
    assert "blue" in done.stdout
    assert "red" not in done.stdout
    done = vault.rag("search", "--json", "--path", "work", "--path", "b.md", "--since=2000", "hive")
    found = {each["path"] for each in json.loads(done.stdout)["passages"]}
    assert found == {"work/c.md", "b.md"}
    done = vault.rag("ask", "--where", "status=draft", "--until", "2024")
    assert done.stdout.startswith("1 note with status = draft and dated until 31 December 2024:\n")
    assert "a.md  Hive  2024-03-06" in done.stdout
    assert done.returncode == 0


def test_lists_on_the_command_line(vault: Box):
    done = vault.rag("ask", "--json", "which notes mention the hive in work/")
    reply = json.loads(done.stdout)
    assert reply["notes"] == [
        {
            "path": "work/c.md",
            "title": "Hive",
            "date": "2022-05-05",
            "line": 8,
            "text": "The colour of the hive is black.",
        }
    ]
    done = vault.rag("ask", "which notes mention zebras?")
    assert done.returncode == 1
    assert done.stdout == "No note mentions “zebras”.\n"


def test_what_no_note_mentions_in_these_words_shows_what_is_near(vault: Box):
    (vault.notes / "wax.md").write_text("# Candles\n\nMelting beeswax for candles, and wicks.\n")
    done = vault.rag("ask", "which of my notes is about candlemaking?")
    assert done.returncode == 1
    head, _, near = done.stdout.partition("\n\nNearest notes:\n")
    assert head == "No note mentions “candlemaking”."
    assert near.startswith("[1] wax.md:3")


def test_a_hostile_title_in_a_list_is_only_text(vault: Box):
    (vault.notes / "e\x1b[2Jvil.md").write_text("# [red]\x1b]0;x\x07T[/red]\u202e\n\nThe hive.\n")
    done = vault.rag("ask", "which notes mention the hive?")
    for control in "\x1b\x07\u202e":
        assert control not in done.stdout + done.stderr
    assert "[red]" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tag", "hom", "x"], "Did you mean 'home'?"),
        (["--since", "2024-02-30", "x"], "not a date that exists"),
        (["--where", "statu=draft", "x"], "Did you mean 'status'?"),
        (["--where", "status", "x"], "Write it as: status=draft"),
        (["tga:home x"], "there are: tag, path"),
        (['path:"work x'], "is not closed"),
    ],
)
def test_bad_filters_are_refused(vault: Box, arguments, says):
    vault.refused("ask", "--no-refresh", *arguments, says=says)


def test_a_list_loads_nothing_heavy(vault: Box):
    done = python(vault, LIGHT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert "bees.md" in done.stdout
