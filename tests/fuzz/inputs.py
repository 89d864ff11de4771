"""What inputs are made of: the words of each language that a target reads."""

# ruff: noqa: E501 - tables of words
from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz.properties import WRITTEN, small_gguf

DOCUMENTS = sorted((Path(__file__).parents[1] / "data" / "documents").iterdir())

_MARKDOWN = (
    "# ", "## ", "###### ", "#", "- ", "* ", "+ ", "1. ", "10) ", "> ", ">", "    ", "\t", " ",
    "\n", "\n\n", "\r\n", "\r", "---\n", "...\n", "===\n", "***", "```", "~~~", "````py", "`", "``",
    "|", "|-|-|\n", "| a | b |\n", "\\", "\\|", "[[", "]]", "![[", "[", "](", ")", "(", "|x]]", "#^b",
    " ^id", "%%", "%% ", "<!--", "-->", "<div>", "</div>", "<https://a.b>", "<", ">", "*", "**", "_",
    "__", "~~", "==", "#tag", "#a/b", "[^1]: ", "[a]: b", "[!note]", "- [ ] ", "- [x] ", "^", "&amp;",
    "tags: [a, b]\n", "title: x\n", "aliases:\n  - y\n", "date: 2024-02-30\n", "a: &b c\n", "*b",
    "{", "}", "!!python/object:os.system", "2024-02-05", "e.g. ", "Dr. ", ". ", "! ", "? ", "。", "…",
    "word", "Two words", "It is so. ", "x" * 40, "é", "e\u0301", "שלום", "漢字", "\u202e", "\u2028",
    "\x85", "\x0c", "\x0b", "\x1b[2J", "\ufeff", "\u200b", "\xa0", "👩‍👩‍👧", "\x01", "\x7f", ":", "Title:",
)  # fmt: skip
_WRITTEN = (
    "#+TITLE: x\n", "#+BEGIN_SRC\n", "#+END_SRC\n", ":PROPERTIES:\n", ":END:\n", "* TODO a :tag:\n",
    "[[file:a.org][b]]", "<2024-02-30 Fri>", ".. note::\n", ".. include:: /etc/passwd\n", "::\n", "   x\n",
    ":a: b\n", "====\n", "`a <b>`_", "|a|_", "<!doctype html>", "<h1>", "</h1>", "<p>", "<table><tr><td>",
    "<pre>", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "&#0;", "&#x110000;", "&lt", "<a href=",
    '{"cells":[', '{"cell_type":"markdown","source":["a\\n","b"]}', '"outputs":[]', "],", "]}", "null",
    '"nbformat":4}', "\\ud800", "a,b\n", '"a\nb",', ";", "\t", '""', "1,2\n",
)  # fmt: skip
_QUESTION = (
    "tag:", "-tag:", "path:", "since:", "until:", "date:", "before:", "after:", "created:>=",
    "modified:", "status:", "rating:>", "größe:", "unknown:", '"', "“", "”", "`", "2024", "2024-02",
    "2024-02-30", "0000-00-00", "9999-12-31", "2023..2024", "..", "yesterday", "last week", "last",
    "next", "in ", "between ", " and ", "March", "Monday", "quarter", "Q3", "the 1990s", "99999999",
    "which notes mention ", "what links to [[", "]]", "what does ", " link to", "newest note on ",
    "notes tagged ", "list all notes", "how many notes ", "what", "is", " ", "?", "!", "\n", "\t",
    ":", "::", "//", "=", "<=", "!=", "#", "/", "é", "e\u0301", "\udcff", "\x00", "漢", "\u0663",
    "²", "word", "older than ", "days ago", "1e999", "-", "--", "\\",
)  # fmt: skip
_TOML = (
    "notes = ", "[notes]\n", "[embedder]\n", "[generator]\n", "[search]\n", "[answer]\n", "[chat]\n",
    "[keys]\n", "model = ", "context = ", "threads = ", "k = ", "caution = ", "theme = ", "data_dir = ",
    "cache_dir = ", "sources = ", '"~/x"', '"./x"', '"balanced"', "5", "-1", "99999999999999999999",
    "1.5", "true", "inf", "nan", "[]", "{}", '""', '"\\u0000"', "'''", '"""', "a.b.c = 1\n", "[[x]]\n",
    "1979-05-27T07:32:00Z", "\n", "=", " ", "#", "x = 1\n", '"\\ud800"', "~", "$HOME", "[a.b]\n",
    '"' + "y" * 300 + '"', "0x10", "1_000",
)  # fmt: skip
_CITED = (
    "The hive is green. ", "The hive", "green", "300 litres", " [1]", "[2]", "[99]", "[1], [2]", "[",
    "]", "\x1e", "\x1d", "\n", "- a\n", "| a | b |\n", "1. ", "Items:", ". ", "Answer: ", "A: ",
    "Your notes do not say.", "\"", "“", "²", "[²]", "[٣]", "**", "`x`", " ", "漢字。", "e.g. ", "A: green",
)  # fmt: skip
WORDS = {
    "reader": _MARKDOWN,
    "formats": (*_WRITTEN, *_MARKDOWN),
    "documents": ("PK\x03\x04", "PK\x05\x06", "%PDF-1.7\n", "<w:p>", "<a:t>", "obj\n", "\x00" * 8),
    "chunker": _MARKDOWN,
    "query": _QUESTION,
    "config": _TOML,
    "citations": _CITED,
    "gguf": ("GGUF", "\x03\x00\x00\x00", "\x08\x00\x00\x00", "\x09\x00\x00\x00", "\x00" * 8),
}


def inputs(target: str) -> st.SearchStrategy[bytes]:
    """Inputs for a target: its words in any order, among any text, or any bytes."""
    if target == "gguf":
        return st.one_of(st.binary(max_size=200), _spoilt(small_gguf()))
    if target == "documents":
        kinds = (".docx", ".pptx", ".epub", ".pdf")
        whole = [
            (n, file) for file in DOCUMENTS for n, kind in enumerate(kinds) if file.suffix == kind
        ]
        spoilt = st.one_of(*(_marked(n, _spoilt(file.read_bytes())) for n, file in whole))
        return st.one_of(spoilt, st.binary(max_size=200))
    words = st.lists(st.one_of(st.sampled_from(WORDS[target]), st.text(max_size=4)), max_size=40)
    text = words.map(lambda parts: "".join(parts).encode("utf-8", "replace"))
    repeated = st.tuples(text, st.integers(1, 30)).map(lambda pair: pair[0] * pair[1])
    if target not in ("reader", "chunker", "formats"):
        return st.one_of(text, st.binary(max_size=200))
    kinds = [b"\x41", b" "] if target != "formats" else [bytes([n]) for n in range(len(WRITTEN))]
    folder_kind = st.sampled_from(kinds)  # decides the suffix, as the property does
    marked = st.tuples(folder_kind, st.one_of(text, text, repeated)).map(b"".join)
    sixteen = text.map(lambda data: data.decode().encode("utf-16"))
    return st.one_of(marked, text, sixteen, st.binary(max_size=300))


def _marked(first: int, rest: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return rest.map(lambda data: bytes([first]) + data)


@st.composite
def _spoilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """A well-formed file with a few bytes changed, or cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.sampled_from([0, 1, 2, 8, 9, 0x7F, 0x80, 0xFF, data[at] ^ 1]))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)
