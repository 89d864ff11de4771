"""The limit of indexing: nothing but torch's forward pass over sorted, ready-made batches.

`python bench/forward.py NOTES bfloat16|float32` prints the characters of notes a second;
loading and tokenizing count for nothing. Run by bench/speed.py.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.baseline import chunks
from rag.models.catalog import find_model
from rag.models.weights import locate

_BATCH_TOKENS = 2048  # as rag's own batches


def main() -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = [text for _, text in chunks(Path(sys.argv[1]))]
    folder = str(locate(find_model("all-MiniLM-L6-v2", "embedder")).parent)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=getattr(torch, sys.argv[2])).eval()
    rows = sorted(tokenizer(texts, truncation=True, max_length=256)["input_ids"], key=len)
    batches = []
    while rows:
        part = rows[-max(1, _BATCH_TOKENS // len(rows[-1])) :]
        del rows[-len(part) :]
        batches.append(tokenizer.pad({"input_ids": part}, return_tensors="pt"))
    with torch.inference_mode():
        model(**batches[0])
        began = time.perf_counter()
        for batch in batches:
            model(**batch)
    print(sum(map(len, texts)) / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
