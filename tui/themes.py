"""Two calm themes: ink on dark, ink on paper."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="rag-dark",
    primary="#83a9cf",
    secondary="#6f8f7f",
    accent="#dcb06a",
    warning="#d7a65f",
    error="#e0838a",
    success="#94bd7c",
    foreground="#d9dce1",
    background="#15171c",
    surface="#1b1e24",
    panel="#252932",
    dark=True,
    variables={"border-blurred": "#333945", "footer-key-foreground": "#83a9cf"},
)

LIGHT = Theme(
    name="rag-light",
    primary="#2f618c",
    secondary="#54705f",
    accent="#96590b",
    warning="#9a6a0a",
    error="#b03a48",
    success="#457a30",
    foreground="#2a2c30",
    background="#faf9f6",
    surface="#f3f1ec",
    panel="#e7e4dc",
    dark=False,
    variables={"border-blurred": "#d0ccc2", "footer-key-foreground": "#2f618c"},
)
