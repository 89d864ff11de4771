"""A server that speaks OpenAI's protocol as generator: llama-server, Ollama, vLLM, a hosted one.

Questions and passages are sent to it. What it is called on the screen says so wherever the
address is not this machine's.
"""

from __future__ import annotations

import ipaddress
import math
import queue
import shlex
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.answering.endpoint_client import (
    UNLISTED,
    Ending,
    answers_chats,
    because,
    context_of,
    lists_models,
    open_client,
    pieces_of,
    reason_of,
)
from rag.answering.messages import Cancel, Message, Token
from rag.answering.thoughts import Folding
from rag.config import LEAVES
from rag.errors import Cancelled, EndpointMismatch, ModelError
from rag.nearest import meant, nearest

if TYPE_CHECKING:
    from openai import OpenAI

_CONTEXT = 4096  # tokens, where neither the reader nor the server says
_THOUGHTS = 2048  # tokens a server may spend on thoughts before the answer
_LOOK_S = 0.1  # between two looks at whether the reader wants to stop
# What httpx calls a connection that was there and is gone.
_CUT = ("RemoteProtocolError", "ReadError", "WriteError", "CloseError")
_BACK = "Or go back to the bundled model: rag models use SmolLM2-135M-Instruct"
_AGAIN = f"Ask again. {_BACK}"


def address_of(url: str) -> str:
    """Host and port of an address. Raises ModelError for what is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or urlsplit(url).scheme not in ("http", "https"):
        raise ModelError(
            f"{url!r} is no address of a server.", "It looks like http://localhost:8080/v1"
        )
    return f"{host}:{port}" if port else host


def leaves_machine(url: str) -> bool:
    """Whether what is sent there leaves this machine: only loopback addresses are its own."""
    address_of(url)
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def display_name(url: str, model: str) -> str:
    """What the model is called on the screen; first of all, whether notes leave the machine."""
    name = f"{model} at {address_of(url)}"
    return f"{LEAVES}: {name}" if leaves_machine(url) else name


def _use(url: str, model: str) -> str:
    """The command that names a server and its model."""
    return f"rag models use endpoint --url {shlex.quote(url)} --model {shlex.quote(model)}"


class EndpointGenerator:
    """A chat model behind an address. Asks for the likeliest answer, like the local one."""

    taught = False
    follows = True

    def __init__(
        self, url: str, model: str, key: str = "", context: int = 0, timeout: float = 120
    ) -> None:
        """`timeout` in seconds is how long the server may say nothing."""
        self.name = display_name(url, model)
        self.fingerprint = f"{url} {model}"
        self._url = url
        self._model = model
        self._key = key
        self._wanted_context = context
        self._context = context
        self._timeout = timeout
        self._client: OpenAI | None = None
        self._listed = False  # whether it has listed its models as such a server does
        self._chose = False  # whether it has answered as one
        self._opening = threading.Lock()

    def load(self) -> None:
        """Ask the server for its models. Raises ModelError, EndpointMismatch where it lacks this
        one or speaks at another path."""
        from openai import APIConnectionError, APIStatusError, OpenAIError

        try:
            models = {each.id: each for each in self._open().models.list()}
        except APIStatusError as error:
            if error.status_code not in UNLISTED:
                raise self._refused(error) from error
            models = {}
        except APIConnectionError as error:
            raise self._failed(error) from error
        except (OpenAIError, ValueError, TypeError, AttributeError) as error:
            self._check_path()
            raise self._failed(error) from error
        self._listed = bool(models)
        if not models:
            self._check_path()
            if not answers_chats(self._open()):
                what = f"{self._where} speaks no OpenAI at {self._url}."
                raise EndpointMismatch(what, f"Name one that does. {_BACK}")
        listed = models.get(self._model) or models.get(f"{self._model}:latest")
        if models and listed is None:
            near = nearest(self._model, models)
            raise EndpointMismatch(
                f"{self._where} has no model {self._model!r}.",
                f"{meant(self._model, models)} {_use(self._url, near or 'NAME')}".lstrip(),
            )
        self._context = self._wanted_context or context_of(listed) or _CONTEXT

    def _check_path(self) -> None:
        """Raises EndpointMismatch where the server speaks OpenAI at /v1 below the address."""
        below = f"{self._url.rstrip('/')}/v1"
        if self._url.rstrip("/").endswith("/v1"):
            return
        with self._new_client(below) as client:
            if lists_models(client):
                raise EndpointMismatch(
                    f"{self._where} speaks OpenAI at {below}, not at {self._url}.",
                    _use(below, self._model),
                )

    def close(self) -> None:
        with self._opening:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def context_size(self) -> int:
        return self._context or _CONTEXT

    def count_tokens(self, text: str) -> int:
        """About; the server alone knows its tokenizer. Rather too many than too few."""
        return math.ceil(len(text.encode("utf-8", "replace")) / 3)

    def likelihood(
        self,
        messages: Sequence[Message],  # noqa: ARG002
        text: str,  # noqa: ARG002
        cancel: Cancel | None = None,  # noqa: ARG002
    ) -> float:
        """The same for every text: the server does not say."""
        return 0.0

    def stream(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        cancel: Cancel | None = None,
        avoid: str = "",  # noqa: ARG002
    ) -> Iterator[Token]:
        """The answer as it comes; probabilities are not known. Raises Cancelled, ModelError."""
        total = sum(self.count_tokens(each.text) for each in messages)
        yield Token("", 0.0, 0, total)
        folding, left = Folding(), max_tokens
        chat = [{"role": each.role, "content": each.text} for each in messages]
        for n, (text, thought) in enumerate(self._said(chat, max_tokens, cancel)):
            if n == 0:
                yield Token("", 0.0, total, total)  # it has read
            parts = [(text, True)] if thought else folding.add(text)
            for part, folded in parts:
                yield Token(part, 0.0, total, total, thought=folded)
            left -= 0 if thought or folding.inside else 1
            if left <= 0:
                return
        for part, folded in folding.rest():
            yield Token(part, 0.0, total, total, thought=folded)

    def _said(
        self, chat: list[dict[str, str]], max_tokens: int, cancel: Cancel | None
    ) -> Iterator[tuple[str, bool]]:
        """What the server says, asked once more where that is nothing: one that answers a single
        request at a time may still be ending the one that was stopped before."""
        self._chose = False
        for _ in range(2):
            pieces = self._heard(chat, max_tokens, cancel)
            first = next(pieces, None)
            if first is not None:
                yield first
                yield from pieces
                return
        if not self._chose and self._listed:
            raise self._broke_off
        if not self._chose:
            what = f"{self._where} said nothing, or speaks no OpenAI at this path."
            raise ModelError(what, "Most addresses end in /v1. " + _BACK)

    def _heard(
        self, chat: list[dict[str, str]], max_tokens: int, cancel: Cancel | None
    ) -> Iterator[tuple[str, bool]]:
        """Pieces of text, and whether the server calls them thoughts; read in a thread of its
        own, so that the reader can stop while nothing comes."""
        heard: queue.Queue[tuple[str, bool] | ModelError | None] = queue.Queue()
        stopped = threading.Event()
        listener = threading.Thread(
            target=self._listen, args=(chat, max_tokens, heard, stopped), daemon=True
        )
        listener.start()
        try:
            while True:
                if cancel is not None and cancel():
                    raise Cancelled
                try:
                    piece = heard.get(timeout=_LOOK_S)
                except queue.Empty:
                    continue
                if isinstance(piece, ModelError):
                    raise piece
                if piece is None:
                    return
                yield piece
        finally:
            stopped.set()

    def _listen(
        self,
        chat: list[dict[str, str]],
        max_tokens: int,
        heard: queue.Queue[tuple[str, bool] | ModelError | None],
        stopped: threading.Event,
    ) -> None:
        from openai import APIStatusError

        if stopped.is_set():  # a late request would end the next one: some servers answer but one
            return
        try:
            with self._ask(chat, max_tokens) as stream:
                ending = Ending(stream)
                for chunk in stream:
                    if stopped.is_set():
                        return
                    self._chose = self._chose or bool(chunk.choices)
                    pieces = [*pieces_of(chunk)]
                    ending.add(chunk, "".join(text for text, _ in pieces))
                    for piece in pieces:
                        heard.put(piece)
            heard.put(self._broke_off if ending.is_cut() else None)
        except APIStatusError as error:
            heard.put(self._refused(error))
        except ModelError as error:
            heard.put(error)
        except Exception as error:  # whatever a stranger's events make of the client: none may hang
            heard.put(self._failed(error))

    def _ask(self, chat: list[dict[str, str]], max_tokens: int) -> Any:
        from openai import BadRequestError

        client: Any = self._open()
        limit = max_tokens + _THOUGHTS
        common = {"model": self._model, "messages": chat, "stream": True}
        try:
            return client.chat.completions.create(**common, max_tokens=limit, temperature=0)
        except BadRequestError as error:  # models that always think know other settings
            if not any(word in str(error) for word in ("max_completion_tokens", "temperature")):
                raise
            return client.chat.completions.create(**common, max_completion_tokens=limit)

    def _open(self) -> OpenAI:
        with self._opening:
            if self._client is None:
                self._client = self._new_client(self._url)
            return self._client

    def _new_client(self, url: str) -> OpenAI:
        from rag.models.proxies import usable_proxies

        # What is for this machine never goes through a proxy on another.
        with usable_proxies():
            return open_client(url, self._key, self._timeout, proxies=leaves_machine(url))

    @property
    def _where(self) -> str:
        return f"The server at {address_of(self._url)}"

    def _refused(self, error: Any) -> ModelError:
        """The sentence for a status of HTTP."""
        status = error.status_code
        if status in (401, 403):
            return ModelError(
                f"{self._where} does not accept the key ({status}).",
                "Set the variable that key_env names, or: rag models use endpoint --key-env NAME",
            )
        if status == 404:
            return ModelError(
                f"{self._where} has no model {self._model!r}, or speaks no OpenAI at this path "
                "(404).",
                "Most addresses end in /v1.",
            )
        if status == 429:
            what = f"{self._where} asks to wait: too many requests{because(error)}."
            return ModelError(what, "Ask again later.")
        if status in (400, 413, 422):
            return ModelError(
                f"{self._where} refused the question ({status}): {reason_of(error)}",
                "If it is too long for the model, set [generator] context to what it reads.",
            )
        return ModelError(f"{self._where} is in trouble ({status}){because(error)}.", _BACK)

    def _failed(self, error: Exception) -> ModelError:
        from openai import APIConnectionError, APIError, APITimeoutError

        if isinstance(error, APITimeoutError):
            what = f"{self._where} said nothing for {self._timeout:.0f} seconds."
            return ModelError(what, _AGAIN)
        if isinstance(error, APIConnectionError):
            if type(error.__cause__).__name__ in _CUT:
                return self._broke_off
            return ModelError(
                f"Nothing answers at {address_of(self._url)}.", "Start the server. " + _BACK
            )
        if isinstance(error, APIError) and isinstance(error.body, dict):  # an event says why
            return ModelError(f"{self._where} broke off: {reason_of(error)}.", _AGAIN)
        return ModelError(
            f"{self._where} broke off, or speaks no OpenAI ({type(error).__name__}).",
            _AGAIN,
        )

    @property
    def _broke_off(self) -> ModelError:
        return ModelError(f"{self._where} broke off before its answer was whole.", _AGAIN)
