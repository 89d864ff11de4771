"""`rag eval --make N FILE`: a question set from one's own notes, by rule and by model."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import EvaluationError
from rag.evaluation.matching import unmarked
from rag.evaluation.missing import near_misses
from rag.evaluation.proposal import Kind, Proposal
from rag.evaluation.proposing import checked, choose, distinct, propose
from rag.evaluation.sensible import sensible
from rag.events import Answered
from rag.output import progress_bar
from rag.reading.blocks import Block
from rag.reading.documents import Document, parse_document
from rag.reading.links import plain
from rag.reading.notes import Skipped, read_note
from rag.reading.scanning import scan
from rag.wiring import untaught

if TYPE_CHECKING:
    from rag.answering.generation import Generator
    from rag.engine import Engine

_MODEL_SHARE = 3  # one question of so many is the model's
_MISSING_SHARE = 5  # one of so many is not answered in the notes
_TRIES = 8  # paragraphs that the model reads for each question that is wanted of it
_ASK = "Write one short question that the text answers. Write the question alone."
# Shown first: without them the bundled model talks about the text.
_EXAMPLES = (
    (
        "The old mill at Harlow was rebuilt in 1821 after a fire, with two wheels in place of one.",
        "When was the old mill at Harlow rebuilt?",
    ),
    (
        "A rondel is a round dagger that knights wore at the belt. It had a stiff, narrow blade.",
        "What kind of blade did a rondel have?",
    ),
    (
        "Sourdough rises more slowly than dough with baker's yeast: its wild yeasts are fewer.",
        "Why does sourdough rise more slowly than dough with baker's yeast?",
    ),
)
_QUESTION_TOKENS = 48
_PARAGRAPH = (20, 120)  # words that the model is given


def make(
    engine: Engine, file: Path, count: int, seed: int = 0, by_model: bool = True
) -> Counter[Kind]:
    """Write up to `count` questions about the notes to `file`, some of which the notes do not
    answer; how many there are of each kind.

    Raises EvaluationError where the file exists or nothing can be asked, NotesError.
    """
    if count < 1:
        raise EvaluationError(f"--make {count} is out of range: one question at least.")
    if file.exists():
        raise EvaluationError(f"{file} is there already.", "Name a file that is not.")
    notes = list(_notes(engine))
    documents = [document for document, _ in notes]
    by_note = [checked(propose(document), text) for document, text in notes]
    asked = _by_model(engine, documents, count // _MODEL_SHARE, seed) if by_model else []
    wanted = count - len(asked)
    answered = len(choose(by_note, wanted, seed)) + len(asked)
    missed = near_misses(
        distinct([each for note in by_note for each in note]),
        [f"{document.path}\n{document.title}\n{text}" for document, text in notes],
        min(count // _MISSING_SHARE, answered // (_MISSING_SHARE - 1)),
        seed,
    )
    chosen = choose(by_note, wanted - len(missed), seed)
    proposals = sorted([*chosen, *asked, *missed], key=lambda each: (each.note, each.first))
    if not proposals:
        raise EvaluationError("No question could be made from these notes.", "Write some by hand.")
    _write(file, proposals)
    return Counter(each.kind for each in proposals)


def _notes(engine: Engine) -> Iterator[tuple[Document, str]]:
    """Every note that can be read and may be cited, with its text."""
    for note in scan(engine.notes_folder, engine.parts.suffixes).files:
        read = read_note(engine.notes_folder, note.path)
        if not isinstance(read, Skipped):
            document = parse_document(note.path, read.text, read.readable)
            if not document.is_conversation:
                yield document, read.text


def _by_model(
    engine: Engine, documents: Sequence[Document], wanted: int, seed: int
) -> list[Proposal]:
    """Questions that the model writes, kept where the notes answer them from the same lines."""
    low, high = _PARAGRAPH
    paragraphs = [
        (document, block)
        for document in documents
        for block in document.blocks
        if block.kind == "paragraph" and low <= len(block.text.split()) <= high
    ]
    tries = min(len(paragraphs), _TRIES * wanted)
    drawn = random.Random(seed).sample(paragraphs, tries)  # noqa: S311 - a draw, not a secret
    writer = untaught(engine)
    found: list[Proposal] = []
    with progress_bar() as bar:
        task = bar.add_task("reading paragraphs", total=tries)
        for document, block in drawn:
            if len(found) == wanted:
                break
            question = _written(writer, block)
            proposal = _answered(engine, question, document, block) if question else None
            if proposal is not None:
                found += checked([proposal], _placed(block))
            bar.advance(task)
    return found


def _written(writer: Generator, block: Block) -> str:
    """The model's question about a paragraph, "" where it wrote none."""
    from rag.answering.messages import Message

    shown = [
        message
        for text, question in _EXAMPLES
        for message in (Message("user", f"Text: {text}"), Message("assistant", question))
    ]
    text = " ".join(plain(block.text).split())
    messages = (Message("system", _ASK), *shown, Message("user", f"Text: {text}"))
    tokens = writer.stream(messages, _QUESTION_TOKENS)
    said = " ".join("".join(each.text for each in tokens).split())
    question, mark, _ = said.partition("?")
    return f"{question}?" if mark and 4 <= len(question.split()) <= 25 else ""


def _answered(engine: Engine, question: str, document: Document, block: Block) -> Proposal | None:
    """The question with what the notes answer, if they do so from this paragraph, sensibly."""
    path = document.path
    *_, done = engine.ask(question)
    if not isinstance(done, Answered) or not done.answered:
        return None
    within = [
        each
        for each in done.citations
        if each.path == path and block.first <= each.first and each.last <= block.last
    ]
    if not within or len(within) < len(done.citations):
        return None
    answer = unmarked(done.answer)
    cited = " ".join(each.quote for each in within)
    around = " ".join((document.title, *block.headings, plain(block.text)))
    if not sensible(question, answer, cited, around, engine.models.analyze):
        return None
    return Proposal(question, answer, path, block.first, block.last, "model")


def _placed(block: Block) -> str:
    """A paragraph at its own lines, nothing before it."""
    return "\n" * (block.first - 1) + block.text


def _write(file: Path, proposals: Sequence[Proposal]) -> None:
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w", encoding="utf-8",
                  errors="replace") as handle:  # fmt: skip
            for number, each in enumerate(proposals, 1):
                row = {
                    "id": f"q{number:03}",
                    "question": each.question,
                    "answers": [each.answer] if each.answer else [],
                    "note": each.note,
                    **({"lines": [each.first, each.last]} if each.answer else {"why": each.why}),
                    "kind": each.kind,
                }
                handle.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise EvaluationError(f"{file} cannot be written: {error.strerror}.") from error
