"""Questions that a sentence answers, where a rule builds one surely: what, who, when, where, how
many. A sentence that fits none gives none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.evaluation.proposal import Kind, Proposal, Sentence, even, sentences
from rag.evaluation.subjects import SUBJECT, Subjects
from rag.evaluation.verbs import BASES, PASTS
from rag.reading.documents import Document

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_YEAR = r"(?:1[0-9]|20)\d\d\b"
_DATE = (
    rf"(?P<date>\d{{4}}-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}(?: {_YEAR})?|"
    rf"{_MONTH} \d{{1,2}}(?:, {_YEAR})?|(?:{_MONTH} )?{_YEAR}|the {_YEAR[:-2]}s)"
)
_NUMBER = (
    r"\d(?:[\d.,]*\d)?(?:\s(?:million|billion|thousand))?|two|three|four|five|six|seven|eight|nine|"
    r"ten|eleven|twelve"
)
_END = r"(?=[.,;:!)]?$|[,;:]\s|\s[(–—-])"
# A sentence may go on after its date.
_AT = (
    rf"(?:\s(?:in|on)\s{_DATE}(?=[.,;:!)]?$|[,;:]\s|\s[(–—-]|\s(?:and|but|by|after|when|as|with|under|at|"
    rf"for|to)\s)|{_END})"
)
_PLAIN = r"[^,;:()\[\]“”\"–—]"
_PERSON = r"[A-Z][\w'’-]+(?:\s(?:[A-Z]\.\s)*[A-Z][\w'’-]+){0,3}"
_PARTICIPLE = "|".join(sorted(PASTS, key=len, reverse=True))
_PAST = "|".join(sorted(BASES, key=len, reverse=True))

_DEFINES = re.compile(
    rf"{SUBJECT}\s(?P<verb>is|are|was|were)\s(?P<what>(?:an?|the|one of)\s"
    r"(?:[^.;:,()\[\]]|\.(?=\w)|,(?=\s?\d)){8,})"
)
_MEANS = re.compile(
    rf"{SUBJECT}\s(?P<verb>stands for|refers to|means|consists of)\s(?P<what>{_PLAIN}{{6,}}?){_END}"
)
_WHEN_DONE = re.compile(
    rf"(?:In (?P<before>{_YEAR}),?\s)?{SUBJECT}\s(?P<verb>was|were)\s"
    rf"(?P<done>(?:first\s)?(?:{_PARTICIPLE}))"
    rf"(?P<rest>(?:\s{_PLAIN}{{0,60}}?)??){_AT}"
)
_WHEN_DID = re.compile(
    rf"(?:In (?P<before>{_YEAR}),?\s)?{SUBJECT}\s(?P<did>{_PAST})"
    rf"(?P<rest>(?:\s{_PLAIN}{{0,60}}?)??){_AT}"
)
_WHO_DID = re.compile(rf"(?P<who>{_PERSON})\s(?P<did>{_PAST})\s(?P<rest>{_PLAIN}{{6,80}}?){_END}")
_BY_WHOM = re.compile(
    rf"{SUBJECT}\s(?:was|were)\s(?P<done>{_PARTICIPLE})"
    rf"(?P<rest>(?:\s{_PLAIN}{{0,40}}?)??)\sby\s(?P<who>{_PERSON})(?P<more>(?:\s(?:in|on|at)\s{_PLAIN}{{2,40}}?)?){_END}"
)
_WHERE = re.compile(
    rf"{SUBJECT}\s(?P<verb>is|are|was|were)\s(?P<done>located|situated|headquartered|based|born|"
    rf"buried|kept|stored|hidden)\s(?P<where>(?:in|at|on|near|under|behind|next to)\s"
    rf"(?!\d|{_MONTH})(?:{_PLAIN}){{3,50}}?){_END}"
)
_ABOUT = r"(?:(?:over|about|around|nearly|approximately|almost|more than|at least|some)\s)?"
_COUNTS = re.compile(
    rf"{SUBJECT}\s(?P<verb>has|have|had|holds?|held|contains?|contained|employs?|employed|seats?|"
    rf"needs?|needed)\s{_ABOUT}(?P<number>{_NUMBER})\s"
    r"(?P<things>(?!more|other|additional|further|such|million)(?:[a-z-]+\s)?[a-z]+s)"
    rf"(?=[.,;:!]?$|[,;]\s|\s(?:in|on|of|at|for|and|from|with|across|per|a)\s)"
)
_MUCH = re.compile(
    rf"{SUBJECT}\s(?P<verb>costs?|weighs?|weighed)\s{_ABOUT}"
    rf"(?P<what>(?:[$€£]\s?)?(?:{_NUMBER})(?:\s?[\w%€$£]+){{0,3}}){_END}"
)
_VALUE = re.compile(
    rf"The\s(?P<what>[a-z][a-z-]*(?:\s[a-z-]+)?)\sof\s(?P<of>{_PLAIN}{{2,50}}?)\s(?P<verb>is|was)\s"
    rf"(?:about\s|around\s)?(?P<value>[$€£]?\d{_PLAIN}{{0,30}}?){_END}"
)
# Things do so, too: who is asked for only where somebody must have done it.
_NOT_OF_PEOPLE = frozenset(
    "came became began grew opened started moved ended closed died reached left gave saw brought "
    "took made set arrived expanded developed merged returned finished".split()
)
_ASIDE = re.compile(r"\s\([^()]*\)")
_BASE = {
    "has": "have", "had": "have", "held": "hold", "contained": "contain", "employed": "employ",
    "needed": "need", "weighed": "weigh",
}  # fmt: skip
# "a problem in many fields" tells nobody what a thing is.
_VAGUE = re.compile(
    r"(?:an?|the) (?:\w+ly )?(?:(?:big|good|great|major|common|main|key|real|long|short|recent|"
    r"very|most|well|only|first|next|last|same|best|notable|significant|popular|important|clear|"
    r"useful|\w+est) )*"
    r"(?:problem|result|example|way|part|thing|fact|matter|reason|number|lot|bit|case|time|year|"
    r"day|place|chance|question|issue|challenge|sign|source|one|subject|areas?|goal|aim|idea|move|"
    r"step|component|factors?|causes?|concern|success|growth|most|same|first|last|only|very)\b"
    r"|one of the most",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:an?|the)\s(?:[\w'’-]+\s){0,5}?(?:\w{3,}(?:ist|ian|ographer|opher)|king|queen|president|author|"
    r"leader|founder|player|coach|professor|teacher|miller|writer|painter|engineer|doctor|poet|"
    r"mother|father|brother|sister|wife|husband|son|daughter|friend|colleague|neighbour|neighbor|"
    r"uncle|aunt|cousin|emperor|duke|lawyer|architect|composer|inventor|explorer|singer|actor|"
    r"actress|judge|minister|priest|monk|officer|general|director|manager|owner|chair|head|"
    r"performer|rusher|holder|champion|winner|dentist|plumber|carpenter|gardener|vet|nurse)(?=\s(?:of|in|for|who|from|at|and|with|since|"
    r"by|until|to|whose|on)\b|[\s.,]*$)"
)
_ORGANISATION = re.compile(
    r"\b(?:University|College|School|Company|Corporation|Inc|Society|Association|Institute|Union|"
    r"Council|Committee|Party|Church|Empire|Army|Museum|Network|Street|Bridge|River|City|County|"
    r"Act|War|Treaty|League|Theatre|Museum|Kingdom|States|Bowl|Games|Group|Model|Models|California)\b"
)
_POINTS = frozenset(
    "it they them he him she her his their these those this that there then we us our i you "
    "who which what whose where when while because also another other such so".split()
)
_GOES_ON = re.compile(r"\s(?:and|but) (?:this|that|it|he|she|they|these|those|there|so)\s")
_OPEN_END = frozenset(
    "a an the of in on at by for from to with and or but as than into over under about between "
    "after before not more most very its".split()
)


def from_sentences(document: Document, subjects: Subjects) -> Iterator[Proposal]:
    """At most one question of a kind for each sentence of the paragraphs."""
    for block in document.blocks:
        for each in sentences(block):
            text = even(each.text)
            asked = {one[0]: one for one in _questions(_ASIDE.sub("", text), subjects)}
            asked |= {one[0]: one for one in _questions(text, subjects)}
            for kind, question, answer, about in asked.values():
                yield _proposal(document, each, kind, question, answer, about)


def _proposal(
    document: Document, sentence: Sentence, kind: Kind, question: str, answer: str, about: str
) -> Proposal:
    first, last = sentence.first, sentence.last
    asked = " ".join(question.split())
    return Proposal(asked, answer.strip(" .,"), document.path, first, last, kind, about)


_Asked = tuple[Kind, str, str, str]  # and the answer, and what it is about


def _questions(text: str, subjects: Subjects) -> Iterator[_Asked]:
    yield from _what(text, subjects)
    yield from _when(text, subjects)
    yield from _who(text, subjects)
    yield from _where(text, subjects)
    yield from _amount(text, subjects)


def _what(text: str, subjects: Subjects) -> Iterator[_Asked]:
    match = _DEFINES.match(text)
    if match and (subject := subjects.subject(match["subject"])):
        what, named = match["what"].strip(), subjects.name(subject)
        vague = _VAGUE.match(what) or (what.startswith("one of") and not named)
        # "A fundamental error was the belief that …" tells an error, and defines none.
        turned = subject.startswith(("a ", "an ")) and not what.startswith(("a ", "an "))
        # A person, it seems, but not what he or she did.
        someone = match["verb"] == "was" and named and " " in subject and subject[0].isupper()
        someone = someone and _is_person(subject, subjects) and not _ROLE.match(what)
        if not (vague or turned or someone) and _whole(what) and (named or _tells(what)):
            person = subject.split()[-1][0].isupper() and _ROLE.match(what)
            asks = "Who" if person else "What"
            yield "definition", f"{asks} {match['verb']} {subject}?", what, subject
    match = _MEANS.match(text)
    if match and (subject := subjects.subject(match["subject"])) and _whole(match["what"]):
        verb, _, particle = match["verb"].partition(" ")
        question = f"What does {subject} {verb.removesuffix('s')} {particle}".strip() + "?"
        yield "definition", question, match["what"], subject


def _tells(what: str) -> bool:
    """Whether "a press that squeezes apples" says more than what sort of thing it is."""
    return len(what.split()) >= 4


def _when(text: str, subjects: Subjects) -> Iterator[_Asked]:
    for pattern in (_WHEN_DONE, _WHEN_DID):
        match = pattern.match(text)
        if not match or bool(match["before"]) == bool(match["date"]):
            continue
        subject, rest = subjects.subject(match["subject"]), _rest(match["rest"])
        if not subject or rest is None or re.search(r"\d{4}", rest):
            continue
        done = match.groupdict()
        if done.get("done"):
            question = f"When {match['verb']} {subject} {done['done']} {rest}"
        else:
            question = f"When did {subject} {BASES[match['did']]} {rest}"
        yield "when", f"{question.strip()}?", match["before"] or match["date"], subject


def _who(text: str, subjects: Subjects) -> Iterator[_Asked]:
    match = _WHO_DID.match(text)
    if match and match["did"] not in _NOT_OF_PEOPLE and _is_person(match["who"], subjects):
        rest = _rest(match["rest"])
        if rest and subjects.says(rest) and "its" not in rest.split():
            yield "who", f"Who {match['did']} {rest}?", match["who"], rest
    match = _BY_WHOM.match(text)
    if match and _is_person(match["who"], subjects):
        subject = subjects.subject(match["subject"])
        rest = _rest(f"{match['rest']} {match['more']}")
        if subject and rest is not None:
            question = f"Who {PASTS[match['done']]} {subject} {rest}".strip()
            yield "who", f"{question}?", match["who"], subject


def _where(text: str, subjects: Subjects) -> Iterator[_Asked]:
    match = _WHERE.match(text)
    if match and (subject := subjects.subject(match["subject"])) and _whole(match["where"]):
        place = re.sub(r"^(?:in|at|on)\s", "", match["where"])
        yield "where", f"Where {match['verb']} {subject} {match['done']}?", place, subject


def _amount(text: str, subjects: Subjects) -> Iterator[_Asked]:
    match = _COUNTS.match(text)
    if match and (subject := subjects.subject(match["subject"])):
        verb = match["verb"]
        past = verb in ("had", "held", "contained", "employed", "needed")
        does = "did" if past else "does" if verb.endswith("s") else "do"
        base = _BASE.get(verb, verb.removesuffix("s"))
        question = f"How many {match['things']} {does} {subject} {base}?"
        yield "amount", question, f"{match['number']} {match['things']}", subject
    match = _MUCH.match(text)
    if match and (subject := subjects.subject(match["subject"])):
        verb = match["verb"]
        does = "does" if verb.endswith("s") else "did"
        base = _BASE.get(verb, verb.removesuffix("s"))
        yield "amount", f"How much {does} {subject} {base}?", match["what"], subject
    match = _VALUE.match(text)
    if match and (subject := subjects.subject(match["of"][0].upper() + match["of"][1:])):
        question = f"What {match['verb']} the {match['what']} of {subject}?"
        yield "amount", question, match["value"], subject


def _is_person(name: str, subjects: Subjects) -> bool:
    return subjects.name(name) and not name.endswith("ly") and not _ORGANISATION.search(name)


def _whole(text: str) -> bool:
    """Whether a phrase ends where it may, and speaks of nothing that stands elsewhere."""
    words = text.casefold().split()
    return (
        bool(words)
        and words[-1] not in _OPEN_END
        and words[0] not in _POINTS
        and not re.search(r"\b[A-Z]\.[A-Z]\Z", text)  # cut in "the U.S."
        and not _GOES_ON.search(text)
    )


def _rest(text: str) -> str | None:
    """The rest of a sentence, to stand in a question; None where it cannot."""
    words = text.split()
    if not words:
        return ""
    folded = [each.casefold() for each in words]
    if _POINTS.intersection(folded) or folded[-1] in _OPEN_END or len(words) > 14:
        return None
    return " ".join(words)
