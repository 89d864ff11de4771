"""The client of an endpoint: what it sends is what the reader's settings name, and no more; and
what a server says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import OpenAI

UNLISTED = (404, 405, 501)  # said by servers that do not list their models
_MARK_WITHIN = 64  # bytes at the end of a stream
# A sentence after another that does not come to its end.
_UNENDED = re.compile(r"[.!?](?:\s*\[\d+\])*\s+\S[^.!?]*[\w,;:(–-]\s*$")


def open_client(url: str, key: str, timeout: float, proxies: bool) -> OpenAI:
    """A client for the server at `url`, which may say nothing for `timeout` seconds; `proxies`:
    whether those of the environment are used."""
    from openai import DefaultHttpxClient, OpenAI, Timeout

    class Client(OpenAI):
        """Without what the environment holds for another server: an organisation, a project,
        headers of any kind, which may be secrets."""

        @property
        def default_headers(self) -> dict[str, Any]:
            return {
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": self.user_agent,
            }

    return Client(
        base_url=url,
        api_key=key or "none",
        timeout=Timeout(timeout, connect=min(10, timeout)),
        max_retries=1,
        http_client=DefaultHttpxClient(trust_env=proxies),
    )


def lists_models(client: OpenAI) -> bool:
    """Whether there is a server that lists its models as OpenAI does."""
    from openai import OpenAIError

    try:
        return any(each.id for each in client.models.list())
    except (OpenAIError, ValueError, TypeError, AttributeError):
        return False


def answers_chats(client: OpenAI) -> bool:
    """Whether a server that does not list its models may speak OpenAI: it is sent a question
    without anything in it, which one that does refuses for that, in JSON, and answers nothing."""
    from openai import APIStatusError, OpenAIError

    try:
        client.with_options(max_retries=0).post("/chat/completions", body={}, cast_to=object)
    except APIStatusError as error:
        says_why = isinstance(error.body, dict) and error.body.keys() - {"detail"}
        return error.status_code not in UNLISTED or bool(says_why)
    except (OpenAIError, ValueError):
        return True  # whatever else is wrong is told when it is asked
    return True


def context_of(listed: Any) -> int:
    """The context that a list of models tells: vLLM's, llama-server's, others' words for it."""
    meta = getattr(listed, "meta", None) or {}
    for value in (
        getattr(listed, "max_model_len", None),
        getattr(listed, "context_length", None),
        meta.get("n_ctx") if isinstance(meta, dict) else None,
    ):
        if isinstance(value, int) and value > 0:
            return value
    return 0


def reason_of(error: Any) -> str:
    """What the server says itself, short: it is a stranger's text."""
    return _short(_said_by(error) or error.message)


def because(error: Any) -> str:
    """ ": " and what a server says of its own trouble; "" where it says nothing, or with a page."""
    said = _short(_said_by(error))
    return f": {said}" if said else ""


def _said_by(error: Any) -> str:
    """The words in the body of an error: OpenAI's `message`, or what others call it."""
    body = error.body
    if isinstance(body, dict):
        body = next((body[key] for key in ("message", "detail", "error") if body.get(key)), "")
    kind = error.response.headers.get("content-type", "") if hasattr(error, "response") else ""
    return body if isinstance(body, str) and "html" not in kind else ""


def _short(said: str) -> str:
    return " ".join(str(said).split())[:160].rstrip(".")


class Ending:
    """Whether a stream of events came to its end, or was cut off before."""

    def __init__(self, stream: Any) -> None:
        self._said = ""
        self._ended = self._open = False
        self._last = b""  # bytes; the client tells nobody of the mark [DONE]
        read = stream.response.iter_bytes

        def watched() -> Iterator[bytes]:
            for data in read():
                self._last = (self._last + data)[-_MARK_WITHIN:]
                yield data

        stream.response.iter_bytes = watched

    def add(self, chunk: Any, said: str) -> None:
        """One event has come, and has `said` this."""
        self._said += said
        for each in chunk.choices:
            self._ended = self._ended or bool(getattr(each, "finish_reason", None))
            self._open = "finish_reason" in getattr(each, "model_fields_set", ())

    def is_cut(self) -> bool:
        """Whether it surely broke off. Some servers give no reason why they end, or no mark at the
        end; but one whose events say that they are not the last gives either, and none ends in
        the midst of a sentence."""
        if self._ended:
            return False
        marked = b"[DONE]" in self._last
        return (self._open and not marked) or bool(_UNENDED.search(self._said))


def pieces_of(chunk: Any) -> Iterator[tuple[str, bool]]:
    """What one event of the stream adds: thoughts, where the server tells them apart, and text."""
    if not chunk.choices:
        return
    delta = getattr(chunk.choices[0], "delta", None)
    thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
    if isinstance(thought, str) and thought:
        yield thought, True
    if said := getattr(delta, "content", None):
        yield str(said), False
