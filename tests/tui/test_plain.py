"""The line-based loop: the same conversations, without a screen."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from rag.answering.conversations import Conversations
from rag.answering.steps import Sentence
from rag.errors import ModelError
from rag.retrieval.query import Turn
from tests.conftest import Box
from tests.tui.fake_engine import LITRES, FakeEngine, Script
from tests.tui.test_typing import HOSTILE
from tui.plain import Plain
from tui.plain_lines import read_aloud


@pytest.fixture
def fake(tmp_path: Path) -> FakeEngine:
    folder = tmp_path / "notes"
    folder.mkdir()
    return FakeEngine(folder)


@pytest.fixture
def kept(tmp_path: Path, fake: FakeEngine) -> Iterator[Conversations]:
    conversations = Conversations(tmp_path / "data", fake.notes_folder)
    yield conversations
    conversations.close()


@pytest.fixture
def say(fake: FakeEngine, kept: Conversations) -> Callable[..., str]:
    """Run the loop over lines, and give what it printed."""

    def run(*lines: str, begin=None) -> str:
        out = io.StringIO()
        waiting = iter(lines)

        def read(_prompt: str) -> str:
            try:
                return next(waiting)
            except StopIteration:
                raise EOFError from None

        console = Console(file=out, width=80, soft_wrap=True, highlight=False, markup=False)
        Plain(fake, kept, console).run(begin, read)
        return out.getvalue()

    return run


def test_a_question_is_answered_with_its_sources(say):
    said = say("How much water?")
    assert said.index(LITRES) < said.index("Answer:") < said.index("ten litres a week")
    assert "Source 1: garden/tomatoes.md, line 13" in said
    assert "\x1b" not in said


def test_conversations_are_the_same_as_on_the_screen(say, kept: Conversations, fake: FakeEngine):
    say("First?", "And then?")
    assert fake.asked[1][1] == (Turn("First?", fake_answer(fake), "alone: First?"),)
    (found,) = kept.all()
    assert found.turns == 2
    said = say("Third?", begin="latest")
    assert "Question: And then?" in said
    assert kept.get(found.id).turns == 3
    assert "1. First?" in say(begin=0)


def test_a_number_opens_what_was_listed_at_the_beginning_and_is_a_question_later(
    say, kept: Conversations, fake: FakeEngine
):
    say("First?")
    said = say("1", "And then?", begin=0)
    assert "Type a number to go on with one" in said
    assert "Conversation: First?" in said
    (found,) = kept.all()
    assert found.turns == 2
    say("Other?", "1", begin=0)
    assert [question for question, _ in fake.asked] == ["First?", "And then?", "Other?", "1"]


def test_what_was_written_of_a_stopped_answer_is_kept(fake: FakeEngine, kept, say):
    asked = fake.ask

    def stopped(*values, **named):
        for event in asked(*values, **named):
            yield event
            if isinstance(event, Sentence):
                raise KeyboardInterrupt

    fake.ask = stopped
    assert "Stopped." in say("Water?")
    fake.ask = asked
    said = say("And then?", begin="latest")
    assert said.index("Question: Water?") < said.index("ten litres") < said.index("Stopped.")
    (_, (before,)) = fake.asked[-1]
    assert before.question == "Water?"


def test_ctrl_c_clears_what_is_typed_and_leaves_an_empty_line(fake: FakeEngine, kept):
    out = io.StringIO()
    typed = ["half a quest", ""]
    lines = iter([KeyboardInterrupt, "Whole?", KeyboardInterrupt])

    def read(_prompt: str) -> str:
        line = next(lines)
        if isinstance(line, str):
            return line
        raise line

    console = Console(file=out, width=80, soft_wrap=True, highlight=False, markup=False)
    Plain(fake, kept, console, typed=lambda: typed.pop(0)).run(None, read)
    assert [question for question, _ in fake.asked] == ["Whole?"]


def test_a_conversation_that_is_opened_again_shows_its_marks_and_sources(say, fake: FakeEngine):
    first, second = fake.script.sentences
    fake.script = Script(sentences=(first, replace(second, support="weak")), thoughts="Ten, then?")
    answered = say("First?").partition("Answer:")[2]
    assert "That is what you gave them on 14 July [2]. (weakly supported)\nThe model" in answered
    assert "Source 2: " in answered
    assert f"Question: First?\nAnswer:{answered}" in say(begin="latest") + "\n"
    fake.script = Script(sentences=(), answer="Your notes do not say.", answered=False)
    say("And who?", begin="latest")
    assert "And who?\nYour notes do not say.\nNearest note 1: garden" in say(begin="latest")


def fake_answer(fake: FakeEngine) -> str:
    return " ".join(each.text for each in fake.script.sentences)


def test_commands(say, kept: Conversations, fake: FakeEngine):
    said = say(
        "First?", "/source 2", "/rename Tomatoes", "/export", "/new", "Other?", "/search tomatoes",
        "/open 2", "/delete", "/list", "/undo", "/nonsense", "/source 9", "/open x", "/help",
    )  # fmt: skip
    assert "The beans look tired." in said
    assert "It is called Tomatoes now." in said
    assert "Exported to Tomatoes.md" in said
    assert (fake.notes_folder / "Tomatoes.md").is_file()
    assert "Deleted. /undo brings it back." in said
    assert "There is no command /nonsense." in said
    assert "Name a source from 1 to 3" in said
    assert {each.title for each in kept.all()} == {"Tomatoes", "Other?"}


def test_an_answer_is_explained_and_asked_again(say, kept: Conversations, fake: FakeEngine):
    said = say("/why", "/retry", "First?", "/why", "Second?", "/retry")
    assert said.count("Nothing has been asked in this conversation yet.") == 2
    assert "Searched: alone: First?" in said
    assert "2. garden/2024 log.md, line" in said
    assert "meaning 0." in said
    assert [question for question, _ in fake.asked] == ["First?", "Second?", "Second?"]
    assert [turn.question for turn in fake.asked[2][1]] == ["First?"]
    assert kept.all()[0].turns == 2


def test_nothing_is_explained_or_retried_of_a_conversation_that_was_left(
    say, kept: Conversations, fake: FakeEngine
):
    for leaving in ("/new", "/delete"):
        said = say("First?", leaving, "/why", "/retry", "/branch 1", "Next?")
        assert said.count("Nothing has been asked in this conversation yet. Ask first.") == 3
        assert said.count("Answer:") == 2
    fake.script = Script(error=ModelError("The model is damaged.", "Run: rag doctor"))
    assert "Searched: alone: First?" in say("First?", "/why")


def test_a_retry_that_fails_loses_nothing(say, kept: Conversations, fake: FakeEngine):
    say("First?")
    fake.script = Script(error=ModelError("The model is damaged.", "Run: rag doctor"))
    said = say("/retry", "/branch 1", begin="latest")
    assert "The model is damaged." in said
    assert "Conversation: First? (branch)" in said
    assert sorted(each.turns for each in kept.all()) == [1, 1]


@pytest.mark.parametrize("leave", ["/new", "/delete"])
def test_a_new_conversation_has_no_source_of_the_old_one(say, leave: str):
    said = say("First?", leave, "/source 1")
    assert said.endswith("No source yet.\n\n")
    assert "garden/tomatoes.md, lines 12 to 14" not in said


def test_a_branch_goes_on_apart(say, kept: Conversations):
    said = say("First?", "Second?", "/branch 3", "/branch 1", "Third?")
    assert "Name a question from 1 to 2: /branch 1" in said
    asked = {each.title: [turn.question for turn in kept.turns(each.id)] for each in kept.all()}
    assert asked == {"First?": ["First?", "Second?"], "First? (branch)": ["First?", "Third?"]}


def test_notes_are_found_by_name_and_by_text(say):
    said = say("/find", "/find water butt", "/find tired", "/find xyzzy")
    assert "Name words of a note: /find barrel" in said
    assert "(house/rain barrel.md, line 1): Water butt" in said
    assert "(garden/2024 log.md, line 40): tired" in said
    assert "No note was found." in said


def test_errors_are_sentences_and_what_was_asked_is_kept(
    say, kept: Conversations, fake: FakeEngine
):
    fake.script = Script(error=ModelError("The model is damaged.", "Run: rag doctor"))
    said = say("First?", "/nothing")
    assert "The model is damaged. Run: rag doctor" in said
    assert "There is no command /nothing" in said
    fake.script = Script()
    assert "Question: First?" in say("Second?", begin="latest")
    assert [turn.question for turn in kept.turns(kept.all()[0].id)] == ["First?", "Second?"]
    assert fake.asked[-1] == ("Second?", ()), "what was not answered is no history"


def test_a_refusal_names_the_nearest_notes(say, fake: FakeEngine):
    fake.script = Script(sentences=(), answer="Your notes do not say.", answered=False)
    said = say("Who?")
    assert "Your notes do not say.\nNearest note 1: garden/tomatoes.md, lines 12 to 14" in said


def test_hostile_text_is_text(say):
    said = say(f"What is {HOSTILE}?", f"/rename {HOSTILE}", "/list")
    assert "[bold red]x[/]" in said
    assert "\x1b" not in said


@pytest.mark.model
def test_plain_reads_questions_from_a_pipe(box: Box):
    done = box.rag("chat", "--plain", input="How many litres does the rain barrel hold?\n/quit\n")
    assert done.returncode == 0
    assert "300" in done.stdout
    assert "Source 1: barrel.md, line 3" in done.stdout
    again = box.rag("chat", "--plain", "--continue", input="")
    assert "Question: How many litres does the rain barrel hold?" in again.stdout
    assert "There is no conversation 99" in box.rag("chat", "--plain", "--resume", "99").stdout


@pytest.mark.model
@pytest.mark.parametrize("refresh", [True, False])
def test_a_note_that_changes_meanwhile(box: Box, refresh: bool):
    box.index()
    engine = box.engine()
    out = io.StringIO()
    console = Console(file=out, width=80, soft_wrap=True, highlight=False, markup=False)
    asked = iter(["one", "two"])

    def read(_prompt: str) -> str:
        turn = next(asked, None)
        if turn is None:
            raise EOFError
        if turn == "two":
            (box.notes / "barrel.md").write_text("# Barrel\n\nThe rain barrel holds 410 litres.\n")
        return "How many litres does the rain barrel hold?"

    with closing(engine), closing(Conversations(box.data, engine.notes_folder)) as kept:
        Plain(engine, kept, console, refresh=refresh).run(None, read)
    before, after = out.getvalue().split("Question: ", 1)[0], out.getvalue()
    assert "300" in before
    assert ("410" in after) == refresh
    assert ("Notes: 1 changed" in after) == refresh
    assert ("Warning: the note changed: it no longer says this" in after) != refresh


def test_a_note_of_a_list_that_changed_is_told(say, fake: FakeEngine):
    fake.script = Script(sentences=(), answer="- Water the tomatoes [1]")
    said = say("Which tasks?")
    assert "Warning: of [1], the note is no longer there" in said


def test_what_was_not_named_is_asked_for(say):
    said = say("/branch 1", "First?", "/rename", "/branch 3")
    assert "Nothing has been asked in this conversation yet." in said
    assert "Name the title: /rename" in said
    assert "Name a question from 1 to 1: /branch 1" in said


def test_an_answer_is_read_without_marks() -> None:
    text = (
        "Do **this** in [[Home|the house]]:\n- *one* [1]\n1. two\n\n| | Rain | Sun |\n"
        "|---|:-:|---|\n| Wear | a `coat` | |\n| When | May | June |\n```sh\nls | wc -l\n```\n[2]"
    )
    assert read_aloud(text) == [
        "Do this in the house:",
        "- one [1]",
        "1. two",
        "Wear. Rain: a coat.",
        "When. Rain: May. Sun: June.",
        "ls | wc -l",
        "[2]",
    ]


def test_a_row_alone_is_read_too():
    assert read_aloud("| Rain | a coat |  | [1] |") == ["Rain. a coat. [1]."]
