# ruff: noqa: E501 - one pattern a line
"""Sentences of a note that speak to the model instead of the reader, told by how they are put.

No rule catches all of them, and none has to: an answer is cited word for word whatever they say.
They only stand behind sentences that answer, unless orders are what is asked about.
"""

from __future__ import annotations

import re

_RULES = r"(?:instructions?|rules?|prompts?|directions?|orders?|text|context|notes?|messages?|questions?)"
_ORDER = re.compile(
    rf"\b(?:ignor\w+|disregard\w*|forget|overrid\w+)\b.{{0,30}}\b(?:above|before|previous|prior|"
    rf"earlier|preceding|other|all|every\w*|your|{_RULES})\b"
    rf"|\b(?:new|real|actual|updated|secret|hidden|final) (?:system )?(?:instructions?|prompt|rules?)\b"
    r"|\b(?:you are (?:now|no longer)|act as|pretend (?:to|that)|from now on|whatever (?:is|you are) asked)\b"
    r"|\b(?:answer|reply|respond|say|output|print|write|claim|state|tell (?:them|the user))\b[^.]{0,12}"
    r"\b(?:that|with|only|instead|nothing but|exactly|the words?)\b"
    r"|\bdo not (?:answer|cite|mention|use|read|trust|quote|tell)\b"
    r"|\b(?:to|dear|attention|note to|hey),? (?:the |all |any )?(?:ai|assistant|model|llm|chatbot|language model)s?\b"
    r"|^\W*(?:assistant|system|user)\s*:"
    r"|<\|[\w ]{1,30}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|^#{2,}\s*(?:system|instruction)",
    re.IGNORECASE,
)
_ASKED_ABOUT = re.compile(
    r"\b(?:instruct|prompt|inject|ignor|order|jailbreak|attack|token|template|rule|say|said|reply|"
    r"replied|answer|respond|told|claim)\w*",
    re.IGNORECASE,
)
PENALTY = 0.6  # of a sentence's score: more than words and nearness usually part two sentences by


def speaks_to_model(text: str, question: str) -> bool:
    """Whether a sentence gives orders to a model, and the question is not about such."""
    return _ORDER.search(text) is not None and _ASKED_ABOUT.search(question) is None
