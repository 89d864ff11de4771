"""What came of one question: a `Row`, and the JSON Lines file that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import EvaluationError
from rag.evaluation.questions import read_rows

WRITTEN = "Name what rag eval wrote with --rows FILE, or printed with --json."


@dataclass(frozen=True, slots=True)
class Found:
    """A passage as it was found, without surroundings. Lines count from 1, inclusive."""

    path: str
    lines: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of passage `n` of its row, counted from 1.

    `verbatim`: the quote stood in the note's file, at its lines, when it was given.
    """

    n: int
    path: str
    lines: tuple[int, int]
    quote: str
    verbatim: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `support` is that of each of its sentences, `given` the numbers of the
    passages that it was made from, `confidence` orders answers, `seconds` it took."""

    answered: bool
    answer: str
    citations: tuple[Cited, ...]
    support: tuple[str, ...]
    given: tuple[int, ...]
    confidence: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one question. `passages` are in rank order.

    `relevant` is how many passages the index holds that would be a hit; `in_context`, whether
    a gold answer stands within the first tokens of the passages; `search_ms`, milliseconds.
    """

    id: str
    passages: tuple[Found, ...]
    relevant: int
    in_context: bool
    search_ms: float
    reply: Reply | None = None


def to_json(row: Row) -> dict[str, Any]:
    """A flat object, the answer's fields beside the others."""
    value: dict[str, Any] = {
        "id": row.id,
        "passages": [{"path": p.path, "lines": p.lines, "text": p.text} for p in row.passages],
        "relevant": row.relevant,
        "in_context": row.in_context,
        "search_ms": round(row.search_ms, 3),
    }
    if row.reply is None:
        return value
    return value | {
        "answered": row.reply.answered,
        "answer": row.reply.answer,
        "citations": [
            {"n": c.n, "path": c.path, "lines": c.lines, "quote": c.quote, "verbatim": c.verbatim}
            for c in row.reply.citations
        ],
        "support": row.reply.support,
        "given": row.reply.given,
        "confidence": row.reply.confidence,
        "seconds": round(row.reply.seconds, 4),
    }


def load_rows(file: Path) -> list[Row]:
    """The rows that an earlier run wrote. Raises EvaluationError."""
    rows = []
    for number, value in read_rows(file, WRITTEN):
        try:
            rows.append(_from_json(value))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise EvaluationError(
                f"{file}, line {number} was not written by rag eval --rows ({error!r}).", WRITTEN
            ) from error
    return rows


def _from_json(value: Mapping[str, Any]) -> Row:
    passages = tuple(Found(p["path"], _lines(p), str(p["text"])) for p in value["passages"])
    reply = None
    if "answered" in value:
        cited = (
            Cited(int(c["n"]), c["path"], _lines(c), c["quote"], bool(c["verbatim"]))
            for c in value["citations"]
        )
        reply = Reply(
            bool(value["answered"]),
            str(value["answer"]),
            tuple(cited),
            tuple(value["support"]),
            tuple(value["given"]),
            float(value["confidence"]),
            float(value["seconds"]),
        )
        for n in (*reply.given, *(c.n for c in reply.citations)):
            if not 1 <= n <= len(passages):
                raise IndexError(f"there is no passage {n}")
    return Row(
        str(value["id"]),
        passages,
        int(value["relevant"]),
        bool(value["in_context"]),
        float(value["search_ms"]),
        reply,
    )


def _lines(value: Mapping[str, Any]) -> tuple[int, int]:
    first, last = value["lines"]
    return int(first), int(last)
