"""The names of notes as they are compared: case, accents and suffix set aside."""

from __future__ import annotations

import re
import unicodedata

_SUFFIX = re.compile(r"(?<=[^/])\.(?:md|markdown|txt|org|rst|html?|ipynb)$", re.IGNORECASE)
_ACCENTS = re.compile("[\u0300-\u036f]")
_NO_WORD = re.compile(r"[\W_]+")


def bare_name(path: str) -> str:
    """The name of the note at `path`: without folders and without a note's suffix."""
    return without_suffix(path.rstrip("/").rpartition("/")[2])


def without_suffix(path: str) -> str:
    """`path` without the suffix of a note at its end. Tables keep theirs."""
    return _SUFFIX.sub("", path)


def exact_key(name: str) -> str:
    """A name without regard to case, spaces and how its letters are encoded."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def name_key(name: str) -> str:
    """The same without accents too: the word under which a name is looked up."""
    return exact_key(without_accents(name.casefold()))


def heading_key(heading: str) -> str:
    """A heading as links write it: Obsidian drops punctuation from them."""
    return " ".join(_NO_WORD.sub(" ", name_key(heading)).split()) or exact_key(heading)


def without_accents(text: str) -> str:
    """`text` in compatible, composed letters; those of Latin, Greek and Cyrillic lose accents."""
    if text.isascii():
        return text
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", apart)
