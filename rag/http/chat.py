"""`/v1/chat/completions` and `/v1/models`: the notes as a model, for any OpenAI-compatible client.

The last message of the user is the question, what was said before is its history. System prompts,
temperatures and tools are accepted and do nothing: an answer comes from the notes.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rag.answering.steps import DOUBTS, LEGEND, Sentence, between, legend
from rag.display import marked_answer, place
from rag.errors import QuestionError, RagError
from rag.events import Answered, Event
from rag.http.answers import asking, begun, last, steps, while_there
from rag.http.guard import refused
from rag.http.replies import Json
from rag.http.requests import json_body, turns
from rag.retrieval.query import Turn
from rag.schema import citation_json
from rag.standby import Standby

MODEL = "rag"
_EXAMPLE = '{"messages": [{"role": "user", "content": "…"}]}'


async def models(request: Request) -> Response:
    """The notes, as the one model."""
    return Json({"object": "list", "data": [_model(request)]})


async def model(request: Request) -> Response:
    """The one model by its name, as clients ask for it."""
    if request.path_params["id"] != MODEL:
        return refused(
            request.url.path, 404, "There is no model of this name.", f"The one here: {MODEL}."
        )
    return Json(_model(request))


def _model(request: Request) -> dict[str, Any]:
    """The notes; `sent_to` is where questions and passages go, "" if nowhere."""
    sent = request.app.state.standby.notes.sent_to
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "rag", "sent_to": sent}


async def completions(request: Request) -> Response:
    """Answer a chat, whole or as a stream of chunks."""
    standby: Standby = request.app.state.standby
    try:
        body = await json_body(request, _EXAMPLE)
        question, history = conversation(body.get("messages"))
        stream = asking(standby, question, history=history)
        events = await while_there(request, begun(steps(stream)))
        if body.get("stream"):
            options = body.get("stream_options")
            counted = isinstance(options, dict) and options.get("include_usage") is True
            return StreamingResponse(_chunks(events, counted), media_type="text/event-stream")
        done = await while_there(request, last(events))
    except RagError as error:
        kind = "invalid_request_error" if isinstance(error, QuestionError) else "server_error"
        status = 400 if isinstance(error, QuestionError) else 503
        return Json({"error": {"message": str(error), "type": kind, "code": None}}, status)
    assert isinstance(done, Answered)
    return Json(
        {
            **_head("chat.completion"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": marked_answer(done) + foot(done)},
                    "finish_reason": "stop",
                }
            ],
            "usage": _USAGE,
            "citations": [citation_json(each) for each in done.citations],
        }
    )


def conversation(messages: Any) -> tuple[str, tuple[Turn, ...]]:
    """The question, and the turns before it. Raises QuestionError."""
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise QuestionError('"messages" must be a list of {"role": …, "content": …}.')
    said = [(each.get("role"), _text(each.get("content"))) for each in messages]
    said = [(role, text) for role, text in said if role in ("user", "assistant")]
    if not said or said[-1][0] != "user":
        raise QuestionError("The last message is not the user's.", "Put the question last.")
    before: list[tuple[str, str]] = []
    for (role, text), (next_role, reply) in pairwise(said):
        if (role, next_role) == ("user", "assistant"):
            before.append((text, _unmarked(reply)))
    return said[-1][1], turns(before)


_SOURCES = "\n\nSources:\n"
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}  # nothing is charged


# The foot of an answer, and the marks of doubt in it, as a client sends them back.
_FOOT = re.compile(
    rf"\n\n(?:{_SOURCES.strip()}\n|{'|'.join(map(re.escape, LEGEND.values()))}).*", re.DOTALL
)
_DOUBTS = re.compile(rf"(?<=[\].!?])(?:{'|'.join(map(re.escape, DOUBTS.values()))})(?=\s|$)")


def foot(done: Answered) -> str:
    """What a chat client shows below the answer: where each number leads, and what the marks of
    its sentences mean."""
    shown = sorted({each.n for each in done.citations}) if done.answered else []
    lines = [f"[{n}] {place(done.passages[n - 1])}" for n in shown]
    means = legend(done.sentences) if done.answered else ""
    return (_SOURCES + "\n".join(lines) if lines else "") + (f"\n\n{means}" if means else "")


def _unmarked(reply: str) -> str:
    """An answer of this server without what it was shown with."""
    return _DOUBTS.sub("", _FOOT.sub("", reply))


async def _chunks(events: AsyncIterator[Event], counted: bool) -> AsyncIterator[str]:
    """The answer in chunks; `counted`: with one more that tells its use, as clients may ask."""
    head = _head("chat.completion.chunk")

    def chunk(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    said = ""
    try:
        async for event in events:
            if isinstance(event, Sentence):
                text = between(said, event.text) + event.text + DOUBTS.get(event.support, "")
                yield chunk({"content": text})
                said += text
            elif isinstance(event, Answered):
                yield chunk({"content": ("" if said else event.answer) + foot(event)})
    except RagError as error:
        yield f"data: {json.dumps({'error': {'message': str(error), 'type': 'server_error'}})}\n\n"
    yield chunk({}, "stop")
    if counted:
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': _USAGE})}\n\n"
    yield "data: [DONE]\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
    }


def _text(content: Any) -> str:
    """A message's text; clients also send lists of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [each.get("text") for each in content if isinstance(each, dict)]
        return "\n".join(each for each in parts if isinstance(each, str))
    return ""
