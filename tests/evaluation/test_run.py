"""Questions put to the real engine over the example notes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Config
from rag.engine import Engine
from rag.errors import NoIndex
from rag.evaluation.measures import figures, question_scores
from rag.evaluation.questions import Question, load_questions
from rag.evaluation.run import DEPTH, in_context, run, stop_on_interrupt
from rag.wiring import build_engine
from tests.conftest import Box

pytestmark = pytest.mark.model
ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = load_questions(ROOT / "tests" / "data" / "corpus-questions.jsonl", ROOT / "corpus")
SOME = [each for each in QUESTIONS if each.id in ("c002", "c005", "c095", "c099")]


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def corpus(models_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    data = tmp_path_factory.mktemp("data")
    engine = build_engine(
        replace(Config(), notes=ROOT / "corpus", data_dir=data, cache_dir=models_cache.parent)
    )
    list(engine.index())
    yield engine
    engine.close()


def test_search(corpus: Engine):
    rows = list(run(corpus, QUESTIONS, False, never))
    assert [row.id for row in rows] == [each.id for each in QUESTIONS]
    pairs = list(zip(QUESTIONS, rows, strict=True))
    found = figures(pairs, question_scores(pairs))
    assert found["hit@1"].over == sum(bool(each.answers) for each in QUESTIONS)
    assert 0.7 <= found["hit@1"].value <= found["hit@5"].value <= found["hit@10"].value <= 1
    assert found["paragraph_hit@1"].value <= found["hit@1"].value
    assert "em" not in found
    for row in rows:
        assert row.reply is None
        assert 0 < len(row.passages) <= DEPTH
        for each in row.passages[:3]:
            lines = (ROOT / "corpus" / each.path).read_text().split("\n")
            assert each.text in "\n".join(lines[each.lines[0] - 1 : each.lines[1]])


def test_what_is_relevant_is_counted_in_the_whole_note(box: Box):
    box.index()
    engine = box.engine()
    texts = engine.passages_of({"barrel.md", "gone.md"})
    assert [len(texts["barrel.md"]), texts["gone.md"]] == [2, []]
    for answers, relevant in ((("300 litres", "frost"), 2), (("frost",), 1), (("green",), 0)):
        (row,) = run(engine, [Question("x", "How much?", answers, "barrel.md")], False, never)
        assert row.relevant == relevant


def test_answers(corpus: Engine):
    rows = list(run(corpus, SOME, True, never))
    replies = [row.reply for row in rows]
    assert any(each.answered for each in replies)
    for row in rows:
        reply = row.reply
        assert reply.seconds > 0
        assert list(reply.given) == list(range(1, len(reply.given) + 1))
        for each in reply.citations:
            assert each.verbatim
            assert row.passages[each.n - 1].path == each.path
        assert bool(reply.support) == reply.answered
    pairs = list(zip(SOME, rows, strict=True))
    found = figures(pairs, question_scores(pairs))
    assert found["quotes_verbatim"].value == 1
    assert found["contains"].over == 2
    assert found["abstained_right"].over == 2


def test_a_question_without_a_note(corpus: Engine):
    (row,) = run(corpus, [Question("x", "What is RAG?", (), "")], False, never)
    assert (row.relevant, row.in_context) == (0, False)


def test_stopping(corpus: Engine):
    with stop_on_interrupt() as stopped:
        rows = run(corpus, QUESTIONS, False, stopped)
        assert next(rows).id == QUESTIONS[0].id
        os.kill(os.getpid(), signal.SIGINT)
        assert list(rows) == []
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    calls = iter([False, *[True] * 1000])
    answered = [each for each in QUESTIONS if each.id == "c005"]  # a model is asked
    assert list(run(corpus, answered, True, lambda: next(calls))) == [], "in the middle: no row"


def test_a_folder_without_an_index(box: Box):
    with pytest.raises(NoIndex):
        next(run(box.engine(), SOME, False, never))


def test_the_context_ends_in_the_middle_of_a_passage(corpus: Engine):
    tokenizer = corpus.parts.identity().tokenizer
    tokenizer.no_truncation()
    texts = ["one two three", "four five é six seven"]
    assert in_context(tokenizer, texts, ["three"], 3)
    assert not in_context(tokenizer, texts, ["three"], 2)
    assert in_context(tokenizer, texts, ["é"], 6)
    assert not in_context(tokenizer, texts, ["six"], 6)
    assert not in_context(tokenizer, texts, ["four"], 3)
    assert not in_context(tokenizer, texts, ["eight"], 100)
