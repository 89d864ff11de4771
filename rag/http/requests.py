"""What a request asks for, checked: query parameters or a JSON body into plain values."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from rag.api import Within
from rag.config import MOST_PASSAGES
from rag.errors import QuestionError
from rag.retrieval.query import Turn

_DIGITS = 10  # a longer number is never meant, and int() refuses thousands of digits
_SAID = {"": None, "true": True, "1": True, "false": False, "0": False}
_SEVERAL = {"tag": "tags", "path": "paths", "where": "where"}
_SAID_YES_OR_NO = ("strict", "stream")
_KNOWN = {"question", "k", "history", *_SAID_YES_OR_NO, "since", "until", *_SEVERAL.values()}


@dataclass(frozen=True, slots=True)
class Asking:
    """A question with its options."""

    question: str
    k: int | None
    history: tuple[Turn, ...]
    within: Within
    strict: bool | None = None
    stream: bool | None = None  # the answer as events; None: as the client accepts it


def from_query(request: Request, answered: bool = True) -> Asking:
    """The question `q` and its options; what only an answer can be, if it is to be `answered`.
    Raises QuestionError."""
    query = request.query_params
    only = _SAID_YES_OR_NO if answered else ()
    check_known(query, ("q", "k", *only, "since", "until", *_SEVERAL))
    k = query.get("k")
    given: dict[str, Any] = {
        "question": query.get("q", ""),
        "k": int(k) if k and k.isdecimal() and len(k) < _DIGITS else k,
        **{plural: query.getlist(name) for name, plural in _SEVERAL.items()},
        **{name: query[name] for name in ("since", "until") if name in query},
        **{name: _SAID.get(query[name].lower(), query[name]) for name in only if name in query},
    }
    return _asking(given)


def check_known(given: Iterable[str], known: Collection[str]) -> None:
    """Raises QuestionError for a parameter that there is not: nothing is left out in silence."""
    if unknown := sorted(set(given) - set(known)):
        raise QuestionError(
            f"{unknown[0]!r} is not known here.", f"Known: {', '.join(sorted(known))}."
        )


async def from_body(request: Request) -> Asking:
    """The same from a JSON object. Raises QuestionError."""
    return _asking(await json_body(request))


async def json_body(request: Request, example: str = '{"question": "…"}') -> dict[str, Any]:
    """The JSON object that was sent. Raises QuestionError, which shows the `example`."""
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise QuestionError("The request is not JSON.", f"Send {example}.") from error
    if not isinstance(value, dict):
        raise QuestionError("The request is not a JSON object.", f"Send {example}.")
    return value


def turns(messages: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    """Questions and their answers as the history of a conversation."""
    return tuple(Turn(question, answer, question) for question, answer in messages)


def _asking(given: Mapping[str, Any]) -> Asking:
    check_known(given, _KNOWN)
    k = given.get("k")
    if k is not None and not (isinstance(k, int) and 1 <= k <= MOST_PASSAGES):
        raise QuestionError(f"k is {k!r}, not a number from 1 to {MOST_PASSAGES}.")
    within: Within = {}
    for name in _SEVERAL.values():
        value = given.get(name) or []
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise QuestionError(f"{name!r} must be a text or a list of texts.")
        within[name] = texts  # type: ignore[literal-required]
    for name in ("since", "until"):
        if given.get(name):
            within[name] = _text(given, name)  # type: ignore[literal-required]
    for name in _SAID_YES_OR_NO:
        if not isinstance(given.get(name), bool | None):
            raise QuestionError(f"{name} is {given[name]!r}, neither true nor false.")
    return Asking(
        _text(given, "question"),
        k,
        _history(given.get("history")),
        within,
        given.get("strict"),
        given.get("stream"),
    )


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise QuestionError(f"{name!r} must be a text.")
    return value


def _history(value: Any) -> tuple[Turn, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(each, dict) and {"question", "answer"} <= each.keys() for each in value
    ):
        raise QuestionError('"history" must be a list of {"question": …, "answer": …}.')
    return turns([(_text(each, "question"), _text(each, "answer")) for each in value])
