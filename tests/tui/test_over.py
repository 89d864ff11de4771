"""What lies over the conversation: its keys, its width, and the way back from the palette."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.widgets import OptionList

from tests.tui.fake_engine import FakeEngine
from tui.screens.conversations import ConversationsScreen
from tui.screens.find import FindScreen
from tui.screens.help import HelpScreen
from tui.screens.note import NoteScreen
from tui.widgets.keys_line import KeysLine

Running = Callable[..., Any]


async def command(driver: Any, name: str) -> None:
    """Choose a command of the palette."""
    await driver.press("ctrl+p")
    await driver.pilot.pause()
    await driver.press(*("space" if each == " " else each for each in name.lower()))
    await driver.until(lambda: driver.shows(name))
    await driver.press("down", "enter")


async def whole_note(driver: Any) -> None:
    """Ask, and open the note of the first source."""
    await driver.ready()
    await driver.ask("Water?")
    await driver.ready()
    await driver.press("ctrl+o", "enter")
    await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))


async def test_the_keys_of_what_lies_below_are_not_told(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        below = driver.chat.query_one(KeysLine)
        assert below.visible
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        assert not below.visible
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chat)
        assert below.visible


async def test_help_is_at_hand_in_a_note_and_in_a_list(running: Running) -> None:
    async with running(keys={"help": "f9"}) as driver:
        await whole_note(driver)
        assert driver.shows("F9 Help") or driver.shows("f9 Help")
        for key in ("f9", "question_mark"):
            await driver.press(key)
            await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
            await driver.press("escape")
            await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))
        await driver.press("escape", "ctrl+g")
        await driver.until(lambda: isinstance(driver.app.screen, FindScreen))
        await driver.press("f9")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))


async def test_a_command_of_the_palette_leaves_the_note_that_lies_over(running: Running) -> None:
    async with running() as driver:
        await whole_note(driver)
        await command(driver, "Conversations")
        await driver.until(lambda: isinstance(driver.app.screen, ConversationsScreen))
        await driver.until(lambda: driver.shows("Water?"))
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))
        await command(driver, "New conversation")
        await driver.until(lambda: driver.app.screen is driver.chat)
        await driver.until(lambda: not driver.answers())


async def test_rows_follow_the_width_of_the_screen(running: Running, engine: FakeEngine) -> None:
    async with running(size=(60, 24)) as driver:
        await driver.ready()
        await driver.ask("Which of the plants is to be given water most often?")
        await driver.ready()
        await driver.press("ctrl+l")
        await driver.until(lambda: driver.shows("1 question"))
        assert not driver.shows("water most often?")
        await driver.pilot.resize_terminal(120, 24)
        await driver.until(lambda: driver.shows("water most often?"))
        assert driver.app.screen.query_one(OptionList).option_count == 2


async def test_turns_are_seen_where_sources_stood_in_their_place(running: Running) -> None:
    async with running(size=(80, 24)) as driver:
        for question in ("First?", "Second?", "Third?"):
            await driver.ready()
            await driver.ask(question)
        await driver.ready()
        await driver.press("alt+1")
        await driver.until(lambda: driver.chat.has_class("-sources"))
        await driver.press("alt+up")
        await driver.until(lambda: driver.shows("Third?"))
        await driver.press("alt+1")
        await driver.until(lambda: driver.chat.has_class("-sources"))
        await driver.press("f5")
        await driver.until(lambda: not driver.chat.has_class("-sources"))
        await driver.ready()
        await driver.press("alt+up", "alt+up", "alt+up")  # typed fast
        views = driver.chat.transcript.views()
        await driver.until(lambda: driver.app.focused is views[0])


async def test_who_is_typing_stays_in_the_box(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        await driver.press("t", "a", "tab", "b", "r")
        assert driver.chat.box.text == "tabr"
        await driver.press("ctrl+c")
        await driver.until(lambda: not driver.chat.box.text)
        assert driver.app.is_running
        await driver.press("up")
        assert driver.chat.box.text == "tabr"


async def test_the_program_is_left_while_a_question_is_asked_anew(
    running: Running, engine: FakeEngine
) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        engine.hold("read")
        await driver.press("f5")
        await driver.until(lambda: driver.shows("500/1,000 tokens"))
        await driver.ask("And then?")
        await driver.press("ctrl+q")
    assert driver.app.return_code == 0
