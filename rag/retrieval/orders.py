# ruff: noqa: E501 - one pattern a line
"""Sentences of a note that speak to the model instead of the reader, told by how they are put.

No rule catches all of them, and none has to: an answer is cited word for word whatever they say.
They stand behind sentences that answer, and models read the others, where there are any; unless
orders are what is asked about.
"""

from __future__ import annotations

import re

_RULES = r"(?:instructions?|rules?|prompts?|directions?|orders?|text|context|notes?|messages?|questions?)"
_ORDER = re.compile(
    rf"\b(?:ignor\w+|disregard\w*|forget|overrid\w+)\b.{{0,30}}\b(?:above|before|previous|prior|"
    rf"earlier|preceding|other|all|every\w*|your|{_RULES})\b"
    rf"|\b(?:new|real|actual|updated|secret|hidden|final) (?:system )?(?:instructions?|prompt|rules?)\b"
    r"|\b(?:you are (?:now|no longer)|pretend (?:to|that)|from now on|whatever (?:is|you are) asked)\b"
    r"|(?:^|[.;:,!?>*]\s*|\b(?:and|then)\s+)(?:please )?(?:answer|reply|respond|say|output|print|tell the user)\b(?![),])"
    r"[^.]{0,12}\b(?:that|with|only|instead|nothing but|exactly|the words?)\b"
    r"|\bdo not (?:answer|cite|mention|use|read|trust|quote|tell)\b"
    r"|(?:^\W*(?:to|dear|hey|attention)|\b(?:note|message|notice|instructions?) (?:to|for)),? (?:the |all |any )?"
    r"(?:ai|assistant|model|llm|chatbot|language model)s?\b"
    r"|^\W*(?:assistant|system|user)\s*:"
    r"|^#{2,}\s*(?:system|instruction)|^\W*(?:answer|response|reply)\s*:.*\[\d{1,2}\]\s*$",
    re.IGNORECASE,
)
# Marks of chat templates: a turn of a conversation that never was goes on to the end of its lines.
_TURN = re.compile(r"<\|[\w ]{1,30}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>", re.IGNORECASE)
_ASKED_ABOUT = re.compile(
    r"\b(?:instruct|prompt|inject|ignor|order|jailbreak|attack|token|template|rule|say|said|reply|"
    r"replied|answer|respond|told|claim)\w*",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:what|which|who|whom|whose|when|where|why|how|until|in|on|at|to|of)\W+(?:\w+\W+){3}",
    re.IGNORECASE,
)
PENALTY = 0.6  # of a sentence's score: more than words and nearness usually part two sentences by


def speaks_to_model(text: str, question: str, around: str = "") -> bool:
    """Whether a sentence gives orders to a model, and the question is not about such.

    `around` are the lines that it stands among, without a blank one between.
    """
    if _ASKED_ABOUT.search(question):
        return False
    if _QUESTION.match(question) and _letters(question) in _letters(text):
        return True  # the question itself, and what the writer wants said to it
    return _ORDER.search(text) is not None or _TURN.search(f"{around}\n{text}") is not None


def is_order(passage_text: str, start: int, end: int, question: str) -> bool:
    """Whether the sentence `passage_text[start:end]` speaks to the model."""
    around = passage_text[:start].rpartition("\n\n")[2] + passage_text[end:].partition("\n\n")[0]
    return speaks_to_model(passage_text[start:end], question, around)


def _letters(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
