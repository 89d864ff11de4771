"""Memory while indexing, against the number of notes: it should not grow with them.

    python bench/indexing_memory.py --data FOLDER [--notes 500 2000 8000]

Writes that many notes, each of eight sentences drawn from the real ones, and indexes each vault
from nothing in a process of its own. Prints the most memory that it had at any moment, how much
of it was its own at most (the rest are mapped files: libraries, weights, the index), and the
characters that it indexed a second.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from rich.console import Console
from rich.table import Table

from bench.data import data_folder, environment, parser
from rag.reading.sentences import sentence_spans

_SENTENCES = 8  # of a note


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--notes", type=int, nargs="+", default=[500, 2000, 8000])
    options = arguments.parse_args()
    texts = [file.read_text("utf-8") for file in sorted(data_folder(options).glob("notes/*.md"))]
    pool = [
        " ".join(text[span.start : span.end].split())
        for text in texts
        for span in sentence_spans(text)
    ]
    table = Table("notes", "characters", "the most memory, MB", "its own, MB", "characters/s")
    for count in options.notes:
        with tempfile.TemporaryDirectory() as home:
            size = _write(Path(home, "notes"), count, pool)
            peak, own, seconds = _index(Path(home, "notes"), Path(home, "data"))
        memory = f"{peak / 1e6:.0f}", f"{own / 1e6:.0f}"
        row = f"{count:,}", f"{size:,}", *memory, f"{size / seconds:,.0f}"
        table.add_row(*row)
        print(*row, file=sys.stderr, flush=True)  # a run takes long
    Console().print(table)


def _write(folder: Path, count: int, pool: list[str]) -> int:
    """Write the notes; how many characters they have."""
    chance = random.Random(count)
    size = 0
    for number in range(count):
        text = f"# Note {number}\n\n{' '.join(chance.sample(pool, _SENTENCES))}\n"
        file = folder / f"{number // 100:03}" / f"{number:05}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        size += len(text)
    return size


def _index(folder: Path, data: Path) -> tuple[int, int, float]:
    """Bytes of memory at most, of them its own at most, and seconds, of `rag index`."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "rag", "index", str(folder)],
        env=environment(RAG_DATA_DIR=str(data)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    watched, own = psutil.Process(process.pid), 0
    while True:
        with contextlib.suppress(psutil.Error):
            memory = watched.memory_info()
            own = max(own, memory.rss - memory.shared)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"rag index failed with status {process.returncode}.")
    return usage.ru_maxrss * 1024, own, time.perf_counter() - began


if __name__ == "__main__":
    main()
