"""reStructuredText as Markdown, line for line: titles, fields, directives, literal blocks, tables.

docutils reads more of the language, but does not say on which line most of it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.reading.readable import Readable, link
from rag.reading.rst_tables import list_table, table_at

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_FIELD = re.compile(r":([^:`\s][^:`]*):(?:[ \t]+(.*)|$)")
_META_COMMENT = re.compile(r"\.\. (\w+): (.+)")
_DIRECTIVE = re.compile(r"([ \t]*)\.\. (?:\|[^|]+\| )?([\w:+.-]+?)::[ \t]*(.*)")
_EXPLICIT = re.compile(r"[ \t]*\.\.(?:[ \t]|$)")
_NOTE = re.compile(r"[ \t]*\.\. \[([^\]]+)\][ \t]+(.*)")
_BULLET = re.compile(r"(?:[-*+•]|#\.|\(?(?:\d+|[a-zA-Z])[.)])(?:[ \t]|$)")
_ROLE = re.compile(r":[\w:+.-]{1,40}:`([^`<]*+)(?:<([^`>]*+)>)?`")
_LINK = re.compile(r"`([^`<]++)<([^`>]++)>`__?")
_NAMED_LINK = re.compile(r"(?<!`)`([^`]++)`__?(?!\w)")
_CODE = frozenset(
    "code code-block sourcecode highlight parsed-literal math prompt doctest literalinclude"
    " raw productionlist graphviz mermaid".split()
)
_DROPPED = frozenset(
    "toctree include raw contents sectnum meta index only-toc literalinclude highlight default-role"
    " role currentmodule module target-notes".split()
)
_TABLES = frozenset({"table", "list-table"})
_IMAGES = frozenset({"image", "figure"})
_NAMES = {"keywords": "tags", "category": "categories"}


def read_rst(text: str) -> Readable:
    """reStructuredText as Markdown with the same lines. Nothing is included, nothing run."""
    page = _Page(text.split("\n"))
    page.run()
    return Readable("\n".join(page.result), page.fields)


@dataclass(slots=True)
class _Page:
    """A file being read: `result` grows to the length of `lines`."""

    lines: list[str]
    result: list[str] = field(default_factory=list)
    fields: dict[str, JsonValue] = field(default_factory=dict)
    styles: list[tuple[str, bool]] = field(default_factory=list)  # of titles, outermost first
    in_list: bool = False
    body: bool = False  # whether text has begun, after which no field is about the note

    def run(self) -> None:
        while len(self.result) < len(self.lines):
            at = len(self.result)
            line = self.lines[at]
            if not line.strip():
                self.result.append("")
            elif not (self._table(at) or self._title(at) or self._field(at) or self._explicit(at)):
                self._text(at)

    def _table(self, at: int) -> bool:
        read = table_at(self.lines, at)
        if read is None:
            return False
        self.body, self.in_list = True, False
        self.result += map(_inline, read)
        return True

    def _title(self, at: int) -> bool:
        """A title, with an overline or without; a line of marks alone is a rule."""
        line, below, under = (self._line(at + n) for n in range(3))
        before_blank = at == 0 or not self.lines[at - 1].strip()
        if mark := _ADORNMENT.match(line):
            closed = _ADORNMENT.match(under)
            if below.strip() and closed and closed[1] == mark[1] and not _ADORNMENT.match(below):
                self._heading(below, mark[1], True, ["", "title", ""])
                return True
            if before_blank and not below.strip() and len(line.strip()) >= 4:
                self.result.append("")
                return True
            return False
        mark = _ADORNMENT.match(below)
        size = len(below.strip())
        if not (mark and before_blank and not line[0].isspace()):
            return False
        if size < min(len(line.strip()), 4):
            return False
        self._heading(line, mark[1], False, ["title", ""])
        return True

    def _heading(self, title: str, mark: str, over: bool, shape: Sequence[str]) -> None:
        if (mark, over) not in self.styles:
            self.styles.append((mark, over))
        level = min(self.styles.index((mark, over)) + 1, 6)
        self.in_list = False
        self.result += [f"{'#' * level} {_inline(title.strip())}" if each else "" for each in shape]

    def _field(self, at: int) -> bool:
        """A line of fields, or of Nikola's comments, before the text begins."""
        found = _META_COMMENT.match(self.lines[at]) or _FIELD.match(self.lines[at])
        if self.body or not found:
            return False
        value = [found[2] or ""]
        end = at + 1
        while self._line(end)[:1].isspace() and self._line(end).strip():
            value.append(self.lines[end].strip())
            end += 1
        name = found[1].strip().lower()
        self._keep(_NAMES.get(name, name), " ".join(value).strip())
        self.result += [""] * (end - at)
        return True

    def _keep(self, name: str, value: str) -> None:
        if value:
            self.fields.setdefault(name, value)

    def _explicit(self, at: int) -> bool:
        """What begins with "..": a directive, a footnote, a target or a comment."""
        line = self.lines[at]
        if not _EXPLICIT.match(line):
            return False
        indent = _indent(line)
        if note := _NOTE.match(line):
            self.result.append(f"[{note[1]}] {_inline(note[2])}")
            return True
        directive = _DIRECTIVE.match(line)
        end = self._block_end(at, indent)
        if not directive:
            self.result += [""] * (end - at)
            return True
        name = directive[2].lower()
        if name == "meta":
            for each in self.lines[at + 1 : end]:
                if found := _FIELD.match(each.strip()):
                    key = found[1].strip().lower()
                    self._keep(_NAMES.get(key, key), (found[2] or "").strip())
        if name in _DROPPED:
            self.result += [""] * (end - at)
        elif name in _CODE:
            self._code(at, end, directive[3].strip())
        else:
            self._directive(name, directive[3].strip(), at, end)
        return True

    def _directive(self, name: str, argument: str, at: int, end: int) -> None:
        """The argument, and the text inside; without options."""
        self.body = True
        if name in _TABLES:
            self._captioned(name, argument, at, end)
            return
        if name in _IMAGES:
            self.result.append(link("", argument, image=True))
        else:
            label = name.capitalize() if argument or name.isalpha() else ""
            self.result.append(f"**{label}:** {_inline(argument)}".strip() if label else "")
        for number in range(at + 1, end):
            text = self.lines[number].strip()
            self.result.append("" if _FIELD.match(text) else _inline(text))

    def _captioned(self, name: str, caption: str, at: int, end: int) -> None:
        """The caption of a table and, of one that is written as a list, its rows; the lines of
        another are read in their turn."""
        first, heads = at + 1, 0
        while first < end and (option := _FIELD.match(self.lines[first].strip())):
            if option[1].lower() == "header-rows" and re.fullmatch(r"\d{1,3}", option[2] or ""):
                heads = int(option[2])
            first += 1
        self.in_list = False
        self.result += [f"**Table:** {_inline(caption)}" if caption else ""]
        self.result += [""] * (first - at - 1)
        if name == "list-table":
            self.result += map(_inline, list_table(self.lines[first:end], heads))

    def _code(self, at: int, end: int, language: str) -> None:
        """A fence in place of the directive, its options blank, and one on the line after."""
        self.body = True
        first = at + 1
        while first < end and _FIELD.match(self.lines[first].strip()):
            first += 1
        opening = max(at, first - 1)  # the options stand where the fence would
        self.result += [""] * (opening - at)
        self._fence(first, end, language)

    def _fence(self, first: int, end: int, language: str) -> None:
        """The next line as a fence, lines `first` to `end` as code, and a fence after them."""
        inside = self.lines[first:end]
        while inside and not inside[-1].strip():
            inside.pop()
        margin = min((_indent(each) for each in inside if each.strip()), default=0)
        after = first + len(inside)
        if after < len(self.lines) and self.lines[after].strip():
            self.result.append("")
            self.result += [f"    {each[margin:]}" if each.strip() else "" for each in inside]
            return
        self.result += [f"```{language}", *(each[margin:] for each in inside)]
        if after < len(self.lines):
            self.result.append("```")

    def _text(self, at: int) -> None:
        """A line of text; one that ends in "::" has a literal block below it."""
        line = self.lines[at]
        self.body = True
        if not line[0].isspace():
            before = self.lines[at - 1] if at else ""
            if _BULLET.match(line) or not before.strip():
                self.in_list = bool(_BULLET.match(line))
        text = line if self.in_list else line.strip()
        if text.startswith("| "):
            text = text[2:]
        literal = text.rstrip().endswith("::")
        if literal:
            text = text.rstrip()[:-1] if text.strip() != "::" else ""
        self.result.append(_inline(text))
        if literal and not self._line(at + 1).strip():
            first = next((n for n, _ in self._below(at + 1)), at + 1)
            if _indent(self._line(first)) > _indent(line):
                end = self._block_end(at, _indent(line))
                self.result += [""] * (first - 1 - (at + 1))
                self._fence(first, end, "")

    def _below(self, at: int) -> Iterator[tuple[int, str]]:
        """The lines from `at` on that are not blank, with their numbers."""
        return ((n, self.lines[n]) for n in range(at, len(self.lines)) if self.lines[n].strip())

    def _block_end(self, at: int, indent: int) -> int:
        """Where what is indented below line `at` ends, blank lines after it left out."""
        end = at + 1
        for number, line in self._below(at + 1):
            if _indent(line) <= indent:
                break
            end = number + 1
        return end

    def _line(self, at: int) -> str:
        return self.lines[at] if at < len(self.lines) else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _inline(line: str) -> str:
    """Roles and links of a line as Markdown writes them; ``code`` and emphasis are the same."""
    if "`" not in line:
        return line
    line = _ROLE.sub(lambda each: (each[1] or each[2] or "").strip(), line)
    line = _LINK.sub(lambda each: link(each[1], each[2]), line)
    return _NAMED_LINK.sub(lambda each: each[1], line)
