"""The table of models for people, as wide as the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Literal

from rag.models.download import size_text
from rag.models.known import AS_OF
from rag.models.listing import Row

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

# Together they fit in 80 letters.
_COLUMNS = (
    ("", 1),
    ("Model", 23),
    ("Params", 6),
    ("Size", 6),
    ("Memory", 8),
    ("Context", 7),
    ("Licence", 10),
    ("In/out /s", 10),
)
_NUMBERS = ("Params", "Size", "Memory", "Context")
# What a narrower terminal does without, first to last.
_SPARED = ("Params", "Context", "In/out /s", "Licence", "Memory", "Size")
_BROKEN_OFF = "◐"  # a download that is not complete


def spared(width: int) -> tuple[str, ...]:
    """The columns that a terminal of `width` letters has no room for."""
    gone = 0
    while gone < len(_SPARED):
        kept = [each for name, each in _COLUMNS if name not in _SPARED[:gone]]
        if sum(kept) + len(kept) <= width:
            break
        gone += 1
    return _SPARED[:gone]


def table(found: Sequence[Row], without: Sequence[str] = ()) -> Table:
    """The rows for people, `without` some columns; what does not fit in memory is dimmed, what is
    in use marked."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    shown = [heading not in without for heading, _ in _COLUMNS]
    for heading, width in compress(_COLUMNS, shown):
        justify: Literal["left", "right"] = "right" if heading in _NUMBERS else "left"
        whole = heading != "Model"  # a long name goes on below, and takes no other column's room
        made.add_column(heading, justify=justify, min_width=width, no_wrap=whole, overflow="fold")
    for kind, title in (("generator", "Answers"), ("embedder", "Finds")):
        of_kind = [each for each in found if each.kind == kind]
        if of_kind:
            made.add_row("", Text(title, "bold cyan"))
        for row in of_kind:
            made.add_row(*compress(_cells(row), shown))
    return made


def _cells(row: Row) -> list[Text]:
    from rich.text import Text

    from rag.output import one_line

    mark = (
        _BROKEN_OFF
        if row.partial
        else "✗"
        if row.fault
        else "●"
        if row.in_use
        else "✓"
        if row.installed
        else ""
    )
    speed = f"{row.speed.prefill:.0f}/{row.speed.decode:.0f}" if row.speed else ""
    cells = (
        mark,
        one_line(row.name),
        row.parameters,
        size_text(row.size) if row.size else "",
        f"{size_text(row.memory)}{'' if row.fits else ' !'}" if row.memory else "",
        f"{row.context:,}" if row.context else "",
        one_line(row.licence).partition(";")[0],
        speed,
    )
    style = "bold" if row.in_use else "" if row.installed else "dim"
    return [Text(cell, style) for cell in cells]


def legend(found: Sequence[Row], without: Sequence[str] = ()) -> Text:
    """What is wrong with rows, what the marks mean, how old the list is, and `without` which
    columns it is."""
    from rich.text import Text

    from rag.output import one_line

    faults = [_fault(row) for row in found if row.fault]
    wider = f"\nNot shown for want of room: {', '.join(without)}." if without else ""
    several = [row.name for row in found if row.languages not in ("", "English")]
    told = f"\nNot of English alone: {', '.join(map(one_line, several))}." if several else ""
    text = Text("".join(f"{one_line(each)}\n" for each in faults))
    return text.append(
        "● in use, ✓ at hand (a server elsewhere is not asked), ! more than the memory free now; "
        "in/out: tokens read and written a second here.\n"
        f"The others, a choice of {AS_OF}: rag models pull NAME{told}{wider}",
        "dim",
    )


def more(row: Row) -> Text:
    """What the table does not say of one model: where it is from, and what can be done with it."""
    from rich.text import Text

    from rag.output import one_line

    name = shlex.quote(row.name.partition(": ")[0])
    if row.fault:
        said = _fault(row)
    elif row.in_use:
        said = "It is in use."
    else:
        verb, word = ("Use", "use") if row.installed else ("Fetch", "pull")
        said = f"{verb} it with: rag models {word} {name}"
    spoken = f" {row.languages}." if row.languages else ""
    return Text(one_line(f"From {row.source}.{spoken} {said}"))


def _fault(row: Row) -> str:
    mark = _BROKEN_OFF if row.partial else "✗"
    return f"{mark} {row.name}{', in use' if row.in_use else ''}: {row.fault}"
