"""Answers from a thread into an async stream, which stops when its reader goes away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from starlette.requests import Request

from rag.errors import Cancelled, RagError
from rag.events import Event
from rag.standby import Standby

Result = TypeVar("Result")
_LOOK_S = 0.2  # between two looks at whether a client is still there
Stream = Callable[[Callable[[], bool]], Iterator[Event]]


async def steps(stream: Stream) -> AsyncIterator[Event]:
    """What `stream` yields, run in a thread. The function that it is handed turns true when
    nobody reads any more. Raises RagError as the stream does."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Event | RagError | None] = asyncio.Queue()
    stop = threading.Event()

    def put(item: Event | RagError | None) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, item)

    def work() -> None:
        try:
            for event in stream(stop.is_set):
                put(event)
        except RagError as error:
            put(error)
        finally:
            put(None)

    running = loop.run_in_executor(None, work)
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, RagError):
                raise item
            yield item
        await running  # raises what is a bug
    finally:
        stop.set()


def asking(standby: Standby, question: str, **options: Any) -> Stream:
    """The stream that answers a question; see `Standby.stream` for the options."""
    return lambda cancel: standby.stream(question, cancel, **options)


async def begun(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The same events once the first has come: an error before it is raised here."""
    first = await anext(events)

    async def rest() -> AsyncIterator[Event]:
        yield first
        async for event in events:
            yield event

    return rest()


async def last(events: AsyncIterator[Event]) -> Event:
    """The last of the events: the whole answer."""
    return [event async for event in events][-1]


async def while_there(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` gives. Raises Cancelled, and stops it, when the client goes away before."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_S)
            if not task.done() and await request.is_disconnected():
                raise Cancelled
        return await task
    finally:
        task.cancel()
