"""Mix files of pairs: `mix.py OUT FILE:COUNT ... [--typed SHARE] [--seed N]`

Takes COUNT pairs of each FILE by chance and shuffles them. A SHARE of the questions is put as
people type them: without a question mark, articles and auxiliaries, of some only what is asked
about ("what was the price of the hive" is "price hive").
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

_LEFT_OUT = re.compile(
    r"\b(?:an?|the|do|does|did|is|are|was|were|has|have|had|of)\b ?", re.IGNORECASE
)
_ASKS = re.compile(r"^(?:and )?(?:what|which|who|where|when|how)(?:[’']s)? ", re.IGNORECASE)
_FEW = 0.4  # of what is typed: only what is asked about


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("files", nargs="+", metavar="FILE:COUNT")
    parser.add_argument("--typed", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    mixed: list[str] = []
    for each in options.files:
        file, _, count = each.rpartition(":")
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        mixed += chance.sample(lines, min(int(count), len(lines)))
    chance.shuffle(mixed)
    with options.out.open("w", encoding="utf-8") as out:
        for line in mixed:
            pair = json.loads(line)
            if chance.random() < options.typed:
                pair["question"] = typed(pair["question"], chance)
            out.write(json.dumps(pair, ensure_ascii=False) + "\n")
    print(f"{len(mixed)} pairs")


def typed(question: str, chance: random.Random) -> str:
    """A question as it is typed; as it is where little would be left."""
    few = _LEFT_OUT.sub("", question.rstrip("?!. "))
    if chance.random() < _FEW:
        few = _ASKS.sub("", few)
    few = " ".join(few.split())
    return few if len(few.split()) > 2 else question


if __name__ == "__main__":
    main()
