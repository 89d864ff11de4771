"""From a citation to its note: lines around, whole notes, links, changes, copies, reasons."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Markdown, OptionList, Static

from rag.answering.saved import read_as
from rag.retrieval.found import Evidence
from tests.answering.test_conversations import TURN
from tests.tui.fake_engine import GAVE, LITRES, PASSAGES, FakeEngine, Script, evidence
from tests.tui.test_typing import HOSTILE
from tui.lookup import Lookup
from tui.messages import NotesChanged
from tui.note_page import Place, addresses_in, callouts, line_of, pieces, read_page, tamed
from tui.screens.note import NoteScreen
from tui.screens.why import WhyScreen, evidence_row
from tui.widgets.source import SourceCard
from tui.widgets.turn import SourceRow

Running = Callable[..., Any]


@pytest.fixture
def note(engine: FakeEngine) -> Path:
    return engine.notes_folder / "garden" / "tomatoes.md"


async def asked(driver: Any) -> None:
    await driver.ready()
    await driver.ask("Water?")
    await driver.ready()


def lengthen(note: Path) -> None:
    note.write_text(note.read_text() + "\nMore.\n" * 60)


async def at_the_end(driver: Any) -> tuple[Any, Markdown]:
    """Where a note made longer scrolls, and its text, now that its end is shown."""
    await asked(driver)
    await driver.press("alt+1", "enter")
    await driver.until(lambda: driver.app.screen.query(".meant"))
    scroll = driver.app.screen.query_one("#note-text")
    text = driver.app.screen.query_one(Markdown)
    await driver.until(lambda: text.source.count("More.") == 60)  # all of it is there
    await driver.press("end")
    await driver.until(lambda: scroll.scroll_y == scroll.max_scroll_y > 0)
    return scroll, text


async def test_a_source_shows_the_lines_around_it(running: Running, note: Path) -> None:
    lines = note.read_text().split("\n")
    note.write_text("\n".join([*lines[:9], "Line before.", "", *lines[11:], "Line after."]))
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1")
        await driver.until(lambda: driver.shows("Line before."))
        assert driver.shows("Line after.")
        assert not driver.shows("⚠")


async def test_a_note_that_changed_says_so(running: Running, note: Path) -> None:
    async with running((160, 50)) as driver:
        await asked(driver)
        assert not driver.shows("⚠")
        note.write_text("\n" + note.read_text())
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("this moved"))
        await driver.press("alt+1")
        await driver.until(lambda: driver.shows("line 14 now"))  # the quote, of line 13
        note.write_text("# Tomatoes\n\nNothing any more.\n")
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("it no longer says"))
        note.unlink()
        await driver.press("ctrl+r")
        await driver.until(lambda: driver.shows("the note is no longer"))


async def test_enter_shows_the_whole_note_with_links_and_a_way_back(
    running: Running, note: Path
) -> None:
    note.write_text(
        "---\ntags: x\n---\n"
        + note.read_text().split("\n", 3)[3]
        + "\n\nSee [[Diary#July|the log]], [[rain barrel]] and [[nowhere]].\n"
    )
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))
        await driver.until(lambda: driver.shows("the log"))
        screen = driver.app.screen
        await driver.until(lambda: screen.query(".meant"))
        (meant,) = screen.query(".meant")
        assert meant.source_range[0] + 1 == 12
        assert not driver.shows("tags: x")
        await driver.press("l", "enter")
        await driver.until(lambda: driver.shows("2024 log"))
        await driver.press("backspace")
        await driver.until(lambda: driver.shows("the log"))
        markdown = screen.query_one(Markdown)
        markdown.post_message(Markdown.LinkClicked(markdown, "note:rain%20barrel"))
        await driver.until(lambda: driver.shows("The barrel holds 300 litres"))
        await driver.press("backspace", "l", "end", "enter")
        await driver.until(lambda: driver.shows("No note is called nowhere"))
        await driver.press("escape", "escape")
        await driver.until(lambda: driver.app.screen is driver.chat)


@pytest.mark.parametrize("end", ["", "\n", "\n# Body\n\nText.\n"])
def test_front_matter_is_shown_where_it_tells_something_or_was_cited(
    tmp_path: Path, end: str
) -> None:
    lookup = Lookup(lambda path: (tmp_path, path), lambda: pytest.fail("no index is needed"))
    (tmp_path / "a.md").write_text(f'---\nborn: 1990\nfirm: "[[Lumen]]"\n---{end}')
    page = read_page(lookup, Place("a.md"))
    assert page.text == f'~~~yaml\nborn: 1990\nfirm: "[[Lumen]]"\n~~~{end}'
    assert [each.target for each in page.links] == ["Lumen"]
    (tmp_path / "b.md").write_text(f"---\ntags: [a]\nid: 5\n---{end}")
    assert read_page(lookup, Place("b.md", 3, 3)).text == f"~~~yaml\ntags: [a]\nid: 5\n~~~{end}"
    for line in (0, 1, 6):
        hidden = read_page(lookup, Place("b.md", line, line))
        assert hidden.text == f"\n\n\n{end}"


async def test_a_note_that_is_open_is_shown_as_it_is_on_disk(running: Running, note: Path) -> None:
    lengthen(note)
    async with running() as driver:
        scroll, text = await at_the_end(driver)
        seen = scroll.scroll_y
        note.write_text(note.read_text() + "\nLess.\n")
        driver.chat.post_message(NotesChanged())
        await driver.until(lambda: "Less." in text.source)
        await driver.until(lambda: scroll.scroll_y == seen)


async def test_n_goes_back_to_the_lines_that_are_cited(running: Running, note: Path) -> None:
    lengthen(note)
    async with running() as driver:
        scroll, _ = await at_the_end(driver)
        await driver.press("n")
        await driver.until(lambda: scroll.scroll_y == 0)


async def test_links_out_of_the_notes_are_copied_not_opened(
    running: Running, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running() as driver:
        monkeypatch.setattr(driver.app, "open_url", lambda *_: pytest.fail("opened"))
        await asked(driver)
        await driver.press("alt+1", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))
        markdown = driver.app.screen.query_one(Markdown)
        markdown.post_message(Markdown.LinkClicked(markdown, "https://evil.example/x"))
        await driver.until(lambda: driver.app.clipboard == "https://evil.example/x")


async def test_hostile_notes_are_shown_as_text(running: Running, note: Path) -> None:
    evil = f"{HOSTILE} ![i](http://e.x) <b>c</b> &#27;[2J [[x\x1b]0;t\x07|y\u202e]]"
    note.write_text(note.read_text() + f"\n{evil}\n\n| a |\n|---|\n| {HOSTILE} |\n")
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1", "enter")
        await driver.until(lambda: driver.shows("[bold red]x[/]"))
        text = driver.text()
        assert not set(text) & set("\x1b\x07\u202e")
        for literal in ("!i", "<b>c</b>", "&#27;[2J", "[@click=app.quit]q[/]"):
            assert literal in text
        assert driver.app.is_running


async def test_a_note_that_is_gone_or_long_is_told(running: Running, note: Path) -> None:
    note.write_text(note.read_text() + "More and more.\n\n" * 3000)
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1", "enter")
        await driver.until(lambda: driver.shows("of 6,"))
        assert driver.shows("Lines 1 to 600 of 6,")
        await driver.press("escape")
        note.unlink()
        await driver.press("enter")
        await driver.until(lambda: driver.shows("This note is gone."))


async def test_quotes_and_answers_are_copied(running: Running, engine: FakeEngine) -> None:
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1", "y")
        await driver.until(lambda: driver.app.clipboard)
        assert driver.app.clipboard == f"{LITRES}\n(garden/tomatoes.md:13)"
        await driver.press("escape", "alt+up", "y")
        await driver.until(lambda: "ten litres** a week" in driver.app.clipboard)
        assert driver.app.clipboard == " ".join(each.text for each in engine.script.sentences)


async def test_inside_tmux_it_is_tmux_that_copies(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default tmux takes no OSC 52 from a program. This one is older than -w."""
    copied = tmp_path / "copied"
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\n[ "$2" != -w ] && cat > {copied}\n')
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1", "y")
        await driver.until(lambda: copied.exists() and LITRES in copied.read_text())


async def test_why_explains_the_search(running: Running) -> None:
    async with running((160, 50)) as driver:
        await asked(driver)
        await driver.press("alt+2", "w")
        await driver.until(lambda: isinstance(driver.app.screen, WhyScreen))
        assert driver.shows("alone: Water?")
        assert driver.shows("0.91   meaning 0.83 · words 7.2")
        assert driver.shows("0.41   meaning none · words 3.3")
        assert driver.shows(LITRES)


def test_why_shows_sentences_without_their_marks() -> None:
    text = "**Tomatoes** need [ten litres](https://example.org) a [[week|week]]."
    each = Evidence(1, text, 3, 3, 0, len(text), 1.2)
    assert "Tomatoes need ten litres a week." in evidence_row(each).plain


async def test_a_refusal_offers_the_nearest_notes(running: Running, engine: FakeEngine) -> None:
    engine.script = Script(sentences=(), answer="", answered=False)
    async with running() as driver:
        await asked(driver)
        rows = [str(row.render()) for row in driver.chat.query(SourceRow)]
        assert rows[0].startswith("[1] garden/tomatoes.md:12–14")
        assert len(rows) == 3
        await driver.pilot.click(driver.chat.query(SourceRow)[1])
        await driver.until(lambda: isinstance(driver.app.focused, SourceCard))
        assert driver.app.focused.source.number == 2


async def test_notes_open_in_obsidian_only_from_a_vault(
    running: Running, engine: FakeEngine, opener: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+2", "v")
        await driver.until(lambda: driver.shows("no Obsidian vault"))
        (engine.notes_folder / ".obsidian").mkdir()
        await driver.press("v")
        await driver.until(lambda: driver.shows("Obsidian opens beside this"))
        address = "obsidian://open?vault=notes&file=garden%2F2024%20log.md"
        assert (opener / "opened").read_text() == f"{address}\n"
        monkeypatch.delenv("DISPLAY")
        await driver.press("v")
        await driver.until(lambda: driver.shows("no display here to open Obsidian on"))


async def test_a_source_that_an_answer_does_not_have_is_told(running: Running) -> None:
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+9")
        await driver.until(lambda: driver.shows("no source 9 here"))


async def test_sources_of_an_earlier_turn_say_whose_they_are(running: Running) -> None:
    async with running() as driver:
        await asked(driver)
        assert str(driver.chat.pane.border_title) == "Sources"
        await asked(driver)
        await driver.press("alt+up", "alt+up")
        await driver.until(lambda: "of “" in str(driver.chat.pane.border_title))
        await driver.press("alt+down")
        await driver.until(lambda: str(driver.chat.pane.border_title) == "Sources")


async def test_turns_are_reached_by_keys(running: Running) -> None:
    async with running() as driver:
        await asked(driver)
        await driver.ask("Again?")
        await driver.ready()
        await driver.press("alt+up", "alt+up")
        await driver.until(lambda: getattr(driver.app.focused, "question", "") == "Water?")
        await driver.until(lambda: driver.chat.pane.turn == driver.app.focused.key)
        await driver.press("2")
        await driver.until(lambda: isinstance(driver.app.focused, SourceCard))
        await driver.press("escape", "alt+up", "down")
        await driver.until(lambda: driver.app.focused is driver.chat.box)


async def test_find_note_by_name_and_text(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.press("ctrl+g", *"butt")
        await driver.until(lambda: driver.shows("Water butt"))
        await driver.press(*"er", "ctrl+u", *"blight")
        await driver.until(lambda: driver.shows("garden/tomatoes.md"))
        await driver.until(lambda: driver.app.screen.query_one(OptionList).option_count == 1)
        await driver.press("enter")
        await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))
        await driver.until(lambda: driver.shows("Leaves that stay wet"))


def test_long_notes_come_in_pieces_and_lines_stay_where_they_are() -> None:
    text = "# A\n\n" + "para\n\n" * 20 + "```\ncode\n\nmore\n\n\n\n\n```\n\nend"
    parts = list(pieces(text))
    assert "".join(parts) == text
    assert len(parts) > 5
    assert all(part.count("```") != 1 for part in parts)
    items = ["before", "", *(f"- {n}" for n in range(200)), "", "after"]
    calm = tamed(items)
    assert len(calm) == len(items)
    assert (calm[1], calm[202]) == ("~~~~~~~~", "~~~~~~~~")
    assert tamed(items[:20]) == items[:20]


def test_callouts_read_as_people_read_them() -> None:
    lines = ["> [!note] How to", "> Read on.", ">> [!warning]-", "```", "> [!note] code", "```"]
    shown = callouts(lines)
    assert shown[0] == "> **Note:** How to  "
    assert shown[2].rstrip() == ">> **Warning**"
    assert [shown[at] for at in (1, 3, 4, 5)] == [lines[at] for at in (1, 3, 4, 5)]


def test_a_link_leads_to_a_heading_or_a_block(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\nOne. ^first\n\n- x\n- y\n\n^list\n\n## *Deep* part\n")
    lookup = Lookup(lambda path: (tmp_path, path), lambda: pytest.fail("opened"))
    wanted = ("A#deep part", "^first", "^List", "^fir", "", "gone")
    assert [line_of(lookup, "a.md", each) for each in wanted] == [10, 3, 8, 0, 0, 0]


async def test_on_a_narrow_screen_a_question_takes_the_sources_away(running: Running) -> None:
    async with running((80, 24)) as driver:
        await asked(driver)
        await driver.press("ctrl+o")
        await driver.until(lambda: not driver.chat.transcript.display)
        driver.chat.box.focus()
        await driver.ask("And the beans?")
        await driver.until(lambda: driver.chat.transcript.display)
        await driver.ready()
        assert driver.shows("And the beans?")


async def test_of_a_near_note_the_nearest_sentence_is_shown(
    running: Running, engine: FakeEngine
) -> None:
    first, other = PASSAGES[0], replace(PASSAGES[1], path=PASSAGES[0].path)
    engine.script = Script(
        passages=(first, other),
        evidence=(evidence(other, 2, GAVE, 40), evidence(first, 1, LITRES, 13)),
        sentences=(),
        answer="Your notes do not say.",
        answered=False,
        confidence=0.85,
    )
    async with running() as driver:
        await asked(driver)
        assert [row.citation.n for row in driver.chat.query(SourceRow)] == [2]
        assert driver.shows(GAVE)
        await driver.press("alt+up", "w")
        await driver.until(lambda: isinstance(driver.app.screen, WhyScreen))
        assert not driver.shows("likely that the notes hold")


async def test_a_reader_who_pages_on_in_a_long_note_is_not_thrown_back(
    running: Running, note: Path
) -> None:
    lengthen(note)
    async with running() as driver:
        scroll, _ = await at_the_end(driver)
        seen = scroll.scroll_y
        driver.app.screen._mark(driver.app.screen._page)  # as when the last of it was drawn
        await driver.pilot.pause()
        assert scroll.scroll_y == seen


async def test_several_folders_are_named(running: Running, engine: FakeEngine, tmp_path: Path):
    class Two(FakeEngine):
        folders = property(lambda self: [self.notes_folder, tmp_path / "other"])

    engine.__class__ = Two
    async with running((160, 50)) as driver:
        await driver.ready()
        (named,) = driver.chat.query("#welcome-folder").results(Static)
        assert str(named.render()) == f"{engine.notes_folder}, {tmp_path / 'other'}"


async def test_a_note_of_a_list_that_changed_is_told(
    running: Running, engine: FakeEngine, note: Path
) -> None:
    engine.script = Script(sentences=(), answer="- Water the tomatoes [1]\n- Tap [3]")
    async with running() as driver:
        await asked(driver)
        assert not driver.shows("⚠")
        assert driver.shows("✓ as it stands in your notes")
        note.write_text("# Tomatoes\n\nNothing.\n")
        driver.chat.post_message(NotesChanged())
        await driver.until(lambda: driver.shows("⚠ the note changed: it"))
        assert not driver.shows("✓ as it stands")
        assert driver.shows("[1] garden/tomatoes.md:12–14")


def test_addresses_out_of_the_notes() -> None:
    text = (
        "See [a](https://a.example/x?y=1), <https://b.example>, https://c.example/d_(e).\n"
        "Again https://b.example! Not http:// or ftp://f.example, but `https://g.example`."
    )
    assert addresses_in(text) == [
        "https://a.example/x?y=1",
        "https://b.example",
        "https://c.example/d_(e)",
        "https://g.example",
    ]


async def test_an_address_is_copied_by_key(running: Running, note: Path) -> None:
    note.write_text(note.read_text() + "\nSee [there](https://a.example/x).\n")
    async with running() as driver:
        await asked(driver)
        await driver.press("alt+1", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, NoteScreen))
        await driver.until(lambda: driver.app.screen.query_one(OptionList).option_count == 1)
        await driver.press("l", "enter")
        await driver.until(lambda: driver.shows("Copied, not opened"))
        assert driver.app.clipboard == "https://a.example/x"


async def test_what_a_follow_up_was_searched_as_is_told(running: Running) -> None:
    sentence = (evidence(PASSAGES[0], 1, LITRES, 13),)
    first = replace(TURN, question="Who serves the boiler?", query="Who serves the boiler?")
    then = replace(first, question="How tall is it?", query="How tall is it?", evidence=sentence)
    also = read_as(then, [replace(first, answer="Petra Lindqvist [1]")])
    assert also == "How tall is it? (serves boiler Petra Lindqvist)"
    assert read_as(then, []) == then.question
    assert read_as(replace(then, query="something else"), [first]) == then.question
    assert read_as(replace(then, evidence=()), [first]) == then.question  # a list
    async with running() as driver:
        await driver.ready()
        driver.app.push_screen(WhyScreen(then.question, then.query, PASSAGES, sentence, (), also))
        await driver.until(lambda: driver.shows(f"Also as   {also}"))
