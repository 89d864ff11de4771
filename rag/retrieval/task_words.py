"""Which tasks a question asks for, told by rule: "which tasks are open?", "what do I still have to
do for [[Garden]]?", "what is due this week?". Tasks are the items "- [ ] …" of notes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from rag.indexing.filtering import Filters, Span
from rag.retrieval.filter_words import named_filters
from rag.retrieval.query import content_words
from rag.retrieval.when import When, find_when

Tasks = Literal["open", "done", "all"]

_I = re.IGNORECASE
_OPEN = (
    r"(?:still )?(?:open|unfinished|undone|unchecked|unticked|outstanding|pending|remaining|"
    r"incomplete|left|to do|not (?:yet )?done(?: yet)?)"
)
_DONE = r"(?:(?:already )?(?:done|finished|completed|closed|checked|ticked)(?: off)?)"
_STATUS = rf"(?:(?P<open>{_OPEN})|(?P<done>{_DONE}))"
_AFTER = rf"(?:(?P<open2>{_OPEN})|(?P<done2>{_DONE}))"
_ASKS = re.compile(
    r"^(?:(?:please )?(?P<list>list|show|find|give|get)(?: me)?|which|how many|"
    r"what(?:[’']s| is| are| were)?|are there(?: any)?|(?P<own>(?:do i|do we) have(?: any)?|"
    r"have (?:i|we)(?: got)?(?: any)?))?"
    r"(?P<all>(?: ?\b(?:all|any|of|the|a|every))*)(?P<my>(?: ?\b(?:my|our))?) ?"
    rf"(?:{_STATUS} )?(?P<what>tasks?|(?P<todo>to-?dos?|to-?do items?|action (?:items?|points?)))\b"
    r"(?: (?:that|which))?(?: (?:(?:are|is)(?: there)?|were|have|(?:do )?(?:i|we) have|there are)"
    rf"(?: been)?)?(?: {_AFTER})?(?: to do)?(?P<rest>| .+)$",
    _I,
)
_TO_DO = re.compile(
    r"^(?:what (?:all )?(?:do|have) (?:i|we) (?:still )?(?:(?:have|need|got) )?(?:still )?"
    r"(?:left )?to (?:do|get done)|what(?:[’']s| is) (?:still )?(?:left )?(?:to do|to be done|"
    r"on (?:my|our) to-?do list)|(?:(?:show|list)(?: me)? )?(?:my|our) to-?do list)(?P<rest>| .+)$",
    _I,
)
_NOT_DONE = re.compile(
    r"^(?:which|what) (?:jobs|chores|tasks|things|repairs)"
    r"(?P<rest>| (?:on|for|about|in|at|from) .+?) "
    r"(?:(?:are(?:n[’']?t| not| still not)|have(?:n[’']?t| not) been) (?:yet )?(?:done|finished)"
    r"(?: yet)?|(?:still )?(?:need|have) to be (?:done|finished))$",
    _I,
)
# The same of things by their own name: "which snags are left from the refit?", "outside jobs that
# still need doing", "what's left to finish on the quilt?".
_BE = r"(?:[’']s| is| are| were)"
_LEFT = (
    r"(?:(?:still )?(?:outstanding|unfinished|not (?:yet )?(?:done|finished|sorted|fixed))"
    r"(?: yet)?(?! by\b)|"
    r"(?:still )?(?:to be|to get) (?:done|finished|sorted|fixed)|"
    r"(?:still )?left(?: over)?(?: to (?:do|finish|get done|sort(?: out)?|fix|complete)|"
    r"(?! (?:of|out|behind|by|wing|hand)\b))|"
    r"(?:still )?need(?:s|ing)? (?:to be (?:done|finished|sorted|fixed)|"
    r"(?:doing|finishing|sorting|fixing)))"
)
_OF_THINGS = (
    rf"(?:which|what)(?P<things>(?: [\w’'-]+){{1,3}}?)(?:{_BE}| do)? {_LEFT}(?P<rest>| .+)",
    rf"(?:which|what)(?P<things>(?: [\w’'-]+){{1,3}}?)(?P<rest>(?: .+?)?) (?:that |which )?{_LEFT}",
    rf"what{_BE}(?P<things>)(?: there)? {_LEFT}(?P<rest> .+)",
    rf"(?:the |any |all )?(?P<things>[\w’'-]+(?: [\w’'-]+)*?) "
    rf"(?:that|which) (?:are )?{_LEFT}(?P<rest>| .+)",
)
_THINGS_LEFT = tuple(re.compile(each, _I) for each in _OF_THINGS)
# Words for tasks, which say nothing of what they are about.
_FOR_TASKS = frozenset(
    "job jobs chore chores task tasks thing things item items bit bits stuff work point points "
    "action actions still need needs left done remains".split()
)
_TOPIC = re.compile(
    r"(?:about|on|for|of|in|from|with|regarding|concerning|mentioning|that mention|at) "
    r"(?:(?:my|our|the) )?(?:(?:note|project|page) (?=\[\[|\"|“))?(?P<topic>.+)",
    _I,
)
_BARE = re.compile(
    r"(?!(?:to|that|which|who|when|if|than|and|or|as)\b)[\w’'-]+(?: [\w’'-]+){0,3}", _I
)
_OVERDUE = re.compile(
    r"\b(?:overdue|past due)\b|\blate(?= (?:tasks?|to-?dos?)\b)|(?<=\bare )late$|(?<=\bis )late$",
    _I,
)
_COMING = re.compile(r"(?:(?:for|on|in) )?(?:today|tomorrow|(?:this|next) \w+|\w+day)", _I)
_DUE = re.compile(r"\b(?:that are |which are )?due\b", _I)
_WHAT = re.compile(r"(?:what(?:[’']s| is| are| was)?|anything|is anything)(?: still)?", _I)


@dataclass(frozen=True, slots=True)
class TasksAsked:
    """The tasks that are asked for; `topic` is what they or their note are about, "" for any; with
    `due` they are due on one of these days. The reader's `own` are meant, and nothing else."""

    which: Tasks
    topic: str
    filters: Filters
    due: When | None = None
    own: bool = False


def find_due_tasks(text: str, today: date) -> TasksAsked | None:
    """The tasks due on certain days that a question asks for; None where it asks for none such."""
    due, rest = _due(" ".join(text.split()).rstrip("?!. "), today)
    if due is None:
        return None
    if _WHAT.fullmatch(rest):
        return TasksAsked("open", "", Filters(), due)
    asked = find_tasks_asked(rest, dated=True)
    return asked and replace(asked, due=due)


def _due(text: str, today: date) -> tuple[When | None, str]:
    """When tasks are to be due, and the text without it."""
    if match := _OVERDUE.search(text):
        rest = f"{text[: match.start()]}{text[match.end() :]}"
        past = Span(None, today - timedelta(days=1))
        return When(past, None, True, "overdue", ""), " ".join(rest.split())
    match = _DUE.search(text)
    if match is None:  # "what do I have to do tomorrow?"
        when = find_when(text, today)
        if when is None or not _COMING.fullmatch(when.words.strip()):
            return None, text
        rest = re.sub(r" for$", "", when.rest)
        asked = find_tasks_asked(rest, dated=False)
        meant = asked is not None and asked.which == "open" and not asked.topic
        words = f"due {when.words.removeprefix('for ')}"
        return (replace(when, words=words), rest) if meant else (None, text)
    when = find_when(text[match.end() :], today)
    if when is None:
        return None, text
    rest = " ".join(f"{text[: match.start()]} {when.rest}".split())
    return replace(when, words=f"due {when.words}"), rest


def find_tasks_asked(text: str, dated: bool = False) -> TasksAsked | None:
    """The tasks that a question asks for; None where it asks for something else. With `dated`, it
    said when they are due."""
    text = " ".join(text.split()).rstrip("?!. ")
    if match := _TO_DO.match(text):
        return _asked("open", match["rest"])
    if match := _NOT_DONE.match(text):
        return _asked("open", match["rest"])
    match = _ASKS.match(text)
    if match is None:
        return _things_left(text)
    if match["done"] or match["done2"]:
        return _asked("done", match["rest"])
    if match["open"] or match["open2"]:
        asked = _asked("open", match["rest"], bare=bool(match["open"]))
        return asked and replace(asked, own=bool(match["my"] or match["own"]))
    asked = _asked("all" if "all" in match["all"].casefold().split() else "open", match["rest"])
    # "The tasks of a router" are none of the reader's; "my tasks" and "list the tasks" may be, and
    # "tasks tagged garden" are.
    if dated or match["my"] or match["own"] or match["todo"] or match["list"]:
        return asked
    return asked if asked and asked.filters.tags else None


def _things_left(text: str) -> TasksAsked | None:
    """Open tasks that are called something else, which must be about something."""
    match = next(filter(None, (each.fullmatch(text) for each in _THINGS_LEFT)), None)
    if match is None:
        return None
    rest, filters = named_filters(match["rest"].strip())
    words = [each for each in content_words(f"{match['things']} {rest}") if each not in _FOR_TASKS]
    return TasksAsked("open", " ".join(words), filters) if words else None


def _asked(which: Tasks, rest: str, bare: bool = False) -> TasksAsked | None:
    """With `bare`, the topic may follow without a preposition: "open tasks garden"."""
    rest, filters = named_filters(rest.strip())
    topic = _TOPIC.fullmatch(rest)
    said = topic["topic"] if topic else rest if bare and _BARE.fullmatch(rest) else ""
    if rest and not said:
        return None
    return TasksAsked(which, said.strip(" \"“”'"), filters)
