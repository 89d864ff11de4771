"""Which files are notes, and how each kind is read: one table, by suffix."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.util import find_spec

from rag.reading.readable import Readable


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of note. `read` turns its text into Markdown with the same lines, raising
    Unreadable; None where the text is the note. `convert` does so for files that hold no text.
    With `tags`, a "#word" in it is a tag."""

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[str], Readable] | None = None
    tags: bool = False
    convert: Callable[[bytes], Readable] | None = None
    needs: str = ""  # the module that `convert` imports, of the extra "documents"
    largest: int = 20_000_000  # bytes

    def available(self) -> bool:
        """Whether what it needs is installed; imports nothing."""
        return not self.needs or find_spec(self.needs) is not None


def _org(text: str) -> Readable:
    from rag.reading.org import read_org

    return read_org(text)


def _rst(text: str) -> Readable:
    from rag.reading.rst import read_rst

    return read_rst(text)


def _html(text: str) -> Readable:
    from rag.reading.webpage import read_html

    return read_html(text)


def _notebook(text: str) -> Readable:
    from rag.reading.notebook import read_notebook

    return read_notebook(text)


def _table(text: str) -> Readable:
    from rag.reading.tables import read_table

    return read_table(text)


def _pdf(raw: bytes) -> Readable:
    from rag.reading.pdf import read_pdf

    return read_pdf(raw)


def _docx(raw: bytes) -> Readable:
    from rag.reading.office import read_docx

    return read_docx(raw)


def _pptx(raw: bytes) -> Readable:
    from rag.reading.office import read_pptx

    return read_pptx(raw)


def _epub(raw: bytes) -> Readable:
    from rag.reading.office import read_epub

    return read_epub(raw)


_DOCUMENT = 200_000_000  # bytes
FORMATS = (
    Format("md", (".md", ".markdown"), tags=True),
    Format("txt", (".txt",), tags=True),
    Format("org", (".org",), _org),
    Format("rst", (".rst",), _rst),
    Format("html", (".html", ".htm"), _html),
    Format("ipynb", (".ipynb",), _notebook, tags=True),
    Format("csv", (".csv", ".tsv"), _table),
    Format("pdf", (".pdf",), convert=_pdf, needs="pypdfium2", largest=_DOCUMENT),
    Format("docx", (".docx",), convert=_docx, needs="mammoth", largest=_DOCUMENT),
    Format("pptx", (".pptx",), convert=_pptx, needs="pptx", largest=_DOCUMENT),
    Format("epub", (".epub",), convert=_epub, largest=_DOCUMENT),
)
_BY_SUFFIX = {suffix: each for each in FORMATS for suffix in each.suffixes}
SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)

_HEAD = 1024  # bytes
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?><!--.*?-->\s*)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_EPUB = b"application/epub+zip"
_INSIDE = {"word/document.xml": ".docx", "ppt/presentation.xml": ".pptx"}
_ATTACHED = ("csv", "pdf", "docx", "pptx", "epub")


def suffixes_of(names: Collection[str]) -> tuple[str, ...]:
    """The suffixes of the formats of these names; of all for none."""
    chosen = [each for each in FORMATS if not names or each.name in names]
    return tuple(suffix for each in chosen for suffix in each.suffixes)


def format_of(path: str) -> Format | None:
    """The format of a file by its suffix, None for one that is no note."""
    return _BY_SUFFIX.get(path[path.rfind(".") :].lower())  # twice as fast as os.path.splitext


def suffix_of_content(raw: bytes) -> str:
    """The suffix of the format that the first bytes of a file tell, for one without a name: ".pdf",
    ".docx", ".pptx", ".epub" or ".html"; "" where they tell none of these."""
    if b"%PDF-" in raw[:_HEAD]:  # readers of PDF take it with something before it
        return ".pdf"
    if raw.startswith(b"PK\x03\x04"):
        return _suffix_of_zip(raw)
    return ".html" if _HTML.match(raw[:_HEAD]) else ""


def _suffix_of_zip(raw: bytes) -> str:
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as files:
            names = files.namelist()
            if "mimetype" in names:
                with files.open("mimetype") as kind:
                    return ".epub" if kind.read(_HEAD).startswith(_EPUB) else ""
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, zlib.error):
        return ""
    return next((suffix for name, suffix in _INSIDE.items() if name in names), "")


def is_attachment(path: str) -> bool:
    """Whether a file is of a kind that notes embed, rather than a note that stands alone."""
    known = format_of(path)
    return known is not None and known.name in _ATTACHED
