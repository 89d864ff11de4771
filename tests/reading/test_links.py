"""Links, tags, comments and plain text, and that hostile lines take no longer than others."""

from __future__ import annotations

import time

import pytest

from rag.reading.code import blank_comments
from rag.reading.links import Link, blanked, find_links, find_tags, plain, without_links


def link(
    target: str, heading: str = "", block: str = "", alias: str = "", embed: bool = False
) -> Link:
    return Link(target, heading, block, alias, embed, 1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("see [[Note]]", link("Note")),
        ("[[ Note | the note ]]", link("Note", alias="the note")),
        ("[[folder/Note.md#Part one|x]]", link("folder/Note.md", "Part one", alias="x")),
        ("[[Note#A#B]]", link("Note", "A#B")),
        ("[[Note#^abc-1]]", link("Note", block="abc-1")),
        ("[[Note#Part#^abc]]", link("Note", "Part", "abc")),
        ("[[#Here]]", link("", "Here")),
        ("![[Note#Part]]", link("Note", "Part", embed=True)),
        (r"| [[Note\|cell]] |", link("Note", alias="cell")),
        ("[text](note.md)", link("note.md", alias="text")),
        ("[a [b] c](note.md)", link("note.md", alias="a [b] c")),
        ("[t](../My%20Note.md#Part%20one)", link("../My Note.md", "Part one", alias="t")),
        ("[t](<My Note.md> 'title')", link("My Note.md", alias="t")),
        ('[t](note.txt "title")', link("note.txt", alias="t")),
        ("[t](#part)", link("", "part", alias="t")),
        ("[t](Other)", link("Other", alias="t")),
        ("[t](a(b).md)", link("a(b).md", alias="t")),
        ("![t](note.md)", link("note.md", alias="t", embed=True)),
        ("[`code`](note.md)", link("note.md", alias="`code`")),
        ("[100%](50%.md)", link("50%.md", alias="100%")),
    ],
)
def test_finds_links_to_notes(line: str, expected: Link) -> None:
    assert find_links([line]) == (expected,)


@pytest.mark.parametrize(
    "line",
    [
        "[t](https://example.com/a.md)", "[t](mailto:a@b.c)", "[t](//example.com/a.md)",
        "[t](picture.png)", "`[[Note]]`", "``a ` [[Note]]``", r"\[[Note]]", "[[]]", "[[ ]]",
        "[[#]]", "[[Note]", "[t] (note.md)", "[t](a b.md)", "[t]()", "[t](#)",
    ],
)  # fmt: skip
def test_leaves_what_is_no_link_to_a_note(line: str) -> None:
    assert find_links([line]) == ()


def test_links_come_in_order_with_their_lines() -> None:
    found = find_links(["[x](a.md) [[b]]", "", "[[c]] ` [[d]]"], first=7)
    assert [(each.target, each.line) for each in found] == [
        ("a.md", 7), ("b", 7), ("c", 9), ("d", 9),
    ]  # fmt: skip


@pytest.mark.parametrize("fence", ["```", "~~~~", "> ```", "- ```", "1. ~~~"])
def test_fenced_code_holds_no_links(fence: str) -> None:
    mark = fence.split()[-1]
    lines = ["[[a]]", fence + "text", "[[no]]", mark[:2], mark[0] * 9, "[[b]]"]
    assert [each.target for each in find_links(lines)] == ["a", "b"]


def test_backticks_in_the_first_line_open_no_fence() -> None:
    assert [each.target for each in find_links(["``` a ` b", "[[a]]"])] == ["a"]


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("#one and #two/three, (#four) #five.", ["one", "two/three", "four", "five"]),
        ("#y2024 #2024 #12-3 #été #a_b-c", ["y2024", "été", "a_b-c"]),
        ("# heading ## C# a#b [x](#frag) [[N #x]] http://a/#b &#39; `#code`", []),
        ("#a/ #/b", ["a", "b"]),
    ],
)
def test_finds_tags(line: str, tags: list[str]) -> None:
    assert list(find_tags([line])) == tags


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[a|b]] and [[a]]", "b and a"),
        ("[[a#h]] [[#h]] [[a#^b]]", "a h h a"),
        ("![[x]] ![[x.png|300]] ![[x|y]]", "x x.png y"),
        ("[t](u) ![alt](u) [](u) [a](u 'b')", "t alt a"),
        ("[![alt](img.png)](https://a.b)", "alt"),
        (r"[[a\|b]]", "b"),
        ("**b** __b__ *i* _i_ ~~s~~ ==h== `c`", "b b i i s h c"),
        ("***both*** **bold *and italic***", "both bold and italic"),
        ("**Bold:**then **GPT**s, 这是**重要**的", "Bold:then GPTs, 这是重要的"),
        ("**use `**x**` now**", "use **x** now"),
        ("snake_case_name 2*3*4 2**3**4 a * b x==1 and y==2", None),
        ("f(*args, **kwargs) _private 5 ~ 6 ~7 = 8", None),
        ("*note: 2*3 = 6*", "note: 2*3 = 6"),
        (r"\*not\* \# \[[a]] C:\dir", r"*not* # [[a]] C:\dir"),
        ("``a ` b`` `C:\\`", "a ` b C:\\"),
        ("## Title ##", "Title"),
        ("# C#", "C#"),
        ("#tag stays", None),
        ("> > - quoted", "quoted"),
        ("- a", "a"),
        ("  * a", "a"),
        ("+ a", "a"),
        ("1. a", None),
        ("-5 degrees", None),
        ("> [!note] Title", "Title"),
        ("> [!warning]- Title", "Title"),
        ("> [!note]", ""),
        ("words ^block-1", "words"),
        ("^block", ""),
        ("x^2 is even", None),
        ("a <b class='x'>bold</b><br/> word<!-- gone -->", "a bold word"),
        ("1 < 2 and 3 > 2, <https://a.b>", "1 < 2 and 3 > 2, https://a.b"),
        ("a \t b\u00a0c", "a b c"),
        ("![[manual.pdf#page=2]]", "manual.pdf, p. 2"),
        ("[[manual.pdf#page=2&zoom=3]] [[#page=2]] [[a#pages]]", "manual.pdf, p. 2 page=2 a pages"),
        ("---", ""),
        ("=====", ""),
        ("a\n\n  b", "a\n\nb"),
        ("[x] done [^1] [see]", None),
        ("a\0b `c` \x010\x01", "ab c 0"),
    ],
)
def test_plain_is_what_a_person_reads(text: str, expected: str | None) -> None:
    assert plain(text) == (text if expected is None else expected)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[BLOOM](https://x.y/a_(b) "t") is **big**', f" BLOOM{' ' * 24} is   big  "),
        ("see [[a/b|bees]] and [[Wasps#Nest]]", "see       bees   and   Wasps#Nest  "),
        ("## Head\n> - *one*\n2) two", "   Head\n     one \n2) two"),
        ("snake_case, _so_ and 2_000, `x`", "snake_case,  so  and 2_000,  x "),
        ("| a | ==b== |", "| a |   b   |"),
    ],
)
def test_blanks_stand_for_what_is_not_read_and_every_letter_where_it_stood(text: str, shown: str):
    assert blanked(text) == shown
    assert len(shown) == len(text)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a %%b%% c"], ["a  c"]),
        (["a %%b", "c", "d%% e"], ["a ", "", " e"]),
        (["%%", "b", "%%", "c"], ["", "", "", "c"]),
        (["100%% sure"], ["100%% sure"]),
        (["%%a%% b %% c"], [" b %% c"]),
        (["`%%` a `%%`"], ["`%%` a `%%`"]),
        (["```", "%%", "```", "a", "%%b%%"], ["```", "%%", "```", "a", ""]),
        (["%% ```", "x %%", "a"], ["", "", "a"]),
        (["%%it`s%% `a` %%b`%%"], [" `a` "]),
    ],
)
def test_comments_are_blanked_and_lines_kept(lines: list[str], expected: list[str]) -> None:
    assert blank_comments(lines) == expected


@pytest.mark.parametrize(
    "seed",
    [
        "_", "[", "[[", "****", "**a ", "_a",
        "`", "``a`", "[a](", "](", "[a](b ", "<a ", "<!--", "~~",
        "==a", "\\", "#", "> ", "- ", " ^a", "%%", "%%`", "[[a|", "[[a]]", "[a](<", "[x[]",
        "[a](b(c)", "\0", "[a](b \"c", "\\`", "```", "\n", "[[a\n", "```\n",
    ],
)  # fmt: skip
def test_hostile_text_takes_linear_time(seed: str) -> None:
    text = f"a{seed * (250_000 // len(seed))}b"
    lines = text.split("\n")
    begun = time.perf_counter()
    plain(text)
    blanked(text)
    find_links(lines)
    list(find_tags(lines))
    blank_comments(lines)
    assert time.perf_counter() - begun < 5  # 0.5 s at most; quadratic time would be minutes


def test_the_words_of_links_stand_in_their_place():
    text = "**Lewis** named it in [a 2020 paper](https://x.y/z) [1], see [[RAG|it]], [[LLM#Words]]."
    assert without_links(text) == "**Lewis** named it in a 2020 paper [1], see it, LLM Words."
    code = "Write `[[RAG]]`.\n```\n[a](b)\n```\n![map](m.png) \\[[x]]"
    assert without_links(code) == code.replace("![map](m.png)", "map")
