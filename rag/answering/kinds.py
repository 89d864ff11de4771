"""What kind of answer a question wants, told by rule."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["fact", "explanation", "list"]

_LIST = re.compile(
    r"^(?:please )?(?:list|enumerate|name (?:all|the|some|three|two|a few)|"
    r"what are (?:the|some|all)\b|which are\b|what (?:kinds|types|sorts|steps|ways|examples) )",
    re.IGNORECASE,
)
_EXPLAIN = re.compile(
    r"^(?:please )?(?:explain|describe|summari[sz]e|compare|define|tell me (?:about|more)|"
    r"how (?:do|does|can|should|would) (?:i|you|one|we|it|they|\w+(?: \w+){0,3} work)\b|"
    r"what(?:'s| is| are|s) (?:the )?differences? between|what does .+ mean\b|"
    r"what do (?:i|we|my notes) (?:know|say|think)|why\b)|"
    r"^what(?:'s|s| is| are| was| were) (?:an? |the )?[\w'’-]+(?: [\w'’-]+)?\s*\?*$",
    re.IGNORECASE,
)


def kind_of(question: str) -> Kind:
    """`fact` for a phrase, `list` for a whole list, `explanation` for a few sentences."""
    if _LIST.search(question):
        return "list"
    return "explanation" if _EXPLAIN.search(question) else "fact"
