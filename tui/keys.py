"""Keys that terminals send and Textual reads as something else."""

from __future__ import annotations

DIGITS = "123456789"


def read_alt_digits() -> None:
    """Let Alt+1 … Alt+9 arrive as alt+1 … alt+9.

    Without the Kitty protocol a terminal sends Escape and the digit, which Textual takes for
    what a Mac's Option key would type (`¡`, `™`, `£`). The table has no public face; should it
    move, Alt with a digit types that character again, and Ctrl+O then the digit still works.
    """
    try:
        from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
    except ImportError:
        return
    if isinstance(ANSI_SEQUENCES_KEYS, dict):
        for digit in DIGITS:
            ANSI_SEQUENCES_KEYS.pop(f"\x1b{digit}", None)
