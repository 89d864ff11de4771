"""Two calm themes, ink on dark and ink on paper, and one that needs only 16 colours."""

from __future__ import annotations

from textual.color import Color
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
    variables={
        "border-blurred": "#333945",
        "footer-key-foreground": "#83a9cf",
        "text-disabled": "auto 60%",  # day headings and legends are read, too
        "block-cursor-background": "#33475c",  # calm enough for the muted text on it
        "block-cursor-foreground": "#f2f4f7",
    },
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
    variables={
        "border-blurred": "#d0ccc2",
        "footer-key-foreground": "#2f618c",
        "text-disabled": "auto 60%",  # day headings and legends are read, too
        "block-cursor-background": "#cfdfec",
        "block-cursor-foreground": "#16181c",
    },
)

# The terminal's own colours: legible on whatever background it has.
SIXTEEN = Theme(
    name="rag-16",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_yellow",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "border-blurred": "ansi_bright_black",
        # Colours of their own: Textual drops "reverse" where a widget asks for its visual style.
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_cyan",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "ansi_black",
        "block-cursor-blurred-background": "ansi_cyan",
        "block-cursor-blurred-text-style": "none",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_bright_blue",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_bright_blue",
        "screen-selection-foreground": "ansi_black",
        "footer-key-foreground": "ansi_blue",
        "accent-muted": "ansi_default",  # under what is cited, which is bold besides
        "text-muted": "ansi_default",
        "text-disabled": "ansi_default",
    },
)


def quiet(theme: Theme) -> str:
    """The style of muted words: $quiet. The terminal's own colours have no shades; there it is the
    colour of what is around the words, also where that is selected."""
    colour = Color.parse(theme.to_color_system().generate()["foreground"])
    return "not bold" if colour.ansi is not None else colour.with_alpha(0.75).hex
