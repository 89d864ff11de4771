"""How a note is listed among an MCP server's resources."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mcp_types import Resource

from rag.output import safe
from rag.reading.formats import format_of

if TYPE_CHECKING:
    from rag.indexing.library import NoteEntry

# Of every note: what is handed over is what rag reads of it, and a client that was promised a PDF
# would take that text for a broken one.
MARKDOWN = "text/markdown"
_TAGS = 8  # told in a description


def resource(note: NoteEntry) -> Resource:
    """A note by its path, with what a reader picks it by: the kind of file, its folder, its tags.

    `size`, in bytes, is that of what is read: the file's where its text is handed over as it is,
    and unknown where it is first turned into Markdown.
    """
    known = format_of(note.path)
    as_it_is = known is None or (known.read is None and known.convert is None)
    return Resource(
        uri=f"note:///{quote(note.path)}",
        name=safe(note.path),
        title=safe(note.title),
        description=safe(_description(note, known.name if known else "")),
        mime_type=MARKDOWN,
        size=note.size if as_it_is else None,
    )


def _description(note: NoteEntry, kind: str) -> str:
    folder = note.path.rpartition("/")[0]
    said = f"A note ({kind})" if kind else "A note"
    said += f" in {folder}" if folder else ""
    tags = [f"#{tag}" for tag in note.tags[:_TAGS]]
    return f"{said}: {' '.join(tags)}" if tags else said
