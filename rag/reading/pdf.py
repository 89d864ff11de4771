"""PDF as paragraphs, with the page on which each begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.reading.readable import Readable, Unreadable

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

_BULLET = re.compile(r"[•‣◦▪–*-]\s|\(?\d{1,3}[.)]\s")
_SPACE = re.compile(r"[^\S\n]+")
_SHORT = 0.75  # of the usual length: a line that ends its paragraph
_LIKE_MARKUP = re.compile(r"(?=#{1,6}(?:\s|$)|[-=`~]{3,})")


def read_pdf(raw: bytes) -> Readable:
    """The text of a PDF, a paragraph a line. Raises Unreadable for one that is locked, damaged or
    made of pictures."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        reason = "is encrypted" if locked else "is damaged, or no PDF"
        raise Unreadable(reason) from error
    result: list[str] = []
    places: list[tuple[int, str]] = []
    try:
        for number in range(len(document)):
            paragraphs = _paragraphs(_page_lines(document, number))
            if paragraphs:
                places.append((len(result) + 1, f"p. {number + 1}"))
                result += (line for each in paragraphs for line in (each, ""))
        title = str(document.get_metadata_value("Title")).strip()
        author = str(document.get_metadata_value("Author")).strip()
        words = str(document.get_metadata_value("Keywords")).replace(";", ",").strip()
    except pypdfium2.PdfiumError as error:
        raise Unreadable("is damaged, or no PDF") from error
    finally:
        document.close()
    if not places:
        raise Unreadable("holds no text, only pictures of pages")
    known = {"title": title, "author": author, "tags": words}
    fields: dict[str, JsonValue] = {key: each for key, each in known.items() if each}
    return Readable("\n".join(result), fields, tuple(places))


def _page_lines(document: Any, number: int) -> list[str]:
    page = document[number]
    text = page.get_textpage()
    lines = str(text.get_text_bounded()).replace("\r\n", "\n").replace("\r", "\n")
    text.close()
    page.close()
    lines = lines.replace("\x02\n", "").replace("\x02", "").replace("\ufffe", "")
    return [_SPACE.sub(" ", each).strip() for each in lines.split("\n")]


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Lines joined to paragraphs: one ends at a short line, or where an item begins."""
    lengths = sorted(len(each) for each in lines if each)
    usual = lengths[len(lengths) * 9 // 10] if lengths else 0
    return [_LIKE_MARKUP.sub(r"\\", each, count=1) for each in _joined(lines, usual)]


def _joined(lines: Sequence[str], usual: int) -> Iterator[str]:
    text = ""
    for line in lines:
        if text and (not line or _BULLET.match(line)):
            yield text
            text = ""
        if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}".strip()
        if text and len(line) < _SHORT * usual:
            yield text
            text = ""
    if text:
        yield text
