"""Questions that sound as if the notes answered them: `near_misses.py IN OUT [--seed N]`

IN is what `examples.py` wrote. For some questions that are answered there, OUT has one more: the
same words with one name, year or quality changed, to be refused. A changed name is one that the
shown notes hold elsewhere than beside the answer, so that neither its absence nor its strangeness
gives it away. Rajpurkar et al. 2018 (table 2) name the same kinds among people's own: entity swap,
antonym, negation; rules reach only some of them, and a few of these questions have an answer.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.answering.prompt import REFUSAL
from rag.reading.sentences import split_sentences

_SHARE = 0.35  # of the answered questions that get one
NAME = re.compile(r"\b[A-Z][\w'’-]+(?: (?:(?:of|the|de|von|and) )?[A-Z][\w'’-]+)*")
INSIDE = re.compile(rf"(?<=[a-z,] ){NAME.pattern}")  # not a word that only begins a sentence
ASKING = re.compile(
    r"(?:Wh\w+|How|In|On|At|By|For|From|To|Of|The|A|An|Is|Are|Was|Were|Did|Does|Do|Has|Had|Along)\b"
)
YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b")
_PAIRS = """largest smallest, biggest smallest, highest lowest, oldest newest, most least,
north south, east west, northern southern, eastern western, before after, early late, increase
decrease, increased decreased, more fewer, greater lesser, male female, man woman, men women, son
daughter, brother sister, father mother, husband wife, king queen, win lose, won lost, began ended,
open close, opened closed, born buried, public private, old new,
best worst, upper lower, rise fall, rose fell, accepted rejected, supported opposed,
support oppose, allowed banned, allow forbid, gained lost, longest shortest, fastest slowest, common
rare, majority minority, major minor, maximum minimum, always never"""
_OPPOSITES = {
    one: other
    for pair in " ".join(_PAIRS.split()).split(", ")
    for one, other in (pair.split(), pair.split()[::-1])
}
_CITED = re.compile(r" \[(\d+)\]$")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    made = 0
    with options.out.open("w", encoding="utf-8") as out:
        for line in options.source.read_text(encoding="utf-8").splitlines():
            example = json.loads(line)
            more = [
                {"question": missed, "before": "", "answer": REFUSAL}
                for asked in example["asked"]
                if asked["answer"] != REFUSAL and chance.random() < _SHARE
                if (missed := near_miss(asked, example["notes"], chance))
            ]
            made += len(more)
            example["asked"] += more
            chance.shuffle(example["asked"])
            out.write(json.dumps(example, ensure_ascii=False) + "\n")
    print(f"{made} near misses")


def near_miss(asked: dict[str, Any], notes: Sequence[str], chance: random.Random) -> str:
    """The question with one thing changed; empty where there is nothing to change."""
    question: str = asked["question"]
    number = _CITED.search(asked["answer"])
    answer = _CITED.sub("", asked["answer"])
    beside = " ".join(
        sentence
        for note in notes
        if number and note.startswith(f"[{number[1]}]")
        for sentence in split_sentences(note)
        if answer in sentence
    )
    changed = [
        each
        for each in (
            _other_name(question, answer, beside, notes, chance),
            _other_year(question, beside, chance),
            _opposite(question, chance),
        )
        if each
    ]
    return chance.choice(changed) if changed else ""


def _other_name(
    question: str, answer: str, beside: str, notes: Sequence[str], chance: random.Random
) -> str:
    names = [
        each
        for each in NAME.finditer(question)
        if each.start() and len(each[0]) > 2 and not ASKING.match(each[0])
    ]
    if not names:
        return ""
    out = chance.choice(names)
    words = {word.casefold() for word in out[0].split()}
    others = sorted(
        {
            name
            for note in notes
            for name in INSIDE.findall(note)
            if len(name) > 2
            and not ASKING.match(name)
            and name not in beside
            and name not in question
            and name not in answer
            and not words & {word.casefold() for word in name.split()}
            and len(name.split()) >= min(2, len(out[0].split()))
        }
    )
    if not others:
        return ""
    return question[: out.start()] + chance.choice(others) + question[out.end() :]


def _other_year(question: str, beside: str, chance: random.Random) -> str:
    year = YEAR.search(question)
    if not year:
        return ""
    other = str(int(year[0]) + chance.choice((-30, -12, -7, -3, -2, 2, 3, 7, 12, 30)))
    if other in beside:
        return ""
    return question[: year.start()] + other + question[year.end() :]


def _opposite(question: str, chance: random.Random) -> str:
    found = [each for each in re.finditer(r"\w+", question) if each[0].casefold() in _OPPOSITES]
    if not found:
        return ""
    word = chance.choice(found)
    other = _OPPOSITES[word[0].casefold()]
    return question[: word.start()] + other + question[word.end() :]


if __name__ == "__main__":
    main()
