"""Word, PowerPoint and EPUB files: archives of XML, most of it read as HTML."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rag.reading.readable import Readable, Unreadable

if TYPE_CHECKING:
    from rag.reading.front_matter import JsonValue

_DAMAGED = "is damaged, or not what its suffix says"
_STYLES = "p[style-name='Title'] => h1:fresh"
_MOST = 500_000_000  # bytes of an archive once unpacked: a bomb is not unpacked


def read_docx(raw: bytes) -> Readable:
    """The text of a Word file with its headings, lists and tables. Raises Unreadable."""
    import mammoth

    from rag.reading.webpage import read_html

    with _archive(raw) as archive:
        words = _keywords(archive)
        html = mammoth.convert_to_html(
            io.BytesIO(raw), convert_image=_no_image, style_map=_STYLES
        ).value
    read = read_html(html.replace("\n", " "))  # a line end inside a run of text ends no paragraph
    return replace(read, fields={**read.fields, "tags": words}) if words else read


def _keywords(archive: zipfile.ZipFile) -> str:
    """The keywords of a file's properties, set apart by commas."""
    if "docProps/core.xml" not in archive.namelist():
        return ""
    properties = archive.read("docProps/core.xml").decode("utf-8", "replace")
    found = re.search(r"<cp:keywords>([^<]*)<", properties)
    return unescape(found[1]).replace(";", ",").strip() if found else ""


def _no_image(_image: Any) -> list[Any]:
    return []


def read_pptx(raw: bytes) -> Readable:
    """The text of the slides, their tables and the speaker's notes. Raises Unreadable."""
    from pptx import Presentation

    result: list[str] = []
    places: list[tuple[int, str]] = []
    with _archive(raw) as archive:
        words = _keywords(archive)
        show = Presentation(io.BytesIO(raw))
        for number, slide in enumerate(show.slides, 1):
            places.append((len(result) + 1, f"slide {number}"))
            result += _slide(slide)
        title = show.core_properties.title or ""
    fields: dict[str, JsonValue] = {"title": title} if title.strip() else {}
    if words:
        fields["tags"] = words
    return Readable("\n".join(result), fields, tuple(places))


def _slide(slide: Any) -> Iterator[str]:
    head = slide.shapes.title
    if head is not None and head.text_frame.text.strip():
        yield from (f"## {' '.join(head.text_frame.text.split())}", "")
    for shape in slide.shapes:
        if head is not None and shape.shape_id == head.shape_id:
            continue
        if shape.has_text_frame:
            lines = (" ".join(each.text.split()) for each in shape.text_frame.paragraphs)
            yield from (f"- {each}" for each in lines if each)
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                yield f"- {' | '.join(' '.join(cell.text.split()) for cell in row.cells)}"
    if slide.has_notes_slide:
        notes = slide.notes_slide.notes_text_frame
        said = " ".join(notes.text.split()) if notes is not None else ""
        yield from ("", said) if said else ()
    yield ""


def read_epub(raw: bytes) -> Readable:
    """The chapters of a book in their order. Raises Unreadable."""
    from rag.reading.webpage import read_html

    result: list[str] = []
    with _archive(raw) as archive:
        if "META-INF/encryption.xml" in archive.namelist():
            raise Unreadable("is encrypted")
        container = _tags(archive.read("META-INF/container.xml"))
        package = next(each["full-path"] for name, each in container if name == "rootfile")
        contents = _Tags(archive.read(package))
        files = {each.get("id"): each for name, each in contents.found if name.endswith("item")}
        for name, each in contents.found:
            item = files.get(each.get("idref")) if name.endswith("itemref") else None
            if item is None or "nav" in item.get("properties", "").split():
                continue
            file = posixpath.join(posixpath.dirname(package), unquote(item.get("href", "")))
            chapter = archive.read(posixpath.normpath(file)).decode("utf-8", "replace")
            result += (read_html(chapter).text.strip("\n"), "")
    if not any(each.strip() for each in result):
        raise Unreadable("holds no text")
    title = " ".join("".join(contents.title).split())
    return Readable("\n".join(result), {"title": title} if title else {})


def _tags(raw: bytes) -> list[tuple[str, dict[str, str]]]:
    return _Tags(raw).found


class _Tags(HTMLParser):
    """The elements of a small XML file with their attributes. It knows no entities to multiply."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.title: list[str] = []
        self._in_title = False
        self.feed(raw[:1_000_000].decode("utf-8", "replace"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self._in_title = tag == "dc:title" and not self.title

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._in_title = False


@contextmanager
def _archive(raw: bytes) -> Iterator[zipfile.ZipFile]:
    """The archive that a file is. Whatever a library makes of a damaged one is Unreadable."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):  # how Office wraps what is locked, and old formats
        raise Unreadable("is encrypted, or of an Office before 2007")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(each.file_size for each in archive.infolist()) > _MOST:
                raise Unreadable("is far too large once unpacked")
            yield archive
    except Unreadable:
        raise
    # Three libraries and XML inside: they document no error of their own for what is broken.
    except Exception as error:
        raise Unreadable(_DAMAGED) from error
