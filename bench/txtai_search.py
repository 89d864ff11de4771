"""txtai's hybrid search over the paragraphs of some notes, for bench/quality.py.

    python bench/txtai_search.py NOTES MODEL K < questions.json

Runs in an environment of its own that has txtai. MODEL is a sentence-transformers folder; nothing
is downloaded. Prints for each question its K best (note, text).
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"


def main(notes: str, model: str, k: str) -> None:
    from txtai import Embeddings

    paragraphs = [
        (file.name, text.strip())
        for file in sorted(Path(notes).rglob("*.md"))
        for text in file.read_text(encoding="utf-8").split("\n\n")
        if text.strip()
    ]
    # Texts stay here: what is found are their places.
    index = Embeddings(path=model, hybrid=True, method="sentence-transformers")
    index.index((n, text, None) for n, (_, text) in enumerate(paragraphs))
    found = [index.search(question, int(k)) for question in json.load(sys.stdin)]
    json.dump([[paragraphs[int(n)] for n, _ in row] for row in found], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
