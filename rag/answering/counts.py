"""How many of what: a number answers for the thing that is counted, not for its neighbour."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.links import plain
from rag.retrieval.found import Evidence

_ASKED = re.compile(r"\bhow many ((?:[\w-]+ ?){1,3})", re.IGNORECASE)
# What ends the name of the counted thing.
_END = re.compile(
    r"\b(?:a|an|the|are|is|was|were|do|does|did|can|could|has|have|had|will|would|of|in|on|at|for|"
    r"from|per|to|there|that|should|may|might|must)\b.*",
    re.IGNORECASE,
)
_WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
_NUMBER = (
    rf"(?:(?:\d[\d,.]*\d|\d|\b(?:{'|'.join(_WORDS)})\b)"
    r"(?:\s+(?:hundred|thousand|million|billion|trillion))?)"
)
# Symbols as they are written: "5 M" may be five million.
_MEASURE = re.compile(
    rf"{_NUMBER}\s?(?:mg|g|kg|ml|cl|l|mm|cm|m|km|°[CF]|%|[€$£]|"
    r"(?:milli|kilo)?gram(?:me)?s?|(?:centi|milli)?lit(?:re|er)s?|(?:centi|milli|kilo)?met(?:re|er)s?|"
    r"(?:second|minute|hour|day|week|month|year)s?)"
)
_UNITS = (
    r"(?:[mµ]?g|kg|[mcd]?l|L|[mck]?m|m²|m³|°[CF]?|%|[€$£]|[kM]?W|kWh|V|m?A|mAh|Ah|Hz|[kMGT]B|bar|psi|hp|"
    r"mph|km/h|kn|kcal|dB|Nm|lbs?|oz|ft|min|h)"
)
# An amount in two units, of which one alone is another amount: "7lb 11oz", "3y 2m".
_OF_THE_NEXT = (
    (r"lbs?|pounds?", r"oz|ounces?"),
    (r"(?<!\b1)st|stones?", r"lbs?|pounds?"),  # "the 1st 2 pounds" are none
    (r"ft|feet|foot|['’]", r"in|inch(?:es)?|[\"”]"),
    (r"y|yrs?|years?", r"m|mths?|months?|w|wks?|weeks?|d|days?"),
    (r"mths?|months?", r"w|wks?|weeks?|d|days?"),
    (r"w|wks?|weeks?", r"d|days?"),
    (r"d|days?", r"h|hrs?|hours?"),
    (r"h|hrs?|hours?", r"m|mins?|minutes?"),
    (r"m|mins?|minutes?", r"s|secs?|seconds?"),
)
TWO_UNITS = re.compile(
    "|".join(
        rf"(?<![\w.,]){_NUMBER}\s?(?:{one})\s?(?:and\s)?{_NUMBER}\s?(?:{next_})(?!\w)"
        for one, next_ in _OF_THE_NEXT
    ),
    re.IGNORECASE,
)
_COUNTS_MEASURES = re.compile(
    r"gram|lit(?:re|er)|met(?:re|er)|mile|feet|foot|inch|percent|per cent|degree|euro|dollar|pound|"
    r"cent\b|cents|ounce|ton\b|tons|tonne|%|"
    r"second|minute|hour|day|week|month|year|time|long|old\b|\b(?:g|kg|mg|l|ml|cl|m|km|cm|mm)\b",
    re.IGNORECASE,
)


def counted(question: str) -> str:
    """What the question counts, as its last noun: "layers" of "How many hidden layers does …"."""
    asked = _ASKED.search(question)
    words = _END.sub("", asked[1]).split() if asked else []
    return words[-1].casefold() if words else ""


def counts_another(phrase: str, thing: str, evidence: Evidence) -> bool:
    """Whether `phrase` is a number that the sentence puts before other things than `thing`."""
    text = " ".join(plain(evidence.text).split())
    after = re.search(rf"{re.escape(phrase)}\s+([a-z][\w-]*)", text, re.IGNORECASE)
    if after is None or not re.fullmatch(_NUMBER, phrase, re.IGNORECASE):
        return False
    return after[1].endswith("s") and thing.removesuffix("s") not in after[1].casefold()


def measures(phrase: str, question: str) -> bool:
    """Whether a phrase is a weight, a length or the like, where a question counts things."""
    return bool(_MEASURE.fullmatch(phrase.strip())) and not _COUNTS_MEASURES.search(question)


def with_unit(phrase: str, evidence: Evidence) -> str:
    """A bare number with the unit that stands behind it: "90 L" for the "90" of "90 L tank"."""
    if not re.fullmatch(_NUMBER, phrase, re.IGNORECASE):
        return phrase
    text = " ".join(plain(evidence.text).split())
    found = re.search(rf"(?<![\w.,]){re.escape(phrase)}\s?{_UNITS}(?!\w)", text)
    return found[0] if found else phrase


def number_of(thing: str, read: Sequence[Evidence]) -> tuple[str, Evidence] | None:
    """The first number that stands right before `thing` in a sentence that was read, best first."""
    stem = re.escape(thing.removesuffix("s"))
    pattern = re.compile(rf"({_NUMBER})\s+(?:[\w-]+\s+)?{stem}(?:s|es)?\b", re.IGNORECASE)
    for each in read:
        found = pattern.search(" ".join(plain(each.text).split()))
        if found:
            return found[1], each
    return None
