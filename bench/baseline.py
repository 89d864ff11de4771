"""The baseline: what a competent person writes in an afternoon.

sentence-transformers in fp32 over 1,000-character chunks, `IndexFlatIP`, the top 4 passages
into `Llama.create_chat_completion` with the same GGUF file.

`python bench/baseline.py index NOTES STATE` and `python bench/baseline.py ask STATE QUESTION`
are timed as whole processes by bench/speed.py.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.models.catalog import find_model
from rag.models.weights import locate

CHUNK = 1000
TOP = 4


def chunks(notes: Path) -> list[tuple[str, str]]:
    """(note, text) of 1,000 characters each."""
    found = []
    for file in sorted(notes.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        found += [(file.name, text[i : i + CHUNK]) for i in range(0, len(text), CHUNK)]
    return found


class Baseline:
    """The whole of it, in one object."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        folder = locate(find_model("all-MiniLM-L6-v2", "embedder")).parent
        self.model = SentenceTransformer(str(folder), device="cpu")

    def index(self, notes: Path) -> None:
        import faiss

        self.chunks = chunks(notes)
        vectors = self.model.encode([text for _, text in self.chunks], normalize_embeddings=True)
        self.faiss = faiss.IndexFlatIP(vectors.shape[1])
        self.faiss.add(vectors)

    def save(self, state: Path) -> None:
        import faiss

        state.mkdir(parents=True, exist_ok=True)
        faiss.write_index(self.faiss, str(state / "index.faiss"))
        (state / "chunks.json").write_text(json.dumps(self.chunks), encoding="utf-8")

    def load(self, state: Path) -> None:
        import faiss

        self.faiss = faiss.read_index(str(state / "index.faiss"))
        self.chunks = json.loads((state / "chunks.json").read_text(encoding="utf-8"))

    def search(self, questions: Sequence[str], k: int) -> list[list[tuple[str, str]]]:
        vectors = self.model.encode(list(questions), normalize_embeddings=True)
        _, found = self.faiss.search(vectors, k)
        return [[self.chunks[i] for i in row if i >= 0] for row in found]


def messages(question: str, passages: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    context = "\n\n".join(text for _, text in passages)
    return [
        {"role": "system", "content": "Answer the question from the context."},
        {"role": "user", "content": f"Context:\n{context}\n\nQuestion: {question}"},
    ]


def open_llama() -> Any:
    from llama_cpp import Llama

    file = locate(find_model("SmolLM2-135M-Instruct", "generator"))
    return Llama(model_path=str(file), n_ctx=4096, verbose=False)


def _ask(state: Path, question: str) -> None:
    baseline = Baseline()
    baseline.load(state)
    (passages,) = baseline.search([question], TOP)
    llama = open_llama()
    for part in llama.create_chat_completion(
        messages(question, passages), stream=True, max_tokens=200, temperature=0.0
    ):
        text = part["choices"][0]["delta"].get("content")
        if text:
            # Seconds since the epoch of the first token, for whoever started this process.
            print(json.dumps({"first_token": time.time(), "text": text}), flush=True)
            return


if __name__ == "__main__":
    if sys.argv[1] == "index":
        made = Baseline()
        made.index(Path(sys.argv[2]))
        made.save(Path(sys.argv[3]))
    else:
        _ask(Path(sys.argv[2]), sys.argv[3])
