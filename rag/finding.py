"""What `rag doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["sound", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `cure` is empty where nothing needs one."""

    about: str
    state: State
    found: str
    cure: str = ""
