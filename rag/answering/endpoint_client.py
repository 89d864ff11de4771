"""The client of an endpoint: what it sends is what the reader's settings name, and no more; and
what a server says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import OpenAI


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
    body = error.body if isinstance(error.body, dict) else {}
    said = body.get("message") or error.message
    return " ".join(str(said).split())[:160].rstrip(".")


def ends(chunk: Any) -> bool:
    """Whether an event of the stream says that it is the last."""
    return any(getattr(each, "finish_reason", None) for each in chunk.choices)


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
