"""What a model thinks before it answers, told apart from the answer as both come."""

from __future__ import annotations

from collections.abc import Iterator

TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",
}


class Folding:
    """Takes the text piece by piece; a thought opens the answer or there is none.

    `inside` tells whether a thought is open.
    """

    def __init__(self, opened: str = "") -> None:
        """`opened` is the tag that the template itself ends with, if it does."""
        self._held = ""
        self._closing = TAGS.get(opened, "")
        self._begun = False  # whether the answer itself has

    @property
    def inside(self) -> bool:
        return bool(self._closing)

    @property
    def closing(self) -> str:
        """What ends the thought that is open."""
        return self._closing

    def add(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text that is settled by this piece, and whether it is thought."""
        self._held += text
        if not self._closing and not self._begun:
            self._open()
        if self._closing:
            yield from self._close()
        elif self._begun:
            yield from self._give(False)

    def force(self) -> Iterator[tuple[str, bool]]:
        """The thought ends here, whatever the model says."""
        yield from self._give(True)
        self._closing = ""

    def rest(self) -> Iterator[tuple[str, bool]]:
        """What is left at the end."""
        if self._held.strip():
            yield from self._give(bool(self._closing))

    def _open(self) -> None:
        """See whether what is held begins a thought, or the answer; space before it is dropped."""
        begins = self._held.lstrip()
        for tag, closing in TAGS.items():
            if begins.startswith(tag):
                self._held = begins[len(tag) :]
                self._closing = closing
                return
        if begins and not any(tag.startswith(begins) for tag in TAGS):
            self._begun, self._held = True, begins

    def _close(self) -> Iterator[tuple[str, bool]]:
        thought, tag, after = self._held.partition(self._closing)
        if tag:
            if thought:
                yield thought, True
            self._closing, self._held = "", ""
            yield from self.add(after)
            return
        keep = _overlap(self._held, self._closing)
        settled = self._held[: len(self._held) - keep]
        self._held = self._held[len(settled) :]
        if settled:
            yield settled, True

    def _give(self, thought: bool) -> Iterator[tuple[str, bool]]:
        if self._held:
            yield self._held, thought
        self._held = ""


def opened_by(prompt_end: str) -> str:
    """The tag of a thought that the template itself begins, "" if it begins none."""
    end = prompt_end.rstrip()
    return next((tag for tag in TAGS if end.endswith(tag)), "")


def _overlap(text: str, tag: str) -> int:
    """Letters at the end of `text` that may be the beginning of `tag`."""
    longest = min(len(text), len(tag) - 1)
    return next((n for n in range(longest, 0, -1) if tag.startswith(text[-n:])), 0)
