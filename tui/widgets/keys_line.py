"""The line of keys at the foot of a screen."""

from __future__ import annotations

from itertools import accumulate

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_PADDING = 3  # cells about a key and what it does
_ALWAYS = ("help", "app.help")  # the key that says what the other keys are


class KeysLine(Footer):
    """The keys that work now: as many as the width holds, none of them cut, and help among them."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def compose(self) -> ComposeResult:
        """What fits, in the order of the bindings: the focus's own keys first."""
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        always = [key for key in keys if key.action in _ALWAYS]
        others = [key for key in keys if key not in always]
        room = self.app.size.width - self.gutter.width - sum(map(_width, always))
        ends = accumulate(map(_width, others))
        yield from (key for key, end in zip(others, ends, strict=True) if end <= room)
        yield from always

    def on_resize(self) -> None:
        """Another width holds other keys."""
        self.call_after_refresh(self.recompose)


def _width(key: FooterKey) -> int:
    """How many cells a key takes."""
    return cell_len(key.key_display) + cell_len(key.description) + _PADDING
