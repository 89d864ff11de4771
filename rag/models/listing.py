"""The models that can be had, side by side: those at hand, those known, the endpoint."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rag.config import ENDPOINT, Config
from rag.errors import ModelError
from rag.models.begun import Begun, all_begun
from rag.models.catalog import BUNDLED, ModelSpec, find_model
from rag.models.download import size_text
from rag.models.header import context_for, free_memory, memory_needed, read_header
from rag.models.installed import Installed, Speed, installed, speed_of
from rag.models.known import AS_OF, KNOWN
from rag.models.weights import locate

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


@dataclass(frozen=True, slots=True)
class Row:
    """One model. `size` and `memory` in bytes, `context` in tokens, None where unknown;
    `fits` tells whether the memory that is free now would hold it, `fault` why it cannot be
    used, though it was fetched or added, and what mends that. `partial` are the bytes that have
    come of a download that is not complete."""

    name: str
    kind: str
    installed: bool
    in_use: bool
    parameters: str
    size: int | None
    memory: int | None
    fits: bool
    context: int | None
    licence: str
    speed: Speed | None
    source: str
    fault: str = ""
    partial: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def rows(config: Config) -> list[Row]:
    """Generators by size, then embedders. Reads headers, loads nothing, asks nobody."""
    free = free_memory()
    mine = installed(config.data_dir)
    at_hand = [_bundled(spec, config, free) for spec in BUNDLED]
    at_hand += [_installed(each, config, free) for each in mine]
    at_hand += [_begun(each, config, free) for each in all_begun(config.data_dir)]
    at_hand += _by_path(config, {each.name for each in at_hand}, free)
    names = {each.name for each in at_hand}
    known = [
        Row(
            each.name,
            "generator",
            False,
            False,
            each.parameters,
            each.size * 1_000_000,
            memory := memory_needed(each.size * 1_000_000, each.kv, 4096),
            memory < free,
            each.context,
            each.licence,
            None,
            f"hf:{each.repo}/{each.file}",
        )
        for each in KNOWN
        if each.name not in names
    ]
    ordered = sorted((*at_hand, *known), key=lambda row: (row.kind != "generator", row.size or 0))
    return [*ordered, *_endpoint(config)]


def _bundled(spec: ModelSpec, config: Config, free: int) -> Row:
    try:
        path = locate(spec)
    except ModelError as error:
        row = _row(spec.name, spec.kind, config, free, "", 0, 0, 0, spec.licence, spec.package)
        return replace(row, fault=str(error))
    size, parameters, context, kv = path.stat().st_size, "", 0, 0
    if spec.kind == "generator":
        header = read_header(path)
        parameters, context, kv = header.parameters, header.context, header.kv
    place = f"package {spec.package}"
    return _row(
        spec.name, spec.kind, config, free, parameters, size, context, kv, spec.licence, place
    )


def _installed(each: Installed, config: Config, free: int) -> Row:
    there = Path(each.path).is_file()
    row = _row(
        each.name,
        each.kind,
        config,
        free,
        each.parameters,
        each.size if there else 0,
        each.context,
        each.kv,
        each.licence,
        each.source if there else f"{each.path} is not there any more",
    )
    typed = shlex.quote(each.name)
    gone = f"{each.path} is gone. Fetch or add it again, or forget it: rag models remove {typed}"
    return row if there else replace(row, fault=gone)


def _begun(each: Begun, config: Config, free: int) -> Row:
    known = next((one for one in KNOWN if one.name == each.name), None)
    row = _row(
        each.name,
        each.kind,
        config,
        free,
        known.parameters if known else "",
        0,
        known.context if known else 0,
        0,
        each.licence,
        each.source,
    )
    fault = f"partly here, {each.share}. {each.remedy}"
    return replace(row, size=each.size or None, fault=fault, partial=each.here)


def _by_path(config: Config, names: set[str], free: int) -> list[Row]:
    """A file that the settings name and nobody added."""
    model = config.generator_model
    if model in names or model == ENDPOINT:
        return []
    try:
        spec = find_model(model, "generator")
        path = locate(spec)
        head = read_header(path)
    except ModelError as error:
        row = _row(model, "generator", config, free, "", 0, 0, 0, "unknown", model)
        return [replace(row, fault=str(error))]
    size = path.stat().st_size
    return [
        _row(
            model,
            "generator",
            config,
            free,
            head.parameters,
            size,
            head.context,
            head.kv,
            head.licence or "unknown",
            str(path),
        )
    ]


def _row(
    name: str,
    kind: str,
    config: Config,
    free: int,
    parameters: str,
    size: int,
    context: int,
    kv: int,
    licence: str,
    source: str,
) -> Row:
    used = context_for(config.generator_context, context, kv, size, free, False)
    memory = memory_needed(size, kv, used) if kind == "generator" and size else size or None
    in_use = name == (config.generator_model if kind == "generator" else config.embedder_model)
    return Row(
        name,
        kind,
        bool(size),
        in_use,
        parameters,
        size or None,
        memory,
        memory is None or memory < free,
        context or None,
        licence,
        speed_of(config.data_dir, name),
        source,
    )


def _endpoint(config: Config) -> list[Row]:
    if not config.endpoint_url:
        return []
    in_use = config.generator_model == ENDPOINT
    name = f"{ENDPOINT}: {config.endpoint_model or '(no model named)'}"
    return [
        Row(
            name,
            "generator",
            True,
            in_use,
            "",
            None,
            None,
            True,
            None,
            "the server's",
            None,
            config.endpoint_url,
        )
    ]


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
        made.add_row("", Text(title, "bold cyan"))
        for row in (each for each in found if each.kind == kind):
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

    faults = [
        f"{_BROKEN_OFF if row.partial else '✗'} {row.name}{', in use' if row.in_use else ''}: "
        f"{row.fault}"
        for row in found
        if row.fault
    ]
    wider = f"\nNot shown for want of room: {', '.join(without)}." if without else ""
    text = Text("".join(f"{one_line(each)}\n" for each in faults))
    return text.append(
        "● in use, ✓ at hand, ! more than the memory free now; in/out: tokens read and written a "
        f"second here.\nThe others, a choice of {AS_OF}: rag models pull NAME{wider}",
        "dim",
    )
