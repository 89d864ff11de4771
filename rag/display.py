"""Answers and passages as plain text for a console, and as HTML for Jupyter.

All text of notes and models is escaped; the HTML holds no script, no link and nothing that is
loaded from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rag.answering.steps import joined, legend
from rag.config import sent_to
from rag.output import one_line, safe

if TYPE_CHECKING:
    from pathlib import Path

    from rag.events import Answered, Status
    from rag.indexing.library import NoteEntry
    from rag.retrieval.found import Passage

_MOST_ROWS = 200  # notes of a table
_NEAREST = 3  # passages shown where the notes do not say
_MARK = re.compile(r"\[(\d+)\]")
# Of a list's Markdown whose text is escaped, in HTML.
_BOLD = re.compile(r"(?<!\\)\*\*(.+?)(?<!\\)\*\*")
_ESCAPED = re.compile(r"\\([\\`*_\[\]#|~!]|&(?:lt|gt|amp);)")
_BOX = "font-family: system-ui, sans-serif; line-height: 1.5; max-width: 50em"
_TEXT = "white-space: pre-wrap; overflow-wrap: anywhere"
_DIM = "opacity: 0.65"


def place(passage: Passage) -> str:
    """Where a passage stands: "path:3-7  Heading › Heading", or "path, p. 3"."""
    heading = " › ".join(passage.headings)
    return one_line(passage.where) + (f"  {one_line(heading)}" if heading else "")


def marked_answer(done: Answered) -> str:
    """The answer, each sentence that the notes do not plainly bear out with its mark."""
    shown = done.answered and done.sentences
    return joined(done.sentences, doubts=True) if shown else done.answer


def answer_text(done: Answered) -> str:
    """An answer and its sources, as plain text."""
    lines = [safe(marked_answer(done))]
    shown = _shown(done)
    if shown and not done.answered:
        lines += ["", "Nearest notes:"]
    for n in shown:
        passage, quotes = _cited(done, n)
        lines += [*([""] if done.answered else []), f"[{n}] {place(passage)}"]
        lines += [f"    {line}" for quote in quotes for line in safe(quote).split("\n")]
    if done.answered and (means := legend(done.sentences)):
        lines += ["", means]
    if sent := _sent(done):
        lines += ["", sent]
    return "\n".join(lines)


def answer_html(done: Answered) -> str:
    """An answer and its sources; each source unfolds to the whole passage, its quote marked."""
    text = escape(safe(marked_answer(done)))
    if done.listed and done.listed.notes:  # a list is Markdown
        text = _ESCAPED.sub(r"\1", _BOLD.sub(r"<b>\1</b>", text))
    text = _MARK.sub(r'<sup style="opacity: 0.65">[\1]</sup>', text)
    sources = "".join(_source(n, *_cited(done, n)) for n in _shown(done))
    if sources and not done.answered:
        sources = f'<div style="{_DIM}">Nearest notes:</div>{sources}'
    if done.answered and (means := legend(done.sentences)):
        sources += f'<div style="{_DIM}">{escape(means)}</div>'
    if sent := _sent(done):
        sources += f'<div style="{_DIM}">{escape(sent)}</div>'
    return f'<div style="{_BOX}"><div style="{_TEXT}">{text}</div>{sources}</div>'


def passages_html(found: Sequence[Passage]) -> str:
    """Passages, best first."""
    shown = "".join(_source(n, each, (), each.score) for n, each in enumerate(found, 1))
    return f'<div style="{_BOX}">{shown or "No passage was found."}</div>'


def entries_html(entries: Sequence[NoteEntry]) -> str:
    """Notes as a table: path, title, tags."""
    rows = [(each.path, each.title, ", ".join(each.tags)) for each in entries[:_MOST_ROWS]]
    more = len(entries) - len(rows)
    after = f'<div style="{_DIM}">… and {more:,} more</div>' if more else ""
    return f'<div style="{_BOX}">{_table(("path", "title", "tags"), rows)}{after}</div>'


def statuses_html(states: Sequence[Status]) -> str:
    """What is indexed of each folder, and by what it is asked."""
    names = ("notes folder", "notes", "passages", "index", "embedder", "language model")
    rows = [
        (
            str(each.notes_folder),
            f"{each.notes:,}",
            f"{each.chunks:,}",
            f"{each.index_bytes / 1e6:.1f} MB",
            each.embedder,
            each.generator_fault or each.generator,
        )
        for each in states
    ]
    return f'<div style="{_BOX}">{_table(names, rows)}</div>'


def notes_html(folders: Sequence[Path], sent: str, states: Sequence[Status]) -> str:
    """Opened notes: what is indexed of each folder; the folders alone before there is an index."""
    told = statuses_html(states)
    if not states:
        rows = [(str(each),) for each in folders]
        told = f'<div style="{_BOX}">{_table(("notes folder, not indexed yet",), rows)}</div>'
    where = f'<div style="{_DIM}">Questions go to {escape(one_line(sent))}.</div>' if sent else ""
    return told + where


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "No notes."
    head = "".join(f'<th style="text-align: left">{escape(each)}</th>' for each in names)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align: left">{escape(one_line(each))}</td>' for each in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _sent(done: Answered) -> str:
    """What to say of an answer that was written on another machine; "" of others."""
    where = one_line(sent_to(done.model))
    return where and f"Written by {where}: the question and these passages went there."


def _shown(done: Answered) -> list[int]:
    """The numbers of the passages that are cited; of the nearest where there is no answer."""
    if not done.answered:
        return list(range(1, min(_NEAREST, len(done.passages)) + 1))
    return sorted({each.n for each in done.citations})


def _cited(done: Answered, n: int) -> tuple[Passage, list[str]]:
    """Passage `n`, its place that of the first quote, and what is quoted of it."""
    passage = done.passages[n - 1]
    cited = [each for each in done.citations if each.n == n]
    return passage.at(cited[0].first) if cited else passage, [each.quote for each in cited]


def _source(n: int, passage: Passage, quotes: Sequence[str], score: float | None = None) -> str:
    figure = "" if score is None else f' <span style="{_DIM}">{score:.3f}</span>'
    return (
        f"<details{' open' if quotes else ''}><summary>[{n}] {escape(place(passage))}{figure}"
        f'</summary><div style="{_TEXT}; margin: 0.2em 0 0.6em 1.5em">'
        f"{_quoted(safe(passage.text), [safe(each) for each in quotes])}</div></details>"
    )


def _quoted(text: str, quotes: Sequence[str]) -> str:
    """A passage with its quotes marked, escaped."""
    starts = {text.find(quote): quote for quote in quotes}
    parts, done = [], 0
    for start in sorted(starts):
        end = start + len(starts[start])
        if start >= done:
            parts += [escape(text[done:start]), f"<mark>{escape(text[start:end])}</mark>"]
            done = end
    return "".join([*parts, escape(text[done:])])
