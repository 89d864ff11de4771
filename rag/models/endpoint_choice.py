"""`rag models use endpoint`: a server answers from now on."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.config import ENDPOINT, Config
from rag.config_files import own_config
from rag.errors import ConfigError, EndpointMismatch, ModelError
from rag.models.replies import ask, say, tell, warn_of_variable
from rag.output import one_line

if TYPE_CHECKING:
    from rag.models.listing import Row

_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WAITS_S = 3  # for a server's list of models


def use_endpoint(arguments: argparse.Namespace, config: Config, given: dict[str, str]) -> int:
    """Write the server into the reader's own settings, where it can be asked: one elsewhere after
    a yes, one on this machine where it has the model. Raises ModelError, ConfigError."""
    from rag.answering.endpoint import address_of, leaves_machine
    from rag.settings import set_values

    url, model = (
        given.get("url", config.endpoint_url),
        given.get("model", config.endpoint_model),
    )
    if not (url and model):
        lacking = " and ".join(
            flag for flag, value in (("--url", url), ("--model", model)) if not value
        )
        raise ConfigError(
            f"No endpoint is named: give {lacking}.",
            "rag models use endpoint --url http://localhost:8080/v1 --model NAME",
        )
    if not _VARIABLE.fullmatch(given.get("key_env") or "NONE"):
        raise ConfigError(
            "--key-env names a variable of the environment; a key itself is never written down.",
            "Put the key into one, and name it: --key-env OPENAI_API_KEY",
        )
    host = address_of(url)
    if leaves_machine(url):
        ask(
            f"Each question and the passages found for it would be sent to {host}, which is not "
            "this machine. Use it?",
            arguments.yes,
            "Nothing was changed.",
        )
    fault = _fault(config, url, model, given.get("key_env"))
    own = own_config(os.environ)
    changes: dict[str, str | None] = {**given}
    if url != config.endpoint_url and "key_env" not in given:
        changes["key_env"] = None  # one server's key is not for another
    if given:
        set_values(own, ENDPOINT, changes)
    set_values(own, "generator", {"model": ENDPOINT})
    sentence = f"{one_line(model)} at {host} answers from now on; {own} says so."
    tell(arguments, {"name": ENDPOINT, "kind": "generator", "file": str(own)}, sentence)
    if fault:
        say(f"But not yet: {one_line(fault)}", beside=True)
    warn_of_variable("RAG_GENERATOR_MODEL")
    return 0


def _fault(config: Config, url: str, model: str, key_env: str | None) -> str:
    """Why a server cannot be asked now, "" where it can: it need not run yet, nor need its key be
    there. Raises EndpointMismatch where the address or the model is wrong."""
    if key_env is None:
        key_env = config.endpoint_key_env if url == config.endpoint_url else ""
    named = replace(config, endpoint_url=url, endpoint_model=model, endpoint_key_env=key_env)
    try:
        look_at_endpoint(named)
    except EndpointMismatch:
        raise
    except ModelError as error:
        return str(error)
    return ""


def with_fault(row: Row, config: Config) -> Row:
    """The row of the endpoint with why it cannot be asked now; any other row as it is."""
    if not (row.name.startswith(f"{ENDPOINT}: ") and row.source == config.endpoint_url):
        return row
    try:
        look_at_endpoint(config)
    except ModelError as error:
        return replace(row, fault=str(error))
    return row


def look_at_endpoint(config: Config) -> None:
    """Raises ModelError where the endpoint's key is not there, or a server on this machine cannot
    answer; one elsewhere is not asked."""
    from rag.answering.endpoint import leaves_machine
    from rag.wiring import endpoint_key, open_endpoint

    endpoint_key(config)
    if leaves_machine(config.endpoint_url):
        return
    served = open_endpoint(config, timeout=_WAITS_S)
    try:
        served.load()
    finally:
        served.close()
