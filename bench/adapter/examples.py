"""Training examples for the adapter: the real prompt over what the real search finds.

    python bench/adapter/examples.py OUT [--squad FOLDER] [--more FILE.jsonl ...] [--seed N]

FOLDER is laid out as for the other benchmarks; of its notes only those of `split.json` under
"train" are read. Each FILE.jsonl holds a question a line (`title`, `context`, `question`,
`answers`, empty when the context does not hold one); titles of `split.json` under "calibrate"
are left out.

The questions about one paragraph share one context: the sentences that the search picks for
them, best first, of at most five passages. A question whose answer is among these sentences is
answered by its span and the passage's number; any other, and one about another paragraph that
was mixed in, by the refusal. OUT gets one context a line: `notes` (lines of the prompt) and
`asked` (`question`, `before`, `answer`).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.data import engine
from rag.answering.answer import PROMPT_EVIDENCE
from rag.answering.prompt import REFUSAL, note_line
from rag.engine import Engine
from rag.evaluation.matching import holds, normalise
from rag.retrieval.evidence import find_evidence
from rag.retrieval.found import Evidence, Passage

SPLIT = Path(__file__).with_name("split.json")
_TOGETHER = 5  # questions that share a context
_FOREIGN = 0.4  # chance that one about another paragraph of the note is mixed in
_BEFORE = 0.1  # chance that a question follows another
_SHUFFLED = 0.3  # chance that passages come in another order than the search's


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its gold answers (none: the notes do not say), its note and paragraph."""

    question: str
    answers: tuple[str, ...]
    note: str
    paragraph: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--squad", type=Path)
    parser.add_argument("--more", type=Path, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with options.out.open("w", encoding="utf-8") as out, tempfile.TemporaryDirectory() as folder:
        for name, questions, notes in _collections(options, Path(folder)):
            contexts = _contexts(questions, notes, Path(folder) / f"{name}-index", chance)
            for count, example in enumerate(contexts, 1):
                out.write(json.dumps(example, ensure_ascii=False) + "\n")
                if count % 100 == 0:
                    print(f"{name}: {count} contexts", flush=True)


def _collections(
    options: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, list[Asked], Path]]:
    """Each collection with its questions and a folder of its notes."""
    if options.squad:
        yield "squad", *read_squad(options.squad, folder / "squad")
    for file in options.more:
        yield file.stem, *read_more(file, folder / file.stem, held=False)


def read_split(part: str) -> set[str]:
    """The notes or titles of one part of the split."""
    return set(json.loads(SPLIT.read_text(encoding="utf-8"))[part])


def read_squad(squad: Path, notes: Path) -> tuple[list[Asked], Path]:
    """The questions about the notes to train on, and a folder of these notes alone."""
    train = read_split("train")
    notes.mkdir()
    for name in sorted(train):
        text = (squad / "notes" / name).read_text(encoding="utf-8")
        (notes / name).write_text(text, encoding="utf-8")
    rows = [
        json.loads(line)
        for kind in ("answerable", "unanswerable")
        for line in (squad / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    asked = [
        Asked(row["question"], tuple(row["answers"]), row["note"], str(row["paragraph"]))
        for row in rows
        if row["note"] in train
    ]
    return asked, notes


def read_more(file: Path, notes: Path, held: bool) -> tuple[list[Asked], Path]:
    """The questions of a file whose titles are `held` back for calibration, or of the others."""
    back = read_split("calibrate")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    notes.mkdir(exist_ok=True)
    return _write_notes([row for row in rows if (row["title"] in back) == held], notes), notes


def _write_notes(rows: Sequence[dict[str, Any]], folder: Path) -> list[Asked]:
    """The contexts of each title as one note; the questions about them."""
    contexts: dict[str, dict[str, None]] = defaultdict(dict)
    asked = []
    for row in rows:
        name = re.sub(r"[^\w ()-]", "_", row["title"])[:80] + ".md"
        context = " ".join(row["context"].split())
        contexts[name].setdefault(context)
        asked.append(Asked(row["question"], tuple(row["answers"]), name, context))
    for name, paragraphs in contexts.items():
        title = name.removesuffix(".md").replace("_", " ")
        text = "\n\n".join((f"# {title}", *paragraphs)) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    return asked


def _contexts(
    questions: Sequence[Asked], notes: Path, home: Path, chance: random.Random
) -> Iterator[dict[str, Any]]:
    ours = engine(notes, home)
    for _ in ours.index():
        pass
    groups: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for each in questions:
        groups[each.note, each.paragraph].append(each)
    by_note: dict[str, list[Asked]] = defaultdict(list)
    for each in questions:
        by_note[each.note].append(each)
    order = sorted(groups)
    chance.shuffle(order)
    for key in order:
        group = groups[key]
        chance.shuffle(group)
        others = [each for each in by_note[key[0]] if each.paragraph != key[1]]
        for start in range(0, len(group), _TOGETHER):
            together = group[start : start + _TOGETHER]
            if others and chance.random() < _FOREIGN:
                together = [*together, chance.choice(others)]
            yield _context(ours, together, key, chance)
    ours.close()


def _context(
    ours: Engine, asked: Sequence[Asked], key: tuple[str, str], chance: random.Random
) -> dict[str, Any]:
    """One context. What the search picks for each question takes turns, best first."""
    passages: dict[int, Passage] = {}
    picked: dict[tuple[int, int], Evidence] = {}
    own = [each for each in asked if (each.note, each.paragraph) == key]
    found = [_evidence(ours, each.question) for each in own]
    limit = PROMPT_EVIDENCE + len(own) // 2
    for rank in range(PROMPT_EVIDENCE):
        for hits, evidence in found:
            if rank < len(evidence) and len(picked) < limit:
                passage = hits[evidence[rank].n - 1]
                if passage.id in passages or len(passages) < 5:
                    passages.setdefault(passage.id, passage)
                    picked[passage.id, evidence[rank].start] = evidence[rank]
    order = list(passages)
    if chance.random() < _SHUFFLED:
        chance.shuffle(order)
    shown = []
    for n, chunk in enumerate(order, 1):
        spans = sorted((e.start, e.end) for (where, _), e in picked.items() if where == chunk)
        passage = passages[chunk]
        shown.append((passage, note_line(n, passage.title, passage.text, spans)))
    chance.shuffle(asked := list(asked))
    return {
        "notes": [line for _, line in shown],
        "asked": [
            {
                "question": each.question,
                "before": chance.choice(asked).question if chance.random() < _BEFORE else "",
                "answer": _answer(each, shown),
            }
            for each in asked
        ],
    }


def _evidence(ours: Engine, question: str) -> tuple[Sequence[Passage], Sequence[Evidence]]:
    hits = ours.search(question, 5)
    return hits, find_evidence(question, hits, ours.models.embedder(), PROMPT_EVIDENCE)


def _answer(asked: Asked, shown: Sequence[tuple[Passage, str]]) -> str:
    """The shortest of the likeliest gold answers, cited; the refusal where none is shown."""
    for n, (passage, line) in enumerate(shown, 1):
        if passage.path != asked.note:
            continue
        held = [each for each in asked.answers if holds(line, (each,))]
        if held and normalise(held[0]):
            return f"{held[0].strip().rstrip('.,;')} [{n}]"
    return REFUSAL


if __name__ == "__main__":
    main()
