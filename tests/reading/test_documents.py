"""Notes as documents: front matter, titles, headings, blocks and their lines."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from rag.reading.blocks import Block
from rag.reading.code import blank_comments
from rag.reading.dates import date_in_name, parse_date
from rag.reading.documents import Document, parse_document
from rag.reading.links import plain
from rag.reading.notes import NoteText, read_note
from rag.reading.scanning import scan

CORPUS = Path(__file__).parents[2] / "corpus"


def parse(text: str, path: str = "note.md") -> Document:
    return parse_document(path, text)


def outline(document: Document) -> list[tuple[str, tuple[str, ...], int, int]]:
    return [(block.kind, block.headings, block.first, block.last) for block in document.blocks]


def pieces(text: str, path: str = "note.md") -> tuple[tuple[int, int], ...]:
    (block,) = parse(text, path).blocks
    return block.pieces


@pytest.fixture(scope="module")
def corpus() -> dict[str, Document]:
    documents = {}
    for note in scan(CORPUS).files:
        text = read_note(CORPUS, note.path)
        assert isinstance(text, NoteText)
        documents[note.path] = parse_document(note.path, text.text)
    return documents


class TestFrontMatter:
    def test_fields_are_plain_json(self) -> None:
        document = parse(
            "---\ntitle: T\nn: 3\nrating: 4.5\nok: true\nnone:\ntime: 13:20\nday: 2024-02-05\n"
            "list: [a, {b: 1}]\nlong: |\n  x\n  y\n---\nbody"
        )
        assert document.fields == {
            "title": "T", "n": 3, "rating": 4.5, "ok": True, "none": None, "time": "13:20",
            "day": "2024-02-05", "list": ["a", {"b": 1}], "long": "x\ny\n",
        }  # fmt: skip
        json.dumps(document.fields, allow_nan=False)
        assert outline(document) == [("fields", (), 3, 12), ("paragraph", (), 14, 14)]

    @pytest.mark.parametrize(
        ("text", "lines", "fields"),
        [
            ("title: T\ntags: [a]\naliases:\n  - b\ncreated: 2024-02-05\ncssclass: wide", None, ()),
            ("author: Ann\n\nrating: 5\n", (2, 4), ((2, 2), (4, 4))),
            ("tags: x\nauthors:\n- Ann\n- Ben\nid: 7", (3, 5), ((3, 5),)),
            ("born: 1990\ntags: x\n# words\nphone: 1 2", (2, 5), ((2, 2), (3, 4), (5, 5))),
            ("rating:\nauthor: ''\nread: null\nby: ~", None, ()),
            ("long: |\n  x: 1\n  y", (2, 4), ((2, 4),)),
            ("  a: b\n  c: d", (2, 3), ((2, 2), (3, 3))),
            ("{a: b}", None, ()),
            ("'a b': \"[[c]]\"", (2, 2), ((2, 2),)),
            ("source: rag chat\nmodel: m", None, ()),
        ],
    )
    def test_what_tells_a_reader_something_is_a_block(self, text, lines, fields) -> None:
        document = parse(f"---\n{text}\n---\n\n# H\n\nbody")
        first = document.blocks[0]
        assert (first.kind == "fields") == (lines is not None)
        if lines is not None:
            assert ((first.first, first.last), first.pieces) == (lines, fields)
            assert (first.headings, document.blocks[1].before) == ((), None)

    def test_keys_are_found_in_any_case(self) -> None:
        document = parse("---\nTITLE: T\nTags: [a]\nAlias: b\nDate: 2024-02-05\n---\n")
        assert (document.title, document.tags, document.aliases) == ("T", ("a",), ("b",))
        assert document.created == date(2024, 2, 5)

    @pytest.mark.parametrize("opening", ["---", "--- ", "---\t"])
    @pytest.mark.parametrize("closing", ["---", "...", "---  "])
    def test_begins_and_ends_with_three_marks(self, opening: str, closing: str) -> None:
        assert parse(f"{opening}\n title: T\n tags: [a]\n{closing}\nbody").tags == ("a",)

    @pytest.mark.parametrize(
        ("value", "tags"),
        [
            ("[a, b/c, 'd e']", ("a", "b/c", "d e")),
            ("'a, b c, #d'", ("a", "b c", "d")),
            ("a b", ("a", "b")),
            ("[AI, ai, 2024]", ("AI", "2024")),
            ("", ()),
            ("[]", ()),
            ("{a: b}", ()),
            ("[null, ' ', [x]]", ()),
        ],
    )
    def test_tags_in_every_form(self, value: str, tags: tuple[str, ...]) -> None:
        assert parse(f"---\ntags: {value}\n---\n").tags == tags

    def test_tags_come_from_several_keys_and_the_text(self) -> None:
        text = "---\ntag: a\ncategories: [B, c]\n---\n# Heading #d\n#A #e\n```\n#f\n```\n    #g\n"
        assert parse(text + "\n    #h\n\n- x\n  ```\n  #i\n  ```\n").tags == (
            "a", "B", "c", "d", "e",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("yaml", "why", "line"),
        [
            ("title: [a", "is not valid YAML", 3),
            ("a: b\n\tc: d", "is not valid YAML", 3),
            ("- a\n- b", "holds a list instead of fields such as 'tags: garden'", 2),
            ("just words", "holds text instead of fields such as 'tags: garden'", 2),
            ("a: &x b\nc: *x", "uses YAML's anchors, which are not read", 2),
            ("a: b\nc: *x", "uses YAML's anchors, which are not read", 3),
            ("a: " + "[" * 200, "is nested too deeply", 2),
        ],
    )
    def test_a_broken_one_is_read_as_text_with_a_warning(
        self, yaml: str, why: str, line: int
    ) -> None:
        document = parse(f"---\n{yaml}\n---\nbody")
        message = f"front matter {why} (line {line}); read as text"
        assert document.warnings == (message,)
        assert document.fields == {}
        assert document.blocks[0].first == 1

    def test_one_above_64_kib_is_read_as_text(self) -> None:
        document = parse("---\na: " + "x" * 70_000 + "\n---\nbody")
        assert document.warnings == ("front matter is larger than 64 KiB; read as text",)

    def test_tags_of_yaml_are_not_obeyed(self) -> None:
        fields = parse("---\na: !!python/object/apply:os.system [x]\nb: !!int no\n---\n").fields
        assert fields == {"a": ["x"], "b": "no"}

    def test_control_characters_do_no_harm(self) -> None:
        document = parse("---\ntitle: a\x1b[31m\x00b\u2028c\x85d\n---\n")
        assert (document.title, document.warnings) == ("a [31m b c d", ())

    @pytest.mark.parametrize("text", ["---\n---\nx", "---\n# only this\n---\nx", "---\n\n...\nx"])
    def test_an_empty_one_has_no_fields(self, text: str) -> None:
        document = parse(text)
        assert (document.fields, document.warnings) == ({}, ())
        assert len(document.blocks) == 1

    @pytest.mark.parametrize("text", ["---\na: b", "\n---\na: b\n---\n", " ---\na: b\n---\n"])
    def test_marks_that_do_not_enclose_the_top_are_text(self, text: str) -> None:
        document = parse(text)
        assert (document.fields, document.warnings) == ({}, ())


class TestDates:
    @pytest.mark.parametrize(
        "text",
        [
            "2024-02-05", "2024-2-5", "2024-02-05T13:20:00Z", "2024-02-05 13:20", "2024/02/05",
            "2024.02.05", "20240205", "05.02.2024", "5.2.2024 13:20", "5 February 2024",
            "Monday 5th February 2024 13:20", "Mon, 5 Feb 2024", "February 5, 2024",
            "Feb. 5th 2024 at 1:20 pm", "monday, february 5 2024", " 5th of FEBRUARY, 2024 ",
        ],
    )  # fmt: skip
    def test_dates_as_people_write_them(self, text: str) -> None:
        assert parse_date(text) == date(2024, 2, 5)

    def test_a_day_that_can_be_no_month_tells_the_order(self) -> None:
        assert parse_date("14/10/2024") == date(2024, 10, 14)
        assert parse_date("31/2/2024") is None

    @pytest.mark.parametrize(
        "text",
        ["", "last summer", "2024-02-30", "2024-13-01", "31 June 2024", "0000-01-01", "2024",
         "05/02/2024", "5 Octember 2024", "5 February 2024 was cold", "1707139200", "5" * 10_000],
    )  # fmt: skip
    def test_what_is_no_date(self, text: str) -> None:
        assert parse_date(text) is None

    @pytest.mark.parametrize(
        ("name", "day"),
        [
            ("2024-02-05.md", date(2024, 2, 5)),
            ("Trip 2024_02_05 home.md", date(2024, 2, 5)),
            ("12024-02-051.md", None),
            ("2024-02-30.md", None),
        ],
    )
    def test_dates_in_file_names(self, name: str, day: date | None) -> None:
        assert date_in_name(name) == day

    @pytest.mark.parametrize("value", ["2024-02-30", "soon", "[a]", "2024-02-05-x"])
    def test_an_impossible_date_is_none_with_a_warning(self, value: str) -> None:
        document = parse(f"---\ncreated: {value}\nupdated: 2024-02-06\n---\n", "2024-01-01.md")
        assert (document.created, document.modified) == (None, date(2024, 2, 6))
        assert len(document.warnings) == 1
        assert "created is not a date" in document.warnings[0]

    def test_the_file_name_dates_a_note_without_front_matter(self) -> None:
        assert parse("x", "daily/2024-02-05.md").created == date(2024, 2, 5)
        assert parse("---\ncreated:\n---\n", "2024-02-05 x.md").created == date(2024, 2, 5)
        assert parse("x", "2024-02-05/x.md").created is None


class TestTitle:
    @pytest.mark.parametrize(
        ("path", "text", "title"),
        [
            ("a.md", "---\ntitle: ' Given  title '\n---\n# Other", "Given title"),
            ("a.md", "---\ntitle: 1984\n---\n", "1984"),
            ("a.md", "---\ntitle: ' '\n---\n# Heading", "Heading"),
            ("a.md", "---\ntitle: [x]\n---\n# Heading", "Heading"),
            ("a.md", "\n# **Heading** [[x|y]]\n", "Heading y"),
            ("a.md", "# 1. Heading", "1. Heading"),
            ("a.md", "Heading\n===\n", "Heading"),
            ("a.md", "words\n\n# Heading", "a"),
            ("a.md", "## Heading", "a"),
            ("b/RAG notes-2.md", "x", "RAG notes-2"),
            ("Jacksonville,_Florida.md", "x", "Jacksonville, Florida"),
            ("my-first-note.md", "x", "my first note"),
            ("2024-02-05-my-note.md", "x", "my note"),
            ("2024-02-05 My-note a.md", "x", "My-note a"),
            ("2024-02-05.md", "x", "2024-02-05"),
            ("v1.2.md", "x", "v1.2"),
            ("a.txt", "# Heading\n\nx", "Heading"),
            ("a.txt", "1. Beginnings\n- x", "a"),
        ],
    )
    def test_front_matter_then_heading_then_file_name(
        self, path: str, text: str, title: str
    ) -> None:
        assert parse(text, path).title == title


class TestMarkdown:
    def test_every_kind_of_block_with_its_lines(self) -> None:
        text = (
            "para\nmore\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n"
            "```py\ncode\n\nmore\n```\n\n> quote\nlazy\n\n<div>\nx\n</div>\n\n"
            "    indented\n\n***\n\n[ref]: http://a.b\n"
        )
        document = parse(text)
        assert outline(document) == [
            ("paragraph", (), 1, 2), ("list", (), 4, 5), ("table", (), 7, 9), ("code", (), 11, 15),
            ("quote", (), 17, 18), ("html", (), 20, 22), ("code", (), 24, 24),
            ("paragraph", (), 26, 26), ("paragraph", (), 28, 28),
        ]  # fmt: skip
        lines = text.split("\n")
        for block in document.blocks:
            assert block.text == "\n".join(lines[block.first - 1 : block.last])

    def test_headings_lead_a_path_and_may_jump(self) -> None:
        document = parse("# A\n### B\nx\n## C\ny\nD\n---\nz\n# E #\nw\n")
        assert outline(document) == [
            ("paragraph", ("A", "B"), 3, 3), ("paragraph", ("A", "C"), 5, 7),
            ("paragraph", ("A", "C"), 8, 8), ("paragraph", ("E",), 10, 10),
        ]  # fmt: skip

    def test_a_rule_right_under_a_line_makes_it_a_heading(self) -> None:
        assert outline(parse("A\n=\n\nB\n---\nx")) == [("paragraph", ("A", "B"), 6, 6)]

    @pytest.mark.parametrize("blank", ["\x0b", "\x0c", "\u2003"])
    def test_what_only_looks_empty_is_nothing_under_a_heading(self, blank: str) -> None:
        blocks = parse_document("a.md", f"# Bees\n\n{blank}\n").blocks
        assert [(each.kind, each.text) for each in blocks] == [("heading-only", "# Bees")]

    def test_a_heading_with_nothing_under_it_is_a_block(self) -> None:
        document = parse("# A\n## B\n## C\n### D\n# E\nx\n\nF\n=\n")
        assert outline(document) == [
            ("heading-only", ("A",), 2, 2), ("heading-only", ("A", "C"), 4, 4),
            ("paragraph", ("E",), 6, 6), ("heading-only", (), 8, 9),
        ]  # fmt: skip

    def test_headings_in_code_lists_and_quotes_are_none(self) -> None:
        document = parse("```\n# a\n```\n> # b\n\n- # c\n\nx")
        assert {block.headings for block in document.blocks} == {()}

    def test_a_list_is_cut_at_its_top_items(self) -> None:
        assert pieces("- a\n  - b\n\n  c\n\n- d\n1\n- e\n\n\n") == ((1, 5), (6, 7), (8, 8))

    def test_a_table_is_cut_at_its_rows_the_header_staying_whole(self) -> None:
        assert pieces("| a |\n|---|\n| 1 |\n| 2 |\n") == ((1, 2), (3, 3), (4, 4))

    def test_other_blocks_are_cut_at_their_lines(self) -> None:
        assert pieces("```\na\n\n```") == ((1, 1), (2, 2), (3, 3), (4, 4))
        assert pieces("> - a\n> - b") == ((1, 1), (2, 2))

    def test_comments_are_removed_and_lines_stay_where_they_were(self) -> None:
        document = parse("a %%secret [[x]] #t%% b\n\n%%\n# no\n%%\n\n```\n%%kept%%\n```\n")
        assert [block.text for block in document.blocks] == ["a  b", "```\n%%kept%%\n```"]
        assert document.blocks[1].first == 7
        assert (document.links, document.tags) == ((), ())

    def test_links_have_the_line_of_the_file(self) -> None:
        document = parse("---\na: '[[f]]'\n---\n# [[h]]\n\n    [[code]]\n\n- [[x]]\n")
        links = [(link.target, link.line) for link in document.links]
        assert links == [("f", 2), ("h", 4), ("x", 8)]

    def test_the_front_matter_does_not_spoil_the_links_below(self) -> None:
        front = "---\nauthor: Bo\n# [[old]]\ntemplate: |\n  ```\n  x\n---\n"
        document = parse(f"{front}\nSee [[Other]].\n")
        assert [(link.target, link.line) for link in document.links] == [("Other", 9)]

    def test_a_long_gap_in_a_field_takes_no_time(self) -> None:
        document = parse(f'---\na: "x\nb{" " * 60_000}c\n"\nauthor: Bo\n---\n')
        assert document.blocks[0].kind == "fields"

    def test_tabs_no_final_newline_and_blank_text_survive(self) -> None:
        assert outline(parse("\t\n-\ta\n\t-\tb")) == [("list", (), 2, 3)]
        assert parse("").blocks == parse("\n\n").blocks == ()


class TestPlainText:
    def test_paragraphs_and_lists(self) -> None:
        text = (
            "A first line that ends with a stop.\nSecond line.\n\n"
            "• x\n* y\n  goes on\n\n--z\n1. w\n"
        )
        document = parse(text, "a.txt")
        assert [(block.kind, block.first, block.last) for block in document.blocks] == [
            ("paragraph", 1, 2), ("list", 4, 6), ("list", 8, 9),
        ]  # fmt: skip
        assert document.blocks[1].pieces == ((4, 4), (5, 6))

    def test_titles_without_marks(self) -> None:
        text = (
            "1. Core\nMethods (old)\n- a\nExamples:\n- b\nNew ones\n- c\n\nNotes\nSome text here.\n"
            "2. Rest\n- d\n"
        )
        assert [(b.headings, b.first) for b in parse(text, "a.txt").blocks] == [
            (("1. Core", "Methods (old)"), 3), (("1. Core", "Methods (old)", "Examples"), 5),
            (("1. Core", "New ones"), 7), (("1. Core", "Notes"), 10), (("2. Rest",), 12),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "text",
        [
            "A sentence.\n- a", "A question?\n- a", "x" * 61 + "\n- a", "12\n- a", "a\tb\n- a",
            "a  b\n- a", "- a\n- b", "1. a\n2. b\ntext", "1. Buy milk\n   fresh\n2. Buy eggs",
            "This line is wrapped in the\nmiddle of a sentence.", "Alone\n\n- a", "Last line",
            "A stop.\nand then these\n- a", "Milk\t1\nEggs\t2", "- a\n  Goes on\nMore",
        ],
    )  # fmt: skip
    def test_lines_that_are_no_titles(self, text: str) -> None:
        assert {block.headings for block in parse(text, "a.txt").blocks} == {()}

    def test_marked_headings_count(self) -> None:
        document = parse("Top\n===\n\nSub\n---\nx\n## Two\ny\n", "a.txt")
        assert outline(document) == [
            ("paragraph", ("Top", "Sub"), 6, 6), ("paragraph", ("Top", "Two"), 8, 8),
        ]  # fmt: skip

    def test_indented_text_is_not_code_and_percent_signs_are_no_comments(self) -> None:
        document = parse("    indented #tag %%x%%\n", "a.TXT")
        assert document.tags == ("tag",)
        assert document.blocks == (
            Block("paragraph", (), 1, 1, "    indented #tag %%x%%", ((1, 1),)),
        )


def check_that_nothing_is_lost(path: str, text: str) -> None:
    document = parse_document(path, text)
    lines = text.split("\n")
    ends = [n for n, line in enumerate(lines, 1) if n > 1 and line.rstrip() in ("---", "...")]
    start = ends[0] if lines[0].rstrip() == "---" and ends and not document.warnings else 0
    fields = [block for block in document.blocks if block.kind == "fields"]
    kept = {n for block in fields for n in range(block.first, block.last + 1)}
    assert max(kept, default=0) <= max(0, start - 1)
    lines[:start] = [line if n in kept else "" for n, line in enumerate(lines[:start], 1)]
    if not path.endswith(".txt"):
        lines[start:] = blank_comments(lines[start:])
    covered: set[int] = set()
    for block in document.blocks:
        span = set(range(block.first, block.last + 1))
        assert not covered & span, (path, text, block)
        covered |= span
        assert block.text == "\n".join(lines[block.first - 1 : block.last])
        assert [n for first, last in block.pieces for n in range(first, last + 1)] == sorted(span)
    named = {title for block in document.blocks for title in block.headings}
    for number, line in enumerate(lines, 1):
        if line.strip() and number not in covered:
            words = plain(line)
            assert not words or {words, words.removesuffix(":").rstrip()} & named, (text, number)


SNIPPETS = (
    "", "", "", "words", "More words here.", "# H", "## H2 [[x]]", "#", "### ", "---", "===", "***",
    "- a", "  - b", "    c", "* d", "1. e", "2) f", "--g", "> q", "> > r", "> - s", "```", "~~~",
    "> ```", "    code", "\tcode", "| a | b |", "|---|---|", "| 1 |", "<div>", "</div>", "<!--",
    "-->", "%%", "a %%b%% c", "[r]: u", "[r]:", "Title", "Title:", "1. Title", "x\ty", "\x0c",
    "\xa0", "a\u2028b", "- - - x", "- # h", "> # h", "...", "a: b", "![[e]]", "^id", "$$", "  ",
    "\\",
)  # fmt: skip


@pytest.mark.parametrize("suffix", ["md", "txt"])
def test_every_line_belongs_to_one_block_or_is_a_heading(suffix: str) -> None:
    dice = random.Random(7)
    for _ in range(1500):
        text = "\n".join(dice.choices(SNIPPETS, k=dice.randint(1, 25)))
        check_that_nothing_is_lost(f"a.{suffix}", text)


class TestCorpus:
    def test_nothing_is_lost(self, corpus: dict[str, Document]) -> None:
        assert len(corpus) == 12
        for path, document in corpus.items():
            text = read_note(CORPUS, path)
            assert isinstance(text, NoteText)
            assert (document.warnings, text.warning) == ((), "")
            check_that_nothing_is_lost(path, text.text)

    def test_a_date_in_words_and_empty_tags(self, corpus: dict[str, Document]) -> None:
        note = corpus["Generative AI.md"]
        assert note.created == date(2024, 2, 5)
        assert note.aliases == ("Generative Artificial Intelligence", "GenAI")
        assert note.tags[:2] == ("ai", "genai")
        assert not any("To do" in block.text for block in note.blocks)
        assert ("Text Generation", "Large Language Models (LLM)") in {
            block.headings for block in note.blocks
        }

    def test_indented_front_matter(self, corpus: dict[str, Document]) -> None:
        note = corpus["2024-generative-ai-intro.md"]
        assert (note.title, note.tags) == ("Generative AI Intro", ("academic", "musings"))

    def test_every_link_leads_to_a_note_or_alias(self, corpus: dict[str, Document]) -> None:
        names = {Path(path).stem for path in corpus}
        names |= {alias for note in corpus.values() for alias in note.aliases}
        links = [link for note in corpus.values() for link in note.links]
        assert len(links) > 30
        assert {link.target for link in links} <= names

    def test_linked_headings_exist(self, corpus: dict[str, Document]) -> None:
        for link in (link for note in corpus.values() for link in note.links if link.heading):
            target = corpus[f"{link.target}.md"]
            assert any(link.heading in block.headings for block in target.blocks)

    def test_the_cheat_sheet_has_sections(self, corpus: dict[str, Document]) -> None:
        blocks = corpus["genai-cheatsheet.txt"].blocks
        tops = list(dict.fromkeys(b.headings[0] for b in blocks if b.headings))
        assert tops[:2] == ["Generative AI at a Glance", "Uses"]
        assert [top.split(".")[0] for top in tops[4:]] == list("123456789")
        paths = {block.headings for block in blocks}
        assert ("1. Core Technologies", "Diffusion (images, video)", "How it works") in paths


@pytest.mark.parametrize(
    "text",
    [
        ">" * 5000 + " a", "> " * 5000 + "a", "- " * 5000 + "a\n\n# H\n\nx", "> - " * 3000 + "a",
        "".join("  " * n + "- a\n" for n in range(1000)),
        "".join(">" * n + " a\n" for n in range(1, 1000)),
        "[" * 200_000, "[[a|b]] [c](d.md)" * 12_000, "# a\n" * 8000, "a\n-\n" * 8000,
        "| a |\n|---|\n" * 4000, "|" * 20_000 + "\n" + "|-" * 20_000, "<!--\n" * 20_000,
        "[a]: b\n" * 10_000, "---\n" + "[" * 60_000 + "\n---\n",
        "---\n" + "- " * 30_000 + "\n---\n",
        "---\n" * 10_000, "%%`a\n" * 20_000, "Title\n- a\n" * 8000,
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["md", "txt"])
def test_hostile_notes_neither_hang_nor_fail(text: str, suffix: str) -> None:
    begun = time.process_time()
    parse(text, f"a.{suffix}")
    assert time.process_time() - begun < 5  # about half a second at most


def test_importing_loads_neither_the_parser_nor_yaml() -> None:
    code = (
        "import sys, rag.reading.scanning, rag.reading.documents, rag.reading.links\n"
        "print(*(name for name in ('yaml', 'markdown_it') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
