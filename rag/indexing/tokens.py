"""Text made ready for the word index, whose tokenizer knows spaces and the ASCII of letters.

Accents go, and letters written in one way or another become the same. Scripts without spaces
have no words that a tokenizer could find: every two neighbouring letters make one, and in notes
every single letter too, so that a question of one letter finds it.
"""

from __future__ import annotations

import re

from rag.reading.naming import without_accents
from rag.reading.scripts import UNSPACED

# Korean has spaces, but endings grow onto its words.
_RUN = re.compile(f"[{UNSPACED}\uac00-\ud7a3]+")


def noted(text: str) -> str:
    """The text of a note as the word index takes it."""
    return _spaced(text, singles=True)


def asked(text: str) -> str:
    """The text of a question as the word index takes it."""
    return _spaced(text, singles=False)


def _spaced(text: str, singles: bool) -> str:
    if text.isascii():
        return text

    def split(found: re.Match[str]) -> str:
        run = found[0]
        pairs = [run[at : at + 2] for at in range(len(run) - 1)]
        return f" {' '.join([*pairs, *run] if singles or not pairs else pairs)} "

    return _RUN.sub(split, without_accents(text))
