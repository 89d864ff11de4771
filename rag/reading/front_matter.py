"""The fields at the top of a note: YAML between two lines of "---"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"

_FRONT_MATTER_LIMIT = 64 * 1024  # characters
_YAML_DEPTH = 20
_NOT_IN_YAML = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?\d{1,15}\.\d{1,15}")
_NAME = re.compile(r"[^\W\d][^:#\[\]{}]*")
# Fields that programs read: names, dates and tags are known apart, the others say nothing about
# what the note is about.
FOR_PROGRAMS = frozenset(
    "title alias aliases tag tags category categories created created_at date modified updated "
    "lastmod id uid uuid cssclass cssclasses publish draft layout permalink slug weight template "
    "banner icon cover image thumbnail sticker color position kanban-plugin excalidraw-plugin "
    "lang language toc comments math mermaid share".split()
)
_CONSTANTS: dict[str, JsonValue] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class _BrokenYaml(Exception):
    """Front matter that is not a plain mapping; `line` is 0-based within it, `why` a clause."""

    def __init__(self, line: int, why: str = "is not valid YAML") -> None:
        super().__init__(line)
        self.line = line
        self.why = why


def front_matter_size(lines: list[str]) -> int:
    """How many lines stand between the "---"s at the top, these included; 0 without them."""
    if lines[0].rstrip() != "---":
        return 0
    ends = (n for n, line in enumerate(lines, 1) if n > 1 and line.rstrip() in ("---", "..."))
    return next(ends, 0)


def read_front_matter(lines: list[str], warnings: list[str]) -> tuple[dict[str, JsonValue], int]:
    """The fields, and how many lines they take up, the "---"s included; 0 when there are none."""
    size = front_matter_size(lines)
    if not size:
        return {}, 0
    source = "\n".join([*lines[1 : size - 1], ""])
    if len(source) > _FRONT_MATTER_LIMIT:
        warnings.append("front matter is larger than 64 KiB; read as text")
        return {}, 0
    try:
        return _read_yaml(source), size
    except _BrokenYaml as broken:
        line = min(broken.line + 2, size)
        warnings.append(f"front matter {broken.why} (line {line}); read as text")
        return {}, 0


def telling_fields(lines: Sequence[str], size: int) -> tuple[tuple[int, int], ...]:
    """The line spans of the fields from the first to the last that tells a reader something, such
    as "author: …" or "birthday: …"; 1-based, () where none does. `size` is the front matter's."""
    fields = list(_fields(lines, size))
    telling = [n for n, (_, _, tells) in enumerate(fields) if tells]
    if not telling:
        return ()
    return tuple((first, last) for first, last, _ in fields[telling[0] : telling[-1] + 1])


def _fields(lines: Sequence[str], size: int) -> Iterator[tuple[int, int, bool]]:
    """The first and last line of each field, and whether it tells a reader something."""
    inside = [line for line in lines[1 : size - 1] if line.strip() and line.lstrip()[0] != "#"]
    margin = len(inside[0]) - len(inside[0].lstrip()) if inside else 0
    keys: dict[int, tuple[str, str]] = {}
    for number, line in enumerate(lines[1 : size - 1], 2):
        name, colon, value = line[margin:].partition(":")
        name = name.rstrip().strip("\"'")
        if line[:margin].strip() or not colon or (value and not value[0].isspace()):
            continue
        if _NAME.fullmatch(name):
            keys[number] = name.casefold(), value
    for first, end in zip(keys, [*[*keys][1:], size], strict=False):
        last = end - 1
        while last > first and not lines[last - 1].strip():
            last -= 1
        name, value = keys[first]
        value = " ".join([value, *lines[first:last]]).strip()
        says = any(map(str.isalnum, value)) and value not in _CONSTANTS
        yield first, last, says and name not in FOR_PROGRAMS


def _read_yaml(source: str) -> dict[str, JsonValue]:
    """The mapping that `source` holds, {} if it is blank. Raises _BrokenYaml.

    Built from the parser's events, so that no tag is obeyed, no alias multiplied, nesting is
    bounded, and a date that does not exist stays a string instead of spoiling all other fields.
    """
    if not source.strip():
        return {}
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    open_: list[list[JsonValue]] = [[]]  # values so far in each open collection, outermost first
    try:
        for event in yaml.parse(_NOT_IN_YAML.sub(" ", source), Loader=loader):
            line = event.start_mark.line if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _BrokenYaml(line, "uses YAML's anchors, which are not read")
            if isinstance(event, yaml.ScalarEvent):
                open_[-1].append(_scalar(event.value) if event.implicit[0] else event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(open_) > _YAML_DEPTH:
                    raise _BrokenYaml(line, "is nested too deeply")
                open_.append([])
            elif isinstance(event, yaml.SequenceEndEvent):
                closed = open_.pop()
                open_[-1].append(closed)
            elif isinstance(event, yaml.MappingEndEvent):
                closed = open_.pop()
                open_[-1].append(_mapping(closed, line))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _BrokenYaml(mark.line if mark else 0) from error
    values = open_[0] or [{}]  # nothing but comments is an empty mapping
    if len(values) == 1 and isinstance(values[0], dict):
        return values[0]
    held = "a list" if isinstance(values[0], list) else "text"
    raise _BrokenYaml(0, f"holds {held} instead of fields such as 'tags: garden'")


def _scalar(text: str) -> JsonValue:
    """An unquoted value by YAML 1.2's rules: 13:20 and "no" are strings, not 800 and false."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _mapping(flat: list[JsonValue], line: int) -> dict[str, JsonValue]:
    """A mapping from its keys and values in turn."""
    keys = flat[::2]
    if any(isinstance(key, (dict, list)) for key in keys):
        raise _BrokenYaml(line)
    names = ("" if key is None else str(key) for key in keys)
    return dict(zip(names, flat[1::2], strict=True))
