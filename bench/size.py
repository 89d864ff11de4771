"""How indexing and search grow, from 1,000 notes to 100,000 of ten passages each.

    python bench/size.py --data FOLDER [--notes N ...] [--keep FOLDER] [--write]

Vaults are re-mixed from the notes of `--data`; vectors are real ones with noise, written through
the index's own interface (bench/vaults.py). Each step is a process of its own. A million passages
take some minutes and 8 GB of disk. `--write` puts the table and the chart into bench/.
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np

from bench.data import data_folder, engine, environment, parser, questions
from bench.growth import growth_svg
from bench.report import machine, write_section
from bench.vaults import PASSAGES, build_vault, bytes_of, dump, memory, read_pool

RAG = [sys.executable, "-m", "rag"]
QUESTIONS = 200
_COLD = 3  # runs of a whole process, of which the median counts
_ADDED = "The quartz heron of Bellmere nests on the ninth pier.\n"


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--notes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    arguments.add_argument("--keep", type=Path, help="where vaults lie and stay")
    arguments.add_argument("--write", action="store_true", help="into bench/RESULTS.md")
    arguments.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    folder = data_folder(options)
    if options.step:
        step, count, place = options.step
        _STEPS[step](folder, int(count), Path(place))
        return
    with tempfile.TemporaryDirectory() as name:
        place = options.keep or Path(name)
        place.mkdir(parents=True, exist_ok=True)
        rows = [_size(folder, count, place) for count in options.notes]
        torch = min(
            _timed([sys.executable, "-c", "import sentence_transformers"], {}) for _ in "12"
        )
    text = _table(rows, torch)
    print(text)
    if options.write:
        write_section("size", text)
        (ROOT / "bench" / "growth.svg").write_text(growth_svg(rows), encoding="utf-8")


def _size(folder: Path, count: int, place: Path) -> dict[str, Any]:
    """All figures of one vault. What was built before is used again."""
    home = place / f"home-{count}"
    if not (home / "built.json").exists():
        _step(folder, "build", count, place)
    built = json.loads((home / "built.json").read_text())
    searched = _step(folder, "search", count, place)
    notes = str(place / f"notes-{count}")
    env = {"RAG_DATA_DIR": str(home)}
    asked = [*RAG, "search", "--notes", notes, "--json", "Who built the old church?"]
    cold = statistics.median(_timed([*asked, "--no-refresh"], env) for _ in range(_COLD))
    # The vault was written without a scan, of which an index keeps what it saw.
    _timed([*RAG, "index", "--json", notes], env)
    looked = statistics.median(_timed(asked, env) for _ in range(_COLD))
    added = place / f"notes-{count}" / f"added {time.time_ns()}.md"
    added.write_text(_ADDED, encoding="utf-8")
    indexing = _timed([*RAG, "index", "--json", notes], env)
    found = subprocess.run(
        [*RAG, "search", "--notes", notes, "--json", "Where does the quartz heron nest?"],
        env=environment(**env),
        capture_output=True,
        text=True,
        check=True,
    )
    seen = added.name in found.stdout
    added.unlink()
    return {
        "passages": count * PASSAGES,
        "build_s": sum(built["seconds"].values()),
        "parts": built["seconds"],
        "build_peak": built["peak"],
        "bytes": bytes_of(home / "indexes"),
        **searched,
        "cold_s": cold,
        "cold_look_s": looked,
        "added_s": indexing,
        "added_seen": seen,
    }


def _step(folder: Path, step: str, count: int, place: Path) -> dict[str, Any]:
    """One step in a process of its own, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--data", str(folder), "--step", step, str(count), str(place)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1])) if done.stdout.strip() else {}


def _asked(folder: Path) -> list[str]:
    return [each.question for each in questions(folder, "answerable", QUESTIONS, 11)]


def _build(folder: Path, count: int, place: Path) -> None:
    home = place / f"home-{count}"
    embedder = engine(folder / "notes", place / "pool").models.embedder()
    vectors = np.stack([embedder.embed_query(each) for each in _asked(folder)])
    pool = read_pool(folder / "notes", place / "pool")
    built = build_vault(pool, place / f"notes-{count}", home, count, vectors)
    dump(built, home / "built.json")
    kept = json.loads((home / "built.json").read_text())
    kept["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (home / "built.json").write_text(json.dumps(kept))


def _search(folder: Path, count: int, place: Path) -> None:
    """Every question once, which encodes it and warms up files, and once to be timed."""
    home = place / f"home-{count}"
    made = engine(place / f"notes-{count}", home)
    asked = _asked(folder)
    embedder = made.models.embedder()
    encode = functools.cache(embedder.embed_query)
    embedder.embed_query = encode  # type: ignore[method-assign]
    began = time.perf_counter()
    made.search(asked[0])
    opened = time.perf_counter() - began
    processor: list[float] = []
    stages: dict[str, list[float]] = {}
    whole, read = [], []  # without the reader, which goes through some passages of some questions
    for round_ in range(2):
        for text in asked:
            began = time.thread_time()
            found = made.explain(text)
            if round_:
                processor.append(time.thread_time() - began)
                spent = {name: each for name, each in found.seconds.items() if name != "embed"}
                for stage, taken in spent.items():
                    stages.setdefault(stage, []).append(taken)
                read.append(sum(spent.values()))
                whole.append(read[-1] - spent.get("read", 0.0))
    index = made._open_index()
    nearest = json.loads((home / "built.json").read_text())["nearest"]
    right = 0
    for text, exact in zip(asked, nearest, strict=True):
        hits = index.search_meaning(encode(text), 10)
        right += len({chunk for chunk, _ in hits} & set(exact))
    print(
        json.dumps(
            {
                "open_s": opened,
                "p50": float(np.percentile(whole, 50)),
                "p99": float(np.percentile(whole, 99)),
                "read": [float(np.percentile(read, each)) for each in (50, 99)],
                "processor": [float(np.percentile(processor, each)) for each in (50, 99)],
                "stages": {
                    name: [float(np.percentile(spent, 50)), float(np.percentile(spent, 99))]
                    for name, spent in stages.items()
                },
                "recall": right / (10 * len(asked)),
                **dict(memory()),
            }
        )
    )


def _timed(command: list[str], env: dict[str, str]) -> float:
    """Wall seconds of a whole process."""
    began = time.perf_counter()
    done = subprocess.run(
        command,
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} failed: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def _table(rows: list[dict[str, Any]], torch: float) -> str:
    """The figures as Markdown, a column for each size."""
    lines = [f"{machine()}", ""]
    lines.append("| passages | " + " | ".join(f"{row['passages']:,}" for row in rows) + " |")
    lines.append("| --- |" + " --- |" * len(rows))

    def line(name: str, values: list[str]) -> None:
        lines.append(f"| {name} | " + " | ".join(values) + " |")

    line("writing all, embedding apart, s", [f"{row['build_s']:.1f}" for row in rows])
    for part in rows[0]["parts"]:
        line(f"– {part}", [f"{row['parts'][part]:.1f}" for row in rows])
    line("memory to write, the most, MB", [f"{row['build_peak'] / 1e6:.0f}" for row in rows])
    for part in rows[0]["bytes"]:
        line(f"{part}, MB", [f"{row['bytes'][part] / 1e6:.0f}" for row in rows])
    line("opened and first search, s", [f"{row['open_s']:.2f}" for row in rows])
    line("search p50, ms", [f"{1000 * row['p50']:.1f}" for row in rows])
    line("search p99, ms", [f"{1000 * row['p99']:.1f}" for row in rows])
    line(
        "– and with the reader, p50 / p99, ms",
        [f"{1000 * row['read'][0]:.1f} / {1000 * row['read'][1]:.1f}" for row in rows],
    )
    line(
        "search, processor time, p50 / p99, ms",
        [f"{1000 * row['processor'][0]:.1f} / {1000 * row['processor'][1]:.1f}" for row in rows],
    )
    for stage in rows[0]["stages"]:
        values = [row["stages"].get(stage, (0.0, 0.0)) for row in rows]
        line(f"– {stage}, p50 / p99", [f"{1000 * a:.1f} / {1000 * b:.1f}" for a, b in values])
    line("recall@10 by meaning against exact", [f"{row['recall']:.4f}" for row in rows])
    line("private memory, MB", [f"{row['private'] / 1e6:.0f}" for row in rows])
    line("cold `rag search --no-refresh`, s", [f"{row['cold_s']:.2f}" for row in rows])
    line(
        "– against importing sentence-transformers",
        [f"{row['cold_s'] / torch:.2f}" for row in rows],
    )
    line("cold `rag search`, looking for changes, s", [f"{row['cold_look_s']:.2f}" for row in rows])
    line("one added note indexed, whole command, s", [f"{row['added_s']:.2f}" for row in rows])
    line("– and found", ["yes" if row["added_seen"] else "no" for row in rows])
    return "\n".join(lines)


_STEPS = {"build": _build, "search": _search}

if __name__ == "__main__":
    main()
