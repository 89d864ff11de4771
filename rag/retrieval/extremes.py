"""Which note is to be the first of some order, told by rule: "my highest rated book", "which recipe
takes the least time?", "whose birthday is next?", "my last meeting with Priya"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_I = re.IGNORECASE
_RATING = frozenset("rating rated score stars grade".split())
_LENGTH = frozenset("pages length duration runtime minutes distance".split())
_TIME = frozenset("time minutes duration total_time cook_time cooking_time".split())
_PRICE = frozenset("price cost rent fee".split())
_BIRTH = frozenset("birthday born birthdate dob".split())
# What each superlative compares, and whether the greatest is meant.
_OF = {
    words: (keys, most)
    for alternatives, keys, most in (
        ("highest rated|best rated|top rated|best|favourite|favorite", _RATING, True),
        ("lowest rated|worst rated|worst", _RATING, False),
        ("longest", _LENGTH, True),
        ("shortest", _LENGTH, False),
        ("quickest|fastest", _TIME, False),
        ("slowest", _TIME, True),
        ("cheapest|least expensive", _PRICE, False),
        ("most expensive|priciest|dearest", _PRICE, True),
        ("youngest", _BIRTH, True),
        ("oldest", _BIRTH, False),
    )
    for words in alternatives.split("|")
}
_BY_NAME = {
    word: most
    for words, most in (
        ("highest most largest biggest greatest longest best latest", True),
        ("lowest least fewest smallest shortest worst earliest", False),
    )
    for word in words.split()
}
_SUPERLATIVE = "|".join(sorted((re.escape(each) for each in _OF), key=len, reverse=True))
_IS = r"(?:[’']s| is| are| was| were)"
_OWN = r"(?:the |my |our )"
_NAMED = rf"(?P<most>{'|'.join(_BY_NAME)}) (?P<field>[\w-]+)"
_WHICH = r"(?:which|what)(?: of my| of our)? (?P<noun>[^,;]+?)"
_FORMS = tuple(
    re.compile(pattern, _I)
    for pattern in (
        # What is my highest rated book (by Le Guin)?
        rf"(?:what|which|who){_IS} {_OWN}(?P<superlative>{_SUPERLATIVE}) (?P<noun>.+)",
        # Which recipe is the quickest?
        rf"{_WHICH} (?:is|are|was|were) (?:the )?(?P<superlative>{_SUPERLATIVE})",
        # Which book has the most pages?
        rf"{_WHICH} (?:has|have|had|takes|take|took|got) the {_NAMED}",
        rf"(?P<noun>who) has the {_NAMED}",
        rf"{_OWN}(?P<superlative>{_SUPERLATIVE}) (?P<noun>.+)",
        # Whose birthday is next? What is the next deadline? My last meeting with Priya
        r"(?:which|what) (?P<dated>[\w-]+) (?:is|comes) (?P<next>next)(?: up)?",
        r"whose (?P<dated>[\w-]+) (?:is|comes) (?P<next>next)(?: up)?",
        rf"(?:what|which|when|who){_IS} {_OWN}(?P<next>next|last|latest) (?P<dated>.+)(?<! about)",
        r"who has the (?P<next>next|last|latest) (?P<dated>[\w-]+)",
        rf"{_OWN}(?P<next>next|last|latest) (?P<dated>.+)",
    )
)
# The reader's own is no note's.
_MINE = re.compile(r".*\bmy (?:next|last|latest) (?:birthday|anniversary)", _I)
_SEVERAL = re.compile(
    r"^(?:what|which|who) (?:are|were) |\b(?:are|were) (?:the )?\w+(?: \w+)?$", _I
)


@dataclass(frozen=True, slots=True)
class Extreme:
    """What orders notes: their fields of these `keys`, or of the name `field`; the greatest first
    if `most`. With `days` "next" or "last" it is days, those to come or those that are over; those
    of a field may be both where the "latest" is asked for. One note comes first unless `several`;
    `words` are as they were asked."""

    keys: frozenset[str]
    field: str
    most: bool
    days: str
    several: bool
    words: str


def find_extreme(text: str) -> tuple[Extreme, str] | None:
    """What orders the notes, and the question without it, which asks for all of them; None where
    no order is asked for."""
    for form in _FORMS:
        match = form.fullmatch(text)
        if match and not _MINE.fullmatch(text):
            return _read(match.groupdict(), bool(_SEVERAL.search(text)))
    return None


def _read(said: dict[str, str | None], several: bool) -> tuple[Extreme, str]:
    noun = said.get("noun") or ""
    if superlative := said.get("superlative"):
        keys, most = _OF[superlative.casefold()]
        return Extreme(keys, "", most, "", several, superlative), f"which {noun}"
    if most_ := said.get("most"):
        field = (said["field"] or "").casefold()
        most = _BY_NAME[most_.casefold()]
        extreme = Extreme(frozenset(), field, most, "", several, f"{most_} {field}")
        return extreme, f"who has a {field}" if noun.casefold() == "who" else f"which {noun}"
    next_, dated = said["next"] or "", said["dated"] or ""
    days = next_.casefold()
    extreme = Extreme(frozenset(), "", days != "next", days, several, f"{next_} {dated}")
    return extreme, f"which {dated}"
