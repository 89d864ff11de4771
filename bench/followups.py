"""How well follow-up questions find their passage, beside the same questions asked in full.

    python bench/followups.py CONVERSATIONS NOTES [--answers sentence|gold] [--ask] [--json]

CONVERSATIONS as bench/README.md describes them. Retrieval alone, no language model: what was
answered before is the note's sentence that holds the gold answer, or the gold answer itself.
A hit is a passage of the right note that holds a gold answer. With `--ask` the questions are
answered, too: how many of the answers hold a gold answer, as typed and asked in full.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.data import engine
from rag.engine import Engine
from rag.errors import QuestionError
from rag.evaluation.matching import holds
from rag.retrieval.found import Passage
from rag.retrieval.query import Turn, content_words

K = 5
_SENTENCE = re.compile(r"\n|(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question of a conversation after its first. The ranks count from 1; 0: not found."""

    id: str
    split: str
    kind: str
    question: str
    query: str
    typed: int  # with its history
    full: int  # the same asked in full
    alone: int  # as typed, without history


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of follow-ups that hit: as typed, in full, and as typed without history."""

    questions: int
    typed_1: float
    full_1: float
    alone_1: float
    typed_5: float
    full_5: float
    alone_5: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conversations", type=Path)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--answers", choices=("sentence", "gold"), default="sentence")
    parser.add_argument("--ask", action="store_true", help="answer them, with the bundled model")
    parser.add_argument("--json", action="store_true", help="every follow-up, as JSON lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        asked = engine(options.notes, Path(home))
        for _ in asked.index():
            pass
        bare = options.answers == "gold"
        if options.ask:
            for kind, (count, typed, full) in answered(asked, options.conversations, bare).items():
                print(f"{kind}: {count} follow-ups, {typed} hold a gold answer; in full {full}")
            return
        found = list(measure(asked, options.conversations, bare))
    if options.json:
        for each in found:
            print(json.dumps(asdict(each), ensure_ascii=False))
    else:
        Console().print(_table(found))


def measure(asked: Engine, conversations: Path, bare: bool = False) -> Iterator[FollowUp]:
    """Ask every follow-up three ways. `bare`: earlier answers are gold answers, not sentences."""
    for line in conversations.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        history: list[Turn] = []
        for turn in row["turns"]:
            found = asked.explain(turn["question"], K, history)
            if history:
                yield FollowUp(
                    row["id"],
                    row["split"],
                    turn.get("kind", row["kind"]),
                    turn["question"],
                    found.query,
                    _rank(found.passages, turn),
                    _rank(asked.search(turn["full"], K), turn),
                    _rank(_alone(asked, turn["question"]), turn),
                )
            said = turn["answers"][0] if bare else _said(asked.notes_folder, turn)
            history.append(Turn(turn["question"], said, found.query))


def answered(asked: Engine, conversations: Path, bare: bool = False) -> dict[str, list[int]]:
    """By kind: how many follow-ups, and of how many the answer holds a gold answer, as typed after
    what came before and asked in full."""
    counts: dict[str, list[int]] = {}
    for line in conversations.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        history: list[Turn] = []
        for turn in row["turns"]:
            *_, typed = asked.ask(turn["question"], history=history)
            if history:
                *_, full = asked.ask(turn["full"])
                right = [
                    each.answered and holds(each.answer, turn["answers"]) for each in (typed, full)
                ]
                for kind in ("all", turn.get("kind", row["kind"])):
                    kept = counts.setdefault(kind, [0, 0, 0])
                    counts[kind] = [a + b for a, b in zip(kept, (1, *right), strict=True)]
            said = turn["answers"][0] if bare else _said(asked.notes_folder, turn)
            history.append(Turn(turn["question"], said, typed.query))
    return counts


def _alone(asked: Engine, question: str) -> Sequence[Passage]:
    """What is found without the history; "2017?" alone asks for notes of that year."""
    try:
        return asked.search(question, K)
    except QuestionError:
        return ()


def rates(found: Iterable[FollowUp]) -> Rates:
    """The hit rates of some follow-ups, at least one."""
    ranks = [(each.typed, each.full, each.alone) for each in found]
    first = [_share(column, 1) for column in zip(*ranks, strict=True)]
    five = [_share(column, K) for column in zip(*ranks, strict=True)]
    return Rates(len(ranks), *first, *five)


def _share(ranks: Sequence[int], k: int) -> float:
    return sum(0 < rank <= k for rank in ranks) / len(ranks)


def _rank(found: Sequence[Passage], turn: dict[str, list[str]]) -> int:
    """The rank of the first hit, counted from 1, or 0."""
    for rank, passage in enumerate(found, 1):
        if passage.path == turn["note"] and holds(passage.text, turn["answers"]):
            return rank
    return 0


def _said(folder: Path, turn: dict[str, list[str]]) -> str:
    """The sentence of the note that answers: of those that hold a gold answer, the one with most
    words of the question."""
    wanted = set(content_words(str(turn["full"])))
    holding = [
        sentence
        for sentence in _sentences(folder / str(turn["note"]))
        if holds(sentence, turn["answers"])
    ]
    return max(
        holding,
        key=lambda sentence: len(wanted.intersection(content_words(sentence))),
        default=turn["answers"][0],  # it runs over the end of a line
    )


@cache
def _sentences(note: Path) -> list[str]:
    return [each for each in _SENTENCE.split(note.read_text(encoding="utf-8")) if each.strip()]


def _table(found: Sequence[FollowUp]) -> Table:
    """Rates by split and kind. `lost`: found without the history, and not with it."""
    title = "Hits at 1 and at 5: as typed, asked in full, typed without history"
    table = Table(title=title, box=SIMPLE, padding=0)
    table.add_column("follow-ups", no_wrap=True)
    for name in ("n", "typed@1", "full@1", "alone@1", "typed@5", "full@5", "alone@5", "lost"):
        table.add_column(name, justify="right", no_wrap=True)
    kinds = dict.fromkeys(each.kind for each in found)
    for split in ("dev", "test"):
        part = [each for each in found if each.split == split]
        _row(table, f"{split}, all", part)
        for kind in kinds:
            _row(table, f"{split}, {kind}", [each for each in part if each.kind == kind])
        table.add_section()
    _row(table, "all", found)
    return table


def _row(table: Table, name: str, found: Sequence[FollowUp]) -> None:
    if found:
        each = rates(found)
        shares = (each.typed_1, each.full_1, each.alone_1, each.typed_5, each.full_5, each.alone_5)
        lost = sum(one.alone > 0 and one.typed == 0 for one in found)
        table.add_row(name, str(each.questions), *(f"{x:.3f}" for x in shares), str(lost))


if __name__ == "__main__":
    main()
