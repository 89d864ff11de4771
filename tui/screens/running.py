"""A guard for handlers of messages from another thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual.css.query import NoMatches
from textual.screen import Screen

S = TypeVar("S", bound=Screen[Any])
P = ParamSpec("P")


def while_running(
    handler: Callable[Concatenate[S, P], Awaitable[None]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, None]]:
    """Let `handler` do nothing once the program is leaving and widgets are being taken away."""

    @wraps(handler)
    async def guarded(screen: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if screen.app.is_running:
                await handler(screen, *args, **kwargs)
        except NoMatches:
            if screen.app.is_running:
                raise

    return guarded
