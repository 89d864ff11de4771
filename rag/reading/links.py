"""What is written inside a line: links, tags, emphasis.

Every function here takes time in proportion to its input, whatever the input is: the patterns
use possessive quantifiers where they could otherwise try one stretch of text many times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from rag.reading.code import code_spans, mask_code, next_fence
from rag.reading.formats import SUFFIXES

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:|//")
_WIKI = re.compile(r"(?<!\\)(!?)\[\[([^\[\]]++)\]\]")
_INLINE = re.compile(
    r"(?<!\\)(!?)\[((?:[^\[\]]++|\[[^\[\]]*+\])*+)\]"  # the text, brackets one level deep
    r"\((?:<([^<>]*+)>|([^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+))"  # where it leads
    r"(?:\s++(?:\"[^\"]*+\"|'[^']*+'))?+\s*+\)"  # a title that pops up
)
_TAG = re.compile(r"(?<![^\s(,;])(?<!\]\()#([\w/-]++)")

_MARGIN = re.compile(r"(?:[ \t]*+(?:>|[-*+•](?=[ \t]|$)))*+[ \t]*+")
_CALLOUT = re.compile(r"\[![\w|-]++\][+-]?[ \t]*+")
_HASHES = re.compile(r"#{1,6}+(?:[ \t]++|$)")
_BLOCK_ID = re.compile(r"(?:^|\s)\^[A-Za-z0-9-]++$")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
PAGE = re.compile(r"page=(\d{1,6})(?:&|$)")  # in the place of a heading, of a PDF
_IMAGE_SIZE = re.compile(r"\d+(?:x\d+)?")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^<>\s]++)>")
_HTML = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*+(?:\s[^<>]*+|/)?>")
_MARKS = re.compile(
    r"(?m)^[ \t]*+(?:>[ \t]*+|[-*+][ \t]++)*+(?:#{1,6}+[ \t])?+|"
    r"\*+|`+|~~+|==+|(?<!\w)_++|(?<!_)_++(?!\w)"
)
_EMPHASIS = re.compile(r"\*+|_+|~+|=+")
_HELD = re.compile("\x00(\\d+)\x01")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a note, as written: `target` is empty for a link within its own note.

    `heading` or `block` say where in the target; `line` is 1-based.
    """

    target: str
    heading: str
    block: str
    alias: str
    embed: bool
    line: int


def find_links(lines: Sequence[str], first: int = 1) -> tuple[Link, ...]:
    """The links to notes in `lines`, the first of which is line `first`; not those in code."""
    links: list[Link] = []
    fence = ""
    for number, line in enumerate(lines, first):
        inside = fence
        fence = next_fence(line, fence)
        if not inside and not fence and ("[[" in line or "](" in line):
            links += _links_in(line, number)
    return tuple(links)


def find_tags(lines: Sequence[str]) -> Iterator[str]:
    """The inline #tags of `lines`, which hold no fenced code, without their "#"."""
    for line in lines:
        if "#" not in line:
            continue
        for found in _TAG.finditer(_WIKI.sub(" ", mask_code(line))):
            tag = found[1].strip("/")
            if any(map(str.isalpha, tag)):
                yield tag


def plain(text: str) -> str:
    """What a person reads of Markdown `text`, with as many lines as before.

    Links give their text, marks of emphasis, headings, quotes, bullets, callouts and block ids
    go, and so do HTML tags; numbers of list items stay. Not meant for lines of code.
    """
    return "\n".join(map(_plain_line, text.split("\n")))


def without_links(text: str) -> str:
    """Markdown `text` with the words of each link in its place; all other marks stay, and code."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        inside, fence = fence, next_fence(line, fence)
        lines.append(
            line
            if inside or fence or ("](" not in line and "[[" not in line)
            else _words_of_links(line)
        )
    return "\n".join(lines)


def _words_of_links(line: str) -> str:
    pieces, done = [], 0
    for start, end, _ in [*code_spans(line), (len(line), len(line), 0)]:
        pieces += [_INLINE.sub(r"\2", _WIKI.sub(_wiki_text, line[done:start])), line[start:end]]
        done = end
    return "".join(pieces)


def blanked(text: str) -> str:
    """Markdown `text` with blanks for what a person does not read: where links lead, marks of
    emphasis, headings, quotes and bullets. Every letter stays where it stood."""
    text = _INLINE.sub(_only, text)
    text = _WIKI.sub(lambda link: _only(link, link[2].rfind("|") + 1), text)
    return _MARKS.sub(lambda mark: " " * len(mark[0]), text)


def _only(link: re.Match[str], skipped: int = 0) -> str:
    """A link with blanks for all but its text, of which the first letters are `skipped`."""
    before = link.start(2) + skipped - link.start()
    return f"{' ' * before}{link[2][skipped:]}{' ' * (link.end() - link.end(2))}"


def _links_in(line: str, number: int) -> list[Link]:
    found: list[tuple[int, Link]] = []

    def take_wiki(match: re.Match[str]) -> str:
        target, _, alias = match[2].partition("|")
        # In a table the bar is written "\|", lest it end the cell.
        link = _link(target.removesuffix("\\"), alias, bool(match[1]), number)
        if link:
            found.append((match.start(), link))
        return "\0" * len(match[0])

    rest = _WIKI.sub(take_wiki, mask_code(line))
    for match in _INLINE.finditer(rest) if "](" in rest else ():
        place = match[4] if match[3] is None else match[3]
        if _SCHEME.match(place):
            continue
        path, hash_sign, fragment = place.partition("#")
        name = path.rsplit("/", 1)[-1].lower()
        if (name and (name.endswith(SUFFIXES) or "." not in name)) or (not path and fragment):
            alias = line[match.start(2) : match.end(2)]
            link = _link(unquote(path + hash_sign + fragment), alias, bool(match[1]), number)
            if link:
                found.append((match.start(), link))
    return [link for _, link in sorted(found, key=lambda pair: pair[0])]


def _link(written: str, alias: str, embed: bool, number: int) -> Link | None:
    """The link that leads to `written`, "target#heading" or "target#^block"; None if to nothing."""
    target, _, fragment = written.partition("#")
    heading, caret, block = fragment.rpartition("^")
    if not caret or (heading and not heading.endswith("#")):
        heading, block = fragment, ""
    target, heading, block = target.strip(), heading.rstrip("#").strip(), block.strip()
    if not (target or heading or block):
        return None
    return Link(target, heading, block, alias.strip(), embed, number)


def _plain_line(line: str) -> str:
    marks = "".join(line.split())
    if not marks:
        return ""
    if len(marks) >= 3 and marks[0] in "-*_=" and marks == marks[0] * len(marks):
        return ""  # a rule, or the underline of a heading
    text = _without_margin(line)
    if "^" in text:
        text = _BLOCK_ID.sub("", text)
    held: list[str] = []
    if "`" in text or "\\" in text or "\0" in text:
        text = _hold_verbatim(text, held)
    if "[" in text:
        text = _WIKI.sub(_wiki_text, text)
        for _ in range(2 if "](" in text else 0):  # twice, for an image that is a link
            text = _INLINE.sub(r"\2", text)
    if "<" in text:
        text = _HTML.sub("", _AUTOLINK.sub(r"\1", _without_html_comments(text)))
    if "*" in text or "_" in text or "~~" in text or "==" in text:
        text = _without_emphasis(text)
    if held:
        text = _HELD.sub(lambda found: held[int(found[1])], text)
    return " ".join(text.split())


def _without_margin(line: str) -> str:
    """`line` without quote marks, bullets, callout marker and the "#"s of a heading."""
    text = line[_MARGIN.match(line).end() :].rstrip()  # type: ignore[union-attr]  # never None
    if callout := _CALLOUT.match(text):
        text = text[callout.end() :]
    if hashes := _HASHES.match(text):
        text = text[hashes.end() :]
        bare = text.rstrip("#")
        if bare != bare.rstrip() or not bare:
            text = bare.rstrip()
    return text


def _hold_verbatim(text: str, held: list[str]) -> str:
    """`text` with code spans and escaped characters put aside in `held` behind numbered marks."""
    text = text.replace("\0", "").replace("\x01", "")

    def hold(inner: str) -> str:
        held.append(inner)
        return f"\0{len(held) - 1}\x01"

    def unescape(found: re.Match[str]) -> str:
        return "|" if found[1] == "|" else hold(found[1])  # "[[a\\|b]]" in a table is a link

    pieces, done = [], 0
    for start, end, ticks in code_spans(text):
        pieces.append(_ESCAPE.sub(unescape, text[done:start]))
        pieces.append(hold(text[start + ticks : end - ticks].strip()))
        done = end
    return "".join(pieces) + _ESCAPE.sub(unescape, text[done:])


def _wiki_text(match: re.Match[str]) -> str:
    written, _, alias = match[2].partition("|")
    if alias.strip() and not (match[1] and _IMAGE_SIZE.fullmatch(alias.strip())):
        return alias.strip()
    link = _link(written, "", False, 0)
    if link and link.target and (page := PAGE.match(link.heading)):
        return f"{link.target}, p. {page[1]}"
    return f"{link.target} {link.heading.replace('#', ' ')}".strip() if link else ""


def _without_html_comments(text: str) -> str:
    pieces, done = [], 0
    while (start := text.find("<!--", done)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        pieces.append(text[done:start])
        done = end + 3
    return "".join(pieces) + text[done:]


def _without_emphasis(text: str) -> str:
    """`text` without the marks that open and close emphasis; marks without a partner stay."""
    openers: dict[str, list[list[int]]] = {"*": [], "_": [], "~": [], "=": []}
    drop: list[tuple[int, int]] = []
    for run in _EMPHASIS.finditer(text):
        mark, left = run[0][0], len(run[0])
        if mark in "~=" and left != 2:
            continue
        before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
        waiting = openers[mark]
        while left and waiting and _may_close(mark, left, before, after):
            start, count = waiting[-1]
            paired = min(left, count)
            here = run.end() - left
            drop += [(start + count - paired, start + count), (here, here + paired)]
            left -= paired
            waiting[-1][1] -= paired
            if not waiting[-1][1]:
                waiting.pop()
        if left and _may_open(mark, left, before, after):
            waiting.append([run.end() - left, left])
    pieces, done = [], 0
    for start, end in sorted(drop):
        pieces.append(text[done:start])
        done = end
    return "".join(pieces) + text[done:]


def _may_open(mark: str, size: int, before: str, after: str) -> bool:
    if not after or after.isspace():
        return False
    if mark == "_":
        return not before.isalnum()
    if mark == "*" and size > 1:
        return not before.isdigit()
    # Letters of scripts that put no spaces between words may stand right before a mark.
    return mark == "~" or not (before.isascii() and before.isalnum())


def _may_close(mark: str, size: int, before: str, after: str) -> bool:
    if not before or before.isspace():
        return False
    if mark == "_":
        return not after.isalnum()
    return not (mark == "*" and size == 1 and after.isdigit())
