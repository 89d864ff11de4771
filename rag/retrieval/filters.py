"""Filters as people type them: `tag:ml path:"my notes/" since:2024-02 status:draft`, or flags.

A filter is a word `key:value` with nothing between the two; `-key:value` leaves notes out. Any
front-matter field of the notes is a key. A colon in an ordinary question stays what it is: one
with a space behind it, a URL, a time of day, anything in quotes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from rag.errors import QuestionError
from rag.indexing.filtering import FieldTest, Filters, Operator, Span
from rag.nearest import nearest
from rag.retrieval.times import named, parse_span
from rag.retrieval.when import find_when

KEYS = ("tag", "path", "since", "until", "date", "created", "modified")
_SAME = {"tags": "tag", "folder": "path", "updated": "modified"}
_DATES = {"since", "until", "after", "before", "date", "created", "modified"}
_BUILT_IN = {*KEYS, *_SAME, "after", "before"}
_SCHEMES = frozenset(
    "http https ftp ftps ssh sftp git file mailto tel sms urn data magnet doi isbn arxiv obsidian "
    "javascript ws wss localhost".split()
)
_PART = re.compile(
    r"""(?<!\S)(?:
        (?P<quoted> "[^"]*" | “[^”]*” | `[^`]*` )
      | (?P<out>-?)(?P<key>[^\W\d_][\w-]*):(?P<op>>=|<=|!=|[<>=]?)
        (?: "(?P<straight>[^"]*)" | “(?P<curly>[^”]*)” | (?P<open>["“]) | (?P<bare>\S+) )
    )""",
    re.VERBOSE,
)
_WHERE = re.compile(
    r"\s*(?P<key>[^\s=<>!:][^=<>!:]*?)\s*(?P<op>>=|<=|!=|==|[<>=:])\s*(?P<value>.*)"
)
_DATE_LIKE = re.compile(r"[\d./-]+")
_MEANT_AS_FILTER = 300  # characters: in a longer text an unknown key is part of what was pasted


def parse(text: str, known_keys: Collection[str], today: date) -> tuple[Filters, str]:
    """The filters in what was typed, and the question without them, which may be empty.

    `known_keys` are the front-matter fields of the notes. Raises QuestionError for a key that is
    not known, a date that does not exist and a quote that is not closed.
    """
    known = {key.casefold() for key in known_keys}
    filters, kept, done = Filters(), [], 0
    for match in _PART.finditer(text):
        if match["quoted"] or not _is_filter(match, text, known):
            continue
        if match["open"]:
            raise QuestionError(
                f"The quote after {match['key']}: is not closed.",
                f'Write it as: {match["key"]}:"my notes"',
            )
        value = match["straight"] or match["curly"] or (match["bare"] or "").rstrip("?!,;")
        key = match["key"].casefold()
        filters = filters.joined(_filter(key, match["op"], value, bool(match["out"]), today))
        kept.append(text[done : match.start()])
        done = match.end()
    kept.append(text[done:])
    rest = " ".join("".join(kept).split())
    return filters, "" if filters and not any(map(str.isalnum, rest)) else rest


def from_flags(
    tags: Sequence[str] = (),
    paths: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    where: Sequence[str] = (),
    *,
    today: date,
) -> Filters:
    """The filters that the command line was given. Raises QuestionError."""
    typed = [("tag", "", each) for each in tags] + [("path", "", each) for each in paths]
    typed += [("since", "", since)] if since is not None else []
    typed += [("until", "", until)] if until is not None else []
    for each in where:
        match = _WHERE.fullmatch(each)
        if not match:
            raise QuestionError(f"{each!r} names no value.", "Write it as: status=draft")
        op = {":": "", "==": "="}.get(match["op"], match["op"])
        typed.append((match["key"].casefold(), op, match["value"].strip("\"'")))
    filters = Filters()
    for key, op, value in typed:
        filters = filters.joined(_filter(key, op, value, False, today))
    return filters


def _is_filter(match: re.Match[str], text: str, known: Collection[str]) -> bool:
    """Whether `key:value` is meant as a filter. Raises QuestionError for one that seems so."""
    key, bare = match["key"].casefold(), match["bare"] or ""
    if bare.startswith((":", "/", "\\")) and _SAME.get(key, key) != "path":
        return False  # a URL, C:\ or a name in C++
    if key in _BUILT_IN or key in known:
        return True
    if key in _SCHEMES or len(text) > _MEANT_AS_FILTER or len(key) < 2:
        return False
    # A misspelling alone, not every beginning of a key, makes a filter of a word with a colon.
    near = difflib.get_close_matches(key, [*sorted(_BUILT_IN), *known], n=1, cutoff=0.65)
    at_edge = not text[: match.start()].strip() or not text[match.end() :].strip()
    plain = key == match["key"] and not bare[:1].isdigit() and not bare.endswith(("?", "!", "."))
    if not near and not match["op"] and not (at_edge and plain):
        return False
    raise unknown_key(match["key"], known)


def unknown_key(key: str, known: Iterable[str]) -> QuestionError:
    """What to say of a filter that there is none of."""
    names = [*KEYS, *sorted({name.casefold() for name in known} - _BUILT_IN)]
    shown = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
    near = nearest(key, names)
    meant = f"Did you mean {near!r}? " if near else ""
    return QuestionError(
        f"There is no filter {key!r}; there are: {shown}.",
        f"{meant}Words with a colon that belong to the question go in quotes.",
    )


def _filter(key: str, op: str, value: str, out: bool, today: date) -> Filters:
    """One filter. Raises QuestionError for a value that cannot be meant."""
    key = _SAME.get(key, key)
    if not value.strip():
        raise QuestionError(f"The filter {key}: has no value.", f"Write it as: {_example(key)}")
    out = out or op == "!="
    if key in _DATES:
        if out:
            raise QuestionError(
                f"Notes cannot be left out by {key}:.", "Use since:, until: or a range: 2023..2024"
            )
        return _date_filter(key, op, value, today)
    if key == "tag":
        tag = (value.lstrip("#").strip("/ "),)
        return Filters(without_tags=tag) if out else Filters(tags=tag)
    if key == "path":
        return Filters(without_paths=(value,)) if out else Filters(paths=(value,))
    known: Operator = "!=" if out else _operator(op)
    return Filters(fields=(FieldTest(key, known, value, _days_named(value, today)),))


def _days_named(value: str, today: date) -> Span | None:
    """The days that a value names, also ahead: "2024", "next week"."""
    when = find_when(value.replace("_", " "), today)
    return parse_span(value, today) or (when.span if when and not when.rest else None)


def _operator(op: str) -> Operator:
    for known in ("<", "<=", ">", ">="):
        if op == known:
            return known
    return "="


def _example(key: str) -> str:
    examples = {"tag": "tag:ml", "path": "path:work/"}
    return examples.get(key, f"{key}:2024-02-05" if key in _DATES else f"{key}:draft")


def _date_filter(key: str, op: str, value: str, today: date) -> Filters:
    span = parse_span(value, today) or parse_span(re.sub("[-_]", " ", value), today)
    if span is None:
        raise QuestionError(
            f"{value!r} is not a date that exists."
            if _DATE_LIKE.fullmatch(value)
            else f"{value!r} is not a date.",
            f"Write a day, a month, a year or words: {key}:2024-02-05, {key}:2024-02, {key}:2024, "
            f"{key}:yesterday",
        )
    ends = {
        "since": Span(span.first), ">=": Span(span.first), "until": Span(None, span.last),
        "<=": Span(None, span.last), "after": _beyond(span), ">": _beyond(span),
        "before": _ahead(span), "<": _ahead(span),
    }  # fmt: skip
    wanted = ends.get(op) or ends.get(key) or span
    return Filters(changed=(wanted,)) if key == "modified" else Filters(written=(wanted,))


def _beyond(span: Span) -> Span:
    last = span.last
    return Span(date.fromordinal(min(last.toordinal() + 1, date.max.toordinal()))) if last else span


def _ahead(span: Span) -> Span:
    first = span.first
    return Span(None, date.fromordinal(max(first.toordinal() - 1, 1))) if first else span


def described(filters: Filters) -> str:
    """The filters in words, to follow "notes" or "no note is"."""
    words = [f"tagged {each}" for each in filters.tags]
    words += [f"not tagged {each}" for each in filters.without_tags]
    words += [f"in {each}" for each in filters.paths]
    words += [f"not in {each}" for each in filters.without_paths]
    words += [f"with {each.key} {each.op} {each.value}" for each in filters.fields]
    words += [f"dated {named(each)}" for each in filters.written]
    words += [f"changed {named(each)}" for each in filters.changed]
    return " and ".join(dict.fromkeys(words))  # the same filter twice is one


def from_keywords(within: Mapping[str, Any], known: Collection[str]) -> Filters:
    """The filters that keywords of the Python interface name. Raises QuestionError, TypeError for
    one that is not `known`."""
    unknown = sorted(within.keys() - known)
    if unknown:
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}")
    several = {
        name: [value] if isinstance(value := within.get(name, ()), str) else value
        for name in ("tags", "paths", "where")
    }
    for name, texts in several.items():
        listed = isinstance(texts, Iterable) and not isinstance(texts, Mapping)
        if not listed or not all(isinstance(each, str) for each in texts):
            how = 'Write it as where="status=draft".' if name == "where" else ""
            raise QuestionError(f"{name} is {texts!r}, no text and no list of texts.", how)
    since, until = (
        None if (day := within.get(name)) is None else str(day) for name in ("since", "until")
    )
    return from_flags(
        several["tags"], several["paths"], since, until, several["where"], today=date.today()
    )
