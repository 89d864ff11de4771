"""What must hold for any input at all. Each property takes bytes and raises AssertionError.

Anything that a target raises itself, but for our own errors where they are due, is a bug too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

from rag.answering.abstention import lacks_codes
from rag.answering.grounding import cite, ground, quote
from rag.answering.items import Wanted, find_items, find_wanted, led_note
from rag.answering.kinds import kind_of
from rag.answering.parts import ReadNote, find_part, read_part
from rag.answering.phrases import find_phrase
from rag.answering.quotes import code_around, of_title, row_around, rows_named
from rag.answering.steps import Sentence
from rag.config_files import load_config
from rag.errors import ConfigError, ModelError, QuestionError
from rag.models.gguf import check_gguf
from rag.reading.chunks import Chunk, chunk_document
from rag.reading.code import blank_comments
from rag.reading.documents import Document, parse_document
from rag.reading.links import plain
from rag.reading.notes import NoteText, Skipped, read_note
from rag.retrieval.evidence import whole_list
from rag.retrieval.expected import repeats
from rag.retrieval.filters import from_flags, parse
from rag.retrieval.followup import continued
from rag.retrieval.found import Evidence, Passage
from rag.retrieval.intent import understand
from rag.retrieval.property_words import find_properties
from rag.retrieval.query import Turn

TODAY = date(2024, 3, 14)
MAX_TOKENS = 24  # small, so that even short inputs are cut in every way
_TOKEN = re.compile(r"\w{1,4}|[^\w\s]")
_UNDERLINE = re.compile(r"\s*(=+|-+)\s*")
_WORD = re.compile(r"\w+")


def count_tokens(texts: list[str]) -> list[int]:
    """As an embedder counts: two special tokens, then words in pieces."""
    return [len(_TOKEN.findall(text)) + 2 for text in texts]


# The note reader and the chunker


def reads_a_note(data: bytes, folder: Path) -> None:
    """A file of any bytes is a note or is skipped with a reason."""
    name = "note.txt" if data[:1] < b"\x40" else "note.md"
    (folder / name).write_bytes(data)
    note = read_note(folder, name)
    if not isinstance(note, NoteText):
        assert note.reason
        return
    assert "\r" not in note.text
    document = parse_document(name, note.text)
    _check_document(document, note.text)


WRITTEN = (".org", ".rst", ".html", ".ipynb", ".csv")  # formats that a person might write


def reads_a_format(data: bytes, folder: Path) -> None:
    """So is a file of each other format that is text, the first byte tells which; what is read of
    it stands at its lines."""
    name = f"note{WRITTEN[(data or b'a')[0] % len(WRITTEN)]}"
    (folder / name).write_bytes(data[1:])
    _check_format(name, read_note(folder, name))


def reads_a_document(data: bytes, folder: Path) -> None:
    """So is a file of any bytes that claims to be an archive of XML, or a PDF."""
    first = (data or b"a")[0]
    suffixes = (".docx", ".pptx", ".epub", ".pdf")
    name = f"note{suffixes[first % len(suffixes)]}"
    (folder / name).write_bytes(data[1:])
    _check_format(name, read_note(folder, name))


def _check_format(name: str, note: NoteText | Skipped) -> None:
    if isinstance(note, Skipped):
        assert note.reason
        return
    assert "\r" not in note.text
    lines = note.text.split("\n")
    document = parse_document(name, note.text, note.readable)
    assert document.title.strip()
    for chunk in chunk_document(document, count_tokens, MAX_TOKENS, join=MAX_TOKENS // 2):
        assert 1 <= chunk.first <= chunk.last <= len(lines)
        there = "\n".join(blank_comments(lines)[chunk.first - 1 : chunk.last])
        assert chunk.text in there
        assert count_tokens([chunk.embedded])[0] <= MAX_TOKENS or len(chunk.text) == 1


def cuts_a_note(data: bytes, folder: Path) -> None:
    """Chunks stand where they say, cover all text once, and fit the embedder."""
    name = "note.txt" if data[:1] < b"\x40" else "note.md"
    text = data.decode("utf-8", "replace").replace("\0", "")  # a note with NULs is skipped
    check_chunks(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def check_chunks(name: str, text: str, max_tokens: int = MAX_TOKENS) -> list[Chunk]:
    """The chunks of a note, after all that is promised of them has been checked."""
    document = parse_document(name, text)
    chunks = chunk_document(document, count_tokens, max_tokens, join=max_tokens // 2)
    lines = _body(name, text)
    for chunk in chunks:
        assert 1 <= chunk.first <= chunk.last <= len(lines)
        assert chunk.text in "\n".join(lines[chunk.first - 1 : chunk.last])
        # A single character may be more tokens than an embedder reads; nothing longer may.
        assert count_tokens([chunk.embedded])[0] <= max_tokens or len(chunk.text) == 1
        for start, end in chunk.sentences:
            assert len(chunk.embedded) >= end >= start >= chunk.context
    _check_cover(chunks, lines, document)
    return chunks


def _body(name: str, text: str) -> list[str]:
    """The lines of a note as they can be cited: of the front matter the telling fields alone,
    and no %%comments%%."""
    lines = text.split("\n")
    start = _front_matter_lines(name, text, lines)
    fields = [block for block in parse_document(name, text).blocks if block.kind == "fields"]
    kept = {n for block in fields for n in range(block.first, block.last + 1)}
    front = [line if n in kept else "" for n, line in enumerate(lines[:start], 1)]
    body = lines[start:]
    return [*front, *(body if name.endswith(".txt") else blank_comments(body))]


def _front_matter_lines(name: str, text: str, lines: list[str]) -> int:
    """How many lines the front matter takes, told by what it says."""
    if lines[0].rstrip() != "---":
        return 0
    end = next((n for n, line in enumerate(lines) if n and line.rstrip() in ("---", "...")), None)
    document = parse_document(name, text)
    refused = any("read as text" in warning for warning in document.warnings)
    return 0 if end is None or refused else end + 1


def _check_cover(chunks: list[Chunk], lines: list[str], document: Document) -> None:
    """Every chunk begins where the one before ended; only blanks and headings lie between."""
    body = "\n".join(lines)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    at = 0
    for chunk in chunks:
        found = body.find(chunk.text, max(at, starts[chunk.first - 1]))
        assert found >= 0, "a chunk's text comes twice, or out of order"
        assert body.count("\n", 0, found) + 1 == chunk.first
        _check_gap(body[at:found], chunk.headings)
        at = found + len(chunk.text)
    _check_gap(body[at:], ())


def _check_gap(gap: str, headings: tuple[str, ...]) -> None:
    """What stands in no chunk is blank, or a heading of the chunk that follows."""
    for line in gap.split("\n"):
        if not line.strip() or _UNDERLINE.fullmatch(line):
            continue
        said = _letters(line)
        assert not _letters(plain(line)) or any(_within(_letters(h), said) for h in headings), line


def _within(short: str, long: str) -> bool:
    """Whether the letters of `short` come in `long` in their order: markup between them is gone."""
    rest = iter(long)
    return all(letter in rest for letter in short)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _check_document(document: Document, text: str) -> None:
    lines = _body(document.path, text)
    assert document.title.strip()
    last = 0
    for block in document.blocks:
        assert last < block.first <= block.last <= len(lines)
        assert block.text == "\n".join(lines[block.first - 1 : block.last])
        spans = list(block.pieces)
        assert spans[0][0] == block.first
        assert spans[-1][1] == block.last
        assert all(b[0] == a[1] + 1 for a, b in pairwise(spans))
        last = block.last
    assert all(1 <= link.line <= len(lines) for link in document.links)


# Questions, settings


def parses_a_question(data: bytes, folder: Path) -> None:
    """Anything typed is a question, filters, or refused in a sentence."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        filters, rest = parse(text, ["status", "rating", "größe"], TODAY)
        # What stands right behind a quoted value, as in `tag:"a"what`, is a word of the rest.
        assert all(word in text for word in rest.split())
        asked = understand(text, ["status"], TODAY, filters)
        assert asked.query or asked.listing or asked.filters
    except QuestionError as error:
        _check_sentence(error)
    for rule in (kind_of, find_wanted, lambda said: find_properties(said, TODAY)):
        rule(text)
    repeats(text[len(text) // 3 :], text)
    for typed in (text, f"and {text}"):
        meant, _ = continued(typed, [Turn(text, "", text)], TODAY)
        assert meant == typed or len(meant) <= 600
    half = len(text) // 2
    for flags in ({"where": [text]}, {"since": text, "tags": [text[:half], text[half:]]}):
        try:
            from_flags(**flags, today=TODAY)
        except QuestionError as error:
            _check_sentence(error)


def reads_settings(data: bytes, folder: Path) -> None:
    """A file of any bytes is a `rag.toml`, or is refused in a sentence."""
    (folder / "rag.toml").write_bytes(data)
    try:
        config = load_config(folder, {})
        assert config.file == folder / "rag.toml"
        assert config.data_dir.is_absolute()
        assert config.cache_dir.is_absolute()
    except ConfigError as error:
        _check_sentence(error)


def _check_sentence(error: Exception) -> None:
    assert str(error).strip()
    assert len(str(error)) < 6_000, "an error is a sentence"


# Citations


def cites(data: bytes, folder: Path) -> None:
    """Whatever a model says of whatever notes, quotes are verbatim and stand on their lines."""
    said, _, rest = data.decode("utf-8", "replace").partition("\x1e")
    passages = [_passage(text) for text in rest.split("\x1d")[:4]]
    read = [each for n, passage in enumerate(passages, 1) for each in _evidence(n, passage)]
    for sentence in (find_phrase(said, passages, read), ground(said, [], passages, read, _words)):
        if sentence is not None:
            _check_citations(sentence, passages)
    for each in read:
        _check_citations(quote(whole_list(each, passages[each.n - 1]), passages), passages)
    led = Wanted(said, led=True)
    for wanted in (Wanted("all"), Wanted("all", counted=True), led):
        for sentence in find_items(wanted, "a.md", passages, _words):
            _check_citations(sentence, passages)
    led_note(led, [passages] if passages else [], _words)
    for question in (said, "List all", "How does it work?"):
        for sentence in read_part(question, range(1, len(passages) + 1), passages):
            _check_citations(sentence, passages)
    find_part(said, [ReadNote((said, "A"), tuple(passages))], _words)
    lacks_codes(said, passages)
    for each in read:
        cited = cite(each, passages)
        for shown in (code_around(cited, passages), row_around(cited, passages)):
            if shown is not None:
                _check_citations(shown, passages)
    for each in read:
        if (rows := rows_named(f"Which things is {said} on?", each, passages)) is not None:
            _check_citations(rows, passages)
    if read:
        of_title("Who does?", read, [replace(each, title="Ada Moss") for each in passages])


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _passage(text: str) -> Passage:
    lines = text.count("\n") + 1
    return Passage(1, "a.md", "A", (), 7, 6 + lines, text, 0.5, "meaning", 0.5, None)


def _evidence(n: int, passage: Passage) -> Iterator[Evidence]:
    from rag.reading.sentences import sentence_spans

    for span in sentence_spans(passage.text):
        line = passage.first + span.line
        text = passage.text[span.start : span.end]
        yield Evidence(n, text, line, line, span.start, span.end, 0.5)


def _check_citations(sentence: Sentence, passages: list[Passage]) -> None:
    if sentence.support == "unsupported":
        assert not sentence.citations
        return
    assert sentence.citations
    for each in sentence.citations:
        assert 1 <= each.n <= len(passages)
        passage = passages[each.n - 1]
        assert passage.first <= each.first <= each.last <= passage.last
        lines = passage.text.split("\n")
        place = lines[each.first - passage.first : each.last - passage.first + 1]
        assert each.quote in "\n".join(place)
        assert f"[{each.n}]" in sentence.text


# Models


def checks_a_model(data: bytes, folder: Path) -> None:
    """A file of any bytes is a GGUF file, or is refused in a sentence."""
    file = folder / "model.gguf"
    file.write_bytes(data)
    try:
        check_gguf(file)
    except ModelError as error:
        _check_sentence(error)


def small_gguf() -> bytes:
    """A well-formed file with one setting of each kind and one tensor, to begin from."""

    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    settings = [
        text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama"),
        text(b"general.alignment") + struct.pack("<II", 4, 32),
        text(b"a.list") + struct.pack("<IIQ", 9, 8, 2) + text(b"x") + text(b"y"),
        text(b"a.float") + struct.pack("<If", 6, 1.5),
    ]
    tensor = text(b"w") + struct.pack("<IQQIQ", 2, 4, 2, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(settings)) + b"".join(settings) + tensor
    return head + bytes(-len(head) % 32) + bytes(32)


Property = Callable[[bytes, Path], None]
PROPERTIES: dict[str, Property] = {
    "reader": reads_a_note,
    "formats": reads_a_format,
    "documents": reads_a_document,
    "chunker": cuts_a_note,
    "query": parses_a_question,
    "config": reads_settings,
    "citations": cites,
    "gguf": checks_a_model,
}
