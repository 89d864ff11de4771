"""Notes that nobody writes and every program meets: made at any size by `make`."""

# ruff: noqa: E501 - tables of notes
from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

Made = Callable[[int], str]

# By name: the text of a note of about so many characters.
TEXTS: dict[str, Made] = {
    "one line of words": lambda size: "word and " * (size // 9),
    "one line of letters": lambda size: "x" * size,
    "headings": lambda size: "# h\n\n" * (size // 5),
    "headings with text": lambda size: "## head\ntext\n\n" * (size // 14),
    "links": lambda size: "[[note|alias]] and [x](other.md)\n" * (size // 33),
    "one line of links": lambda size: "[[note#head|alias]] " * (size // 20),
    "nested lists": lambda size: "".join("\t" * n + "- a\n" for n in range(int((2 * size) ** 0.5))),
    "lists in lists on a line": lambda size: "- " * (size // 2) + "a",
    "quotes in quotes": lambda size: (">" * 100 + " a\n") * (size // 103),
    "lazy quotes": lambda size: (">" * 60 + " a\n" + "b\n" * 50) * (size // 163),
    "open brackets": lambda size: "[" * (size // 2) + "![[" * (size // 6),
    "open links": lambda size: "[a](b(" * (size // 6),
    "half emphasis": lambda size: "a**b_c*" * (size // 7),
    "backticks": lambda size: " ".join("`" * n for n in range(1, int((2 * size) ** 0.5))),
    "comments that never end": lambda size: "%% a `" * (size // 6),
    "html that never ends": lambda size: "<a <!-- <div\n" * (size // 13),
    "a table": lambda size: "|a|b|\n|-|-|\n" + "|c|d|\n" * (size // 6),
    "a wide table": lambda size: "\n".join("|a" * (size // 6) for _ in range(3)),
    "underlines": lambda size: "a\n===\n" * (size // 6),
    "spaces": lambda size: "a" + " " * size + "b",
    "blank lines": lambda size: "a" + "\n" * size + "b",
    "combining marks": lambda size: "e" + "\u0301" * size,
    "right to left": lambda size: "שלום עולם. \u202eabc\u202c " * (size // 18),
    "no spaces": lambda size: "漢字。" * (size // 3),
    "tags": lambda size: "#a/b/c " * (size // 7),
    "front matter": lambda size: "---\n" + "".join(f"k{n}: [a, b]\n" for n in range(3000)) + "---\nx",
    "flow in flow": lambda size: "---\na: " + "[" * min(size, 60_000) + "\n---\nx",
    "a YAML bomb": lambda size: "---\na: &a [x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24))
    + "---\nx\n",
}  # fmt: skip

BYTES: dict[str, bytes] = {
    "nul.md": b"a\0b",
    "nuls.md": bytes(5000),
    "utf16.md": "# Sechzehn\n\nDie Tonne fasst 300 Liter.\n".encode("utf-16"),
    "utf16-half.md": b"\xff\xfe\x00\xd8\x41\x00",
    "utf16-odd.md": b"\xff\xfea\x00b",
    "utf32.md": "Text".encode("utf-32"),
    "surrogates.md": b"# A\n\nlone \xed\xa0\x80 surrogate\n",
    "mixed.md": b"# A\r\n\r\nOne.\rTwo.\r\r\nThree.\n\rFour.\r",
    "bom.md": b"\xef\xbb\xbf# Mark\n\nText.\n",
    "separators.md": "# A\n\none\u2028two\u2029three\x85four\x0bfive\x0csix\n".encode(),
    "latin.md": "Café in Köln, très bien.".encode("latin-1"),
    "only-front.md": b"---\ntitle: x\n---\n",
    "open-front.md": b"---\ntitle: x\n",
    "blank.md": b" \t\n\n",
}

NAMES = (
    "new\nline.md", 'quo"te\'s`.md', "emoji 🐝👩‍👩‍👧.md", "a" * 252 + ".md", "é" * 126 + ".md",
    "-rf.md", "--help.md", "~.md", "$HOME.md", "a;b|c&d.md", "%00.md", "con.md", " lead.md",
    "trail .md", "tab\t.md", "\u202egnp.md", "CASE.md", "case.md", "Case.md", "e\u0301.md", "\xe9.md",
)  # fmt: skip


def make_names(folder: Path) -> list[str]:
    """A note under each name that this file system takes; the names."""
    made = []
    for number, name in enumerate(NAMES):
        try:
            with open(folder / name, "x", encoding="utf-8") as file:
                file.write(f"# Note {number}\n\nIts word is {chr(97 + number) * 5}.\n")
        except (OSError, ValueError):
            continue
        made.append(name)
    with open(os.fsencode(folder) + b"/not-\xff-utf8.md", "wb") as file:
        file.write(b"x")
    return made


def make_specials(folder: Path) -> list[str]:
    """What is no file, or leads nowhere good, under the name of a note; their names."""
    os.mkfifo(folder / "pipe.md")
    plug = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(folder)  # a socket's path is short
    plug.bind("plug.md")
    os.chdir(here)
    plug.close()
    (folder / "out.md").symlink_to("/etc/passwd")
    (folder / "up").symlink_to(folder.parent)
    (folder / "around").symlink_to(folder)
    (folder / "self.md").symlink_to("self.md")
    (folder / "there.md").symlink_to("back.md")
    (folder / "back.md").symlink_to("there.md")
    (folder / "dangling.md").symlink_to("nowhere.md")
    (folder / "zero.md").symlink_to("/dev/zero")
    made = ["pipe.md", "plug.md", "out.md", "around", "up", "self.md", "there.md", "back.md",
            "dangling.md", "zero.md"]  # fmt: skip
    try:
        os.mknod(folder / "device.md", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        made.append("device.md")
    except OSError:  # only root may
        pass
    return made
