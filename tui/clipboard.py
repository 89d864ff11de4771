"""The clipboard inside tmux, which by default takes no OSC 52 from a program."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

_WAIT_S = 2.0
# With -w tmux also hands it to the clipboard of the terminal; before 3.2 it knew no -w.
_COMMANDS = (("tmux", "load-buffer", "-w", "-"), ("tmux", "load-buffer", "-"))


def copy_in_tmux(text: str, environ: Mapping[str, str]) -> bool:
    """Put `text` into tmux's newest buffer; whether it is there. Does nothing outside tmux."""
    if not environ.get("TMUX"):
        return False
    for command in _COMMANDS:
        try:
            done = subprocess.run(
                command,
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_WAIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False
