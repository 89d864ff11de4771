"""Which script a text is written in, as far as search needs to know."""

from __future__ import annotations

import re

# Letters of scripts that put no spaces between words, as ranges of a regular expression: Thai, Lao,
# Burmese and Khmer; kana and Chinese characters.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_NOT_LATIN = re.compile(
    f"[{UNSPACED}\u0370-\u0dff\u0f00-\u0fff\u10a0-\u177f\u1800-\u1cff\u1f00-\u1fff"
    "\u2c00-\u2c5f\u2c80-\u2dff\u3100-\u318f\ua000-\ua6ff\ua800-\uab2f\uabc0-\ud7ff]+"
)
_SHARE = 0.3  # of a text's letters; formulas with Greek in them stay below


def in_other_script(text: str) -> bool:
    """Whether a good part of a text's letters are not Latin."""
    if text.isascii():
        return False
    others = len(text) - len(_NOT_LATIN.sub("", text))
    # Counting all letters is slow, and seldom needed.
    return others * 10 > len(text) and others >= _SHARE * sum(map(str.isalpha, text))
