"""A follow-up that puts one thing in the place of another: "and Jonas's?" after "When is Tomasz's
birthday?" asks when Jonas's is, "and the limitations?" after one for the advantages of X for its
limitations.

Only where the place is plain; anything else is read beside the question before it
(rag/retrieval/followup.py).
"""

from __future__ import annotations

import re

from rag.retrieval.expected import MONTHS
from rag.retrieval.query import content_words

_I = re.IGNORECASE
_WORDS = r"[^\W_][\w’'&.-]*(?: [^\W_][\w’'&.-]*){0,3}"
_NO_OWNER = r"(?:what|who|where|when|how|why|it|that|there|here|let)[’']?s\b"
# "Tomasz's", "Dr Caradec's", "my": who or what something is of.
_OWNER = re.compile(
    rf"\b(?!(?i:{_NO_OWNER}))(?:my|our|your|his|her|their|its|"
    r"(?:[A-Z][\w.-]* ){0,2}[^\W\d_][\w-]*(?:[’']s|s[’']))(?= [^\W_])"
)
_NO_MARK = re.compile(  # "when does elsas passport expire"
    r"\b(?:is|are|was|were|does|do|did|has|have) (?P<owner>[^\W\d_]{3,}s)(?= [^\W_])"
)
_MINE = {"mine": "my", "ours": "our", "hers": "her", "theirs": "their", "his": "his"}
_OWNED = re.compile(rf"(?P<owner>his|her|its|their|[^\W_][\w-]*[’']s) (?P<what>{_WORDS})", _I)
_ATTRIBUTE = re.compile(rf"(?:the|its) (?P<what>{_WORDS})", _I)
_PART_OF = re.compile(
    rf"\bthe (?P<what>{_WORDS}) (?P<of>of|for|in|on) (?P<whole>(?:an? |the |my |our )?\S.*)$", _I
)
_PREPOSITION = r"(?:for|of|on|about|in|at|with|from|to|by|during)"
_BESIDE = re.compile(rf"(?P<by>{_PREPOSITION}) (?P<what>(?:an? |the |my |our )?{_WORDS})", _I)
_ABOUT = ("for", "of", "on", "about")  # each stands for the others
_NAME = re.compile(r"(?<!^)(?<![.?!] )\b(?!I\b)(?:[A-Z][\w.-]*|[\w-]*\d[\w-]*)(?: [A-Z][\w.-]*)*")
_PREPOSITIONS = re.compile(rf"{_PREPOSITION}\b", _I)
_WORKS = re.compile(r"(how (?:do|does) )(.+)( works?)", _I)
_EXTREME = (
    r"(?:best|worst|least|most|first|last|(?!(?:for|inter|w|r|t|gu|requ|harv|pri|ch|n|qu|cont|arr|"
    r"inv|sugg|prot|dig|hon|mod|north-?w|south-?w|midw)est\b)\w{2,}est)"
)
_SUPERLATIVE = re.compile(rf"(?:the )?(?P<what>{_EXTREME}(?: (?!ones?\b)\w+)?)(?: ones?)?", _I)
_AUXILIARY = (
    r"(?:do|does|did|is|are|was|were|be|been|have|has|had|can|could|will|would|shall|should|may|"
    r"might|must)"
)
_VERB = (
    rf"(?:{_AUXILIARY}|cost|costs|earns?|needs?|gets?|makes?|takes?|uses?|works?|means?|happens?|"
    r"says?|eats?|lives?|pays?|called)"
)
_A_THING = re.compile(
    rf"\b(?P<a>an?) (?P<what>\w[\w’'-]*(?: (?!{_PREPOSITION}\b|{_VERB}\b)\w[\w’'-]*){{0,2}})"
    rf"(?= (?:{_PREPOSITION}|{_VERB})\b|$)",
    _I,
)
_DOES = re.compile(
    r"(?P<begin>(?:what|how|when|where|why) (?:do|does|did) )"
    r"(?!(?:i|you|we|they|he|she|it|this|that|my|our|the|an?)\b)\S+(?P<end> \w+)",
    _I,
)
_IS_SO = re.compile(r"(?P<begin>what (?:is|are) (?:an? |the )?)\w+(?P<end> \w+)", _I)
_ADJECTIVE = re.compile(r"\w{2,}(?:al|ic|ive|ous|ful|less|able|ible|ary)", _I)
_OBJECT = re.compile(
    rf"(?P<begin>(?:which|what) (?!{_AUXILIARY}\b)\w+ (?!{_AUXILIARY}\b)\w+ )\w+", _I
)
_NO_NAME = re.compile(rf"(?:{MONTHS}|\w+day|\d+)s?", _I)
_NOTHING_NAMED = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|will|"
    r"would|should|has|have|had|if|not|then|now|so|else|also|too|again|instead|it|that|this)\b",
    _I,
)


def substituted(before: str, rest: str) -> str | None:
    """The question `before` with what `rest` names ("Jonas's" of "and Jonas's?") in the place of
    its like; None where the place is not plain."""
    before, rest = before.strip().rstrip("?!. "), rest.strip().rstrip("?!. ")
    if not rest or _NOTHING_NAMED.search(rest):
        return None
    owned = rest.casefold() in _MINE or (" " not in rest and re.search(r"(?:[’']s?|s)$", rest))
    if owned and (owner := _owner(before)):
        start, end = owner
        return f"{before[:start]}{_MINE.get(rest.casefold(), rest)}{before[end:]}?"
    if not content_words(rest):
        return None
    for rule in (
        _other_extreme,
        _other_attribute,
        _other_place,
        _other_name,
        _other_of_its_kind,
        _other_one,
        _other_word,
    ):
        if meant := rule(before, rest):
            return f"{meant}?"
    return None


def asked_otherwise(before: str, rest: str) -> str | None:
    """The question `before` for what "why" or "and where" asks; None where it asks for a thing or
    has no place for it."""
    asked = rest.strip().rstrip("?!. ").casefold()
    found = re.fullmatch(rf"(?:when|where|why|how)( {_AUXILIARY}\b.+?)[?!. ]*", before.strip(), _I)
    if found is None or asked not in ("when", "where", "why", "how"):
        return None
    return None if before.strip().casefold().startswith(asked) else f"{asked}{found[1]}?"


def _owner(before: str) -> tuple[int, int] | None:
    if match := _OWNER.search(before):
        return match.span()
    match = _NO_MARK.search(before)
    return match.span("owner") if match else None


def _other_attribute(before: str, rest: str) -> str | None:
    """ "And her birthday?" after "What is Marguerite's address?", "and the limitations?"."""
    owned = _OWNED.fullmatch(rest)
    attribute = owned or _ATTRIBUTE.fullmatch(rest)
    if attribute is None:
        return None
    asked = attribute["what"]
    is_ = "are" if asked.casefold().endswith("s") and not asked.casefold().endswith("ss") else "is"
    if owned and re.search(r"[’']s$", owned["owner"]):
        return f"what {is_} {rest}"
    if owner := _OWNER.search(before):
        return f"what {is_} {owner[0]} {asked}"
    if part := _PART_OF.search(before):
        return f"what {is_} the {asked} {part['of']} {part['whole']}"
    return None


def _other_place(before: str, rest: str) -> str | None:
    """ "And in York?" after "Where did we eat in Leeds?"; "for the car" in the place of "on the
    house insurance" is "for the car insurance"."""
    beside = _BESIDE.fullmatch(rest)
    if beside is None:
        return None
    by = beside["by"].casefold()
    alike = _ABOUT if by in _ABOUT else (by,)
    found = [
        match
        for match in re.finditer(
            rf"\b({_PREPOSITION}) ((?!{_PREPOSITION} )\S+(?: (?!{_PREPOSITION} )\S+)*)", before, _I
        )
        if match[1].casefold() in alike
    ]
    if not found:
        return None
    last = found[-1]
    what, held = beside["what"].split(), last[2].split()
    if what[0].casefold() in ("the", "my", "our") and len(what) == 2 and len(held) == 3:
        what = [*what, held[-1]]
    return f"{before[: last.start()]}{beside['by']} {' '.join(what)}{before[last.end() :]}"


def _other_name(before: str, rest: str) -> str | None:
    """ "And GPT-3?" after "How many parameters did GPT-2 have?"; "what about Marguerite?" after
    "When is Tomasz's birthday?"."""
    if not re.fullmatch(_WORDS, rest) or len(rest.split()) > 3:
        return None
    if works := _WORKS.fullmatch(before):
        return f"{works[1]}{rest}{works[3]}"
    named = any(each[0].isupper() or any(map(str.isdigit, each)) for each in rest.split())
    owner = _OWNER.search(before)
    if owner and (named or " " not in rest) and re.search(r"[’']s?$", owner[0]):
        return f"{before[: owner.start()]}{rest}’s{before[owner.end() :]}"
    names = [each for each in _NAME.finditer(before) if not _NO_NAME.fullmatch(each[0])]
    if not named or len(names) != 1:
        return None
    (name,) = names
    return f"{before[: name.start()]}{rest}{before[name.end() :]}"


def _other_extreme(before: str, rest: str) -> str | None:
    """ "And the weakest?" after "What is the strongest force?"."""
    wanted = _SUPERLATIVE.fullmatch(rest)
    found = list(re.finditer(rf"\b{_EXTREME}\b", before, _I))
    if wanted is None or len(found) != 1:
        return None
    (old,) = found
    return f"{before[: old.start()]}{wanted['what']}{before[old.end() :]}"


def _other_of_its_kind(before: str, rest: str) -> str | None:
    """ "And packet switching?" after "How is circuit switching charged for?"."""
    *_, head = words = rest.split()
    if not 2 <= len(words) <= 4 or _PREPOSITIONS.match(rest):
        return None
    like = rf"\b(?!{_PREPOSITION}\b|{_VERB}\b|(?:the|an?|my|our)\b)[\w’'-]+ {re.escape(head)}\b"
    found = list(re.finditer(rf"(?P<article>(?:\b(?:an?|the|my|our) )?){like}", before, _I))
    if len(found) != 1:
        return None
    (old,) = found
    named = words[0].casefold() in ("the", "a", "an", "my", "our")
    kept = "" if named else old["article"]
    return f"{before[: old.start()]}{kept}{rest}{before[old.end() :]}"


def _other_one(before: str, rest: str) -> str | None:
    """ "And a client?" after "What does a host do in MCP?"."""
    old = _A_THING.search(before)
    if old is None or not re.fullmatch(rf"an? {_WORDS}", rest, _I):
        return None
    if len(re.findall(r"\ban? ", before, _I)) != 1:
        return None  # in whose place?
    return f"{before[: old.start()]}{rest}{before[old.end() :]}"


def _other_word(before: str, rest: str) -> str | None:
    """ "And tuning?" after "What does retrieval change?", "and general?" after "What is narrow
    AI?", "and video?" after "Which tools make music?"."""
    if does := _DOES.fullmatch(before):
        return f"{does['begin']}{rest}{does['end']}" if len(rest.split()) <= 3 else None
    if (is_so := _IS_SO.fullmatch(before)) and _ADJECTIVE.fullmatch(rest):
        return f"{is_so['begin']}{rest}{is_so['end']}"
    if (makes := _OBJECT.fullmatch(before)) and rest.isalpha() and rest.islower():
        return f"{makes['begin']}{rest}"
    return None
