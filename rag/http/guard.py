"""Who may ask: this machine, by its own name, from no other site, with the token."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.http.replies import Json

LARGEST = 1 << 20  # bytes of a request
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what is not for us before anything else sees it.

    A page of another site could have its name lead to 127.0.0.1 (DNS rebinding): its requests
    still carry its own name in `Host`. `open_paths` need no token, since they say nothing.
    """

    def __init__(self, app: ASGIApp, token: str, port: int, open_paths: Collection[str]) -> None:
        self._app = app
        self._token = token
        self._open = frozenset(open_paths)
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Json | None:
        headers, path = Headers(scope=scope), scope["path"]
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return refused(path, 421, "This server answers only to its own name.", "Ask 127.0.0.1.")
        if origin is not None and origin != f"http://{host}":
            return refused(path, 403, "Pages of other sites may not ask your notes.")
        size = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not size.isdecimal() or int(size) > LARGEST:
            return refused(
                path, 413, "The request is too large.", "Send at most 1 MiB, with its length."
            )
        if path in self._open:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else ""
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            what = "is wrong" if given else "is missing: send Authorization: Bearer TOKEN"
            reply = refused(
                path, 401, f"The token {what}.", "rag serve --http says which file it stands in."
            )
            reply.headers["WWW-Authenticate"] = 'Bearer realm="rag"'
            return reply
        return None


def refused(path: str, status: int, error: str, remedy: str = "") -> Json:
    """An error as this server tells it; below /v1 as chat clients look for it."""
    if path.startswith("/v1/"):
        said = {"message": f"{error} {remedy}".strip(), "type": "invalid_request_error"}
        return Json({"error": {**said, "code": None}}, status)
    return Json({"error": error, "remedy": remedy}, status)


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
