"""How good whole answers are, retrieval included, and when questions are refused.

    python bench/answers.py --data FOLDER --sample 200 [--formats]

`--formats` compares GGUF quantizations of the bundled model instead: token F1 of its bare
answers over the best three sentences, and prompt tokens a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from bench.data import Question, data_folder, engine, holds, load_questions, parser, token_f1
from rag.answering.generation import LlamaGenerator
from rag.answering.prompt import build_prompt
from rag.config import Config
from rag.engine import Answered, Engine, Retrieved
from rag.models.catalog import find_model
from rag.models.llama import requantize
from rag.models.weights import locate
from rag.wiring import physical_cores

_FORMATS = {"Q4_1 (as shipped)": 0, "Q8_0": 7, "Q4_0": 2}


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--formats", action="store_true")
    options = arguments.parse_args()
    folder = data_folder(options)
    answerable = load_questions(folder / "answerable.jsonl", options.sample or 200, options.seed)
    unanswerable = load_questions(
        folder / "unanswerable.jsonl", (options.sample or 200) // 2, options.seed
    )
    with tempfile.TemporaryDirectory() as home:
        ours = engine(folder / "notes", Path(home))
        for _ in ours.index():
            pass
        if options.formats:
            _formats(ours, answerable, Path(home))
        else:
            _answers(ours, answerable, unanswerable)


def _answers(ours: Engine, answerable: list[Question], unanswerable: list[Question]) -> None:
    started = time.perf_counter()
    pairs = [(question, _ask(ours, question)) for question in answerable]
    seconds = (time.perf_counter() - started) / len(pairs)
    refused = sum(not _ask(ours, question).answered for question in unanswerable)
    n = len(pairs)
    table = Table("figure", "", title=f"{n} answerable, {len(unanswerable)} unanswerable")
    for name, value in (
        ("contains a gold answer", sum(holds(a.answer, q.answers) for q, a in pairs) / n),
        ("token F1", sum(token_f1(a.answer, q.answers) for q, a in pairs) / n),
        (
            "cites a passage with a gold answer",
            sum(
                any(
                    c.path == q.note and holds(a.passages[c.n - 1].text, q.answers)
                    for c in a.citations
                )
                for q, a in pairs
            )
            / n,
        ),
        ("refused, answerable", sum(not a.answered for _, a in pairs) / n),
        ("refused, unanswerable", refused / len(unanswerable)),
        ("words", sum(len(a.answer.split()) for _, a in pairs) / n),
        ("seconds, warm", seconds),
    ):
        table.add_row(name, f"{value:.3f}")
    Console().print(table)


def _ask(ours: Engine, question: Question) -> Answered:
    return next(e for e in ours.ask(question.question) if isinstance(e, Answered))


def _formats(ours: Engine, questions: list[Question], place: Path) -> None:
    source = locate(find_model("SmolLM2-135M-Instruct", "generator"))
    found = [next(e for e in ours.ask(q.question) if isinstance(e, Retrieved)) for q in questions]
    table = Table("format", "F1", "contains", "prompt tokens/s", "answer tokens/s")
    for name, ftype in _FORMATS.items():
        file = place / f"{ftype}.gguf" if ftype else source
        if ftype:
            requantize(source, file, ftype)
        model = LlamaGenerator(file, name, Config().generator_context, physical_cores())
        f1 = contains = prompt = reading = answer = writing = 0.0
        for question, each in zip(questions, found, strict=True):
            chat = build_prompt(
                question.question,
                each.passages,
                each.evidence[:3],
                (),
                model.count_tokens,
                model.context_size,
            )
            text, last = "", time.perf_counter()
            for token in model.stream(chat.messages, 48):
                now = time.perf_counter()
                if token.text:
                    text, answer, writing = text + token.text, answer + 1, writing + now - last
                else:
                    reading += now - last
                last = now
            prompt += model.evaluated
            f1 += token_f1(text, question.answers)
            contains += holds(text, question.answers)
        model.close()
        n = len(questions)
        table.add_row(
            name,
            f"{f1 / n:.3f}",
            f"{contains / n:.3f}",
            f"{prompt / reading:.0f}",
            f"{answer / writing:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
