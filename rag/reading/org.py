"""Org files as Markdown, line for line: headlines, blocks, drawers, links and emphasis.

A headline with a keyword such as TODO is an item with a box, "- [ ] Pay rent (due 2026-12-01 Tue)
#home", that heads what stands below it. Its tags are its own and those of the headlines above it.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag.reading.readable import Readable, link

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

_HEADLINE = re.compile(r"(\*+)[ \t]+(.*)")
_HEADLINE_TAGS = re.compile(r"(?<![ \t])[ \t]++((?::[\w@#%]++)++):[ \t]*$")
_PRIORITY = re.compile(r"\[#[A-Z0-9]+\][ \t]*")
_KEYWORD = re.compile(r"[ \t]*#\+([\w-]+):[ \t]*(.*)")
_BEGIN = re.compile(r"[ \t]*#\+begin_(\w+)[ \t]*(\S*)", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:([\w-]+):[ \t]*$")
_PROPERTY = re.compile(r"[ \t]*:([\w-]+)\+?:[ \t]+(.*)")
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|$)")
_RULE = re.compile(r"[ \t]*-{5,}[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|[-+|]+$")
_LINK = re.compile(r"\[\[([^\[\]]++)\](?:\[([^\[\]]++)\])?\]")
_EMPHASIS = re.compile(r"(?<![\w*/=~+])([*/=~+])(?=\S)([^\n]{1,300}?)(?<=\S)\1(?![\w*/=~+])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLANNING = re.compile(r"\b(DEADLINE|SCHEDULED|CLOSED):[ \t]*[<\[]([^<>\[\]]+)[>\]]")
_PLANNED = {"SCHEDULED": "scheduled", "DEADLINE": "due", "CLOSED": "closed"}
# Org itself knows TODO and DONE; the others are what many have in the settings of their editor.
_KEYWORDS = {
    **dict.fromkeys(("TODO", "NEXT", "STARTED", "DOING", "WAITING", "HOLD"), "[ ]"),
    "DONE": "[x]",
    **dict.fromkeys(("CANCELLED", "CANCELED"), "[-]"),
}
_MARKS = {"*": "**", "/": "*", "=": "`", "~": "`", "+": "~~"}
_CODE = frozenset({"src", "example", "export", "latex", "html"})
_NAMES = {"filetags": "tags", "roam_aliases": "aliases", "roam_tags": "tags", "keywords": "tags"}


def read_org(text: str) -> Readable:
    """Org `text` as Markdown with the same lines. Tags of headlines become tags of the note, too;
    where there are some, its field "filetags" holds those that are of the whole of it."""
    lines = text.split("\n")
    ends = _ends(lines)
    boxes = _boxes(lines)
    fields: dict[str, JsonValue] = {}
    tags: list[str] = []  # of the whole note
    headline_tags: list[str] = []
    above: list[tuple[int, list[str]]] = []  # levels of the headlines above, with their tags
    result: list[str] = []
    tasks: list[tuple[int, int]] = []
    section = 0  # index of the first line below the last headline
    while len(result) < len(lines):
        at = len(result)
        line = lines[at]
        if headline := _HEADLINE.match(line):
            _dedent(result, section, lines)
            section = at + 1
            title, own = _tagged(headline[2])
            level = len(headline[1])
            headline_tags += own
            above = [*(each for each in above if each[0] < level), (level, own)]
            known = [*dict.fromkeys(tag for _, each in above for tag in each)]
            result += _heading(level, title, known, boxes, "".join(lines[section : section + 1]))
            if result[at].startswith("- "):
                tasks.append((section, min(level, 6)))
        elif begin := _BEGIN.match(line):
            result += _block(lines, at, begin, ends)
        elif drawer := _DRAWER.match(line):
            result += _drawer(lines, at, drawer[1], fields if not section else {}, ends)
        elif keyword := _KEYWORD.match(line):
            result.append(_keyword(keyword[1].lower(), keyword[2].strip(), fields, tags))
        else:
            result.append(_line(line))
    _dedent(result, section, lines)
    if tags or headline_tags:
        fields["tags"] = [*dict.fromkeys([*tags, *headline_tags])]
    if headline_tags:
        fields["filetags"] = [*dict.fromkeys(tags)]
    return Readable("\n".join(result), fields, tasks=tuple(tasks))


def _boxes(lines: Sequence[str]) -> Mapping[str, str]:
    """The box of each keyword: those of the file, else the usual ones."""
    boxes: dict[str, str] = {}
    for line in lines:
        keyword = _KEYWORD.match(line)
        if keyword is None or keyword[1].lower() not in ("todo", "seq_todo", "typ_todo"):
            continue
        names = re.sub(r"\([^()]*\)", "", keyword[2])  # "NEXT(n)": the key that sets it
        first, bar, last = names.partition("|")
        undone, done = first.split(), last.split()
        if not bar:
            undone, done = undone[:-1], undone[-1:]
        boxes |= dict.fromkeys(undone, "[ ]")
        boxes |= {each: "[-]" if each.startswith("CANCEL") else "[x]" for each in done}
    return boxes or _KEYWORDS


def _tagged(title: str) -> tuple[str, list[str]]:
    """The title of a headline, and the tags that end it."""
    found = _HEADLINE_TAGS.search(title)
    if found is None:
        return title, []
    return title[: found.start()], [each for each in found[1].split(":") if each]


def _heading(
    level: int, title: str, tags: Sequence[str], boxes: Mapping[str, str], below: str
) -> list[str]:
    """The heading, or the item of a task with its days and tags, and then a blank for the line
    `below` where the days stand."""
    keyword, _, rest = title.partition(" ")
    box = boxes.get(keyword, "") if rest.strip() else ""
    title = _inline(_PRIORITY.sub("", (rest if box else title).strip(), count=1).strip())
    if not box:
        return [f"{'#' * min(level, 6)} {title}"]
    marks = "".join(f" #{tag}" for tag in tags)
    planned = {kind: day.strip() for kind, day in _PLANNING.findall(below)}
    if not planned or _PLANNING.sub("", below).strip():
        return [f"- {box} {title}{marks}"]
    days = ", ".join(
        f"{name} {planned[kind]}" for kind, name in _PLANNED.items() if kind in planned
    )
    return [f"- {box} {title} ({days}){marks}", ""]


def _keyword(name: str, value: str, fields: dict[str, JsonValue], tags: list[str]) -> str:
    """The line of `#+NAME: value`: a caption is read, all else is about the note."""
    if name == "caption":
        return _inline(value)
    if not value or name.startswith(("begin", "end", "attr", "results", "header")):
        return ""
    name = _NAMES.get(name, name)
    if name == "tags":
        tags += [each for each in re.split(r"[:,\s]+", value) if each]
    elif name == "date":
        fields[name] = day[0] if (day := _DAY.search(value)) else value.strip("<>[]")
    else:
        fields.setdefault(name, value)
    return ""


def _ends(lines: Sequence[str]) -> Mapping[str, list[int]]:
    """On which lines each kind of block ends, drawers under ":end:", headlines under "*"."""
    ends: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        mark = line.strip().lower()
        if mark.startswith("#+end_") or mark == ":end:":
            ends[mark].append(number)
        elif _HEADLINE.match(line):
            ends["*"].append(number)
    return ends


def _next(numbers: Sequence[int], at: int) -> int | None:
    """The first of `numbers`, which ascend, above `at`."""
    place = bisect_right(numbers, at)
    return numbers[place] if place < len(numbers) else None


def _block(
    lines: Sequence[str], at: int, begin: re.Match[str], ends: Mapping[str, list[int]]
) -> list[str]:
    """The lines of a #+BEGIN block; only the first where it never ends."""
    name = begin[1].lower()
    end = _next(ends.get(f"#+end_{name}", ()), at)
    if end is None:
        return [""]
    inside = lines[at + 1 : end]
    if name == "comment":
        return [""] * (end - at + 1)
    if name in _CODE:
        code = textwrap.dedent("\n".join(inside)).split("\n") if inside else []
        return [f"```{begin[2] if name == 'src' else ''}", *code, "```"]
    mark = "> " if name in ("quote", "verse") else ""
    return ["", *(f"{mark}{_inline(each.strip())}" for each in inside), ""]


def _drawer(
    lines: Sequence[str],
    at: int,
    name: str,
    fields: dict[str, JsonValue],
    ends: Mapping[str, list[int]],
) -> list[str]:
    """Blank lines for a drawer, whose properties go to `fields`; as it is where it never ends."""
    end = _next(ends.get(":end:", ()), at)
    headline = _next(ends.get("*", ()), at)
    if end is None or (headline is not None and headline < end):
        return [_line(lines[at])]
    if name.lower() == "properties":
        for line in lines[at + 1 : end]:
            if found := _PROPERTY.match(line):
                key = _NAMES.get(found[1].lower(), found[1].lower())
                value: JsonValue = found[2].strip()
                if key == "aliases":  # "one name" two
                    pairs = re.findall(r'"([^"]+)"|(\S+)', found[2])
                    value = [quoted or bare for quoted, bare in pairs]
                fields.setdefault(key, value)
    return [""] * (end - at + 1)


def _line(line: str) -> str:
    if _COMMENT.match(line) or _RULE.match(line):
        return ""
    if _TABLE_RULE.match(line):
        return line.replace("+", "|")
    if line.lstrip().startswith(": "):
        return f"    {line.lstrip()[2:]}"
    return _inline(line)


def _inline(line: str) -> str:
    """Links and emphasis of a line as Markdown writes them."""
    if "[[" in line:
        line = _LINK.sub(_link, line)
    return _EMPHASIS.sub(lambda each: f"{_MARKS[each[1]]}{each[2]}{_MARKS[each[1]]}", line)


def _link(found: re.Match[str]) -> str:
    target, text = found[1], found[2] or ""
    if target.startswith("id:"):
        return text or "…"
    if target.startswith("*"):
        return f"[[#{target[1:]}|{text}]]" if text else f"[[#{target[1:]}]]"
    kind, _, rest = target.partition(":")
    if kind in ("file", "attachment"):
        path, _, place = rest.partition("::")
        heading = f"#{place[1:]}" if place.startswith("*") else ""
        return link(text or path, path + heading)
    return link(text or target, target if "/" in target or "." in target else "")


def _dedent(result: list[str], start: int, lines: Sequence[str]) -> None:
    """Take from text the margin that all `lines` of a section share; code has lost its own."""
    pairs = zip(lines[start : len(result)], result[start:], strict=True)
    section = [line for line, read in pairs if line.strip() and read.strip()]
    margin = min((len(each) - len(each.lstrip(" ")) for each in section), default=0)
    fenced = False
    for number in range(start, len(result)) if margin else ():
        fence = result[number].startswith("```")
        if not (fenced or fence) and result[number][:margin].isspace():
            result[number] = result[number][margin:]
        fenced ^= fence
