"""What kind of answer a question wants, told by rule."""

from __future__ import annotations

import re
from typing import Literal

from rag.retrieval.language import in_english

Kind = Literal["fact", "explanation", "list", "comparison"]

_LIST = re.compile(
    r"^(?:please )?(?:list|enumerate|name (?:all|the|some|three|two|a few))\b|"
    r"^(?:what|which) (?:are|kinds|types|sorts|steps|ways|examples|features|traits|tools|systems|"
    r"rules|options|reasons|arguments)\b|"
    r"^(?:what|which) (?:[\w-]+ ){1,3}(?:kinds|types|steps|features|tools|systems|options) "
    r"(?:are|do|does|have|has|can)\b|"
    r"^(?:what|which) (?:[\w-]+ ){1,3}(?:are there|exist)\b|"
    r"\bstep by step\b|\b(?:do|did) my notes (?:mention|name|list|bring up)\b",
    re.IGNORECASE,
)
# Asked of a thing and said in a phrase: "What was the wedding date?", "What is Ada's role?".
_ATTRIBUTE = (
    r"(?:[\w'’-]+ )?(?:address|age|amount|author|birthday|capacity|cause|cost|date|"
    r"deadline|duration|e-?mail|fee|height|hobby|job|length|location|name|number|outcome|pace|"
    r"password|percentage|phone|population|price|purpose|rate|rent|result|role|salary|score|size|"
    r"speed|surname|time|title|value|weight|width|year)\s*(?:\?|,|$)"
)
_ONE_OF_ALL = r"(?:\w{3,}est|most|least|next|last|best|worst|first) "  # said in a phrase
# Of a longer name: "a hybrid generative model", not "an example of rock" nor "a PPP known as".
_NO_CLAUSE = r"(?!(?:of|in|on|at|to|for|with|from|that|which|called|known|used)\b)[\w'’-]+"
# "How did" and "how was" ask for one event; in the present they ask how something is done.
_EXPLAIN = re.compile(
    r"^(?:please )?(?:explain|describe|summari[sz]e|compare|define|tell me (?:about|more)|"
    r"how (?:to|do|does|can|could|should|would|is|are)\b|should i\b|why\b|what(?:'s|s)? makes?\b|"
    r"what does .+ (?:mean|do|allow)\b|what do (?:i|we|my notes)(?: on .+)? (?:know|say|think)\b)|"
    r"\bdiffer(?:s|ences?)?\b|"
    r"\barguments\b|^what can be done\b|\bpros and cons\b|\bfor and against\b|"
    r"^how .*\bdifferent\b|\b(?:vs|versus)\b|"
    rf"^what(?:'s|s| is| are| was| were) (?:an? |the )?(?!{_ATTRIBUTE})(?!{_ONE_OF_ALL})"
    r"[\w'’-]+(?: [\w'’-]+)?\s*(?:\?|,|$)|"
    rf"^what(?:'s|s| is| was) an? (?!.*\b{_ATTRIBUTE})(?:{_NO_CLAUSE} ){{2}}{_NO_CLAUSE}"
    r"\s*(?:\?|$)",
    re.IGNORECASE,
)


# What is compared with what. Of "A and B", both must be short: a clause is no side.
_SIDES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:difference|distinction|contrast|similarit(?:y|ies)|trade-?offs?|choice|choose|decide|"
        r"relation(?:ship)?)s? between (?P<a>.+?) and (?P<b>.+)$",
        r"^(?:please )?(?:compare|contrast|compare and contrast) (?P<a>.+?) "
        r"(?:and|with|to|against|versus|vs\.?) (?P<b>.+)$",
        r"^how (?:do|does|did|can) (?P<a>.+?) (?:differ from|compare (?:to|with)) (?P<b>.+)$",
        r"^how (?:is|are|was|were) (?P<a>.+?) (?:different|distinct) from (?P<b>.+)$",
        r"^how (?:do|does|did|are|is) (?P<a>.+?) and (?P<b>.+?) "
        r"(?:differ|compare|different|alike|similar)\b",
        r"^what (?:distinguishes|separates|sets) (?P<a>.+?) (?:apart )?from (?P<b>.+)$",
        r"^(?:should|do|would|can) (?:i|we|you) (?:use|choose|pick|take|prefer|go (?:with|for)) "
        r"(?P<a>.+?) or (?P<b>.+)$",
        r"^(?:which|what)(?: one)? (?:is|are|works?) (?:the )?(?:better|best|\w{3,}er|more \w+)"
        r"(?: [\w ]+)?[,:] (?P<a>.+?) or (?P<b>.+)$",
        r"^when (?:does|do|should) .+? (?:use|choose|take|pick) (?P<a>.+?) and when (?P<b>.+)$",
        r"^(?:what is better[,:] )?(?P<a>.+?) (?:vs\.?|versus) (?P<b>.+)$",
    )
)
_PLURAL = r"(?!(?:does|was|has|is|this|his|its)\b)[a-z]{2,}[^su\W]s"
# Of several things, whatever the notes call them: one of them is half an answer.
_MANY = re.compile(
    rf"^(?:and )?(?:which {_PLURAL}\b|(?:which|what) (?:[\w-]+ )?{_PLURAL} "
    r"(?:am|are|were|do|did|have|had|can|could|should|must|will)\b|what tells you\b|"
    r"what (?:(?:[\w-]+ ){0,2}(?:kit|gear|equipment|stuff|food|clothing|luggage) )?"
    r"(?:do|did|should|must|shall) (?:i|we|you) (?:still |all )?"
    r"(?:need|have to|want to|pack|bring|buy|take|get)\b|"
    r"who(?:[’']?s| is| are| was| were)(?: all)? on (?:the|my|our)\b|"
    r"what(?:[’']?s| is| was| are| were) (?:\w{3,}ed )?(?:in|on|inside|into) "
    r"(?:the|my|our|her|his)\b|"
    r"what (?:goes|went|belongs|comes) (?:in|into|on|with)\b|"
    r"what (?:were|are) (?:the|my|our|her|his|their)\b|what all\b|"
    r"who(?: all)? (?:came|come|comes|attended|joined|were|are|is coming|was (?:there|at|with))\b)",
    re.IGNORECASE,
)
_NAMES_SEVERAL = re.compile(
    rf"^(?:and )?(?:what|which) (?:[\w.'’-]+ ){{0,3}}?{_PLURAL} (?:is|are|was|were|do|does|did|has|"
    r"have|had|can|could|should|must|will)\b",
    re.IGNORECASE,
)
_MOST_SIDE_WORDS = 8
_ASKS = r"(?:who|whom|what|which|when|where|why|how)\b"
_ASKS_FIRST = re.compile(rf"\b{_ASKS}", re.IGNORECASE)
_ASKS_AGAIN = re.compile(rf"\band (?:(?:in|since|by|from|with|for) )?{_ASKS}", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|my|our|using|to use) ", re.IGNORECASE)


def sides_of(question: str) -> tuple[str, str] | None:
    """The two things that a question compares, or None where it compares none."""
    text = question.strip().rstrip("?!. ")
    for pattern in _SIDES:
        if match := pattern.search(text):
            first, second = (_ARTICLE.sub("", match[side].strip(' ,"“”')) for side in "ab")
            if all(1 <= len(each.split()) <= _MOST_SIDE_WORDS for each in (first, second)):
                return first, _ending(first, second)
    return None


def _ending(first: str, second: str) -> str:
    """The second side without what belongs to the question: "BERT in practice, and why"."""
    second = re.split(r",| and (?:why|when|how)\b", second)[0].strip()
    return second or first


def asks_many(question: str) -> bool:
    """Whether several things may be asked for: "what's packed in the grab bag?"."""
    return _MANY.match(question.strip()) is not None


def names_several(question: str) -> bool:
    """Whether things are asked for by what they are, in the plural: "what tablets is Ada on?"."""
    return _NAMES_SEVERAL.match(question.strip()) is not None


def kind_of(question: str) -> Kind:
    """`fact` for a phrase, `list` for a whole list, `explanation` for a few sentences,
    `comparison` for some about each of two sides."""
    if sides_of(question):
        return "comparison"
    if _LIST.search(question):
        return "list"
    return "explanation" if _EXPLAIN.search(question) else "fact"


def is_read_for(question: str) -> bool:
    """Whether the reader was taught such questions: of fact, in English."""
    return kind_of(question) == "fact" and in_english(question)


def first_asked(question: str) -> str:
    """The first of two questions in one, "Who made it" of "Who made it, and when?", else the whole.
    Two are answered by no phrase, maybe by the sentence of one."""
    again = _ASKS_AGAIN.search(question)
    if again is None or not _ASKS_FIRST.search(question, 0, again.start()):
        return question
    return question[: again.start()].rstrip(" ,;") + "?"
