"""What answers a question at all, where its words tell: a time, a number, a name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rag.retrieval.query import content_words

if TYPE_CHECKING:
    from rag.retrieval.found import Evidence

Expected = Literal[
    "time", "date", "year", "price", "number", "distance", "name", "phone", "email", "mark"
]

_BEGINS = r"^\W*(?:(?:and|but|so|or)\s+)?"
# "When violence is used, what is it called?" asks for something else.
_ASKS_TIME = re.compile(
    rf"{_BEGINS}(?:(?:since|until|till|by|from)\s+)?when\b"
    r"(?!.*\b(?:what|who|whom|whose|which|where|how|why)\b)",
    re.IGNORECASE | re.DOTALL,
)
_ASKS_YEAR = re.compile(rf"{_BEGINS}(?:\w+\s+)?(?:what|which) year\b", re.IGNORECASE)
_ASKS_DATE = re.compile(
    rf"{_BEGINS}(?:\w+\s+)?(?:what|which) (?:[\w-]+ )?(?:date|day)\b", re.IGNORECASE
)
_ASKS_PRICE = re.compile(
    rf"{_BEGINS}(?:how much (?:money )?(?:do|does|did|is|are|was|were|will|would)\b.*\bcosts?|"
    r"what (?:do|does|did|will|would)\b.*\bcost|"
    r"(?:what|how much) (?:is|are|was|were) the (?:price|cost)s?|"
    r"how many (?:dollar|euro|pound|franc|crown|rupee|yen|cent)s?)\b",
    re.IGNORECASE,
)
# Not "how far" and "how long": "to the lake" and "until the end of the war" answer these.
_ASKS_NUMBER = re.compile(
    rf"{_BEGINS}(?:\w+\s+)?(?:how (?:many|much|big|large|tall|high|old|heavy|deep|wide)|"
    r"(?:what|which) (?:number|percent|percentage|proportion))\b",
    re.IGNORECASE,
)
_ASKS_DISTANCE = re.compile(rf"{_BEGINS}how far\b", re.IGNORECASE)
# Who teaches may be "professionals"; who founded it has a name.
_ASKS_NAME = re.compile(
    rf"{_BEGINS}who (?:first |originally )?(?:invent|discover|wrote|found|creat|made|design|direct|"
    r"built|nam|coin|propos|introduc|develop|compos|paint|brought out|came up with|thought up)"
    r"(?:e?d|ed)?\b",
    re.IGNORECASE,
)
# In a sentence, or in a few words: "Castellan Joinery phone number".
_NO_QUESTION = r"(?!.*\b(?:who|whose|when|where|how|why|is|are|was|does?|did|has|have|can)\b)"
_ASKS_PHONE = re.compile(
    rf"{_BEGINS}(?:(?:what|which)\b.*\b(?:(?:tele)?phone|mobile|cell) number\b|"
    rf"{_NO_QUESTION}.*\b(?:tele)?phone (?:number|no)\b)",
    re.IGNORECASE,
)
_ASKS_EMAIL = re.compile(
    rf"{_BEGINS}(?:(?:what|which)\b.*\be-?mail(?: address)?\W*$|"
    rf"{_NO_QUESTION}.*\be-?mail address\b)",
    re.IGNORECASE,
)
_ASKS_MARK = re.compile(
    rf"{_BEGINS}(?:(?:what|which) (?:mark|grade|score)s? (?:did|do|does|has|have)\b|"
    r"what (?:did|does|has) .+ (?:get|got|gotten|score)d? in\b.*\b(?:tests?|exams?|quiz|essay)\b)",
    re.IGNORECASE,
)
# A day of a month in words: "on the ninth", not "first looks up" nor "the first model".
_DAY = (
    r"(?:(?:twenty|thirty)[- ])?(?:first|second|third|(?:four|fif|six|seven|eigh|nin)th)|"
    r"(?:ten|eleven|twelf|(?:thir|four|fif|six|seven|eigh|nine)teen|twentie|thirtie)th"
)
_TIME = re.compile(
    rf"^(?:{_DAY})$|\bthe (?:{_DAY})(?=\s*(?:$|[.,;:)!?]|of\b))|"
    r"\d|\b(?:century|decade|year|month|week|day|night|morning|noon|evening|hour|minute|second|season|"
    r"(?:mid|to|week)(?:day|night|end)|fortnight|quarter|christmas|easter|"
    r"spring|summer|autumn|winter|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|yesterday|"
    r"tomorrow|ago|before|after|during|until|since|while|once|upon|when\w*|time|age|era|period|"
    r"war|later|earlier|early|late|annually|daily|never|always|birth|death|reign)s?\b|"
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|midnight|o[’']clock)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|half|halves|third|quarter|hundred|thousand|million|"
    r"billion|trillion|dozen|single|both|no|none|zero|once|twice|double|all|several|few|many|most|"
    r"majority)s?\b",
    re.IGNORECASE,
)
_ACRONYM = re.compile(r"([A-Z]{2,6})s?")
_ASKS_SHORT = re.compile(
    r"\b(?:abbreviat|acronym|initial|short|stand|call|known|letters|refer)", re.IGNORECASE
)
_UNITS_OF_TIME = "second|minute|hour|day|week|month|year"
# As people write them, in full or short; of a pattern.
MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_FITS = {
    "time": _TIME,
    "date": re.compile(
        r"\d[-./]\d|\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|"
        r"june|july|august|september|october|november|december|today|yesterday|tomorrow|\w+ day)\b",
        re.IGNORECASE,
    ),
    "year": re.compile(r"\d{3,4}"),
    # A number will do unless it counts time or weight: a cost may be told without its currency.
    "price": re.compile(
        r"[$€£¥₹]|\b(?:dollar|euro|pound|cent|penn|franc|crown|yen|rupee|free|nothing)|"
        rf"\d(?![\d.,]*\s*(?:%|(?:{_UNITS_OF_TIME})s?\b|tons?\b|[cmk]?m\b|[km]?g\b|m?l\b|"
        rf"(?:{MONTHS})\b))",
        re.IGNORECASE,
    ),
    "number": _NUMBER,
    # "To the lake" answers, "46:10" does not.
    "distance": re.compile(r"^(?!\W*\d{1,2}:\d{2}(?::\d{2})?\W*$)"),
    "phone": re.compile(r"\d(?:[ ()/.–-]{0,2}\d){4}"),
    "email": re.compile(r"\S@\S"),
    "mark": re.compile(
        rf"{_NUMBER.pattern}|(?-i:\b[A-F]\b)|\b(?:distinction|merit|pass(?:ed)?|fail(?:ed)?|first|"
        r"second|excellent|(?:very )?good|poor|satisfactory|top|best|full|honours)\b",
        re.IGNORECASE,
    ),
    # "the generator" is none; where names are not capitalised, "otto" may be one.
    "name": re.compile(r"(?!^(?:The|An?|Its|Their)\b)\b\w*[A-Z]|^(?!(?i:the|an?|its|their)\b)"),
}


def expected(question: str) -> Expected | None:
    """What alone answers a question; None where its words do not tell.

    Of 4,089 SQuAD questions on articles that were trained on it tells of 706; the gold answers of
    eight of these are not of the kind.
    """
    for kind, asks in _ASKS.items():
        if asks.search(question):
            return kind
    return None


_ASKS: dict[Expected, re.Pattern[str]] = {
    "time": _ASKS_TIME,
    "date": _ASKS_DATE,
    "year": _ASKS_YEAR,
    "price": _ASKS_PRICE,
    "number": _ASKS_NUMBER,
    "distance": _ASKS_DISTANCE,
    "name": _ASKS_NAME,
    "phone": _ASKS_PHONE,
    "email": _ASKS_EMAIL,
    "mark": _ASKS_MARK,
}


def fits(text: str, kind: Expected | None) -> bool:
    """Whether a text may hold what is expected; generous, since all are told in many ways."""
    return kind is None or _FITS[kind].search(text) is not None


def repeats(text: str, question: str) -> bool:
    """Whether a text only says again what the question does, which offers no choice."""
    if " or " in question:
        return False
    said = {*content_words(text)} or _words(text)
    new = said - (_words(question) - {"a", "an", "the"})
    short = (each for each in re.findall(r"\w+", text) if _shortens(each, question))
    return not new or new <= {each.casefold() for each in short}


def _shortens(text: str, question: str) -> bool:
    """Whether a word is short for words of a question ("GANs" for "generative adversarial
    networks") that does not ask for that. Two letters may be chance: but who it was, they are not.
    """
    short = _ACRONYM.fullmatch(text)
    if short is None or _ASKS_SHORT.search(question):
        return False
    if len(short[1]) < 3 and expected(question) != "name":
        return False
    initials = "".join(word[0] for word in content_words(question.replace("-", " ")))
    return short[1] in initials.upper()


def _words(text: str) -> set[str]:
    return {*re.findall(r"\w+", text.casefold())}


def nearest_fitting(read: Sequence[Evidence], kind: Expected | None) -> Evidence:
    """The best sentence that may hold what is expected, else the best."""
    return next((each for each in read if fits(each.text, kind)), read[0])
