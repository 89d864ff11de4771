"""Proxies of the environment that cannot be used as they are, in a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import ModelError

_VARIABLES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")


@contextmanager
def usable_proxies() -> Iterator[None]:
    """What makes a client for the network fail because of a proxy's kind, as a ModelError: SOCKS
    takes a package that is not always there, and other kinds nobody speaks."""
    try:
        yield
    except ImportError as error:
        if "socksio" not in str(error):
            raise
        raise ModelError(
            f"{_named('socks')} names a SOCKS proxy, and the package that speaks to one is not "
            "here.",
            "Install it: pip install socksio",
        ) from error
    except ValueError as error:
        if "scheme for proxy" not in str(error):
            raise
        raise ModelError(
            f"{_named('')} names a proxy of a kind that is not known.",
            "Its address begins with http://, https:// or socks5://.",
        ) from error


def _named(scheme: str) -> str:
    """The variable that names a proxy of this scheme."""
    for name in (each for upper in _VARIABLES for each in (upper, upper.lower())):
        if (value := os.environ.get(name, "")) and value.startswith(scheme):
            return name
    return "The environment"
