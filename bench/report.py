"""Where figures go: sections of bench/RESULTS.md between two marks, and what machine gave them."""

from __future__ import annotations

import os
import platform
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def machine() -> str:
    """A sentence on the machine, and how busy it was."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / (1 << 30)
    busy = os.getloadavg()[0]
    return (
        f"{platform.system()} on {platform.machine()}, {cores} cores, {memory:.0f} GiB, CPython "
        f"{platform.python_version()}; load {busy:.1f} on {cores} cores while it was measured."
    )


def write_section(name: str, text: str) -> None:
    """Put `text` between the marks of a section, which is added at the end where it is missing."""
    begin, end = f"<!-- {name}: written by bench -->", f"<!-- end of {name} -->"
    whole = RESULTS.read_text(encoding="utf-8")
    block = f"{begin}\n{text.strip()}\n{end}"
    if begin in whole and end in whole:
        before, _, rest = whole.partition(begin)
        whole = before + block + rest.partition(end)[2]
    else:
        whole = f"{whole.rstrip()}\n\n{block}\n"
    RESULTS.write_text(whole, encoding="utf-8")
