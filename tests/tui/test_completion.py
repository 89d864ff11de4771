"""Filters are completed while a question is typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from rag.indexing.library import NoteEntry
from rag.retrieval.intent import understand
from tui.completion import Names, complete, completions, names_of
from tui.widgets.suggestions import Suggestions

Running = Callable[..., Any]
NAMES = Names(
    ("garden", "food", "old garden"),
    ("work/", "work/plans/", "work/a b.md", "x.md"),
    ("today", "last week", "2026-11"),
)


TODAY = date(2026, 11, 21)


def note(path: str, *tags: str) -> NoteEntry:
    return NoteEntry(path, path, (), tags, "")


@pytest.mark.parametrize(
    ("before", "choices"),
    [
        ("tag:", ["tag:garden", "tag:food", 'tag:"old garden"']),
        ("water tag:ga", ["tag:garden", 'tag:"old garden"']),
        ("-tag:FO", ["-tag:food"]),
        ("tag:food", []),
        ('tag:"old g', ['tag:"old garden"']),
        ("path:w", ["path:work/", "path:work/plans/", 'path:"work/a b.md"']),
        ("path:plans", ["path:work/plans/"]),
        ("since:", ["since:today", 'since:"last week"', "since:2026-11"]),
        ("bees modified:2", ["modified:2026-11"]),
        ('until:"last w', ['until:"last week"']),
        ("tag:food and", []),
        ("mytag:ga", []),
        ("no filter", []),
        ("", []),
    ],
)
def test_what_a_filter_can_be_completed_to(before: str, choices: list[str]):
    assert completions(before, NAMES) == choices


def test_completing_replaces_the_filter_and_leaves_folders_open():
    assert complete("water tag:ga", "tag:garden") == "water tag:garden "
    assert complete("-path:w", "-path:work/") == "-path:work/"
    assert complete('x tag:"old g', 'tag:"old garden"') == 'x tag:"old garden" '


def test_names_are_tags_by_use_and_folders_before_notes():
    names = names_of([note("b/c/x.md", "rare", "often"), note("a.md", "often")], TODAY)
    assert (names.tags, names.paths) == (("often", "rare"), ("b/", "b/c/", "b/c/x.md", "a.md"))


@pytest.mark.parametrize("field", ["since", "until", "date", "created", "modified"])
def test_what_is_offered_for_a_day_is_understood(field: str):
    for day in names_of([], TODAY).days:
        asked = understand(f'{field}:"{day}" bees', (), TODAY)
        assert asked.filters, day


async def test_tab_completes_and_moves_to_nothing_that_does_not_show(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        box = driver.chat.box
        await driver.until(lambda: driver.chat.names.tags)
        await driver.press(*"tag:ga")
        await driver.until(lambda: driver.chat.query_one(Suggestions).display)
        assert driver.shows("tag:garden")
        await driver.press("tab")
        await driver.until(lambda: box.text == "tag:garden ")
        await driver.until(lambda: not driver.chat.query_one(Suggestions).display)
        assert driver.app.focused is box
        await driver.press("tab", "x")
        await driver.until(lambda: box.text == "tag:garden x")


async def test_tab_again_takes_the_next_choice(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        box = driver.chat.box
        await driver.until(lambda: driver.chat.names.tags)
        await driver.press(*"bees since:")
        await driver.until(lambda: len(box.choices) > 2)
        first, second, *_ = box.choices
        await driver.press("tab")
        await driver.until(lambda: box.text == f"bees {first} ")
        await driver.press("tab")
        await driver.until(lambda: box.text == f"bees {second} ")
        await driver.press("x", "tab")  # typing on ends it
        await driver.until(lambda: box.text == f"bees {second} x")


async def test_down_chooses_among_folders_that_tab_goes_into(running: Running) -> None:
    async with running() as driver:
        await driver.ready()
        await driver.ask("path:h")
        await driver.ready()
        box = driver.chat.box
        await driver.press(*"path:")
        await driver.until(lambda: driver.shows("Tab path:garden/   ↓ path:house/"))
        await driver.press("down")
        await driver.until(lambda: driver.shows("Tab path:house/   ↓ "))
        await driver.press("up")  # an earlier question, as ever
        await driver.until(lambda: box.text == "path:h")
        await driver.until(lambda: not driver.chat.query_one(Suggestions).display)
        await driver.press("down")
        await driver.until(lambda: box.text == "path:")
        await driver.until(lambda: driver.shows("Tab path:garden/"))
        await driver.press("down", "tab")
        await driver.until(lambda: box.text == "path:house/")
        await driver.until(lambda: driver.shows('Tab path:"house/rain barrel.md"'))
