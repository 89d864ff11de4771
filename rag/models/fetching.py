"""An offer of files as the reader sees it: what it brings, and the bar while it comes."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.models.download import fetch, size_text
from rag.output import console, one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from rag.models.source import Offer


def described(offer: Offer, missing: int) -> str:
    """What a download brings, before the reader says yes."""
    size = size_text(offer.size) if offer.size else "a size that the server does not say"
    rest = f", {size_text(missing)} of them still to come" if 0 < missing < offer.size else ""
    sure = all(
        each.sha256 or not each.file.endswith((".gguf", ".safetensors")) for each in offer.files
    )
    checked = "checked by SHA-256" if sure else "no SHA-256 is known for it"
    place = offer.files[0].target.parent
    return one_line(
        f"{offer.name} from {offer.source}: {size}{rest}, licence {offer.licence}, {checked}; "
        f"it goes to {place}."
    )


def fetched(offer: Offer) -> list[Path]:
    """Download all files behind one bar; where they lie."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.progress import TransferSpeedColumn as Speed

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(None),
        DownloadColumn(),
        Speed(),
        TimeLeft(),
        console=console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    paths: list[Path] = []
    with bar:
        task = bar.add_task(one_line(offer.name), total=offer.size or None)
        before = 0
        for each in offer.files:
            paths.append(fetch(each, partial(_advance, bar, task, before)))
            before += each.size
    return paths


def _advance(bar: Progress, task: TaskID, before: int, done: int) -> None:
    bar.update(task, completed=before + done)
