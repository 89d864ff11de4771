"""Questions for a time: a name answers none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.retrieval.evidence import Evidence

# "When violence is used, what is it called?" asks for something else.
_ASKS = re.compile(
    r"^\W*(?:(?:and|but|so|or)\s+)?(?:(?:since|until|till|by|from)\s+)?when\b"
    r"(?!.*\b(?:what|who|whom|whose|which|where|how|why)\b)",
    re.IGNORECASE | re.DOTALL,
)
_TELLS = re.compile(
    r"\d|\b(?:century|decade|year|month|week|day|night|morning|noon|evening|hour|minute|second|season|"
    r"(?:mid|to|week)(?:day|night|end)|fortnight|quarter|christmas|easter|"
    r"(?:(?:twenty|thirty)[- ])?(?:first|third|(?:four|fif|six|seven|eigh|nin)th)|"  # of a month
    r"(?:ten|eleven|twelf|(?:thir|four|fif|six|seven|eigh|nine)teen|twentie|thirtie)th|"
    r"spring|summer|autumn|winter|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|yesterday|"
    r"tomorrow|ago|before|after|during|until|since|while|once|upon|when\w*|time|age|era|period|"
    r"war|later|earlier|early|late|annually|daily|never|always|birth|death|reign)s?\b",
    re.IGNORECASE,
)


def asks_when(question: str) -> bool:
    """Whether nothing but a time answers the question."""
    return _ASKS.search(question) is not None


def tells_when(text: str) -> bool:
    """Whether a text may hold a time; generous, since times are told in many ways."""
    return _TELLS.search(text) is not None


def nearest_time(read: Sequence[Evidence]) -> Evidence:
    """The best sentence that tells a time, else the best."""
    return next((each for each in read if tells_when(each.text)), read[0])
