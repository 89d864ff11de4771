"""The results of `rag` as the JSON that it hands to other programs, in the shapes of `rag.shapes`.

The command line, the HTTP server, the MCP server and the Python API all speak them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answering.steps import Citation, Sentence
    from rag.errors import RagError
    from rag.events import Answered, Event
    from rag.indexing.library import NoteEntry
    from rag.indexing.progress import IndexReport
    from rag.retrieval.found import Passage
    from rag.retrieval.listing import ListedNote
    from rag.retrieval.spelling import Respelled
    from rag.shapes import (
        AnswerJson,
        CitationJson,
        ErrorJson,
        IndexJson,
        ListedNoteJson,
        NoteJson,
        PassageJson,
        PlaceJson,
        RespelledJson,
        SearchJson,
        SentenceJson,
    )


def answer_json(done: Answered) -> AnswerJson:
    """A whole answer."""
    reply: AnswerJson = {
        "question": done.question,
        "answer": done.answer,
        "answered": done.answered,
        "sentences": sentences_json(done.sentences),
        "citations": [citation_json(each) for each in done.citations],
        "passages": passages_json(done.passages),
        "timings": {key: round(value, 4) for key, value in done.timings.items()},
        "model": done.model,
        "respelled": [respelled_json(each) for each in done.respelled],
    }
    if done.thoughts:
        reply["thoughts"] = done.thoughts
    if done.listed:
        reply["notes"] = [listed_json(each) for each in done.listed.notes]
    return reply


def sentences_json(sentences: Sequence[Sentence]) -> list[SentenceJson]:
    """The sentences of an answer, with what bears them out."""
    return [
        {
            "text": each.text.strip(),
            "support": each.support,
            "citations": [citation.n for citation in each.citations],
        }
        for each in sentences
    ]


def search_json(
    question: str, found: Sequence[Passage], respelled: Sequence[Respelled] = ()
) -> SearchJson:
    """The passages for a question, and the words of it that were searched otherwise."""
    return {
        "question": " ".join(question.split()),
        "respelled": [respelled_json(each) for each in respelled],
        "passages": passages_json(found),
    }


def respelled_json(each: Respelled) -> RespelledJson:
    return {"typed": each.typed, "searched": each.searched}


def event_json(event: Event) -> dict[str, Any]:
    """One step of an answer, for streams: its kind is in `event`."""
    from rag.answering.steps import Reading, Sentence, Thinking
    from rag.events import Retrieved

    if isinstance(event, Retrieved):
        return {
            "event": "retrieved",
            "query": event.query,
            "passages": passages_json(event.passages),
            "evidence": [
                {"n": each.n, "lines": [each.first, each.last], "quote": each.text}
                for each in event.evidence
            ],
        }
    if isinstance(event, Reading):
        return {
            "event": "reading",
            "tokens_done": event.tokens_done,
            "tokens_total": event.tokens_total,
        }
    if isinstance(event, Thinking):
        return {"event": "thinking", "text": event.text}
    if isinstance(event, Sentence):
        return {
            "event": "sentence",
            "text": event.text,
            "support": event.support,
            "citations": [citation_json(each) for each in event.citations],
        }
    return {"event": "answer", **answer_json(event)}


def error_json(error: RagError) -> ErrorJson:
    """What went wrong."""
    return {"error": error.message, "remedy": error.remedy}


def index_json(report: IndexReport, folders: Sequence[str]) -> IndexJson:
    """What indexing the notes folders did."""
    did: IndexJson = {
        "added": report.added,
        "changed": report.changed,
        "moved": report.moved,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "skipped": [{"path": each.path, "reason": each.reason} for each in report.skipped],
        "warnings": [{"path": each.path, "reason": each.reason} for each in report.warnings],
        "chunks": report.chunks,
        "seconds": report.seconds,
        "sentence": report.sentence(),
    }
    if len(folders) == 1:
        return {"notes_folder": folders[0], **did}
    return {"notes_folders": list(folders), **did}


def note_json(each: NoteEntry) -> NoteJson:
    """A note by name."""
    return {
        "id": each.path,
        "path": each.path,
        "title": each.title,
        "aliases": list(each.aliases),
        "tags": list(each.tags),
    }


def listed_json(each: ListedNote) -> ListedNoteJson:
    note: ListedNoteJson = {"path": each.path, "title": each.title, "date": each.day.isoformat()}
    if each.line:
        note |= {"line": each.line, "text": each.text}
    return note


def citation_json(each: Citation) -> CitationJson:
    return {
        "n": each.n,
        "path": each.path,
        "lines": [each.first, each.last],
        "heading": " › ".join(each.headings),
        "quote": each.quote,
        **_place(each.place),
    }


def _place(place: str) -> PlaceJson:
    """Where the note has pages, slides or cells: the number of the page, and what is shown."""
    if not place:
        return {}
    number = place.removeprefix("p. ")
    return {"page": int(number), "place": place} if number != place else {"place": place}


def passages_json(found: Sequence[Passage]) -> list[PassageJson]:
    return [passage_json(n, each) for n, each in enumerate(found, 1)]


def passage_json(n: int, each: Passage) -> PassageJson:
    """Passage `n` of those found, counted from 1."""
    return {
        "n": n,
        "path": each.path,
        "lines": [each.first, each.last],
        "title": each.title,
        "heading": " › ".join(each.headings),
        "text": each.text,
        "score": round(each.score, 4),
        "from": each.source,
        "meaning": None if each.meaning is None else round(each.meaning, 4),
        "words": None if each.words is None else round(each.words, 4),
        **_place(each.place),
    }
