"""The conversation, driven by keys over a fake engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events

from rag.answering.steps import Sentence
from rag.errors import ModelError
from rag.models.weights import ANOTHER
from tests.tui.fake_engine import LITRES, PASSAGES, FakeEngine, Script, citation
from tui.widgets.answer import Answer
from tui.widgets.question import QuestionBox
from tui.widgets.source import CITED, EVIDENCE, SourceCard, make_sources
from tui.widgets.sources import SourcesPane
from tui.widgets.turn import SourceRow
from tui.widgets.welcome import Welcome

Running = Callable[..., Any]


def cards(driver: Any) -> list[tuple[int, bool, bool]]:
    """Number, whether cited, whether selected; in the order shown."""
    return [
        (card.source.number, card.source.cited, card.has_class("-selected"))
        for card in driver.chat.query(SourceCard)
    ]


async def test_welcome_names_the_folder_and_its_counts(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        assert driver.shows("44 notes · 212 passages · indexed 3 min ago")
        assert driver.shows("Ask your notes")
        assert driver.shows("SmolLM2-135M")


async def test_evidence_comes_first_then_the_answer_with_its_sources(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("read")
    async with running() as driver:
        await driver.ready()
        await driver.ask("How much water?")
        await driver.until(lambda: driver.statics("preview"))
        assert driver.shows(f"“{LITRES[:30]}")
        assert driver.shows("500/1,000 tokens")
        engine.release()
        await driver.ready()
        assert driver.answers() == [" ".join(each.text for each in engine.script.sentences)]
        assert not driver.chat.query_one(".previews").display
        assert [str(row.render()) for row in driver.chat.query(SourceRow)] == [
            "[1] garden/tomatoes.md:13  Tomatoes › Watering",
            "[2] garden/2024 log.md:40  July",
        ]
        assert cards(driver) == [(1, True, True), (2, True, False), (3, False, False)]
        assert driver.shows("38 tok/s")


async def test_follow_up_carries_the_conversation(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        await driver.ask("And then?")
        await driver.ready()
        (question, history) = engine.asked[1]
        assert question == "And then?"
        assert [(turn.question, turn.query) for turn in history] == [("First?", "alone: First?")]
        await driver.press("ctrl+n")
        await driver.pilot.pause()
        assert driver.chat.query(Welcome)
        await driver.ask("Anew?")
        await driver.ready()
        assert engine.asked[2] == ("Anew?", ())


async def test_keys_and_clicks_choose_sources(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        driver.app.post_message(events.Key("alt+2", "2"))  # as it comes from a terminal
        await driver.until(lambda: (2, True, True) in cards(driver))
        assert isinstance(driver.app.focused, SourceCard)
        assert driver.chat.query_one(QuestionBox).text == ""
        await driver.press("up")
        await driver.until(lambda: (1, True, True) in cards(driver))
        await driver.press("3")
        await driver.until(lambda: (3, False, True) in cards(driver))
        assert driver.shows("found by words")
        await driver.press("escape")
        await driver.until(lambda: isinstance(driver.app.focused, QuestionBox))
        answer = driver.chat.query_one(Answer)
        answer.post_message(Answer.LinkClicked(answer, "1"))  # what a click on [1] posts
        await driver.until(lambda: (1, True, True) in cards(driver))


async def test_a_click_on_a_citation_in_the_text_selects_it(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        lines = driver.text().split("\n")
        y = next(i for i, line in enumerate(lines) if "14 July [2]" in line)
        await driver.pilot.click(offset=(lines[y].index("14 July [2]") + 9, y))
        await driver.until(lambda: (2, True, True) in cards(driver))


async def test_all_that_is_cited_of_a_passage_is_marked(
    running: Running, engine: FakeEngine
) -> None:
    wet = "Leaves that stay wet at night get blight."
    cited = (citation(PASSAGES[0], 1, LITRES, 13), citation(PASSAGES[0], 1, wet, 14))
    engine.script = Script(
        sentences=tuple(Sentence(f"{each.quote} [1]", (each,), "supported") for each in cited)
    )
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        (card, *_) = driver.chat.query(SourceCard)
        text = card.source.passage.text
        assert [text[a:b] for (a, b), _ in card.source.marks] == [LITRES, wet]
        assert driver.shows("garden/tomatoes.md:13–14")


async def test_a_refusal_shows_what_comes_nearest(running: Running, engine: FakeEngine) -> None:
    engine.script = Script(sentences=(), answered=False)
    async with running() as driver:
        await driver.ready()
        await driver.ask("Who is the mayor?")
        await driver.ready()
        assert driver.shows("Nearest notes:")
        assert driver.shows("“In July they need ten litres each a week")


async def test_sources_of_an_earlier_turn_can_be_seen_again(
    running: Running, engine: FakeEngine
) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        engine.script = Script(sentences=(), evidence=(), passages=PASSAGES[:1], answered=False)
        await driver.ask("Second?")
        await driver.ready()
        assert [number for number, *_ in cards(driver)] == [1]
        await driver.pilot.click(driver.chat.query(SourceRow)[1])
        await driver.until(lambda: (2, True, True) in cards(driver))


async def test_escape_stops_an_answer_and_the_app_goes_on(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("answer")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.answers()[0])
        await driver.press("escape")
        await driver.until(lambda: driver.shows("Stopped."))
        engine.release()
        await driver.ask("Again?")
        await driver.ready()
        question, (before,) = engine.asked[1]
        assert (question, before.question) == ("Again?", "Water?"), "it was seen, and may be meant"
        assert len(driver.answers()[1]) > len(driver.answers()[0])


async def test_ctrl_c_stops_an_answer_first_and_quits_when_there_is_none(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("answer")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.answers()[0])
        await driver.press("ctrl+c")
        await driver.until(lambda: driver.shows("Stopped."))
        engine.release()
        await driver.ask("Again?")
        await driver.ready()
        assert driver.app.is_running
        await driver.press("ctrl+c")
        await driver.until(lambda: not driver.app.is_running)


async def test_ctrl_c_twice_quits_while_an_answer_does_not_stop(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("read")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.shows("500/1,000"))
        await driver.press("ctrl+c", "ctrl+c")
        await driver.until(lambda: not driver.app.is_running)


async def test_escape_stops_while_the_prompt_is_read(running: Running, engine: FakeEngine) -> None:
    engine.hold("read")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.shows("500/1,000"))
        await driver.press("escape")
        await driver.until(lambda: driver.shows("Stopped."))
        assert driver.answers() == [""]


async def test_a_question_waits_for_the_models_and_can_be_taken_back(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("warm")
    async with running() as driver:
        await driver.ask("Early?")
        await driver.until(lambda: driver.shows("Waiting until the models are loaded"))
        await driver.press("escape")
        await driver.until(lambda: driver.shows("Stopped."))
        await driver.ask("Second?")
        engine.release()
        await driver.ready()
        assert [question for question, _ in engine.asked] == ["Second?"]


async def test_new_conversation_while_answering_forgets_the_answer(
    running: Running, engine: FakeEngine
) -> None:
    engine.hold("answer")
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.answers()[0])
        await driver.press("ctrl+n")
        engine.release()
        await driver.ready()
        assert driver.chat.query(Welcome)
        assert driver.chat.session.history == []
        assert cards(driver) == []


async def test_a_refusal_is_calm_and_keeps_the_nearest_passages(
    running: Running, engine: FakeEngine
) -> None:
    engine.script = Script(sentences=(), answer="", answered=False)
    async with running() as driver:
        await driver.ready()
        await driver.ask("Who won?")
        await driver.ready()
        assert driver.shows("Your notes do not say.")
        assert not driver.chat.query(".error")
        assert len(cards(driver)) == 3


async def test_errors_are_sentences_and_the_next_question_works(
    running: Running, engine: FakeEngine
) -> None:
    engine.script = Script(error=ModelError("The model is damaged.", "Run: rag doctor"))
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.until(lambda: driver.statics("error"))
        assert driver.statics("error") == ["The model is damaged.\nRun: rag doctor"]
        engine.script = Script(error=ModelError("It is cut off.", ANOTHER))
        await driver.ask("Water?")
        await driver.until(lambda: len(driver.statics("error")) == 2)
        assert driver.statics("error")[1].endswith("Choose another: Ctrl+P, Language model.")
        engine.script = Script(error=ZeroDivisionError("by [/zero]"))
        await driver.ask("Water?")
        await driver.until(lambda: len(driver.statics("error")) == 3)
        assert "ZeroDivisionError: by [/zero]" in driver.statics("error")[2]
        engine.script = Script()
        await driver.ask("Water?")
        await driver.ready()
        assert driver.answers()[3]


async def test_doubtful_sentences_are_marked(running: Running, engine: FakeEngine) -> None:
    engine.script = Script(sentences=(Sentence("Perhaps [1].", (), "weak"),))
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        assert driver.shows("Perhaps [1].≈")
        assert driver.shows("only partly borne out")


async def test_narrow_screens_show_sources_in_place_of_the_text(running: Running) -> None:
    async with running((80, 24)) as driver:
        await driver.ready()
        pane = driver.chat.query_one(SourcesPane)
        await driver.ask("Water?")
        await driver.ready()
        assert not pane.display
        assert driver.shows("[1] garden/tomatoes.md:13")
        await driver.press("ctrl+o")
        await driver.until(lambda: driver.shows("garden/tomatoes.md:12–14"))
        await driver.press("escape")
        await driver.until(lambda: not pane.display)
        await driver.press("alt+2")
        await driver.until(lambda: (2, True, True) in cards(driver))
        await driver.press("f2")
        await driver.until(lambda: not pane.display)
        await driver.pilot.resize_terminal(140, 40)
        await driver.until(lambda: pane.display)


def test_what_is_cited_is_marked_else_what_bears_on_the_question() -> None:
    script = Script()
    cited = make_sources(PASSAGES, script.evidence, script.sentences[0].citations)
    start = PASSAGES[0].text.index(LITRES)
    assert cited[0].marks == (((start, start + len(LITRES)), CITED),)
    assert (cited[0].line, cited[0].excerpt) == (13, (start, start + len(LITRES)))
    assert [style for _, style in cited[1].marks] == [EVIDENCE]
    assert (cited[1].line, cited[1].cited) == (40, False)
    assert (cited[2].marks, cited[2].line) == ((), 3)


async def test_a_theme_says_how_it_is_kept_and_the_first_one_nothing(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        assert not driver.shows("To keep it")
        driver.app.theme = "rag-light"
        await driver.until(lambda: driver.shows("theme = 'rag-light'"))
