"""How long people wait, beside the afternoon's baseline in the same run.

    python bench/speed.py --data FOLDER [--runs N] [--large]

Whole processes, ours and the baseline's in turn, medians and ratios. `--large` adds 10,000
notes. Models are prepared beforehand (the first run of all exports and re-quantizes them).
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table

from bench.data import data_folder, environment, parser, questions
from bench.report import machine, write_section

RAG = [sys.executable, "-m", "rag"]
FORWARD = [sys.executable, str(ROOT / "bench" / "forward.py")]
BASELINE = [sys.executable, str(ROOT / "bench" / "baseline.py")]


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--large", action="store_true", help="also 10,000 notes")
    arguments.add_argument("--write", action="store_true", help="into bench/RESULTS.md")
    options = arguments.parse_args()
    folder = data_folder(options)
    notes = folder / "notes"
    table = Table("", "rag", "baseline", "ratio", title=f"medians of {options.runs} runs")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _run(
            [*RAG, "ask", "--notes", str(ROOT / "corpus"), "What is RAG?"],
            place / "warm",
            ok=(0, 1),
        )
        _indexing(table, notes, place, options.runs)
        _asking(table, folder, place, options.runs)
        _searching(table, folder, place, options.runs)
        _unchanged(table, notes, place, options.runs)
        if options.large:
            _large(table, notes, place, options.runs)
    Console().print(table)
    if options.write:
        write_section("speed", _markdown(table))


def _markdown(table: Table) -> str:
    columns = [list(column.cells) for column in table.columns]
    lines = [f"| {' | '.join(map(str, row))} |" for row in zip(*columns, strict=True)]
    head = "| " + " | ".join(str(column.header) for column in table.columns) + " |"
    return "\n".join((machine(), "", head, "| --- " * len(columns) + "|", *lines))


def _searching(table: Table, folder: Path, place: Path, runs: int) -> None:
    """A cold search against the import that it does without, and against a server's."""
    notes = str(folder / "notes")
    command = [*RAG, "search", "--notes", notes, "Who built the old church?"]
    bare = [sys.executable, "-c", "import sentence_transformers"]
    ours, theirs, warm = [], [], []
    for _ in range(runs):
        ours.append(_run(command, place / "index-0")[0])
        theirs.append(_run(bare, place)[0])
    _row(table, "cold search against importing sentence-transformers, s", ours, theirs, ".2f")
    server = subprocess.Popen(
        [*RAG, "serve", "--notes", notes],
        env=environment(RAG_DATA_DIR=str(place / "index-0")),
        stderr=subprocess.PIPE,
    )
    assert server.stderr is not None
    server.stderr.readline()
    _run(command, place / "index-0")
    warm = [_run(command, place / "index-0")[0] for _ in range(runs)]
    server.kill()
    _row(table, "search with rag serve against without, s", warm, ours, ".2f")


def _run(command: list[str], home: Path, ok: tuple[int, ...] = (0,)) -> tuple[float, str]:
    """Wall seconds of a whole process, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(RAG_DATA_DIR=str(home)),
        check=False,
    )
    if done.returncode not in ok:
        raise SystemExit(f"{command} failed: {done.stderr[-2000:]}")
    return time.perf_counter() - started, done.stdout


def _indexing(table: Table, notes: Path, place: Path, runs: int) -> None:
    size = sum(len(file.read_text(encoding="utf-8")) for file in notes.glob("*.md"))
    ours, theirs = [], []
    bare: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for run in range(runs):
        ours.append(size / _run([*RAG, "index", str(notes)], place / f"index-{run}")[0])
        theirs.append(size / _run([*BASELINE, "index", str(notes), str(place / "base")], place)[0])
        for dtype, speeds in bare.items():
            speeds.append(float(_run([*FORWARD, str(notes), dtype], place)[1]))
    _row(table, "indexing, characters/s", ours, theirs, ".0f")
    for dtype, speeds in bare.items():
        _row(table, f"indexing against a bare forward pass in {dtype}", ours, speeds, ".0f")


def _asking(table: Table, folder: Path, place: Path, runs: int) -> None:
    home, notes = place / "index-0", str(folder / "notes")
    ours, theirs, sentences = [], [], []
    for question in questions(folder, "answerable", runs * 4, 7):
        if len(ours) == runs:
            break
        _, text = _run(
            [*RAG, "ask", "--json", "--notes", notes, "--", question.question], home, ok=(0, 1)
        )
        timings = json.loads(text)["timings"]
        if "first_token_s" not in timings:  # refused without the model
            continue
        ours.append(timings["first_token_s"])
        sentences.append(timings["first_sentence_s"])
        started = time.time()
        _, text = _run([*BASELINE, "ask", str(place / "base"), question.question], place)
        theirs.append(json.loads(text.splitlines()[0])["first_token"] - started)
    _row(table, "cold ask to the first token, s", ours, theirs, ".2f")
    _row(table, "cold ask to the first sentence, s", sentences, None, ".2f")


def _unchanged(table: Table, notes: Path, place: Path, runs: int) -> None:
    folder = place / "notes-48"
    folder.mkdir()
    for file in notes.glob("*.md"):
        shutil.copy(file, folder / file.name)
        shutil.copy(file, folder / f"copy of {file.name}")
    _updates(table, folder, place / "home-48", "48 notes", runs)


def _large(table: Table, notes: Path, place: Path, runs: int) -> None:
    """10,000 notes of one paragraph; equal texts under equal titles are embedded once."""
    folder = place / "notes-10000"
    folder.mkdir()
    paragraphs = [
        (file.stem, part)
        for file in sorted(notes.glob("*.md"))
        for part in file.read_text(encoding="utf-8").split("\n\n")[1:]
        if part.strip()
    ]
    for number in range(10_000):
        title, text = paragraphs[number % len(paragraphs)]
        sub = folder / f"{number // 100:03}"
        sub.mkdir(exist_ok=True)
        (sub / f"{number:05}.md").write_text(
            f"---\ntitle: {title}\n---\n{text}\n", encoding="utf-8"
        )
    _updates(table, folder, place / "home-10000", "10,000 notes", runs)


def _updates(table: Table, folder: Path, home: Path, name: str, runs: int) -> None:
    _run([*RAG, "index", str(folder)], home)
    time.sleep(2.5)  # notes written within two seconds of a scan are hashed by the next
    _run([*RAG, "index", str(folder)], home)
    same, least = [], []
    stamp = home / "stamp"
    stamp.touch()
    for _ in range(runs):
        same.append(_run([*RAG, "index", str(folder)], home)[0])
        find = _run(["find", str(folder), "-newer", str(stamp)], home)[0]
        least.append(find + _run([sys.executable, "-c", "pass"], home)[0])
    _row(table, f"nothing changed, {name}, against find and bare Python, s", same, least, ".2f")
    changed = []
    note = sorted(folder.rglob("*.md"))[3]
    for run in range(runs):
        with note.open("a", encoding="utf-8") as handle:
            handle.write(f"\nThe {run}th change of this note, made at {time.time()}.\n")
        changed.append(_run([*RAG, "index", str(folder)], home)[0])
    _row(table, f"one note changed, {name}, s", changed, None, ".2f")


def _row(table: Table, name: str, ours: list[float], theirs: list[float] | None, form: str) -> None:
    mine = statistics.median(ours)
    if theirs is None:
        table.add_row(name, f"{mine:{form}}", "", "")
        return
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    table.add_row(
        name,
        f"{mine:{form}}",
        f"{statistics.median(theirs):{form}}",
        f"{statistics.median(ratios):.2f}",
    )


if __name__ == "__main__":
    main()
