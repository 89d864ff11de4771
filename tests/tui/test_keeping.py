"""Conversations in the interface: kept, reopened, renamed, deleted, branched, exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual import events
from textual.keys import key_to_character
from textual.widgets import Input, Static

from rag.answering.conversations import Conversations
from rag.answering.export import as_markdown
from rag.answering.saved import SavedTurn
from rag.answering.steps import Sentence
from rag.errors import ModelError, StorageError
from rag.retrieval.spelling import Respelled
from tests.answering.test_conversations import TURN
from tests.tui.fake_engine import FakeEngine, Script
from tui.screens.conversations import ConversationsScreen, TitleScreen, day_name
from tui.screens.why import WhyScreen
from tui.widgets.answer import Answer
from tui.widgets.question import QuestionBox
from tui.widgets.source import SourceCard
from tui.widgets.transcript import AT_ONCE
from tui.widgets.turn import SourceRow, TurnView
from tui.workplace import Workplace

Running = Callable[..., Any]


@pytest.fixture
def kept(place: Workplace, engine: FakeEngine) -> Conversations:
    """The database that the app writes."""
    return place.open_conversations(engine.notes_folder)


async def ask(driver: Any, *questions: str) -> None:
    for question in questions:
        await driver.ask(question)
        await driver.ready()


def burst(driver: Any, *keys: str) -> None:
    """Keys as a slow connection brings them, with no time between them."""
    for key in keys:
        name = {"/": "slash", " ": "space"}.get(key, key)
        event = events.Key(name, key_to_character(name))
        event.set_sender(driver.app)
        driver.app._driver.send_message(event)


def questions(driver: Any) -> list[str]:
    return [view.question for view in driver.chat.query(TurnView)]


async def test_turns_are_kept_and_the_latest_goes_on(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?")
    (found,) = kept.all()
    assert (found.title, found.turns) == ("First?", 2)
    assert kept.turns(found.id)[0].sentences == tuple(engine.script.sentences)
    async with running(begin="latest") as driver:
        await driver.until(lambda: questions(driver) == ["First?", "Second?"])
        await driver.ready()
        assert driver.answers()[0] == kept.turns(found.id)[0].answer
        assert driver.chat.query(SourceRow)
        assert driver.chat.query(SourceCard)
        await ask(driver, "Third?")
        (_, history) = engine.asked[-1]
        assert [turn.question for turn in history] == ["First?", "Second?"]
    assert kept.all()[0].turns == 3


async def test_a_turn_looks_the_same_when_it_is_opened_again(
    running: Running, engine: FakeEngine
) -> None:
    sentences = engine.script.sentences
    doubtful = replace(sentences[1], support="weak")
    engine.script = replace(
        engine.script,
        sentences=(sentences[0], doubtful, Sentence("Ask a neighbour.", (), "unsupported")),
        thoughts="Ten litres, then?",
        respelled=(Respelled("tomatos", "tomatoes"),),
        confidence=0.42,
    )

    async def seen(driver: Any) -> list[str]:
        await driver.until(lambda: driver.shows("borne out by its source"))
        await driver.ready()
        (view,) = driver.chat.query(TurnView)
        texts = view.query(Static).exclude(".preview")  # hidden once there is an answer
        shown = [str(each.render()) for each in texts if each.display]
        shown.append(view.query_one(Answer).source)
        view.focus()
        await driver.press("w")
        await driver.until(lambda: isinstance(driver.app.screen, WhyScreen))
        return shown + [str(each.render()) for each in driver.app.screen.query(Static)]

    async with running() as driver:
        await driver.ready()
        await driver.ask("Water the tomatos?")
        before = await seen(driver)
    text = "\n".join(before)
    told = ("also searched “tomatoes”", "[2].≈", "Ten litres, then?", "42% likely", "38 tokens/s")
    assert [each for each in told if each not in text] == []
    async with running(begin="latest") as driver:
        assert await seen(driver) == before


async def test_a_long_conversation_shows_its_end_and_more_on_demand(
    running: Running, kept: Conversations
) -> None:
    conversation = None
    for number in range(30):
        conversation = kept.add(conversation, replace(TURN, question=f"Q {number}?"))
    async with running(begin=conversation) as driver:
        await driver.ready()
        await driver.until(lambda: questions(driver)[-1:] == ["Q 29?"])
        assert len(questions(driver)) == AT_ONCE
        driver.chat.query(TurnView).first().focus()
        await driver.press("up")
        await driver.until(lambda: len(questions(driver)) == 2 * AT_ONCE)
        assert questions(driver) == [f"Q {number}?" for number in range(30 - 2 * AT_ONCE, 30)]
        await driver.until(lambda: driver.app.focused.question == f"Q {29 - AT_ONCE}?")
        await driver.press("escape")
        await driver.until(lambda: driver.app.focused is driver.chat.box)
        await ask(driver, "Next?")
        assert len(driver.chat.session.history) == 31
    assert kept.get(conversation).turns == 31


async def test_questions_of_other_days_are_recalled(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
    async with running() as driver:
        await driver.ready()
        box = driver.chat.query_one(QuestionBox)
        await driver.until(lambda: box._asked)
        await driver.press("up")
        assert box.text == "First?"


def only_turn(kept: Conversations) -> SavedTurn:
    """The turn of the only conversation that is kept."""
    (conversation,) = kept.all()
    (turn,) = kept.turns(conversation.id)
    return turn


@pytest.mark.parametrize(("gate", "written"), [("read", 0), ("answer", 1)])
async def test_what_was_written_of_a_stopped_answer_is_kept(
    running: Running, engine: FakeEngine, kept: Conversations, gate: str, written: int
) -> None:
    engine.hold(gate)
    sentences = tuple(engine.script.sentences[:written])

    async def seen(driver: Any) -> list[str]:
        await driver.until(lambda: driver.shows("Stopped."))
        (view,) = driver.chat.query(TurnView)
        assert view.evidence == tuple(engine.script.evidence)
        return [view.question, view.answer, *map(str, view.query(SourceRow))]

    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        shown = "ten litres" if written else "500/1,000"
        await driver.until(lambda: driver.shows(shown))
        await driver.press("escape")
        before = await seen(driver)
    turn = only_turn(kept)
    assert (turn.stopped, turn.answered, turn.sentences) == (True, False, sentences)
    async with running(begin="latest") as driver:
        assert await seen(driver) == before
        await driver.ready()
        engine.release()
        await ask(driver, "And then?")
        _, history = engine.asked[-1]
        assert [each.question for each in history] == ["Water?"] * written
    (conversation,) = kept.all()
    text = as_markdown("Water", kept.turns(conversation.id))
    assert text.count("*Stopped.*") == 1
    assert text.count("plant needs **ten litres** a week, and") == 1 + written


@pytest.mark.parametrize("key", ["escape", "ctrl+n", "ctrl+q"])
async def test_a_question_that_waits_is_kept_when_it_is_taken_back_or_left(
    running: Running, engine: FakeEngine, kept: Conversations, key: str
) -> None:
    engine.hold("warm")
    async with running() as driver:
        await driver.until(lambda: driver.shows("Loading models"))
        await driver.ask("Water?")
        await driver.until(lambda: driver.shows("Waiting until the models are loaded"))
        await driver.press(key)
        await driver.until(kept.all)
    turn = only_turn(kept)
    assert (turn.question, turn.answer, turn.stopped) == ("Water?", "", True)
    assert not engine.asked


@pytest.mark.parametrize("way", ["ctrl+q", "killed"])
async def test_what_was_written_is_kept_when_the_program_ends(
    running: Running, engine: FakeEngine, kept: Conversations, way: str
) -> None:
    engine.hold("answer")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.shows("ten litres"))
        if way == "killed":
            driver.app._leave(143)
        else:
            await driver.press(way)
        await driver.until(kept.all)
    turn = only_turn(kept)
    assert turn.stopped
    assert turn.sentences == tuple(engine.script.sentences[:1])
    assert driver.app.return_code == (143 if way == "killed" else 0)


async def test_stopped_while_it_is_asked_anew_the_answer_before_stays(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "Water?")
        engine.hold("read")
        await driver.press("f5")
        await driver.until(lambda: driver.shows("500/1,000"))
        await driver.press("escape")
        await driver.until(lambda: driver.shows("no new answer"))
        assert driver.answers() == [kept.turns(kept.all()[0].id)[0].answer]
    (turn,) = kept.turns(kept.all()[0].id)
    assert not turn.stopped
    assert turn.answered


async def test_an_answer_that_is_left_for_a_new_conversation_is_kept(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    engine.hold("answer")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.shows("ten litres"))
        await driver.press("ctrl+n")
        await driver.until(lambda: questions(driver) == [])
        engine.release()
        await ask(driver, "Other?")
        assert questions(driver) == ["Other?"]
    other, water = kept.all()
    assert (other.title, other.turns) == ("Other?", 1)
    (turn,) = kept.turns(water.id)
    assert (turn.question, turn.stopped, len(turn.sentences)) == ("Water?", True, 1)


async def test_a_turn_that_is_asked_anew_is_followed_to_its_end(
    running: Running, engine: FakeEngine
) -> None:
    more = tuple(Sentence(f"Sentence {n} of a long answer. [1]", (), "weak") for n in range(30))
    engine.script = replace(engine.script, sentences=more)
    async with running(size=(80, 24)) as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?")
        engine.pause_s = 0.002
        await driver.press("alt+up", "r")
        await driver.until(lambda: len(engine.asked) == 3)
        await driver.until(lambda: len(driver.chat.session.kept) == 2, 30)
        transcript = driver.chat.transcript
        await driver.until(lambda: transcript.scroll_offset.y >= transcript.max_scroll_y - 1)


async def test_stopped_twice_what_was_written_last_is_kept(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        for gate, shown in (("read", "500/1,000"), ("answer", "ten litres")):
            engine.release()
            engine.hold(gate)
            if gate == "read":
                await driver.ask("Water?")
            else:
                await driver.press("f5")
            await driver.until(lambda shown=shown: driver.shows(shown))
            await driver.press("escape")
            await driver.until(lambda: driver.shows("Stopped."))
    (turn,) = kept.turns(kept.all()[0].id)
    assert turn.stopped
    assert len(turn.sentences) == 1


async def test_a_new_conversation_begins_with_ctrl_n(running: Running, kept: Conversations) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        await driver.press("ctrl+n")
        await ask(driver, "Other?")
    assert [each.title for each in kept.all()] == ["Other?", "First?"]


async def test_the_list_opens_searches_renames_deletes_and_undoes(
    running: Running, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        await driver.press("ctrl+n")
        await ask(driver, "Other?")
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        assert isinstance(driver.app.screen, ConversationsScreen)
        await driver.until(lambda: driver.app.screen.chosen is not None)
        await driver.press("r")
        await driver.until(lambda: isinstance(driver.app.screen, TitleScreen))
        await driver.press("ctrl+u", *"Bees", "enter")
        await driver.until(lambda: driver.shows("Bees"))
        await driver.press("d")
        await driver.until(lambda: len(kept.all()) == 1)
        await driver.press("u")
        await driver.until(lambda: len(kept.all()) == 2)
        await driver.press("slash", *"first")
        await driver.until(lambda: not driver.shows("  Bees"))
        await driver.until(lambda: driver.app.screen.chosen is not None)
        await driver.press("enter")
        await driver.until(lambda: questions(driver) == ["First?"])
    assert {each.title for each in kept.all()} == {"Bees", "First?"}


async def test_what_was_deleted_comes_back_also_after_the_list_was_closed(
    running: Running, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        await driver.press("ctrl+n")
        await ask(driver, "Other?")
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        await driver.press("down", "d")
        await driver.until(lambda: [each.title for each in kept.all()] == ["Other?"])
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        await driver.press("u")
        await driver.until(lambda: len(kept.all()) == 2)
        # What is done next is done to it.
        await driver.until(lambda: driver.app.screen.chosen.title == "First?")


async def test_the_list_begins_with_the_open_conversation(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        await driver.press("ctrl+n")
        await ask(driver, "Other?")
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        await driver.press("down", "enter")
        await driver.until(lambda: questions(driver) == ["First?"])
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.app.screen.chosen is not None)
        assert driver.app.screen.chosen.title == "First?"


async def test_a_conversation_that_is_found_by_words_opens_at_them(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "Bees first?", "Then wasps?", "And ants?")
        await driver.press("ctrl+n", "ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        await driver.press("slash", *"wasps")
        await driver.until(lambda: driver.app.screen.searched == "wasps")
        await driver.press("enter")
        await driver.until(lambda: getattr(driver.app.focused, "question", "") == "Then wasps?")
        await driver.press("ctrl+l", "slash", *"hornets")
        await driver.until(lambda: driver.shows("No conversation holds these words."))


async def test_words_far_back_in_a_long_conversation_are_gone_to(
    running: Running, kept: Conversations
) -> None:
    conversation = None
    for number in range(3 * AT_ONCE):
        conversation = kept.add(conversation, replace(TURN, question=f"Wasp{number}?"))
    async with running() as driver:
        await driver.ready()
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Wasp0?"))
        await driver.press("slash", *"wasp2?")
        await driver.until(lambda: driver.app.screen.searched == "wasp2?")
        await driver.press("enter")
        await driver.until(lambda: getattr(driver.app.focused, "question", "") == "Wasp2?")
        assert len(questions(driver)) == 3 * AT_ONCE


async def test_deleting_the_one_on_the_screen_begins_a_new_one(
    running: Running, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        await driver.press("d")
        await driver.until(lambda: driver.shows("No conversation"))
        await driver.press("escape")
        await driver.until(lambda: questions(driver) == [])
        await ask(driver, "Second?")
    assert [each.title for each in kept.all()] == ["Second?"]


async def test_editing_leaves_what_was_said_and_retry_asks_the_last_anew(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?", "Third?")
        await driver.press("alt+up", "up", "e")  # the second turn
        box = driver.chat.query_one(QuestionBox)
        await driver.until(lambda: box.text == "Second?")
        await driver.press("escape")
        await driver.until(lambda: box.text == "")
        await driver.press("alt+up", "up", "e")
        await driver.until(lambda: box.text == "Second?")
        await driver.press("ctrl+u", *"Changed?", "enter")
        await driver.until(lambda: questions(driver) == ["First?", "Changed?"])
        await driver.ready()
        (question, history) = engine.asked[-1]
        assert (question, [turn.question for turn in history]) == ("Changed?", ["First?"])
        await driver.press("f5")
        await driver.until(lambda: len(engine.asked) == 5)
        await driver.ready()
        assert questions(driver) == ["First?", "Changed?"]
    turns = [[turn.question for turn in kept.turns(each.id)] for each in kept.all()]
    assert ["First?", "Second?", "Third?"] in turns
    assert turns.count(["First?", "Changed?"]) == 1


async def test_a_draft_and_a_changed_question_can_be_recalled(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        box = driver.chat.query_one(QuestionBox)
        await driver.press(*"draft", "alt+up", "e")
        await driver.until(lambda: box.text == "First?")
        await driver.press(*" changed", "escape")
        await driver.until(lambda: box.text == "")
        assert not box.border_title
        await driver.press("up")
        assert box.text == "First? changed"
        await driver.press("up")
        assert box.text == "draft"


async def test_ctrl_c_leaves_the_editing_too(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        box = driver.chat.query_one(QuestionBox)
        await driver.press("alt+up", "e")
        await driver.until(lambda: box.text == "First?")
        await driver.press("ctrl+c")
        assert box.text == ""
        assert not box.border_title
        await ask(driver, "Second?")
        assert questions(driver) == ["First?", "Second?"]


async def test_another_conversation_ends_the_editing_of_a_turn(
    running: Running, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?")
        await driver.press("ctrl+n")
        await driver.until(lambda: questions(driver) == [])
        await ask(driver, "Other?")
        box = driver.chat.query_one(QuestionBox)
        await driver.press("alt+up", "e")
        await driver.until(lambda: box.text == "Other?")
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        await driver.press("down", "enter")
        await driver.until(lambda: questions(driver) == ["First?", "Second?"])
        assert not box.border_title
        await driver.press("ctrl+u", *"Third?", "enter")
        await driver.until(lambda: questions(driver) == ["First?", "Second?", "Third?"])
        await driver.ready()
    assert sorted(each.turns for each in kept.all()) == [1, 3]


async def test_an_answer_that_is_asked_anew_in_vain_stays(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?")
        engine.hold("read")
        await driver.press("f5")
        await driver.until(lambda: len(engine.asked) == 3)
        await driver.press("escape")
        await driver.until(lambda: driver.shows("no new answer"))
        engine.release()
        await ask(driver, "Third?")
        assert [turn.question for turn in engine.asked[-1][1]] == ["First?", "Second?"]
        await driver.press("f5")
        await driver.until(lambda: len(engine.asked) == 5)
        await driver.ready()
        await driver.press("alt+up", "up", "b")  # the turn that was stopped
        await driver.until(lambda: questions(driver) == ["First?", "Second?"])
    turns = [[turn.question for turn in kept.turns(each.id)] for each in kept.all()]
    assert sorted(turns) == [["First?", "Second?"], ["First?", "Second?", "Third?"]]


async def test_a_branch_goes_on_apart(running: Running, kept: Conversations) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?")
        await driver.press("alt+up", "up", "b")
        await driver.until(lambda: questions(driver) == ["First?"])
        await ask(driver, "Instead?")
    turns = [[turn.question for turn in kept.turns(each.id)] for each in kept.all()]
    assert sorted(turns) == [["First?", "Instead?"], ["First?", "Second?"]]


async def test_a_conversation_becomes_a_note(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "How much water?")
        await driver.press("alt+up", "x")
        await driver.until(lambda: driver.shows("Exported to How much water.md"))
    text = (engine.notes_folder / "How much water.md").read_text()
    assert "[[garden/tomatoes|Tomatoes]]" in text


async def test_what_cannot_be_kept_is_said_and_the_answer_stays(
    running: Running, engine: FakeEngine
) -> None:
    def refuse(folder: object) -> Conversations:
        raise StorageError("The disk is full.", "Free some space.")

    async with running(open_conversations=refuse) as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?")
        assert driver.shows("The disk is full.")
        assert all(driver.answers())
        (_, history) = engine.asked[-1]
        assert len(history) == 1


async def test_an_unknown_conversation_is_a_sentence(running: Running) -> None:
    async with running(begin=99) as driver:
        await driver.until(lambda: driver.shows("There is no conversation 99"))
        await ask(driver, "First?")
        assert driver.answers()[0]


def test_days_have_names() -> None:
    now = 1_700_000_000.0
    assert day_name(now - 60, now) == "Today"
    assert day_name(now - 86400, now) == "Yesterday"
    assert day_name(now - 3 * 86400, now).endswith(" November")
    assert day_name(now - 400 * 86400, now).endswith(" 2022")


async def test_keys_that_come_in_a_burst_are_typed_where_they_belong(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("Today"))
        burst(driver, "/", *"xdu")
        await driver.until(lambda: driver.app.screen.query_one(Input).value == "xdu")
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen.chosen)
        burst(driver, "r", *"dx")
        await driver.until(lambda: isinstance(driver.app.screen, TitleScreen))
        await driver.press("escape", "u")
        await driver.until(lambda: driver.shows("Nothing was deleted."))
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
    assert [each.title for each in kept.all()] == ["First?"]
    assert not list(engine.notes_folder.glob("*.md"))


async def test_a_conversation_opens_at_the_turn_that_the_search_quotes(
    running: Running, kept: Conversations
) -> None:
    conversation: int | None = None
    for day in range(1, 12):
        asked = f"How many came on day {day}?"
        turn = replace(TURN, question=asked, answer=f"{1000 + day} came.", sentences=())
        conversation = kept.add(conversation, turn)
    async with running() as driver:
        await driver.ready()
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("How many"))
        await driver.press("/", *"day 7")
        await driver.until(lambda: driver.shows("on day 7"))
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.until(lambda: isinstance(driver.app.focused, TurnView))
        assert driver.app.focused.question == "How many came on day 7?"


async def test_turns_are_stepped_through_as_fast_as_keys_come(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?", "Second?", "Third?", "Fourth?")
        burst(driver, *["alt+up"] * 3)
        await driver.until(lambda: isinstance(driver.app.focused, TurnView))
        await driver.pilot.pause()
        assert driver.app.focused.question == "Second?"
        await driver.press("escape")
        driver.chat.notify("Something.", timeout=60)
        await driver.until(lambda: driver.shows("Something."))
        await driver.press("escape")
        await driver.until(lambda: not driver.shows("Something."))


async def test_a_question_that_ended_in_an_error_is_kept_and_asked_anew(
    running: Running, engine: FakeEngine, kept: Conversations
) -> None:
    engine.script = Script(error=ModelError("The model is damaged.", "Run: rag doctor"))
    async with running() as driver:
        await driver.ready()
        await ask(driver, "First?")
        assert driver.shows("The model is damaged.")
        (found,) = kept.all()
        assert [turn.stopped for turn in kept.turns(found.id)] == [True]
        engine.script = Script()
        await driver.press("f5")
        await driver.until(lambda: len(engine.asked) == 2)
        await driver.ready()
    (found,) = kept.all()
    assert [turn.stopped for turn in kept.turns(found.id)] == [False]
