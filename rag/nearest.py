"""What a reader may have meant by a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.65  # of two names, from 0 to 1: "nope" and "openai" have 0.6
_FEW = 5
_PART = 3  # letters of a part that tells something


def nearest(word: str, names: Iterable[str]) -> str:
    """The shortest of `names` that begins with `word` or holds it, else the most similar; "" where
    none is near. Case does not matter, nor do the dashes of flags, which all of them share."""
    folded = {_bare(each): each for each in sorted(names, key=len)}
    asked = _bare(word)
    if not asked:
        return ""
    begun = [each for each in folded if each.startswith(asked)]
    held = [each for each in folded if len(asked) >= _PART and asked in each]
    found = begun or held or difflib.get_close_matches(asked, folded, n=1, cutoff=_ALIKE)
    return folded[found[0]] if found else ""


def _bare(name: str) -> str:
    return name.casefold().lstrip("-")


def meant(word: str, names: Iterable[str], otherwise: str = "") -> str:
    """A question after the nearest of `names`; where none is near, what there is, if that is
    little, else `otherwise`."""
    known = list(dict.fromkeys(names))
    if near := nearest(word, known):
        return f"Did you mean {near!r}?"
    if 0 < len(known) <= _FEW:
        return f"There is: {', '.join(known)}."
    return otherwise
