"""The client of an endpoint: what it sends is what the reader's settings name, and no more."""

from __future__ import annotations

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
