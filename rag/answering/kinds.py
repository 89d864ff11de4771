"""What kind of answer a question wants, told by rule."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["fact", "explanation", "list"]

_LIST = re.compile(
    r"^(?:please )?(?:list|enumerate|name (?:all|the|some|three|two|a few))\b|"
    r"^(?:what|which) (?:are|kinds|types|sorts|steps|ways|examples|features|traits|tools|systems|"
    r"rules|options|reasons|arguments)\b|"
    r"\bstep by step\b|\b(?:do|did) my notes (?:mention|name|list|bring up)\b",
    re.IGNORECASE,
)
# "How did" and "how was" ask for one event; in the present they ask how something is done.
_EXPLAIN = re.compile(
    r"^(?:please )?(?:explain|describe|summari[sz]e|compare|define|tell me (?:about|more)|"
    r"how (?:do|does|can|could|should|would|is|are)\b|should i\b|why\b|what(?:'s|s)? makes?\b|"
    r"what does .+ (?:mean|do|allow)\b|what do (?:i|we|my notes) (?:know|say|think))|"
    r"\bdiffer(?:s|ences?)?\b|^how .*\bdifferent\b|\b(?:vs|versus)\b|"
    r"^what(?:'s|s| is| are| was| were) (?:an? |the )?[\w'’-]+(?: [\w'’-]+)?\s*(?:\?|,|$)",
    re.IGNORECASE,
)


def kind_of(question: str) -> Kind:
    """`fact` for a phrase, `list` for a whole list, `explanation` for a few sentences."""
    if _LIST.search(question):
        return "list"
    return "explanation" if _EXPLAIN.search(question) else "fact"
