"""Indexing in a process of its own, at low priority, so that a screen stays smooth."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from typing import Any

from rag.errors import Cancelled, RagError
from rag.indexing.build import IndexProgress

_SAFE_PATH = "PYTHONSAFEPATH"
Job = Callable[[Callable[[], bool]], Iterator[IndexProgress]]


def run_in_process(
    job: Callable[..., Iterator[IndexProgress]],
    arguments: tuple[Any, ...],
    cancel: Callable[[], bool] | None = None,
) -> Iterator[IndexProgress]:
    """Run `job(*arguments, cancel)` in a spawned process and yield its progress here.

    Spawned, not forked: a fork would copy the locks of torch, FAISS and llama.cpp in whatever
    state their threads left them. Raises what the job raised.
    """
    context = multiprocessing.get_context("spawn")
    results: Queue[Any] = context.Queue()
    stop = context.Event()
    process = context.Process(target=_work, args=(job, arguments, results, stop), daemon=True)
    with _safe_path():
        process.start()
    try:
        while True:
            if cancel is not None and cancel():
                stop.set()
            try:
                item = results.get(timeout=0.1)
            except queue.Empty:
                if not process.is_alive() and results.empty():
                    raise RagError(
                        "Indexing ended unexpectedly; the last complete index is untouched.",
                        "Run: rag index",
                    ) from None
                continue
            if isinstance(item, BaseException):
                raise item
            yield item
            if item.stage == "done":
                return
    finally:
        stop.set()
        process.join(timeout=1.0)
        if process.is_alive():
            process.kill()


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Keep a Python that is started from looking for modules in the current folder first: a folder
    of notes may hold a `pickle.py`."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _work(
    job: Callable[..., Iterator[IndexProgress]],
    arguments: tuple[Any, ...],
    results: Queue[Any],
    stop: Any,
) -> None:
    with contextlib.suppress(OSError):
        os.nice(10)
    try:
        for progress in job(*arguments, stop.is_set):
            results.put(progress)
    except KeyboardInterrupt:
        results.put(Cancelled())
    except RagError as error:
        results.put(error)
    except Exception as error:  # an unforeseen one must reach the screen as a sentence
        results.put(RagError(f"Indexing failed: {error}.", "Run: rag doctor"))
