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

from bench.data import data_folder, engine, parser, questions
from rag.answering.generation import LlamaGenerator
from rag.answering.prompt import build_prompt
from rag.config import Config
from rag.engine import Engine
from rag.evaluation.matching import holds, token_f1
from rag.evaluation.measures import figures, question_scores
from rag.evaluation.questions import Question
from rag.evaluation.report import table
from rag.evaluation.run import run
from rag.events import Retrieved
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
    count = options.sample or 200
    answerable = questions(folder, "answerable", count, options.seed)
    unanswerable = questions(folder, "unanswerable", max(1, count // 2), options.seed)
    with tempfile.TemporaryDirectory() as home:
        ours = engine(folder / "notes", Path(home))
        for _ in ours.index():
            pass
        if options.formats:
            _formats(ours, answerable, Path(home))
        else:
            _answers(ours, [*answerable, *unanswerable])


def _answers(ours: Engine, asked: list[Question]) -> None:
    pairs = list(zip(asked, run(ours, asked, True, lambda: False), strict=True))
    Console().print(table(pairs, figures(pairs, question_scores(pairs)), {}))


def _formats(ours: Engine, asked: list[Question], place: Path) -> None:
    source = locate(find_model("SmolLM2-135M-Instruct", "generator"))
    found = [next(e for e in ours.ask(q.question) if isinstance(e, Retrieved)) for q in asked]
    compared = Table("format", "F1", "contains", "prompt tokens/s", "answer tokens/s")
    for name, ftype in _FORMATS.items():
        file = place / f"{ftype}.gguf" if ftype else source
        if ftype:
            requantize(source, file, ftype)
        model = LlamaGenerator(file, name, Config().generator_context, physical_cores())
        f1 = contains = prompt = reading = answer = writing = 0.0
        for question, each in zip(asked, found, strict=True):
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
        n = len(asked)
        compared.add_row(
            name,
            f"{f1 / n:.3f}",
            f"{contains / n:.3f}",
            f"{prompt / reading:.0f}",
            f"{answer / writing:.0f}",
        )
    Console().print(compared)


if __name__ == "__main__":
    main()
