"""Documents into chunks: what is embedded, found and cited.

A chunk never reads longer than the embedder does: everything past its limit would be lost to
search without a word. It follows headings and paragraphs, and carries title and heading path
in front when it is embedded, since a paragraph seldom repeats what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.reading.blocks import Block
from rag.reading.documents import Document
from rag.reading.links import plain
from rag.reading.sentences import find_spans, sentence_spans, split_sentences

# Raised with every change of the rules below, so that an older index is chunked anew.
CHUNK_RULES = 8
# Paragraphs of a section are joined up to this many tokens; bench/RESULTS.md compares 1, 128, 200.
JOIN_TOKENS = 128
_CONTEXT_TOKENS = 48  # of title and headings, at most: the passage is what matters

# An unbroken run of letters is one unknown token to the model, however long it is; a reader and
# a prompt still have to hold it. No ordinary text has this many letters to a token.
_LETTERS_A_TOKEN = 32

CountTokens = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a note. `first` and `last` are lines, counted from 1 and inclusive.

    `text` is verbatim; `embedded` is what the model reads: context and plain text.
    `context` is the length of the former, `sentences` are the spans of the text's sentences in
    `embedded`, empty for one that is not found there.
    """

    text: str
    headings: tuple[str, ...]
    first: int
    last: int
    embedded: str
    context: int
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """The smallest thing that is not cut: a block, or a piece of one that is too long."""

    text: str
    first: int
    last: int
    tokens: int
    whole: bool  # False: part of a block that had to be cut
    before: str = ""  # the blank lines between it and the block above


def chunk_document(
    document: Document, count_tokens: CountTokens, max_tokens: int, join: int = JOIN_TOKENS
) -> list[Chunk]:
    """Cut a document into chunks whose `embedded` text has at most `max_tokens` tokens."""
    chunks: list[Chunk] = []
    special = count_tokens([""])[0]
    for headings, blocks in _sections(document.blocks):
        context, used = _context(
            document, headings, count_tokens, min(_CONTEXT_TOKENS, max_tokens // 4)
        )
        budget = max_tokens - special - used
        units = [unit for block in blocks for unit in _units(block, count_tokens, special, budget)]
        for group in _join(units, budget, min(join, budget)):
            chunks += _fitting(group, headings, context, count_tokens, max_tokens)
    return chunks


def embedded_text(context: str, text: str) -> str:
    """What is embedded for a passage: its context, then its text without markup."""
    return f"{context}\n{plain(text)}"


def _sections(blocks: Iterable[Block]) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Runs of blocks under the same headings, no other heading between them. A bare heading goes
    with what precedes it."""
    headings: tuple[str, ...] = ()
    run: list[Block] = []
    for block in blocks:
        if run and (
            block.before is None or (block.kind != "heading-only" and block.headings != headings)
        ):
            yield headings, run
            run = []
        if not run:
            headings = block.headings
        run.append(block)
    if run:
        yield headings, run


def _context(
    document: Document, headings: tuple[str, ...], count_tokens: CountTokens, limit: int
) -> tuple[str, int]:
    """Title and headings, the outer headings left out first, and their number of tokens."""
    trail = [each for each in headings if each.casefold() != document.title.casefold()]
    while True:
        context = " › ".join([document.title, *trail])
        tokens = count_tokens([context])[0]
        if tokens <= limit:
            return context, tokens
        if trail:
            trail.pop(0)
        else:
            context = context[: max(8, len(context) * limit // tokens - 1)]
            return context, count_tokens([context])[0]


def _sizes(texts: Sequence[str], count_tokens: CountTokens, special: int) -> list[int]:
    """What each text takes of a budget in tokens: its own, without the special ones."""
    counts = count_tokens([plain(text) for text in texts])
    return [
        max(count - special, len(text) // _LETTERS_A_TOKEN)
        for count, text in zip(counts, texts, strict=True)
    ]


def _units(block: Block, count_tokens: CountTokens, special: int, budget: int) -> list[_Unit]:
    first, *others = _cut_block(block, count_tokens, special, budget)
    return [replace(first, before=block.before or ""), *others]


def _cut_block(
    block: Block, count_tokens: CountTokens, special: int, budget: int
) -> Iterator[_Unit]:
    """A whole block, or the pieces of one that is too long."""
    (size,) = _sizes([block.text], count_tokens, special)
    if size <= budget:
        yield _Unit(block.text, block.first, block.last, size, True)
        return
    lines = block.text.split("\n")
    if len(lines) > block.last - block.first + 1:  # a crowded line
        for number, line in enumerate(lines):
            unit, *others = _cut_lines(line, block.first, count_tokens, special, budget)
            yield from (replace(unit, before="\n" if number else ""), *others)
        return
    spans = [
        (first, last, "\n".join(lines[first - block.first : last - block.first + 1]))
        for first, last in block.pieces
    ]
    sizes = _sizes([text for _, _, text in spans], count_tokens, special)
    for (first, last, text), tokens in zip(spans, sizes, strict=True):
        if tokens <= budget:
            yield _Unit(text, first, last, tokens, False)
        else:
            yield from _cut_lines(text, first, count_tokens, special, budget)


def _cut_lines(
    text: str, first: int, count_tokens: CountTokens, special: int, budget: int
) -> Iterator[_Unit]:
    """A piece that is still too long, by lines, then sentences, then words."""
    lines = text.split("\n")
    sizes = _sizes(lines, count_tokens, special)
    for offset, (line, tokens) in enumerate(zip(lines, sizes, strict=True)):
        number = first + offset
        if tokens <= budget:
            yield _Unit(line, number, number, tokens, False)
            continue
        sentences = split_sentences(line)
        for sentence, size in zip(sentences, _sizes(sentences, count_tokens, special), strict=True):
            if size <= budget:
                yield _Unit(sentence, number, number, size, False)
            else:
                for part, length in _cut_words(sentence, count_tokens, special, budget):
                    yield _Unit(part, number, number, length, False)


def _cut_words(
    text: str, count_tokens: CountTokens, special: int, budget: int
) -> Iterator[tuple[str, int]]:
    """Halve until it fits, at a space where there is one near the middle."""
    stack = [text]
    while stack:
        part = stack.pop()
        # Text this long cannot fit, and counting it again at each halving would be quadratic.
        size = len(part) if len(part) > 64 * budget else _sizes([part], count_tokens, special)[0]
        if size <= budget or len(part) < 2:
            yield part, size
            continue
        middle = len(part) // 2
        space = part.rfind(" ", middle // 2, middle + middle // 2)
        cut = space + 1 if space > 0 else middle
        stack += [part[cut:], part[:cut]]


def _join(units: Sequence[_Unit], budget: int, join: int) -> Iterator[list[_Unit]]:
    """Groups of neighbours: whole blocks up to `join` tokens, parts of one up to the budget."""
    group: list[_Unit] = []
    size = 0
    for unit in units:
        parts = bool(group) and not unit.whole and not group[-1].whole
        limit = budget if parts else join
        if group and size + unit.tokens > limit:
            yield group
            group, size = [], 0
        group.append(unit)
        size += unit.tokens
    if group:
        yield group


def _fitting(
    group: Sequence[_Unit],
    headings: tuple[str, ...],
    context: str,
    count_tokens: CountTokens,
    max_tokens: int,
) -> list[Chunk]:
    """The chunk of a group; several where the parts read longer together than one by one.

    Markup that is broken may: a mark that is left out of each part is text when they are joined.
    """
    chunk = _chunk(group, headings, context)
    if not chunk.text.strip():  # a stretch of a very long run of spaces
        return []
    if len(group) == 1 or count_tokens([chunk.embedded])[0] <= max_tokens:
        return [chunk]
    middle = len(group) // 2
    return [
        each
        for part in (group[:middle], group[middle:])
        for each in _fitting(part, headings, context, count_tokens, max_tokens)
    ]


def _chunk(group: Sequence[_Unit], headings: tuple[str, ...], context: str) -> Chunk:
    text = group[0].text
    for before, unit in pairwise(group):
        text += (unit.before or "\n" * (unit.first - before.last)) + unit.text
    # A part of a line may begin or end with the space that separated it from its neighbour.
    text = text.strip(" ")
    embedded = embedded_text(context, text)
    parts = [plain(text[span.start : span.end]) for span in sentence_spans(text)]
    return Chunk(
        text,
        headings,
        group[0].first,
        group[-1].last,
        embedded,
        len(context),
        tuple(find_spans(embedded, parts, len(context) + 1)),
    )
