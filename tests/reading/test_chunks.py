"""Chunks: nothing is longer than the embedder reads, nothing is lost, lines are true."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from rag.reading.chunks import chunk_document
from rag.reading.documents import parse_document
from rag.reading.sentences import split_sentences
from rag.reading.webpage import read_html
from tests.indexing.fakes import FakeEmbedder

CORPUS = Path(__file__).parents[2] / "corpus"
SEED = random.Random(3)
WORDS = [
    line.strip(".,:;")
    for line in (CORPUS / "Generative AI.md").read_text().split()
    if "%%" not in line
]  # a comment is left out on purpose
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _letters(count: int) -> str:
    return "".join(SEED.choices(LETTERS, k=count))


HOSTILE = {
    "one line of letters": _letters(300_000),
    "one line of base64": "".join(SEED.choices(LETTERS + "ABCDEFGH0123456789+/", k=60_000)),
    "one line of words": " ".join(SEED.choices(WORDS, k=4000)),
    "one line of emoji": "🌧️" * 5000,
    "one line of Chinese": "".join(SEED.choices("雨水桶容量三百升蜂箱站在棚子后面。", k=8000)),
    "dots": "." * 20_000,
    "spaces": "a" + " " * 50_000 + "b",
    "short words": "a " * 20_000,
    "words of 101 letters": " ".join(_letters(101) for _ in range(400)),
    "a paragraph of many lines": "\n".join(" ".join(SEED.choices(WORDS, k=9)) for _ in range(900)),
    "a huge table": "| name | what | how |\n| --- | --- | --- |\n"
    + "\n".join(
        f"| {_letters(9)} | {' '.join(SEED.choices(WORDS, k=6))} | `x = {n}` |" for n in range(900)
    ),
    "a row of many cells": "| a | b |\n| - | - |\n| " + " | ".join(SEED.choices(WORDS, k=2000)),
    "long code": "```python\n"
    + "\n".join(f"def f{n}(a, b): return a[{n}] + b**{n}" for n in range(900))
    + "\n```",
    "unclosed code": "```\n" + "\n".join(_letters(70) for _ in range(400)),
    "a long heading": "# " + " ".join(SEED.choices(WORDS, k=900)) + "\n\nBody.\n",
    "deep headings": "\n\n".join(
        f"{'#' * n} {' '.join(SEED.choices(WORDS, k=40))}\n\nBody {n}." for n in range(1, 7)
    ),
    "a long list": "\n".join(
        f"{'  ' * (n % 7)}- {' '.join(SEED.choices(WORDS, k=14))}" for n in range(700)
    ),
    "links": " ".join(f"[{_letters(8)}](https://example.org/{_letters(60)})" for _ in range(500)),
    "half markup": "**" * 3000 + "[[" * 3000 + "`" * 3001,
    "quotes": "\n".join("> " * (n % 9) + " ".join(SEED.choices(WORDS, k=12)) for n in range(500)),
}


def chunks_of(text: str, embedder, name: str = "note.md"):
    return chunk_document(parse_document(name, text), embedder.count_tokens, embedder.max_tokens)


def check(text: str, embedder, name: str = "note.md"):
    chunks = chunks_of(text, embedder, name)
    longest = max(embedder.count_tokens([chunk.embedded for chunk in chunks]))
    assert longest <= embedder.max_tokens
    lines = text.split("\n")
    for chunk in chunks:
        assert 1 <= chunk.first <= chunk.last <= len(lines)
        assert chunk.text.strip()
        assert chunk.text in "\n".join(lines[chunk.first - 1 : chunk.last])
    return chunks


@pytest.mark.model
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_fits_and_is_all_there(name: str, embedder):
    text = HOSTILE[name]
    chunks = check(text, embedder)
    said = Counter(character for chunk in chunks for character in chunk.text if character.isalnum())
    body = re.sub(r"(?m)^#.*$", "", text)
    wanted = Counter(character for character in body if character.isalnum())
    assert not wanted - said


@pytest.mark.model
@pytest.mark.parametrize("file", sorted(CORPUS.rglob("*.*")), ids=lambda path: path.name)
def test_the_corpus_fits_and_every_line_is_in_one_chunk(file: Path, embedder):
    text = file.read_text()
    chunks = check(text, embedder, file.name)
    covered = Counter(line for chunk in chunks for line in range(chunk.first, chunk.last + 1))
    document = parse_document(file.name, text)
    for block in document.blocks:
        for line in range(block.first, block.last + 1):
            assert covered[line] >= 1, line
    text_of = {chunk.text for chunk in chunks}
    assert len(text_of) == len(chunks), "no passage twice"


@pytest.mark.model
def test_no_passage_is_longer_than_a_page(embedder):
    """One token may stand for any number of letters; a reader and a prompt still have limits."""
    for name in ("one line of letters", "one line of base64", "spaces", "words of 101 letters"):
        assert max(len(chunk.text) for chunk in chunks_of(HOSTILE[name], embedder)) <= 8000, name


def test_headings():
    text = "Intro.\n\n# One\n\nA.\n\n## Two\n\nB.\n\n# Three\n\nC.\n"
    chunks = chunks_of(text, FakeEmbedder())
    assert [(chunk.text, chunk.headings, chunk.first) for chunk in chunks] == [
        ("Intro.", (), 1),
        ("A.", ("One",), 5),
        ("B.", ("One", "Two"), 9),
        ("C.", ("Three",), 13),
    ]
    assert chunks[2].embedded == "One › Two\nB." or chunks[2].embedded.endswith("Two\nB.")


def test_the_embedded_text_names_the_note_and_its_headings():
    (chunk,) = chunks_of("# Barrel\n\n## Care\n\n**Empty** it [soon](x.md).\n", FakeEmbedder())
    assert chunk.text == "**Empty** it [soon](x.md)."
    assert chunk.embedded == "Barrel › Care\nEmpty it soon."


def test_short_paragraphs_are_joined_and_sections_are_not():
    text = "# A\n\none\n\ntwo\n\n# B\n\nthree\n"
    assert [chunk.text for chunk in chunks_of(text, FakeEmbedder())] == ["one\n\ntwo", "three"]


SHOW_CHUNKS = """
from tests.indexing.fakes import FakeEmbedder
from tests.reading.test_chunks import CORPUS, chunks_of
for each in chunks_of((CORPUS / "Generative AI.md").read_text(), FakeEmbedder()):
    print(each)
"""


def test_items_of_html_on_one_line_stand_there_in_each_of_their_chunks(embedder):
    items = "".join(f"<li>Item number {n} costs {n} euros.</li>" for n in range(30))
    filler = "\n".join(f"<p>{n}: {'words ' * 20}</p>" for n in range(20))
    readable = read_html(f"{filler}\n<ul>{items}</ul>\n<p>And so on.</p>")
    document = parse_document("a.html", readable.text, readable)
    chunks = chunk_document(document, embedder.count_tokens, embedder.max_tokens)
    held = [each for each in chunks if "Item" in each.text]
    assert {(each.first, each.last) for each in held} == {(21, 21)}
    lines = [line for each in held for line in each.text.split("\n")]
    assert lines == [f"- Item number {n} costs {n} euros." for n in range(30)]
    assert "Item" not in chunks[-1].text


def test_chunking_is_repeatable():
    """In whatever order a process keeps its sets."""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", SHOW_CHUNKS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=CORPUS.parent,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second
    assert first.count(b"\n") > 10


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("One. Two! Three? Four", ["One. ", "Two! ", "Three? ", "Four"]),
        (
            "Dr. Berg met J. Smith, e.g. here. Then left.",
            ["Dr. Berg met J. Smith, e.g. here. ", "Then left."],
        ),
        ("雨。桶！大", ["雨。", "桶！", "大"]),
        ("He said “Go.” Then left.", ["He said “Go.” ", "Then left."]),
        ("3.5 litres. Done", ["3.5 litres. ", "Done"]),
        ("", [""]),
    ],
)
def test_sentences(line: str, sentences: list[str]):
    assert split_sentences(line) == sentences
    assert "".join(split_sentences(line)) == line


@pytest.mark.parametrize(
    "text",
    [
        "# To do\n\nBuy seed.\n\n# To do\n\nMow the lawn.\n",  # a heading lies between
        "# A\n\nText.\n\n## Long gone\n\n### Empty\n\n### Full\n\nMore.\n",
        "Text.\n \t \n\n- an item\n",  # so do blanks, as they stand
    ],
)
def test_a_chunk_stands_at_its_lines_as_it_is(text: str):
    lines = text.split("\n")
    chunks = chunk_document(parse_document("a.md", text), FakeEmbedder().count_tokens, 64)
    for chunk in chunks:
        assert chunk.text in "\n".join(lines[chunk.first - 1 : chunk.last])
    assert sum(chunk.text.count("Mow") + chunk.text.count("More") for chunk in chunks) <= 1
