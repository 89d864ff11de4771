"""Proxies of the environment that cannot be used as they are, in a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import ModelError

_KNOWN = ("http://", "https://", "socks5://", "socks5h://")
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
            f"{_named(('socks',), True)} names a SOCKS proxy, and the package that speaks to one "
            "is not here.",
            "Install it: pip install socksio",
        ) from error
    except Exception as error:
        # Of whichever library of that family is here.
        if type(error).__name__ != "InvalidURL" and "scheme for proxy" not in str(error):
            raise
        raise ModelError(
            f"{_named(_KNOWN, False)} names a proxy whose address is not understood.",
            "Its address begins with http://, https:// or socks5://.",
        ) from error


def _named(schemes: tuple[str, ...], one_of: bool) -> str:
    """The variable that names a proxy of one of these schemes, or of none of them."""
    for name in (each for upper in _VARIABLES for each in (upper, upper.lower())):
        value = os.environ.get(name, "").strip().lower()
        if value and (value if "://" in value else f"http://{value}").startswith(schemes) == one_of:
            return name
    return "The environment"
