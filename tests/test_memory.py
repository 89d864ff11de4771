"""Memory that was freed goes back to the system, and threads share what they allocate from."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MANY_THREADS = """
import re, sys, threading
from rag.memory import give_back, share_arenas

if "shared" in sys.argv:
    share_arenas()
gate = threading.Barrier(9)

def work():
    kept = [bytes(600) for _ in range(2000)]
    gate.wait()  # all at once, each in an arena of its own if it may
    gate.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads:
    each.start()
gate.wait()
maps = open("/proc/self/maps").read()
gate.wait()
for each in threads:
    each.join()
# A thread's arena is a region of 64 MB, most of it reserved.
sizes = [int(b, 16) - int(a, 16) for a, b in re.findall(r"(?m)^(\\w+)-(\\w+) ---p", maps)]
print(sum(40 << 20 < size < 65 << 20 for size in sizes))
give_back()
"""


def _arenas(*how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MANY_THREADS, *how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_two_arenas():
    assert _arenas("shared") <= 2 < _arenas()
