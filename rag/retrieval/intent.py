"""What a question wants, told by rule: an answer from notes, or a list of the notes themselves.

"Which notes mention X", "what links to [[X]]", "notes tagged ml from March" and "my newest note
on X" ask for notes, "my open tasks" for lines of them; a list answers them and no model is needed.
Everything else is a question that the notes may answer, with its filters and words of time taken
out.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from rag.indexing.filtering import Filters
from rag.retrieval.filter_words import named_filters
from rag.retrieval.filters import parse
from rag.retrieval.query import check_question, content_words
from rag.retrieval.summary_words import Summary, find_summary
from rag.retrieval.task_words import Tasks, find_due_tasks, find_tasks_asked
from rag.retrieval.time_words import TimeWords, check_days, find_time
from rag.retrieval.when import When

Order = Literal["best", "newest", "oldest"]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of notes that is asked for; all that is empty does not matter.

    `topic` is what they mention, `links_to` and `links_from` name a note, `limit` is how many.
    With `question`, that is to be answered from the first of the listed notes, and no list is
    wanted. With `tasks`, their tasks are listed, those that are `due` then. Not `sure` where a
    list is meant only if that note exists: "what links to LLM?"; or if there are such tasks. If
    `sure`, none are told of where no note speaks of tasks.
    """

    topic: str = ""
    links_to: str = ""
    links_from: str = ""
    order: Order = "best"
    limit: int | None = None
    question: str = ""
    sure: bool = True
    tasks: Tasks | None = None
    due: When | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question understood: `typed` as it was, `text` without filters, `query` what is searched.
    `named` is the text with the title of a note for an alias or a pronoun, "" where it has none.

    Where not `certain`, words about time may belong to what is asked instead. With `summary`,
    whole notes are to be summed up. `day` is one of which notes of other days may speak.
    """

    typed: str
    text: str
    query: str
    filters: Filters
    listing: Listing | None
    certain: bool = True
    summary: Summary | None = None
    named: str = ""
    day: date | None = None


def understand(
    typed: str,
    known_keys: Collection[str],
    today: date,
    given: Filters | None = None,
    timed: bool = True,
    follows: bool = False,
    summed: bool = True,
) -> Asked:
    """Understand a question asked `today`; `given` are filters from elsewhere, such as flags.

    With `timed` false, words about time are left in the question; where it follows another, they
    are if there are no others: "and in 2017?". With `summed` false it asks for no summary. Raises
    QuestionError.
    """
    typed = check_question(typed) if typed.strip() or not given else ""
    filters, text = parse(typed, known_keys, today)
    filters = filters.joined(given or Filters())
    if not text and filters:
        return Asked(typed, "", "", filters, Listing(order="newest"))
    text = check_question(text)
    check_days(text)
    if due := find_due_tasks(text, today):
        tasks = Listing(due.topic, sure=False, tasks=due.which, due=due.due)
        return Asked(typed, text, text, filters.joined(due.filters), tasks)
    time = find_time(text, today) if timed else None
    if time and follows and not content_words(time.rest):
        time = None
    summary, places = None, Filters()
    if summed:
        summary, places, time = _summary(text, time, bool(filters))
    if time:
        spans = (time.span,)
        filters = filters.joined(Filters(changed=spans) if time.changed else Filters(written=spans))
    if summary is None and time and _DID_WHAT.match(time.rest.strip().rstrip("?!. ")):
        summary = Summary(points=_POINTS_OF_A_DAY)
    if summary is not None:
        filters = filters.joined(places)
        return Asked(typed, text, text, filters, None, _certain(time), summary)
    rest = time.rest if time else text
    listing, named = _listing(rest, time is not None)
    filters = filters.joined(named)
    if listing is not None and not listing.question:
        query = listing.topic if listing.sure and listing.topic else rest
        return Asked(typed, rest, query, filters, listing)
    question = listing.question if listing else rest
    query = _subject(question) if time else question
    return Asked(typed, question, query, filters, listing, _certain(time), day=_day(time))


def _summary(
    text: str, time: TimeWords | None, filtered: bool
) -> tuple[Summary | None, Filters, TimeWords | None]:
    """What is to be summed up, with the filters that it names, and the words about time unless
    they belong to the name of a note: "summarise my note on the trip in May"."""
    found = find_summary(text, filtered)
    if found and found[0].sure:
        return *found, None
    later = find_summary(time.rest, filtered=True) if time else None
    if later and later[0].sure:
        return *later, time
    return *(found or (None, Filters())), None if found else time


def _day(time: TimeWords | None) -> date | None:
    """The one day that is asked about, unless by when notes were written."""
    if time is None or time.writing or time.span.first != time.span.last:
        return None
    return time.span.first


def _certain(time: TimeWords | None) -> bool:
    return time is None or time.certain


_ABOUT = re.compile(
    r"^what (?:did|have|had|do) (?:i|we) (?:\w+ly |last |just )?(?:write|wrote|written|say|said|"
    r"(?:note|record|jot|add|change|edit|update)(?:d|ed|ted)?)(?: down)? "
    r"(?:about|on|of|regarding) (.+)$",
    re.IGNORECASE,
)


def _subject(question: str) -> str:
    """What "what did I write about X" is about: its frame is in no note."""
    match = _ABOUT.match(question)
    return match[1] if match and content_words(match[1]) else question


# Grammar of lists

_I = re.IGNORECASE
_NUMBERS = {
    word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)
}
_COUNT = r"(?P<n>\d{1,3}|" + "|".join(_NUMBERS) + ")"
_ORDER = r"(?P<order>newest|latest|most recent|last|oldest|earliest|first)"
_NOTES = (
    r"(?P<notes>notes?|(?:journal|diary) entry|(?:journal|diary) entries|(?:daily|journal) notes?)"
)
_ORDERED = (
    rf"(?:(?:{_ORDER}|recent) )?(?:{_COUNT} )?(?:(?P<order2>newest|latest|most recent|oldest) )?"
)
_OPENING = re.compile(
    r"^(?:(?:please )?(?:list|show|find|give|get|name)(?: me)?|which(?: ones?)?(?: of)?|in which|"
    r"how many(?: of)?|what(?:[’']s| is| are| was| were)?|(?:are|is) there|"
    r"do (?:i|we) have|have (?:i|we)(?: got)?)?"
    rf"(?: ?\b(?:all|any|of|the|a|my|our|every|me))* ?{_ORDERED}{_NOTES}\b(?P<rest>.*)$",
    _I,
)
_FILLER = re.compile(
    r"^(?:,|that|which|are|were|is|was|do|did|have|had|has|i|we|my|wrote|written|write|made|created|there|"
    r"added|changed|edited|updated|modified|in my vault|of mine)\b ?",
    _I,
)
_MENTION = re.compile(
    r"^(?:mention(?:s|ed|ing)?|contain(?:s|ed|ing)?|includ(?:es?|ed|ing)|discuss(?:es|ed|ing)?|"
    r"cover(?:s|ed|ing)?|refer(?:s|red|ring)? to|"
    r"(?:talk|speak)(?:s|ing)? (?:about|of|on)|says? (?:some|any)thing (?:about|on)|"
    r"deal(?:s|ing)? with|about|on|regarding|concerning|related to|with)"
    r"(?: the (?:word|words|term|phrase))? (?P<topic>.+)$",
    _I,
)
_TO = re.compile(
    r"^(?:(?P<sure>(?:which|what)(?: of)?(?: my| the)? notes?|"
    r"(?:list |show |find )?(?:me )?(?:all )?(?:the |my )?notes?)"
    r"(?: that| which)? (?:links?|linking|points?|pointing|refers?|linked)|"
    r"what (?:all )?(?:links?|points?)|(?P<back>(?:what are |show |list )?(?:the )?back-?links?))"
    r"(?: back)?(?: to| of| for) (?P<name>.+)$",
    _I,
)
_FROM = re.compile(
    r"^(?:(?:what|which notes?|where) (?:does|is|do) (?P<a>\[\[.+?\]\]) links? to|"
    r"(?:show |list )?(?:the |all )?(?:outgoing )?links (?:from|in) (?P<b>\[\[.+?\]\]))$",
    _I,
)
_WROTE_WHAT = re.compile(
    r"^what (?:all )?(?:did|have|had) (?:i|we) (?:write|written|"
    r"(?:note|add|change|edit|update|record)(?:d|ed)?)(?: down)?(?: in my notes)?$|"
    r"^what(?:[’']s| is| has)?(?: been)? (?:new|changed|added)(?: in my notes)?$",
    _I,
)
# What the notes of a day or a week say, not which they are.
_DID_WHAT = re.compile(
    r"^what (?:all )?(?:did|have|had) (?:i|we) (?:do|done|work(?:ed)? on|get done|gotten? done)$|"
    r"^what (?:all )?(?:happene?d|went on|was going on)$",
    _I,
)
_POINTS_OF_A_DAY = 10
_LAST_WROTE = re.compile(
    r"^(?P<when>when|what) did (?:i|we) last (?:write|note|jot)(?: down)?(?: something| anything)? "
    r"(?:about|on) (?P<topic>.+)$",
    _I,
)
_NEWEST_SAYS = re.compile(
    rf"^what (?:does|did|do) (?:my|our|the) {_ORDER} {_NOTES}(?: (?:on|about|mentioning|regarding) "
    r"(?P<topic>.+?))? (?:say|said|tell me|contain)(?: (?:about|on|of) (?P<about>.+))?$",
    _I,
)


def _listing(question: str, timed: bool) -> tuple[Listing | None, Filters]:
    """The list that a question asks for, if it does, and the filters that it names in words."""
    text = question.strip().rstrip("?!. ")
    if not text:
        return Listing(order="newest"), Filters()
    for rule in (_links, _last, _newest_says):
        if found := rule(text):
            return found, Filters()
    if tasks := find_tasks_asked(text):
        sure = tasks.own and not tasks.topic
        return Listing(tasks.topic, sure=sure, tasks=tasks.which), tasks.filters
    if timed and _WROTE_WHAT.match(text):
        return Listing(order="newest"), Filters()
    return _notes_that(text)


def _links(text: str) -> Listing | None:
    if match := _FROM.match(text):
        return Listing(links_from=_name(match["a"] or match["b"]))
    match = _TO.match(text)
    if not match:
        return None
    sure = bool(match["sure"] or match["back"] or match["name"].startswith("[["))
    return Listing(links_to=_name(match["name"]), sure=sure)


def _last(text: str) -> Listing | None:
    match = _LAST_WROTE.match(text)
    if not match:
        return None
    asked = "" if match["when"].casefold() == "when" else match["topic"]
    return Listing(_clean(match["topic"]), order="newest", limit=1, question=asked)


def _newest_says(text: str) -> Listing | None:
    match = _NEWEST_SAYS.match(text)
    if not match:
        return None
    question = match["about"] or match["topic"] or ""
    listing = Listing(_clean(match["topic"] or ""), order=_order(match["order"]), limit=1)
    return replace(listing, question=question)


def _notes_that(text: str) -> tuple[Listing | None, Filters]:
    """ "(Which of) my (three newest) notes (that) mention X (tagged ml) (in work/)"."""
    opening = _OPENING.match(text)
    if not opening:
        return None, Filters()
    rest, filters = named_filters(opening["rest"])
    while (shorter := _FILLER.sub("", rest.strip(), count=1)) != rest:
        rest = shorter
    mention = _MENTION.match(rest)
    if rest and not mention:
        return None, Filters()
    word = opening["order2"] or opening["order"]
    many = opening["notes"].casefold().endswith("s")
    limit = _limit(opening["n"]) or (1 if word and not many else None)
    listing = Listing(
        _clean(mention["topic"]) if mention else "",
        order=_order(word) if word else "best" if mention else "newest",
        limit=limit,
    )
    return listing, filters


def _order(word: str) -> Order:
    return "oldest" if word.casefold() in ("oldest", "earliest", "first") else "newest"


def _limit(count: str | None) -> int | None:
    if not count:
        return None
    return (int(count) if count.isdecimal() else _NUMBERS[count.casefold()]) or None


def _clean(topic: str) -> str:
    """A topic without what surrounds it; its quotes stay, they ask for the very words."""
    topic = re.sub(r"^(?:anything (?:about|on) )|(?: in (?:it|them))$", "", topic.strip(), flags=_I)
    return topic.replace("[[", "").replace("]]", "").strip(" ?!.,;")


def _name(text: str) -> str:
    """The name of a note, out of its brackets or quotes."""
    inner = re.search(r"\[\[([^\[\]]+)\]\]", text)
    name = inner[1].split("|")[0].split("#")[0] if inner else text
    return re.sub(r"^(?:my |the )?note ", "", name.strip(" \"'“”?!."), flags=_I).strip(" \"'“”")
