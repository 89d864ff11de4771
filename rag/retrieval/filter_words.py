"""Filters that are named in words: "tagged ml", "in the folder work", "in work/"."""

from __future__ import annotations

import re

from rag.indexing.filtering import Filters

_I = re.IGNORECASE
_TAG = r"#?[\w/-]*[^\W\d_][\w/-]*"
_TAGGED = re.compile(
    rf"\b(?:that are |which are |are )?(?:tagged(?: with| as)?|(?:with|having|have) the tags?) "
    rf"[\"“]?(?P<tags>{_TAG}(?:(?:, | and |, and )"
    rf"(?!mention|about|contain|from|in\b){_TAG})*)[\"”]?",
    _I,
)
_FOLDER = re.compile(
    r"\b(?:in|under|inside|from) (?:(?:the |my )?(?:folder|directory) (?P<a>\"[^\"]+\"|\S+)|"
    r"(?:the |my )?(?P<b>\"[^\"]+\"|[^\s/]\S*)(?: folder| directory)\b|(?P<c>\S+/)(?=\s|$))",
    _I,
)


def named_filters(text: str) -> tuple[str, Filters]:
    """The tags and folders that are named in words, and what is left of the text."""
    filters = Filters()
    if match := _TAGGED.search(text):
        tags = re.split(r", and |, | and ", match["tags"])
        filters = filters.joined(Filters(tags=tuple(tag.lstrip("#").strip("/") for tag in tags)))
        text = f"{text[: match.start()]} {text[match.end() :]}"
    if match := _FOLDER.search(text):
        place = (match["a"] or match["b"] or match["c"]).strip('"')
        filters = filters.joined(Filters(paths=(place,)))
        text = f"{text[: match.start()]} {text[match.end() :]}"
    text = re.sub(r"^(?: ?\b(?:and|that|which)\b)+|(?: ?\b(?:and|that|which))+$", "", text.strip())
    return " ".join(text.split()), filters
