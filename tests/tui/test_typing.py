"""The question box, help, hostile text and leaving."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from rag.answering.steps import Sentence
from tests.tui.fake_engine import PASSAGES, FakeEngine, Script, citation, evidence
from tui.keys import read_alt_digits
from tui.screens.help import HelpScreen
from tui.widgets.answer import Answer
from tui.widgets.question import QuestionBox
from tui.widgets.source import SourceCard
from tui.workplace import Workplace

Running = Callable[..., Any]
HOSTILE = "[bold red]x[/] [/] [link=http://evil]y[/link] \x1b[31mz [@click=app.quit]q[/]"
SHOWN = "[bold red]x[/] [/] [link=http://evil]y[/link] [31mz [@click=app.quit]q[/]"


async def test_enter_does_not_overtake_what_was_typed(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await driver.ready()
        for key in ("h", "i", "enter"):  # as they come out of one read of the terminal
            driver.app.post_message(events.Key(key, key if len(key) == 1 else "\r"))
        await driver.until(lambda: engine.asked)
        assert engine.asked[0][0] == "hi"


async def test_keys_of_the_box_are_not_overtaken_by_what_is_typed_after(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        for key in ("a", "ctrl+j", "b", "x", "backspace", "c", "left", "d", "home", "e"):
            driver.app.post_message(events.Key(key, key if len(key) == 1 else None))
        box = driver.chat.query_one(QuestionBox)
        await driver.until(lambda: "e" in box.text)
        assert box.text == "a\nebdc"


async def test_keys_that_come_at_once_each_move_one_source(
    running: Running, engine: FakeEngine
) -> None:
    engine.script.passages = PASSAGES * 2
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        await driver.press("alt+1")
        await driver.until(lambda: driver.chat.pane.selected == 1)
        for _ in range(4):  # not by `press`, which waits after each
            driver.app.post_message(events.Key("down", None))
        order = [card.source.number for card in driver.chat.query(SourceCard)]
        await driver.until(lambda: driver.app.focused.source.number == order[4])
        await driver.until(lambda: driver.app.focused.has_class("-selected"))
        assert driver.chat.pane.selected == order[4]


async def test_lines_history_and_empty_questions(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await driver.ready()
        box = driver.chat.query_one(QuestionBox)
        await driver.press("enter", *"one", "ctrl+j", *"two", "enter")
        await driver.until(lambda: engine.asked)
        assert engine.asked[0][0] == "one\ntwo"
        await driver.ask("three")
        await driver.ready()
        await driver.press(*"draft", "up")
        assert box.text == "three"
        await driver.press("up")
        assert box.text == "one\ntwo"
        await driver.press("up", "up")
        assert box.text == "one\ntwo"
        await driver.press("down", "down", "down")
        assert box.text == "draft"


async def test_pasted_escapes_are_cleaned(running: Running) -> None:
    async with running() as driver:
        box = driver.chat.query_one(QuestionBox)
        box.post_message(events.Paste("a\x1b[31mb\r\nc"))
        await driver.until(lambda: box.text)
        assert box.text == "a[31mb\nc"


async def test_question_mark_opens_help_only_in_an_empty_box(running: Running) -> None:
    async with running() as driver:
        await driver.press("question_mark")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        assert driver.shows("Alt+1 … Alt+9")
        await driver.press("escape", "a", "question_mark")
        await driver.until(lambda: driver.chat.query_one(QuestionBox).text == "a?")


async def test_hostile_text_is_shown_as_it_is(running: Running, engine: FakeEngine) -> None:
    bad = replace(PASSAGES[0], path="[bold]\x1b]0;t\x07.md", headings=("[/]",), text=HOSTILE)
    engine.script = Script(
        passages=(bad,),
        evidence=(evidence(bad, 1, HOSTILE, 12),),
        sentences=(
            Sentence(f"{HOSTILE} [1]", (citation(bad, 1, HOSTILE, 12),), "supported"),
            Sentence(
                "[a](http://e.x) ![b](http://e.x) <b>c</b> &#27;[2J <http://e.x> [9]",
                (),
                "supported",
            ),
        ),
    )
    async with running((160, 50)) as driver:
        await driver.ready()
        await driver.ask(f"What is {HOSTILE}?")
        await driver.ready()
        text = driver.text()
        assert "\x1b" not in text
        assert text.count(SHOWN[:40]) >= 3  # the question, the answer and the passage
        assert "[bold]]0;t.md:12" in text
        for literal in ("a b", "<b>c</b>", "&#27;[2J", "<http://e.x>"):
            assert literal in text
        assert "(http" not in text  # of links, the words are shown
        links = [
            span.style.meta
            for block in driver.chat.query_one(Answer).children
            for span in block._content.spans
            if getattr(span.style, "meta", None)
        ]
        assert links == [{"@click": "link('1')"}]


async def test_links_open_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as driver:
        opened: list[str] = []
        monkeypatch.setattr(driver.app, "open_url", opened.append)
        await driver.ask("Water?")
        await driver.ready()
        answer = driver.chat.query_one(Answer)
        answer.post_message(Answer.LinkClicked(answer, "http://evil.example"))
        await driver.pilot.pause()
        assert opened == []


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
@pytest.mark.parametrize("gate", ["index", "warm", "read", "answer"])
async def test_quitting_while_busy_does_not_wait(
    engine: FakeEngine, place: Workplace, gate: str, key: str
) -> None:
    from tui.app import ChatApp

    engine.index_changed = gate == "index"
    engine.hold(gate)
    app = ChatApp(engine, place)
    async with app.run_test() as pilot:
        app.chat.query_one(QuestionBox).insert("Water?")
        await pilot.press("enter")
        await pilot.pause(0.2)
        before = time.monotonic()
        await pilot.press(key)
        await pilot.pause()
    assert time.monotonic() - before < 1
    assert app.worker.close(1) is (gate != "warm")  # nothing can stop a model from loading
    engine.release()
    assert app.worker.close(5)


def test_alt_digits_are_read_from_terminals_without_the_kitty_protocol() -> None:
    read_alt_digits()
    parser = XTermParser()
    read = [*parser.feed("\x1b3")]
    time.sleep(0.2)  # an escape sequence that does not go on
    read += parser.tick()
    assert [event.key for event in read if isinstance(event, events.Key)] == ["alt+3"]
    assert [event.key for event in parser.feed("£") if isinstance(event, events.Key)] != ["alt+3"]


async def test_ctrl_c_copies_a_selection(running: Running) -> None:
    async with running() as driver:
        await driver.press(*"water", "f7", "ctrl+c")
        await driver.pilot.pause()
        assert driver.app.clipboard == "water"
        assert driver.app.is_running


def test_importing_the_app_loads_no_model_library() -> None:
    code = (
        "import sys, tui.app; heavy = {'torch', 'faiss', 'llama_cpp', 'onnxruntime', "
        "'sentence_transformers', 'tantivy', 'watchfiles'} & set(sys.modules); "
        "sys.exit(' '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_names_in_toasts_and_boxes_are_text(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        driver.app.notify("gone: c \x1b[2J\x9b5mHERE", title="\x1b]0;t\x07Title", markup=False)
        driver.chat.notify("and \x1b[2Jthis", markup=False)
        await driver.until(lambda: driver.shows("and [2Jthis"))
        assert driver.shows("gone: c [2J5mHERE")
        assert "\x1b" not in driver.text()
        assert "\x9b" not in driver.text()
        box = driver.chat.query_one(QuestionBox)
        box.remember("What \x1b[2Jis Ada?")
        await driver.press("up")
        assert box.text == "What [2Jis Ada?"
        box.put("And \x1b[5mthen?")
        assert box.text == "And [5mthen?"


async def test_ctrl_c_empties_the_box_wherever_the_focus_is(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        box = driver.chat.query_one(QuestionBox)
        await driver.press(*"draft", "alt+up", "ctrl+c")
        await driver.until(lambda: box.text == "")
        assert driver.app.is_running
        box.focus()
        await driver.press("up")
        assert box.text == "draft"


async def test_commands_of_the_palette_say_what_they_lack(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        commands = {each.title: each for each in driver.app.get_system_commands(driver.chat)}
        for title in ("Copy quote", "Edit note", "Open in Obsidian", "Why these passages"):
            driver.app.clear_notifications()
            await driver.until(lambda: not driver.shows("Ask a question first."))
            commands[title].callback()
            await driver.until(lambda: driver.shows("Ask a question first."))
