"""Jupyter notebooks as Markdown: each line of a cell on the line of the JSON file that holds it.

Jupyter writes one line of source a line of JSON, which is what makes that possible. A notebook
that was written otherwise has lines of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.reading.readable import Readable, Unreadable

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},:\n]', re.DOTALL)
_REPR = re.compile(r"<[^<>]*>")  # "<Figure size 640x480 with 1 Axes>" tells a reader nothing
_MOST_OUTPUT = 40  # lines of one output: the rest is seldom read, even by its author
_BROKEN = "is not a notebook that can be read"


@dataclass(frozen=True, slots=True)
class _Part:
    """The source of a cell or one of its outputs: its `lines`, each with its line in the file.

    `first` and `last` are the lines of the brackets around them.
    """

    cell: int  # counted from 1
    code: str  # the language, "" for text
    fenced: bool
    lines: tuple[tuple[int, str], ...]
    first: int
    last: int


def read_notebook(text: str) -> Readable:
    """The cells of a notebook, code fenced. Raises Unreadable."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_BROKEN) from error
    cells = _cells(tree)
    if cells is None:
        raise Unreadable(_BROKEN)
    language = _language(tree)
    parts = [
        part
        for path, lines, first, last in _strings(text)
        if (part := _part(path, lines, first, last, cells, language))
    ]
    fields = _fields(tree)
    if all(_fits(part) for part in parts):
        size = text.count("\n") + 1
        return _in_place(parts, size, fields)
    return _apart(parts, fields)


def _cells(tree: Any) -> list[dict[str, Any]] | None:
    """The cells of a notebook of format 4 or 3; None for other JSON."""
    if not isinstance(tree, dict):
        return None
    cells = tree.get("cells")
    if cells is None and isinstance(sheets := tree.get("worksheets"), list) and len(sheets) == 1:
        cells = sheets[0].get("cells") if isinstance(sheets[0], dict) else None
    if not isinstance(cells, list) or not all(isinstance(each, dict) for each in cells):
        return None
    return cells


def _language(tree: dict[str, Any]) -> str:
    metadata = tree.get("metadata")
    for key in ("language_info", "kernelspec"):
        value = metadata.get(key) if isinstance(metadata, dict) else None
        name = value.get("name" if key == "language_info" else "language") if value else None
        if isinstance(name, str) and name.isalnum():
            return name
    return "python"


def _fields(tree: dict[str, Any]) -> dict[str, JsonValue]:
    """Title, authors and tags that the notebook's metadata names."""
    metadata = tree.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    named = ((key, known.get(key)) for key in ("title", "tags", "date"))
    return {key: value for key, value in named if value and _is_text(value)}


def _is_text(value: object) -> bool:
    """Whether a value is a string or strings: Python's JSON knows NaN, SQLite's does not."""
    each = value if isinstance(value, list) else [value]
    return all(isinstance(part, str) for part in each)


def _strings(text: str) -> Iterator[tuple[tuple[str | int, ...], list[tuple[int, str]], int, int]]:
    """Every list of strings and every string in a JSON text, with its path and its lines.

    A string is given as a list of itself, with the path of a list; text must be valid JSON.
    """
    path: list[str | int] = []
    kinds: list[str] = []  # "{" or "[" of each open collection
    held: list[tuple[list[tuple[int, str]], int]] = []  # strings in it, and its line
    line, key, waiting = 1, False, ""
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "\n":
            line += 1
        elif mark in "{[":
            kinds.append(mark)
            held.append(([], line))
            path.append("" if mark == "{" else 0)
            key = mark == "{"
        elif mark in "}]":
            kinds.pop()
            path.pop()
            strings, first = held.pop()
            if mark == "]" and strings:
                yield tuple(path), strings, first, line
            key = False
        elif mark == ",":
            key = kinds[-1] == "{"
            if not key:
                path[-1] = int(path[-1]) + 1
        elif mark == ":":
            path[-1], key = waiting, False
        elif key:
            waiting = json.loads(mark, strict=False)
        else:
            value = json.loads(mark, strict=False)
            if kinds and kinds[-1] == "[":
                held[-1][0].append((line, value))
            else:
                yield tuple(path), [(line, value)], line, line


def _part(
    path: tuple[str | int, ...],
    lines: list[tuple[int, str]],
    first: int,
    last: int,
    cells: Sequence[dict[str, Any]],
    language: str,
) -> _Part | None:
    """The part of a cell that stands at `path`; None for what nobody reads."""
    if path[:1] == ("worksheets",):
        path = path[2:]
    match path:
        case ("cells", int(at), "source" | "input"):
            kind = str(cells[at].get("cell_type"))
            code = kind in ("code", "raw")
            return _Part(at + 1, language if kind == "code" else "", code, (*lines,), first, last)
        case ("cells", int(at), "outputs", int(), "text") | (
            "cells", int(at), "outputs", int(), "data", "text/plain"
        ):  # fmt: skip
            if len(lines) == 1 and _REPR.fullmatch(lines[0][1].strip()):
                return None
            return _Part(at + 1, "", True, (*lines[:_MOST_OUTPUT],), first, last)
    return None


def _fits(part: _Part) -> bool:
    """Whether each line of source has a line of the file, and the fences have theirs."""
    numbers = [number for number, _ in part.lines]
    whole = all("\n" not in value.removesuffix("\n") for _, value in part.lines)
    alone = len(set(numbers)) == len(numbers)
    return (
        whole and alone and (not part.fenced or part.first < numbers[0] <= numbers[-1] < part.last)
    )


def _in_place(parts: Sequence[_Part], size: int, fields: dict[str, JsonValue]) -> Readable:
    result = [""] * size
    labels: dict[int, tuple[int, str]] = {}
    for part in parts:
        labels.setdefault(part.cell, (part.first, f"cell {part.cell}"))
        for number, value in part.lines:
            result[number - 1] = value.removesuffix("\n")
        if part.fenced:
            result[part.first - 1] = f"```{part.code}"
            result[part.lines[-1][0]] = "```"
    return Readable("\n".join(result), fields, tuple(sorted(labels.values())))


def _apart(parts: Sequence[_Part], fields: dict[str, JsonValue]) -> Readable:
    """The same with lines of its own."""
    result: list[str] = []
    labels: dict[int, tuple[int, str]] = {}
    for part in parts:
        labels.setdefault(part.cell, (len(result) + 1, f"cell {part.cell}"))
        lines = "".join(value for _, value in part.lines).rstrip("\n").split("\n")
        lines = lines[:_MOST_OUTPUT] if part.fenced and not part.code else lines
        result += [f"```{part.code}", *lines, "```", ""] if part.fenced else [*lines, ""]
    return Readable("\n".join(result), fields, tuple(labels.values()))
