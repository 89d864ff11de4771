"""What of Markdown is code or a comment: fences, code spans, %%comments%%.

Every function here takes time in proportion to its input, as those of `rag.reading.links` do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FENCE = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*+(`{3,}+|~{3,}+)(.*)", re.DOTALL)
_TICKS = re.compile(r"`+")
_COMMENT_OR_TICKS = re.compile(r"%%|`+")


def next_fence(line: str, fence: str) -> str:
    """The marker of the fenced code that is open after `line`, given that before; "" for none."""
    if "```" not in line and "~~~" not in line:
        return fence
    found = _FENCE.match(line)
    if not found:
        return fence
    if fence:
        return "" if found[1].startswith(fence) and not found[2].strip() else fence
    return found[1] if found[1][0] == "~" or "`" not in found[2] else ""


def mask_code(line: str) -> str:
    """`line` with its code spans replaced by as many NULs."""
    if "`" not in line:
        return line
    pieces, done = [], 0
    for start, end, _ in code_spans(line):
        pieces += [line[done:start], "\0" * (end - start)]
        done = end
    return "".join(pieces) + line[done:]


def blank_comments(lines: Sequence[str]) -> list[str]:
    """`lines` without their %%comments%%, which may span lines; not in code. Keeps line numbers.

    A "%%" that is never closed is text.
    """
    holding = [number for number, line in enumerate(lines) if "%%" in line]
    if not holding:
        return list(lines)
    result, fence, inside = [], "", False
    for number, line in enumerate(lines):
        before = fence
        if not inside:
            fence = next_fence(line, fence)
        if (before or fence) and not inside:
            result.append(line)
            continue
        kept, inside = _without_comments(line, inside, number < holding[-1])
        result.append(kept)
    return result


def _without_comments(line: str, inside: bool, more: bool) -> tuple[str, bool]:
    """`line` without comments and whether one is open after it; `more` "%%" follow below."""
    if "%%" not in line:
        return ("", True) if inside else (line, False)
    marks = list(_COMMENT_OR_TICKS.finditer(line))
    last = max(mark.start() for mark in marks if mark[0] == "%%")
    closings = _closings(line)
    kept, done, code_end = [], 0, 0
    for mark in marks:
        if mark[0] == "%%" and inside:
            inside, done = False, mark.end()
        elif mark.start() < code_end or inside:
            continue
        elif mark[0] != "%%":
            code_end = closings.get(mark.start(), 0)
        elif more or mark.start() < last:
            kept.append(line[done : mark.start()])
            inside = True
    return "".join(kept) + ("" if inside else line[done:]), inside


def code_spans(line: str) -> list[tuple[int, int, int]]:
    """(start, end, number of backticks) of each code span, backticks included."""
    closings = _closings(line)
    spans: list[tuple[int, int, int]] = []
    done = 0
    for run in _TICKS.finditer(line):
        start, end = run.span()
        if start >= done and start in closings and line[start - 1 : start] != "\\":
            done = closings[start]
            spans.append((start, done, end - start))
    return spans


def _closings(line: str) -> dict[int, int]:
    """Where the code that each run of backticks would open ends: after the next run as long."""
    nearest: dict[int, int] = {}
    closings: dict[int, int] = {}
    for run in reversed(list(_TICKS.finditer(line))):
        start, end = run.span()
        if end - start in nearest:
            closings[start] = nearest[end - start]
        nearest[end - start] = end
    return closings
