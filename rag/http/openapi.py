"""The OpenAPI description of the server, and a page that shows it without any script."""

from __future__ import annotations

from html import escape
from typing import Any

from rag import __version__
from rag.shapes import json_schema

_FILTERS = (
    ("tag", "Only notes with this tag; repeated: with all of them."),
    ("path", "Only notes in this folder, or this note; repeated: in any of them."),
    ("where", "Only notes with this front matter, as in status=draft."),
    ("since", "Only notes from this day on: 2024-02-05, 2024, 'last week'."),
    ("until", "Only notes up to this day."),
)
_ASKED = (("q", "The question."), ("k", "How many passages, 1 to 50."), *_FILTERS)
_STRICT = "true: say only what the notes bear out; else as the settings have it."
_STREAM = "false: one JSON object; true: server-sent events; else as the Accept header has it."
_BODY = {
    "question": {"type": "string"},
    "k": {"type": "integer", "minimum": 1, "maximum": 50},
    **{name: {"type": "array", "items": {"type": "string"}} for name in ("tags", "paths", "where")},
    "since": {"type": "string"},
    "until": {"type": "string"},
    "strict": {"type": "boolean", "description": _STRICT},
    "stream": {"type": "boolean", "description": _STREAM},
    "history": {
        "type": "array",
        "description": "Questions before this one, with their answers.",
        "items": {
            "type": "object",
            "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
        },
    },
}
_CHAT = {
    "messages": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"role": {"type": "string"}, "content": {"type": "string"}},
        },
    },
    "stream": {"type": "boolean"},
    "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
}
_CHAT_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"message": {"type": "string"}, "type": {"type": "string"}},
        }
    },
}
_TYPES = {name: _BODY[name] for name in ("k", "strict", "stream")}  # of parameters that are no text
_EVENTS = (
    "Server-sent events, each with one JSON object: RetrievedEventJson, ReadingEventJson, "
    "ThinkingEventJson, SentenceEventJson, then AnswerEventJson or ErrorEventJson. With Accept: "
    "application/json, one AnswerJson."
)


def document() -> dict[str, Any]:
    """The description, as OpenAPI 3.1."""
    notes = {"type": "object", "properties": {"notes": _array("NoteJson")}}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    tree = {
        "openapi": "3.1.0",
        "info": {"title": "rag: ask your own notes", "version": __version__},
        "security": [{"token": []}],
        "paths": {
            "/search": {"get": _get("The passages for a question", _ASKED, _ref("SearchJson"))},
            "/ask": {
                "get": _get(
                    "An answer, step by step",
                    (*_ASKED, ("strict", _STRICT), ("stream", _STREAM)),
                    _ref("AnswerJson"),
                    _EVENTS,
                    streamed=True,
                ),
                "post": _post(
                    "The same, from JSON", _BODY, ["question"], _ref("AnswerJson"), streamed=True
                ),
            },
            "/notes": {
                "get": _get(
                    "The notes by name",
                    (
                        ("match", "Words of a title, alias or path."),
                        ("tag", "Only notes with this tag."),
                        ("folder", "Only notes in this folder."),
                    ),
                    notes,
                )
            },
            "/notes/{id}": {
                "get": _get("A note and its text; its id is its path", (), _ref("NoteJson")),
                "parameters": [identifier],
            },
            "/v1/models": {
                "get": _get("The one model there is", (), {"type": "object"}, wrong=_CHAT_ERROR)
            },
            "/v1/models/{id}": {
                "get": _get("The same by its name, rag", (), {"type": "object"}, wrong=_CHAT_ERROR),
                "parameters": [identifier],
            },
            "/v1/chat/completions": {
                "post": _post(
                    "A chat, as OpenAI's clients send it",
                    _CHAT,
                    ["messages"],
                    {},
                    _CHAT_ERROR,
                    streamed=True,
                )
            },
        },
        "components": {
            "schemas": json_schema()["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return dict(_relinked(tree))


def page() -> str:
    """The description for people."""
    sections = []
    for path, methods in document()["paths"].items():
        for method in ("get", "post"):
            if method in methods:
                sections.append(_section(f"{method.upper()} {path}", methods[method]))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>rag: addresses</title>'
        '<link rel="stylesheet" href="/page.css"><main class="docs"><h1>Addresses</h1>'
        "<p>Each but this page wants the header <code>Authorization: Bearer TOKEN</code>. "
        'For programs: <a href="/openapi.json">openapi.json</a>.</p>'
        f"{''.join(sections)}</main></html>"
    )


def _section(title: str, operation: dict[str, Any]) -> str:
    rows = [(each["name"], each["description"]) for each in operation.get("parameters", ())]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    fields = body.get("schema", {}).get("properties", {})
    rows += [(name, each.get("description", each.get("type", ""))) for name, each in fields.items()]
    shown = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    table = f"<table>{shown}</table>" if rows else ""
    said = escape(operation.get("description", ""))
    summary = escape(operation["summary"])
    return f"<h2><code>{escape(title)}</code></h2><p>{summary}. {said}</p>{table}"


def _get(
    summary: str,
    parameters: tuple[tuple[str, str], ...],
    reply: Any,
    said: str = "",
    wrong: Any = None,
    streamed: bool = False,
) -> dict[str, Any]:
    return {
        "summary": summary,
        **({"description": said} if said else {}),
        "parameters": [
            {
                "name": name,
                "in": "query",
                "description": text,
                "schema": _TYPES.get(name, {"type": "string"}),
            }
            for name, text in parameters
        ],
        "responses": _responses(reply, wrong or _ref("ErrorJson"), streamed),
    }


def _post(
    summary: str,
    fields: Any,
    required: list[str],
    reply: Any,
    wrong: Any = None,
    streamed: bool = False,
) -> dict[str, Any]:
    schema = {"type": "object", "properties": fields, "required": required}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": _responses(reply, wrong or _ref("ErrorJson"), streamed),
    }


def _responses(reply: Any, wrong: Any, streamed: bool) -> dict[str, Any]:
    def said(text: str, schema: Any) -> dict[str, Any]:
        return {"description": text, "content": {"application/json": {"schema": schema}}}

    right = said("What was asked for.", reply)
    if streamed:
        right["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    return {
        "200": right,
        "400": said("The question or its options cannot be understood.", wrong),
        "401": said("The token is missing or wrong.", wrong),
        "403": said("The request comes from a page of another site.", wrong),
        "404": said("There is no such address, or no such note.", wrong),
        "405": said("The address does not take this method.", wrong),
        "413": said("The request is too large.", wrong),
        "421": said("The server was called by a name that is not its own.", wrong),
        "503": said("The index is being made, or cannot be used.", wrong),
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _array(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _relinked(tree: Any) -> Any:
    """References as OpenAPI has them."""
    if isinstance(tree, dict):
        return {key: _relinked(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_relinked(each) for each in tree]
    if isinstance(tree, str):
        return tree.replace("#/$defs/", "#/components/schemas/")
    return tree
