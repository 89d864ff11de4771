"""A file of questions into `Question`s, checked against the notes before anything slow starts."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rag.errors import EvaluationError, QuestionError
from rag.reading.notes import Skipped, read_note
from rag.retrieval.query import check_question

_LINES = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")
_FORM = 'Each line holds {"id": …, "question": …, "answers": […], "note": …}.'


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what is right. `answers` is empty where the notes do not hold one.

    `gold` are the lines of `note` that hold it, counted from 1 and inclusive, where known;
    `place` is the file that the question is from, and its line.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    note: str
    gold: tuple[int, int] | None = None
    place: str = ""


def load_questions(file: Path, folder: Path) -> list[Question]:
    """The questions of a JSON Lines file about the notes in `folder`.

    Raises EvaluationError, which names the line and the key, for anything that is not as it
    should be, and for a file without a question.
    """
    found: dict[str, Question] = {}
    for number, row in read_rows(file):
        question = _question(_Line(file, number, row), folder)
        if question.id in found:
            raise EvaluationError(f"{file}, line {number}: the id {question.id!r} comes twice.")
        found[question.id] = question
    if not found:
        raise EvaluationError(f"There is no question in {file}.", _FORM)
    return list(found.values())


def sample(questions: Sequence[Question], count: int, seed: int) -> list[Question]:
    """`count` questions drawn at random, the same ones for the same seed; at most all."""
    if count >= len(questions):
        return list(questions)
    return random.Random(seed).sample(questions, count)  # noqa: S311 - a draw, not a secret


def read_rows(file: Path, form: str = _FORM) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file with their line numbers. Raises EvaluationError, which says
    what `form` they should have."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise EvaluationError(f"{file} cannot be read: {why}.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise EvaluationError(f"{file}, line {number} is not JSON.", form) from error
            if not isinstance(row, dict):
                raise EvaluationError(f"{file}, line {number} is not a JSON object.", form)
            yield number, row


@dataclass(frozen=True, slots=True)
class _Line:
    """One object of a file; complains with its place."""

    file: Path
    number: int
    row: dict[str, Any]

    def wrong(self, what: str) -> EvaluationError:
        return EvaluationError(f"{self.place}: {what}.", _FORM)

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.number}"

    def text(self, key: str) -> str:
        if key not in self.row:
            raise self.wrong(f"the key {key!r} is missing")
        value = self.row[key]
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"{key!r} must be a text")
        return value


def _question(line: _Line, folder: Path) -> Question:
    if isinstance(line.row.get("id"), int):
        line.row["id"] = str(line.row["id"])
    id_, asked = line.text("id"), line.text("question")
    try:
        check_question(asked)
    except QuestionError as error:
        raise line.wrong(f"'question': {error.message.rstrip('.')}") from error
    if "answers" not in line.row:
        raise line.wrong("the key 'answers' is missing")
    answers = line.row["answers"]
    if not isinstance(answers, list) or not all(isinstance(a, str) and a.strip() for a in answers):
        raise line.wrong("'answers' must be a list of texts, empty if the notes do not say")
    if not answers and "note" not in line.row:
        return Question(id_, asked, (), "", place=line.place)
    note = _note(line, folder)
    gold = _gold(line, folder, note) if answers else None
    return Question(id_, asked, tuple(answers), note, gold, line.place)


def _note(line: _Line, folder: Path) -> str:
    named = line.text("note")
    path = PurePosixPath(named)
    inside = not path.is_absolute() and ".." not in path.parts
    if not inside or not os.path.isfile(folder / path):
        raise line.wrong(f"'note': there is no note {named!r} in {folder}")
    return path.as_posix()


def _gold(line: _Line, folder: Path, note: str) -> tuple[int, int] | None:
    if "lines" in line.row:
        first, last = _span(line)
        size = len(_text(folder, note).removesuffix("\n").split("\n"))
        if last > size:
            raise line.wrong(f"'lines': {note} has {size}, so none is number {last}")
        return first, last
    if "paragraph" not in line.row:
        return None
    number = line.row["paragraph"]
    if not isinstance(number, int) or isinstance(number, bool):
        raise line.wrong("'paragraph' must be a number, counted from 0")
    spans = paragraphs(folder, note)
    if not 0 <= number < len(spans):
        raise line.wrong(f"'paragraph': {note} has {len(spans)}, so none is number {number}")
    return spans[number]


def _span(line: _Line) -> tuple[int, int]:
    value = line.row["lines"]
    if isinstance(value, str) and (match := _LINES.fullmatch(value)):
        value = [int(match[1]), int(match[2])]
    match value:
        case [int(first), int(last)] if 1 <= first <= last:
            return first, last
    raise line.wrong("""'lines' must be [first, last] or "first-last", counted from 1""")


def _text(folder: Path, note: str) -> str:
    read = read_note(folder, note)
    if isinstance(read, Skipped):
        raise EvaluationError(f"{note} {read.reason}.", "Leave its questions out.")
    return read.text


def paragraphs(folder: Path, note: str) -> list[tuple[int, int]]:
    """First and last line of each block between blank lines, after the note's title line.

    Raises EvaluationError for a note that cannot be read.
    """
    spans: list[tuple[int, int]] = []
    titled = within = False
    for number, text in enumerate(_text(folder, note).split("\n"), 1):
        if not text.strip():
            within = False
        elif not titled:
            titled = True
        elif within:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
            within = True
    return spans
