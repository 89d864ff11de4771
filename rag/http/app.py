"""The HTTP server's addresses, and what each does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.responses import StreamingResponse as Streaming
from starlette.routing import Route

from rag.errors import IndexFault, NotesError, QuestionError, RagError
from rag.events import Answered, Event
from rag.http import chat
from rag.http.answers import asking, begun, last, steps, while_there
from rag.http.guard import Guard, refused
from rag.http.openapi import document, page
from rag.http.replies import Json
from rag.http.requests import Asking, check_known, from_body, from_query
from rag.indexing.library import find_named
from rag.schema import answer_json, error_json, event_json, note_json
from rag.standby import Standby

PAGE = Path(__file__).parent / "page"
OPEN_PATHS = ("/", "/page.js", "/page.css", "/openapi.json", "/docs", "/favicon.ico")
Handler = Callable[[Request], Awaitable[Response]]


class _NotePath(PathConvertor):
    """The path of a note: a file's name may hold anything, a line break too."""

    regex = "(?s:.*)"


register_url_convertor("note", _NotePath())


def make_app(standby: Standby, token: str, port: int) -> Starlette:
    """The server for some notes. Starts and stops `standby` with itself."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with standby:
            yield

    routes = [
        Route("/", _file("index.html")),
        Route("/page.js", _file("page.js")),
        Route("/page.css", _file("page.css")),
        Route("/favicon.ico", _nothing),
        Route("/openapi.json", _openapi),
        Route("/docs", _docs),
        Route("/search", _told(_search)),
        Route("/ask", _told(_ask), methods=["GET", "POST"]),
        Route("/notes", _told(_notes)),
        Route("/notes/{id:note}", _told(_note)),
        Route("/v1/models", chat.models),
        Route("/v1/models/{id}", chat.model),
        Route("/v1/chat/completions", chat.completions, methods=["POST"]),
    ]
    guard = Middleware(Guard, token=token, port=port, open_paths=OPEN_PATHS)
    handlers: Any = {404: _no_address, 405: _no_method}
    app = Starlette(
        routes=routes, middleware=[guard], lifespan=lifespan, exception_handlers=handlers
    )
    app.state.standby = standby
    return app


def _told(handler: Handler) -> Handler:
    """The same handler, with a RagError told to the client as JSON."""

    async def told(request: Request) -> Response:
        try:
            return await handler(request)
        except RagError as error:
            return Json(error_json(error), _status(error))

    return told


def _status(error: RagError) -> int:
    if isinstance(error, QuestionError):
        return 400
    if isinstance(error, NotesError):
        return 404
    return 503 if isinstance(error, IndexFault) else 500


async def _search(request: Request) -> Response:
    asked = from_query(request, answered=False)
    standby: Standby = request.app.state.standby
    found = await run_in_threadpool(lambda: standby.search(asked.question, asked.k, **asked.within))
    return Json(found.to_dict())


async def _ask(request: Request) -> Response:
    """The answer as server-sent events, or as one object where the client accepts JSON alone or
    says that it wants no stream."""
    asked: Asking = await from_body(request) if request.method == "POST" else from_query(request)
    standby: Standby = request.app.state.standby
    stream = asking(
        standby,
        asked.question,
        k=asked.k,
        history=asked.history,
        strict=asked.strict,
        **asked.within,
    )
    events = await while_there(request, begun(steps(stream)))
    accepted = request.headers.get("accept", "")
    streamed = "application/json" not in accepted or "text/event-stream" in accepted
    if streamed if asked.stream is None else asked.stream:
        return Streaming(_sent(events), media_type="text/event-stream")
    done = await while_there(request, last(events))
    assert isinstance(done, Answered)
    return Json(answer_json(done))


async def _sent(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Server-sent events: the kind of each step, and the step as one line of JSON."""
    try:
        async for event in events:
            yield _event(event_json(event))
    except RagError as error:
        yield _event({"event": "error", **error_json(error)})


def _event(value: dict[str, Any]) -> str:
    return f"event: {value['event']}\ndata: {json.dumps(value)}\n\n"


async def _notes(request: Request) -> Response:
    """The notes by name; `match` finds them by words of title, alias or path."""
    query = request.query_params
    check_known(query, ("match", "tag", "folder"))
    standby: Standby = request.app.state.standby

    def listed() -> list[Any]:
        standby.ready(lambda: False)
        notes = list(standby.notes.entries(query.get("tag", ""), query.get("folder", "")))
        if match := query.get("match", "").strip():
            by_path = {each.path: each for each in notes}
            notes = [by_path[each.path] for each in find_named(notes, match)]
        return [note_json(each) for each in notes]

    return Json({"notes": await run_in_threadpool(listed)})


async def _note(request: Request) -> Response:
    """A note with its text, as it is now."""
    path = request.path_params["id"]
    standby: Standby = request.app.state.standby

    def read() -> dict[str, Any]:
        standby.ready(lambda: False)
        return {**note_json(standby.notes.entry(path)), "text": standby.notes.read(path)}

    return Json(await run_in_threadpool(read))


def _file(name: str) -> Handler:
    async def served(_request: Request) -> Response:
        return FileResponse(PAGE / name)

    return served


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)


async def _openapi(_request: Request) -> Response:
    return Json(document())


async def _docs(_request: Request) -> Response:
    return HTMLResponse(page())


async def _no_method(request: Request, error: Exception) -> Response:
    allowed = (getattr(error, "headers", None) or {}).get("Allow", "")
    methods = " or ".join(sorted(set(allowed.split(", ")) - {"HEAD", ""}))
    reply = refused(
        request.url.path,
        405,
        f"This address does not take {request.method}.",
        f"Send {methods}." if methods else "",
    )
    reply.headers["Allow"] = allowed
    return reply


async def _no_address(request: Request, _error: Exception) -> Response:
    path = request.url.path
    return refused(path, 404, "There is nothing at this address.", "See /docs for those there are.")
