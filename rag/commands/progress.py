"""How far indexing has come, on a terminal, and what it did."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.indexing.progress import IndexReport
from rag.output import console, duration, one_line, safe, show_json, tell

if TYPE_CHECKING:
    from rich.console import Console

    from rag.indexing.progress import IndexProgress
    from rag.reading.notes import Skipped

_SHOWN_SKIPS = 8


def indexing(progress: Iterator[IndexProgress], folders: Sequence[Path], as_json: bool) -> None:
    """Follow an indexing run to its end and say what it did, also where it raises at its end: of
    several folders, one was not there."""
    names = [str(each) for each in folders]
    reports: list[IndexReport] = []
    try:
        _follow(_kept(progress, reports), quiet=as_json, title=f"Indexing {', '.join(names)}")
    except RagError:
        if reports and not as_json:  # a program hears of the error alone
            _show_report(reports[-1])
        raise
    report = reports[-1]
    if as_json:
        from rag.schema import index_json

        show_json(index_json(report, names))
        return
    _show_report(report)


def _kept(progress: Iterator[IndexProgress], reports: list[IndexReport]) -> Iterator[IndexProgress]:
    """The same progress; its reports are kept."""
    for event in progress:
        if event.report is not None:
            reports.append(event.report)
        yield event


def _show_report(report: IndexReport) -> None:
    out = console()
    out.print(report.sentence(), f"{report.seconds:.1f} s.", markup=False, highlight=False)
    _show_skipped(out, report)


def told(
    what: IndexReport | RagError | str,
    folders: Sequence[str],
    as_json: bool,
    named: set[Skipped],
) -> None:
    """One line of what a watcher did, or of what stood in its way, and one for each file that it
    could not read and that is not among those `named` before: nothing else tells of it."""
    from rag.schema import error_json, index_json
    from rag.watching import log_line

    if as_json:
        if isinstance(what, str):
            show_json({"notice": what}, indent=None)
        elif isinstance(what, RagError):
            show_json(error_json(what), indent=None)
        else:
            show_json(index_json(what, folders), indent=None)
        return
    sys.stdout.write(f"{one_line(log_line(what))}\n")
    sys.stdout.flush()
    if isinstance(what, IndexReport):
        fresh = tuple(each for each in what.skipped if each not in named)
        _show_skipped(console(), replace(what, skipped=fresh, warnings=()))
        named.clear()
        named.update(what.skipped)


def refreshing(progress: Iterator[IndexProgress], quiet: bool) -> None:
    """Follow a refresh before a question; says something only if notes changed."""
    report = _follow(progress, quiet, title="Bringing the index up to date")
    if quiet or report is None:
        return
    if report.differs:
        out = console(stderr=True)
        out.print(report.sentence(), style="dim", markup=False, highlight=False)
        _show_skipped(out, report)


def _follow(progress: Iterator[IndexProgress], quiet: bool, title: str) -> IndexReport | None:
    """The report of a run; draws a progress bar on a terminal once there is work to show."""
    report: IndexReport | None = None
    progress = _telling(progress)
    first = next(progress, None)
    if first is None:
        return None
    if quiet or not sys.stderr.isatty():
        for event in progress:
            report = event.report or report
        return report
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(None),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(safe(title), total=None, detail="looking for changes")
        for event in progress:
            done, total, detail = _detail(event)
            bar.update(task, completed=done, total=total, detail=detail)
            report = event.report or report
    return report


def _telling(progress: Iterator[IndexProgress]) -> Iterator[IndexProgress]:
    """The same progress; what was amiss is said on standard error at its end."""
    notices = []
    try:
        for event in progress:
            if event.notice:
                notices.append(event.notice)
            yield event
    finally:
        tell(notices)


def _detail(event: IndexProgress) -> tuple[int, int | None, str]:
    """What is done of the stage at hand, of how much (None: unknown), and both in words."""
    if event.stage == "read":
        detail = f"{event.files_done:,}/{event.files_total:,} files read"
        return event.files_done, event.files_total, detail
    if event.stage == "embed" and event.chunks_total:
        left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
        speed = f", {event.chunks_per_s:.0f} passages/s" if event.chunks_per_s else ""
        passages = f"{event.chunks_done:,}/{event.chunks_total:,} passages"
        detail = f"{event.files_total:,} files, {passages}{speed}{left}"
        return event.chunks_done, event.chunks_total, detail
    return 0, None, {"write": "writing", "scan": "looking for changes"}.get(event.stage, "")


def _show_skipped(out: Console, report: IndexReport) -> None:
    for what, entries in (("Skipped", report.skipped), ("Note", report.warnings)):
        for entry in entries[:_SHOWN_SKIPS]:
            out.print(
                f"  {what}: {one_line(entry.path)} {safe(entry.reason)}",
                style="yellow",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        if len(entries) > _SHOWN_SKIPS:
            out.print(
                f"  … and {len(entries) - _SHOWN_SKIPS:,} more; all of them with: rag index --json",
                style="yellow",
                markup=False,
            )
