"""What the Python API gives, which Jupyter shows: an answer and passages with their sources, notes
and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answering.steps import Citation
    from rag.events import Answered, Status
    from rag.indexing.library import NoteEntry
    from rag.retrieval.found import Passage
    from rag.retrieval.listing import ListedNote
    from rag.retrieval.spelling import Respelled
    from rag.shapes import AnswerJson, SearchJson


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """An answer with what it rests on. False where the notes do not say; IPython and Jupyter
    show it with its sources."""

    done: Answered

    @property
    def question(self) -> str:
        return self.done.question

    @property
    def text(self) -> str:
        """The answer with its `[1]` marks, each the number of a passage; how far the notes bear
        out each sentence stands in `done.sentences`, and behind it where the answer is printed."""
        return self.done.answer

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Verbatim quotes, with path, lines and headings."""
        return self.done.citations

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What was found and read, best first."""
        return self.done.passages

    @property
    def notes(self) -> tuple[ListedNote, ...]:
        """The notes that were asked for, or their tasks one by one, where that is the answer."""
        return self.done.listed.notes if self.done.listed else ()

    @property
    def confidence(self) -> float:
        """That the notes hold an answer, from 0 to 1."""
        return self.done.confidence

    def to_dict(self) -> AnswerJson:
        """The answer as `rag ask --json` prints it."""
        from rag.schema import answer_json

        return answer_json(self.done)

    def __bool__(self) -> bool:
        return self.done.answered

    def __str__(self) -> str:
        from rag.display import answer_text

        return answer_text(self.done)

    def __repr__(self) -> str:
        count = len(self.citations)
        return f"<Answer {self.text!r}, {count} citation{'' if count == 1 else 's'}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from rag.display import answer_html

        return answer_html(self.done)


class Passages(tuple["Passage", ...]):
    """The passages for a question, best first: a tuple that Jupyter shows as a list. `respelled`
    are the words of the question that no note holds, with those that were searched for them."""

    question: str
    respelled: tuple[Respelled, ...]

    def __new__(
        cls, found: Sequence[Passage], question: str = "", respelled: Sequence[Respelled] = ()
    ) -> Passages:
        made = super().__new__(cls, found)
        made.question = question
        made.respelled = tuple(respelled)
        return made

    def to_dict(self) -> SearchJson:
        """The passages as `rag search --json` prints them."""
        from rag.schema import search_json

        return search_json(self.question, self, self.respelled)

    def _repr_html_(self) -> str:
        from rag.display import passages_html

        return passages_html(self)


class Entries(list["NoteEntry"]):
    """Indexed notes by path: a list that Jupyter shows as a table."""

    def _repr_html_(self) -> str:
        from rag.display import entries_html

        return entries_html(self)


class Statuses(list["Status"]):
    """What is indexed of each folder: a list that Jupyter shows as a table."""

    def _repr_html_(self) -> str:
        from rag.display import statuses_html

        return statuses_html(self)
