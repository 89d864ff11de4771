"""What the commands print: for people with Rich, plain text when piped, JSON for programs.

Notes, file names and answers are untrusted: they are printed as text, never as markup, and
without control characters, so that no note can move the cursor or hide a line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import RagError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.text import Text

    from rag.answering.grounding import Sentence
    from rag.events import Answered, Event, Status
    from rag.indexing.build import IndexProgress, IndexReport
    from rag.retrieval.listing import Listed
    from rag.retrieval.search import Found, Passage
    from rag.retrieval.spelling import Respelled

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
# Marks that reorder text on screen: they could make a path or a quote read as another.
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (0xFEFF, *range(0xE0000, 0xE0080))  # text that nobody sees: tags
_CONTROLS |= dict.fromkeys((*_BIDI, *_INVISIBLE))
# JSON stays what it was when it is read again; written, a terminal finds nothing to obey.
_IN_JSON = {
    code: json.dumps(chr(code))[1:-1]
    for code in (0x7F, *range(0x80, 0xA0), 0x2028, 0x2029, *_BIDI, *_INVISIBLE)
} | {0x7F: "\\u007f"}
_SHOWN_SKIPS = 8


def safe(text: str) -> str:
    """`text` without control characters and lone surrogates, line feeds and tabs kept."""
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """A file name or a heading: it may hold a line break, the screen must not show one."""
    return " ".join(safe(text).split())


def indexing(progress: Iterator[IndexProgress], folders: Sequence[Path], as_json: bool) -> None:
    """Follow an indexing run to its end and say what it did."""
    names = [str(each) for each in folders]
    report = _follow(progress, quiet=as_json, title=f"Indexing {', '.join(names)}")
    if as_json:
        from rag.schema import index_json

        _print_json(index_json(report, names))
        return
    console = _console()
    console.print(report.sentence(), f"{report.seconds:.1f} s.", markup=False, highlight=False)
    _show_skipped(console, report)


def told(what: IndexReport | str, folders: Sequence[str], as_json: bool) -> None:
    """One line of what a watcher did, or of what stood in its way."""
    from rag.schema import index_json
    from rag.watching import log_line

    if as_json:
        _print_line(
            {"error": what, "remedy": ""} if isinstance(what, str) else index_json(what, folders)
        )
        return
    sys.stdout.write(f"{one_line(log_line(what))}\n")
    sys.stdout.flush()


def refreshing(progress: Iterator[IndexProgress], quiet: bool) -> None:
    """Follow a refresh before a question; says something only if notes changed."""
    report = _follow(progress, quiet, title="Bringing the index up to date")
    if quiet or report is None:
        return
    if report.added or report.changed or report.moved or report.removed:
        console = _console(stderr=True)
        console.print(report.sentence(), style="dim", markup=False, highlight=False)
        _show_skipped(console, report)


def _follow(progress: Iterator[IndexProgress], quiet: bool, title: str) -> Any:
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
        console=_console(stderr=True),
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


def tell(notices: Sequence[str]) -> None:
    """Say on standard error what was amiss."""
    for notice in notices:
        _console(stderr=True).print(safe(notice), style="yellow", markup=False, soft_wrap=True)


def _detail(event: IndexProgress) -> tuple[int, int | None, str]:
    if event.stage == "read":
        return (
            event.files_done,
            event.files_total,
            (f"{event.files_done:,}/{event.files_total:,} files read"),
        )
    if event.stage == "embed" and event.chunks_total:
        left = "" if event.seconds_left is None else f", {_duration(event.seconds_left)} left"
        speed = f", {event.chunks_per_s:.0f} passages/s" if event.chunks_per_s else ""
        return (
            event.chunks_done,
            event.chunks_total,
            (
                f"{event.files_total:,} files, "
                f"{event.chunks_done:,}/{event.chunks_total:,} passages{speed}{left}"
            ),
        )
    return 0, None, {"write": "writing", "scan": "looking for changes"}.get(event.stage, "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _show_skipped(console: Console, report: IndexReport) -> None:
    for what, entries in (("Skipped", report.skipped), ("Note", report.warnings)):
        for entry in entries[:_SHOWN_SKIPS]:
            console.print(
                f"  {what}: {one_line(entry.path)} {safe(entry.reason)}",
                style="yellow",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        if len(entries) > _SHOWN_SKIPS:
            console.print(
                f"  … and {len(entries) - _SHOWN_SKIPS:,} more; all of them with: rag index --json",
                style="yellow",
                markup=False,
            )


# Answers


def answering(events: Iterator[Event], stream: bool, thoughts: bool = False) -> Answered:
    """Print an answer as its sentences come, then its sources; what the model thought first is
    folded into a line unless `thoughts` are wanted."""
    from rag.answering.answer import Reading, Thinking
    from rag.answering.grounding import Sentence
    from rag.events import Answered, Retrieved

    console = _console()
    waiting = _Waiting()
    done: Answered | None = None
    support: list[Sentence] = []
    thought = 0
    with waiting:
        for event in events:
            if isinstance(event, Retrieved):
                show_respelled(event.respelled)
            elif isinstance(event, Reading):
                waiting.say(f"reading {event.tokens_done}/{event.tokens_total} {event.unit}")
            elif isinstance(event, Thinking):
                thought += len(event.text.split())
                waiting.say(f"thinking, {thought} words")
            elif isinstance(event, Sentence):
                support.append(event)
                if stream:
                    waiting.stop()
                    _say_sentence(console, event, first=len(support) == 1)
                    sys.stdout.flush()
            elif isinstance(event, Answered):
                done = event
    if done is None:
        raise RagError("The answer broke off.", "Ask again.")
    if done.listed and done.answered:
        _show_notes(console, done.listed)
        return done
    if not done.answered:
        console.print(done.answer, style="bold", markup=False)
        _show_thoughts(done, thoughts)
        _show_nearest(console, done)
        return done
    if not stream:
        for number, each in enumerate(support):
            _say_sentence(console, each, first=not number)
    console.print("\n")
    _show_thoughts(done, thoughts)
    _show_sources(console, done)
    _show_legend(console, support)
    return done


def _show_thoughts(done: Answered, whole: bool) -> None:
    """What the model said to itself, on standard error: it is no answer, and nothing checked it."""
    text = safe(done.thoughts).strip()
    if not text:
        return
    folded = f"▸ thought first, {len(text.split()):,} words (shown with --thoughts)"
    shown = f"▾ thought first, unchecked:\n{text}\n" if whole else folded
    _console(stderr=True).print(shown, style="dim", markup=False, soft_wrap=True)


# Behind each sentence, and what the last two mean.
_MARKS = {"supported": (" ✓", "green"), "weak": (" ≈", "yellow"), "unsupported": (" (?)", "red")}
_LEGEND = {"weak": "≈ only partly borne out by its source", "unsupported": "(?) not in your notes"}


def _say_sentence(console: Console, sentence: Sentence, first: bool) -> None:
    """One sentence and the mark of its support, set off from the one before."""
    gap = "" if first or sentence.text[:1].isspace() else " "
    text = _marked(f"{gap}{sentence.text}").append(*_MARKS[sentence.support])
    console.print(text, end="", soft_wrap=True)


def _show_legend(console: Console, sentences: Sequence[Sentence]) -> None:
    seen = {each.support for each in sentences}
    if legend := "   ".join(text for key, text in _LEGEND.items() if key in seen):
        console.print(legend, style="dim", markup=False)


class _Waiting:
    """A line on a terminal's standard error until the first sentence comes."""

    def __init__(self) -> None:
        self._status: Any = None
        self._shown = ""

    def __enter__(self) -> None:
        if sys.stderr.isatty() and sys.stdout.isatty():
            self._status = _console(stderr=True).status("searching")
            self._status.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def say(self, text: str) -> None:
        if self._status is not None and text != self._shown:
            self._shown = text
            self._status.update(text)

    def stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def answering_json(events: Iterator[Event]) -> Answered:
    """Print an answer as one JSON object."""
    from rag.events import Answered
    from rag.schema import answer_json

    done = next(event for event in events if isinstance(event, Answered))
    _print_json(answer_json(done))
    return done


def answering_lines(events: Iterator[Event]) -> Answered:
    """Print each step of an answer as one line of JSON as it comes."""
    from rag.events import Answered
    from rag.schema import event_json

    done: Answered | None = None
    for event in events:
        _print_line(event_json(event))
        done = event if isinstance(event, Answered) else done
    if done is None:
        raise RagError("The answer broke off.", "Ask again.")
    return done


def _show_notes(console: Console, listed: Listed) -> None:
    """A list of notes that was asked for, all of them."""
    from rich.text import Text

    console.print(Text(f"{one_line(listed.head)}\n"), soft_wrap=True)
    for each in listed.notes:
        place = f"{each.path}:{each.line}" if each.line else each.path
        parts = ((one_line(place), "bold"), f"  {one_line(each.title)}", (f"  {each.day}", "dim"))
        console.print(Text.assemble(*parts), soft_wrap=True)
        if each.text:
            _indented(console, Text(one_line(each.text), style="dim"))


def _marked(text: str) -> Text:
    """An answer with its `[n]` marks in colour."""
    from rich.text import Text

    styled = Text(safe(text))
    styled.highlight_regex(r"\[\d+\]", "cyan")
    return styled


def _show_sources(console: Console, done: Answered) -> None:
    from rich.text import Text

    passages = done.passages
    shown: dict[int, list[str]] = {}
    for each in done.citations:
        shown.setdefault(each.n, []).append(each.quote)
    for n, quotes in sorted(shown.items()):
        passage = passages[n - 1]
        console.print(_place(n, passage), soft_wrap=True)
        text = Text(safe(_around(passage.text, quotes)), style="dim")
        for words in quotes:
            at = text.plain.find(safe(words))
            if at >= 0:
                text.stylize("not dim bold", at, at + len(safe(words)))
        _indented(console, text)


def _around(text: str, quotes: Sequence[str], margin: int = 200) -> str:
    """The part of a passage around what is quoted: enough to judge it, not a page."""
    start = max(0, min(text.find(each) for each in quotes) - margin)
    end = min(len(text), max(text.find(each) + len(each) for each in quotes) + margin)
    if start:
        start = text.find(" ", start) + 1 or start
    if end < len(text):
        end = max(text.rfind(" ", 0, end), text.find(quotes[0]) + len(quotes[0]))
    return ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")


def _indented(console: Console, text: Text) -> None:
    """A text set in from the margin; piped, its lines stay as they are in the note."""
    if console.is_terminal:
        from rich.padding import Padding

        console.print(Padding(text, (0, 0, 0, 4)))
        return
    for line in text.plain.split("\n"):
        console.print(f"    {line}".rstrip(), markup=False, soft_wrap=True)


def _place(n: int, passage: Passage) -> Text:
    from rich.text import Text

    heading = " › ".join(passage.headings)
    return Text.assemble(
        (f"[{n}] ", "cyan"),
        (one_line(passage.where), "bold"),
        (f"  {safe(heading)}" if heading else "", "dim"),
    )


def _show_nearest(console: Console, done: Answered) -> None:
    if not done.passages:
        return
    console.print("\nNearest notes:", style="dim")
    for n, passage in enumerate(done.passages[:3], 1):
        console.print(_place(n, passage), soft_wrap=True)


# Passages and status


def passages(question: str, found: Found, as_json: bool) -> None:
    """Print ranked passages with their scores and which side found them."""
    if as_json:
        from rag.schema import search_json

        _print_json(search_json(question, found.passages, found.respelled))
        return
    from rich.text import Text

    show_respelled(found.respelled)
    console = _console()
    if not found.passages:
        console.print("No passage was found.")
    for n, each in enumerate(found.passages, 1):
        sides = [f"{each.score:.3f}", {"both": "words and meaning"}.get(each.source, each.source)]
        if each.meaning is not None:
            sides.append(f"cosine {each.meaning:.3f}")
        if each.words is not None:
            sides.append(f"BM25 {each.words:.2f}")
        console.print(_place(n, each), Text("  " + ", ".join(sides), "green"), soft_wrap=True)
        _indented(console, Text(safe(each.text)))
        console.print()


def show_respelled(respelled: Sequence[Respelled]) -> None:
    """Say on standard error which mistyped words were searched as the notes spell them."""
    for each in respelled:
        _console(stderr=True).print(
            safe(str(each)), style="dim", markup=False, highlight=False, soft_wrap=True
        )


def status(states: Sequence[Status], as_json: bool) -> None:
    """Print what is indexed and where it lies; in JSON a list where there are several folders."""
    if as_json:
        trees = [
            {
                key: str(value) if isinstance(value, Path) else value
                for key, value in asdict(state).items()
            }
            for state in states
        ]
        _print_json(trees[0] if len(trees) == 1 else trees)
        return
    for number, state in enumerate(states):
        if number:
            _console().print()
        _status(state)


def _status(state: Status) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    age = (
        "never"
        if state.indexed_at is None
        else (f"{_duration(max(0.0, time.time() - state.indexed_at))} ago")
    )
    for name, value in (
        ("Notes folder", str(state.notes_folder)),
        ("Notes", f"{state.notes:,}"),
        ("Passages", f"{state.chunks:,}"),
        ("Last change indexed", age),
        ("Index size", f"{state.index_bytes / 1e6:.1f} MB"),
        ("Index", str(state.index_dir)),
        ("Embedder", state.embedder),
        ("Language model", state.generator),
        ("Prepared models", str(state.cache_dir)),
        ("Settings", str(state.config_file or "none (no rag.toml here or above)")),
    ):
        table.add_row(Text(name, "dim"), Text(safe(value), overflow="fold"))
    if state.other_scripts:
        table.add_row(Text("By words alone", "dim"), Text(_other_scripts(state), overflow="fold"))
    _console().print(table)


def show(*things: object) -> None:
    """Print tables and styled texts."""
    console = _console()
    for each in things:
        console.print(each)


def progress_bar() -> Progress:
    """A progress bar on a terminal's standard error; elsewhere it draws nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(None),
        MofNCompleteColumn(),
        TimeLeft(),
        console=_console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def show_json(value: object, indent: int | None = 2) -> None:
    """Print one JSON value, on one line where `indent` is None."""
    _print_json(value, indent)


def _other_scripts(state: Status) -> str:
    """What to say of notes in a script that the embedder was not taught."""
    shown = [one_line(each) for each in state.other_script_notes]
    more = ", …" if state.other_scripts > len(shown) else ""
    return (
        f"{state.other_scripts:,} not in Latin letters ({', '.join(shown)}{more}): "
        f"{one_line(state.embedder)} does not know their language. A multilingual embedder does: "
        "see Settings in the README."
    )


def console(stderr: bool = False) -> Console:
    """Where to print: standard output, or what is not part of the answer."""
    return _console(stderr)


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:  # Rich's own would exit with 1: "not in your notes"
            raise BrokenPipeError

    return Piped(stderr=stderr, highlight=False, emoji=False)


def _print_line(value: object) -> None:
    _print_json(value, indent=None)


def _print_json(value: object, indent: int | None = 2) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent).translate(_IN_JSON)
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")
    sys.stdout.flush()
