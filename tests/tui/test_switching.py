"""Other notes folders and other models, keys and colours of the reader's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.strip import Strip
from textual.widgets import Input, OptionList

from rag.errors import ConfigError, ModelError
from rag.models.choices import ModelChoice
from tests.tui.fake_engine import FakeEngine
from tui.app import check_theme, chosen_theme
from tui.keys import GROUPS, first_key, keymap, own_keys, shown
from tui.messages import Watching
from tui.screens.find import folder_at, holds_all
from tui.screens.help import HelpScreen
from tui.themes import DARK, LIGHT, SIXTEEN
from tui.widgets.welcome import Welcome

Running = Callable[..., Any]
BLACK, CYAN = 0, 6
CHOICES = (
    ModelChoice("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct", 98_000_000, 8192, "Apache-2.0"),
    ModelChoice("[big].gguf", "/models/[big].gguf", 4_100_000_000, 0, "unknown"),
)


async def test_another_folder_is_asked(running: Running, engine: FakeEngine, tmp_path: Path):
    other = FakeEngine(tmp_path / "second [b]")
    other.notes_folder.mkdir()
    folders = [("notes", engine.notes_folder), ("second [b]", other.notes_folder)]
    async with running(folders=lambda: folders, open_folder=lambda *_: other) as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        await driver.press("f4", *"second")
        await driver.until(lambda: driver.shows("second [b]"))
        await driver.until(lambda: driver.app.screen.chosen == other.notes_folder)
        await driver.press("enter")
        await driver.until(lambda: driver.chat.query(Welcome))
        await driver.ready()
        assert engine.closed
        await driver.ask("Second?")
        await driver.ready()
        assert other.asked == [("Second?", ())]
        assert driver.chat.folder == other.notes_folder
        assert [each.title for each in (await driver.chat.conversations()).all()] == ["Second?"]


async def test_a_folder_that_is_not_known_is_opened_by_its_path(
    running: Running, engine: FakeEngine, tmp_path: Path
):
    other = FakeEngine(tmp_path / "never [b]")
    other.notes_folder.mkdir()
    folders = [("notes", engine.notes_folder)]
    async with running(folders=lambda: folders, open_folder=lambda *_: other) as driver:
        await driver.ready()
        await driver.press("f4", *"/nowhere")
        await driver.until(lambda: driver.shows("No folder that is known is called that"))
        driver.app.screen.query_one(Input).value = str(other.notes_folder)
        await driver.until(lambda: driver.shows("not opened yet"))
        await driver.press("enter")
        await driver.until(lambda: driver.chat.folder == other.notes_folder)


def test_a_path_is_one_from_the_root_from_home_or_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "notes").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    expected = tmp_path.resolve() / "notes"
    for typed in (str(expected), " ~/notes ", "./notes", "~/notes/../notes"):
        assert folder_at(typed) == expected
    for typed in ("notes", "~/none", "~nobody-at-all/x", "/a\0b", ""):
        assert folder_at(typed) is None
    for typed in ("/", "~", "~/", "./"):
        folder = folder_at(typed)
        assert folder is not None
        assert holds_all(folder)
    assert not holds_all(expected)


async def test_a_whole_disk_is_no_notes_folder(running: Running):
    async with running() as driver:
        await driver.ready()
        await driver.press("f4")
        await driver.until(lambda: driver.shows("Notes folders"))
        await driver.press(*"~/")
        await driver.until(lambda: driver.shows("whole disk or home folder"))
        await driver.press("enter")
        assert driver.shows("Notes folders")


async def test_the_speed_of_another_conversation_is_not_shown(running: Running):
    async with running() as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        await driver.until(lambda: driver.shows("tok/s"))
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.chat.query(Welcome))
        await driver.until(lambda: not driver.shows("tok/s"))


async def test_another_model_answers(running: Running, engine: FakeEngine):
    def use(chosen: Any, place: str) -> None:
        chosen.model = place.rsplit("/", 1)[-1]

    async with running(models=lambda: CHOICES, use_model=use) as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        await driver.press("f3")
        await driver.until(lambda: driver.shows("98 MB · reads 8,192 tokens"))
        assert driver.shows("4,100 MB · not measured here yet")
        await driver.press("down", "enter")
        await driver.until(lambda: driver.shows("[big].gguf answers here from now on."))
        assert driver.shows("rag models use")
        assert engine.model == "[big].gguf"


async def test_a_model_that_fails_to_load_leaves_the_old_one(running: Running):
    def use(_engine: Any, _place: str) -> None:
        raise ModelError("The model is damaged.", "Name another.")

    async with running(models=lambda: CHOICES, use_model=use) as driver:
        await driver.ready()
        await driver.press("f3")
        await driver.until(lambda: driver.shows("4,100 MB"))
        await driver.press("down", "enter")
        await driver.until(
            lambda: driver.statics("error") == ["The model is damaged.\nName another."]
        )
        await driver.ask("Water?")
        await driver.ready()
        assert driver.answers()[0]


async def test_a_folder_that_disappears_leaves_a_usable_screen(
    running: Running, engine: FakeEngine, tmp_path: Path
):
    async with running() as driver:
        await driver.ready()
        await driver.ask("First?")
        await driver.ready()
        engine.notes_folder.rename(tmp_path / "elsewhere")
        driver.chat.post_message(Watching(False))
        await driver.until(lambda: driver.shows("the notes folder is gone"))
        await driver.until(lambda: driver.shows("The notes folder is gone"))
        driver.chat.post_message(Watching(True))
        await driver.until(lambda: not driver.shows("the notes folder is gone"))
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("no longer there"))
        await driver.press("alt+1", "enter")
        await driver.until(lambda: driver.shows("This note is gone."))
        await driver.press("escape", "escape")
        await driver.ask("Second?")
        await driver.ready()
        assert len(driver.answers()) == 2


async def test_keys_of_the_readers_own(running: Running):
    async with running(keys={"models": "ctrl+t", "turn.copy": "c"}) as driver:
        await driver.ready()
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, HelpScreen))
        help_text = "\n".join(str(each.render()) for each in driver.app.screen.query(".panel-rows"))
        assert "Ctrl+T               choose the language model" in help_text
        await driver.press("escape", "ctrl+t")
        await driver.until(lambda: driver.shows("Language models"))
        await driver.press("escape")
        await driver.ask("Water?")
        await driver.ready()
        await driver.press("alt+up", "c")
        await driver.until(lambda: driver.app.clipboard)


async def test_a_key_of_the_readers_own_works_in_the_question_box_too(running: Running):
    keys = {"conversations": "ctrl+y", "find": "f7, ctrl+e"}  # editing keys of Textual's box
    async with running(keys=keys) as driver:
        await driver.ready()
        assert driver.shows("Ctrl+Y  lists your conversations")
        await driver.press("ctrl+y")
        await driver.until(lambda: driver.shows("─ Conversations"))
        for key in ("f7", "ctrl+e"):
            await driver.press("escape", key)
            await driver.until(lambda: driver.shows("Find a note"))


def test_unknown_actions_are_refused_with_the_nearest():
    assert keymap({"sources": "ctrl+t, f9"}) == {"sources": "ctrl+t,f9"}
    with pytest.raises(ConfigError, match="Did you mean 'sources'"):
        keymap({"source": "ctrl+t"})
    with pytest.raises(ConfigError, match="Name one"):
        keymap({"sources": " "})


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"stop": "notakey++"}, r"stop the key 'notakey\+\+', which is no key\. Keys are written"),
        ({"stop": "f9, hold+x"}, "'hold\\+x', which is no key"),
        ({"find": "Shift+Ctrl+T"}, r"Did you mean 'ctrl\+shift\+t'\?"),
        ({"find": "f7", "new": "f8, f7"}, "'f7' to both new and find. Give one"),
        ({"turn.copy": "c", "turn.why": "c"}, "'c' to both turn.copy and turn.why"),
        ({"find": "f8", "turn.copy": "f8"}, "'f8' to both find and turn.copy"),
        ({"new": "ctrl+p"}, "new the key 'ctrl\\+p', which does something else"),
        ({"turn.copy": "ctrl+q"}, "'ctrl\\+q', which does something else"),
        ({"find": "a"}, "'a', which does something else"),
        ({"find": "enter"}, "'enter', which does something else"),
        ({"find": "f9,tab"}, "'tab', which does something else"),
        ({"find": "alt+1"}, "'alt\\+1', which does something else"),
    ],
)
def test_keys_that_cannot_work_are_refused(chosen: dict[str, str], says: str):
    with pytest.raises(ConfigError, match=says):
        keymap(chosen)


def test_every_key_that_works_is_taken():
    for keys in ("?", "question_mark", "ctrl+question_mark", "é", "A", "space", "enter", "f12,f12"):
        assert keymap({"turn.copy": keys}) == {"turn.copy": keys}
    for keys in ("ctrl+question_mark", "alt+f", "f12,f12"):
        assert keymap({"find": keys}) == {"find": keys}
    assert keymap({"turn.copy": "c", "source.copy": "c"})  # never at once
    assert keymap({key.id: key.keys for _, keys in GROUPS for key in keys})


def test_a_key_that_the_reader_gave_away_is_no_longer_told():
    chosen = {"find": "ctrl+o"}
    sources = next(each for _, keys in GROUPS for each in keys if each.id == "sources")
    assert own_keys(sources, chosen) == "f2"
    assert first_key("sources", chosen) == "F2"
    assert first_key("find", chosen) == "Ctrl+O"
    assert first_key("sources", {}) == "Ctrl+O"


async def test_what_is_chosen_shows_in_sixteen_colours():
    class Listing(App[None]):
        def compose(self) -> ComposeResult:
            yield Input()
            yield OptionList("one", "two")

        def on_mount(self) -> None:
            self.register_theme(SIXTEEN)
            self.theme = SIXTEEN.name

    async with Listing().run_test() as pilot:
        options = pilot.app.query_one(OptionList)
        for focused in (pilot.app.query_one(Input), options):
            focused.focus()
            options.highlighted = 1
            await pilot.pause()
            rows = [next(iter(options.render_line(y))).style for y in (0, 1)]
            assert rows[0].bgcolor != rows[1].bgcolor


def on_top(driver: Any) -> Iterator[tuple[str, Style]]:
    """The pieces of text of the panel that lies over the rest, else of the screen."""
    screen = driver.app.screen
    where = next((each.region for each in screen.query(".panel")), screen.region)
    for strip in screen._compositor.render_strips()[where.y : where.bottom]:
        for text, style, _ in Strip(strip).crop(where.x, where.right):
            if any(map(str.isalnum, text)):
                yield text, style


def contrasts(driver: Any) -> Iterator[tuple[float, str]]:
    """How far each piece of text stands out from its background."""
    for text, style in on_top(driver):
        colours = (Color.from_rich_color(each) for each in (style.color, style.bgcolor))
        yield contrast(*colours), text


def contrast(one: Color, other: Color) -> float:
    """As WCAG counts it."""

    def light(colour: Color) -> float:
        parts = (each / 255 for each in colour.rgb)
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
async def test_all_text_stands_out(running: Running, theme: str):
    async with running(theme=theme) as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        for keys, shown in (
            ((), "borne out by its source"),
            (("alt+1",), "found by meaning"),
            (("w",), "Why these passages"),
            (("escape", "ctrl+g", *"tired"), "garden/2024 log.md"),
            (("escape", "ctrl+l"), "1 question"),
            (("/", *"water"), "Water?"),
        ):
            await driver.press(*keys)
            await driver.until(lambda shown=shown: driver.shows(shown))
            assert [each for each in contrasts(driver) if each[0] < 4.5] == []


async def test_what_is_selected_stands_out_in_sixteen_colours(running: Running):
    async with running(theme=SIXTEEN.name) as driver:
        await driver.ready()
        await driver.ask("Water?")
        await driver.ready()
        for keys, shown in ((("ctrl+g", *"tired"), "tired"), (("escape", "ctrl+l"), "1 question")):
            await driver.press(*keys)
            await driver.until(lambda shown=shown: driver.shows(shown))
            await driver.pilot.pause(0.2)
            rows = [each for _, each in on_top(driver) if each.bgcolor.number == CYAN]
            assert {each.color.number for each in rows} == {BLACK}


def test_keys_are_written_as_people_do():
    assert shown("ctrl+o,f2") == "Ctrl+O, F2"
    assert shown("alt+up") == "Alt+↑"
    assert shown("r") == "r"
    assert shown("escape") == "Esc"


def test_the_theme_is_the_readers_else_what_the_terminal_can_show():
    known = {"nord", DARK.name, SIXTEEN.name}
    assert chosen_theme("nord", "", True, known) == "nord"
    assert chosen_theme("", "nord", False, known) == "nord"
    assert chosen_theme("", "no such", False, known) == DARK.name
    assert chosen_theme("", "", True, known) == SIXTEEN.name
    check_theme("", known)
    with pytest.raises(ConfigError, match="Did you mean 'nord'"):
        check_theme("nrd", known)
