"""`rag doctor`: whether the settings of `rag chat` can be used."""

from __future__ import annotations

from collections.abc import Iterator

from rag.config import Config
from rag.doctor_models import tried
from rag.finding import Finding


def examine_chat(settings: Config) -> Iterator[Finding]:
    """The theme and the keys that the reader chose for `rag chat`."""
    if not (settings.chat_theme or settings.keys):
        return
    from textual.theme import BUILTIN_THEMES

    from tui.app import check_theme
    from tui.keys import keymap
    from tui.themes import DARK, LIGHT, SIXTEEN

    def look() -> str:
        ours = (each.name for each in (DARK, LIGHT, SIXTEEN))
        check_theme(settings.chat_theme, {*BUILTIN_THEMES, *ours})
        keymap(settings.keys)
        return "its theme and keys are known"

    yield tried("rag chat", look)
