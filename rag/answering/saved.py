"""A turn as it is kept: all that was shown of it, to JSON and back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from rag.answering.steps import Citation, Sentence, joined
from rag.retrieval.query import Turn

if TYPE_CHECKING:
    from rag.events import Answered, Retrieved
    from rag.retrieval.found import Evidence, Passage, Reasons

T = TypeVar("T", Citation, "Evidence", "Passage", "Reasons")


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """A question, its answer, and what was shown with it. `asked` is in epoch seconds,
    `seconds` how long the answer took, `query` what was searched, `respelled` sentences on how it
    was spelled there. `confidence`, from 0 to 1, is how likely the notes held an answer: None for a
    list of notes, and for turns of before it was kept. Of one that was `stopped`, what had been
    written by then is kept."""

    question: str
    answer: str
    answered: bool
    query: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    model: str
    tokens_per_s: float
    seconds: float
    asked: float
    respelled: tuple[str, ...] = ()
    thoughts: str = ""
    confidence: float | None = None
    stopped: bool = False


def as_answered(
    done: Answered, found: Retrieved | None, sentences: Sequence[Sentence]
) -> SavedTurn:
    """The turn of an answer that came to its end, with what was found and written before."""
    return SavedTurn(
        done.question,
        done.answer,
        done.answered,
        done.query,
        tuple(sentences),
        done.citations,
        done.passages,
        found.evidence if found else (),
        done.model,
        done.tokens_per_s,
        done.timings.get("total_s", 0.0),
        time.time(),
        tuple(map(str, found.respelled)) if found else (),
        done.thoughts,
        done.confidence if done.listed is None else None,
    )


def as_stopped(question: str, found: Retrieved | None, sentences: Sequence[Sentence]) -> SavedTurn:
    """The turn of an answer that was stopped, with what was found and written by then."""
    return SavedTurn(
        question,
        joined(sentences),
        False,
        found.query if found else question,
        tuple(sentences),
        tuple(citation for each in sentences for citation in each.citations),
        found.passages if found else (),
        found.evidence if found else (),
        "",
        0.0,
        0.0,
        time.time(),
        tuple(map(str, found.respelled)) if found else (),
        stopped=True,
    )


def history_of(turns: Iterable[SavedTurn]) -> list[Turn]:
    """What the next question follows: a question that was stopped before its answer began was
    taken back."""
    told = (each for each in turns if each.answer or not each.stopped)
    return [Turn(each.question, each.answer, each.query) for each in told]


def read_as(turn: SavedTurn, before: Iterable[SavedTurn]) -> str:
    """What a question was searched as, too, after the turns `before` it; itself where it stood
    alone, or where nothing was searched for it."""
    from rag.retrieval.followup import stand_alone

    searched = turn.query == turn.question and turn.evidence
    return stand_alone(turn.question, history_of(before)) if searched else turn.question


def to_json(turn: SavedTurn) -> tuple[str, str, str, float, float, str]:
    """Question, answer, model, tokens a second, time asked, and the rest as JSON."""
    shown = {
        "answered": turn.answered,
        "query": turn.query,
        "seconds": turn.seconds,
        "sentences": [
            {
                "text": each.text,
                "support": each.support,
                "citations": list(map(asdict, each.citations)),
            }
            for each in turn.sentences
        ],
        "citations": [asdict(each) for each in turn.citations],
        # The scores of all sentences, and what a reader pointed at, are of the moment; the best
        # ones are the evidence.
        "passages": [asdict(replace(each, sentences=(), answering=None)) for each in turn.passages],
        "evidence": [asdict(each) for each in turn.evidence],
        "respelled": turn.respelled,
        "thoughts": turn.thoughts,
        "confidence": turn.confidence,
        "stopped": turn.stopped,
    }
    # A file name may hold half a character, which SQLite's UTF-8 cannot: JSON escapes it.
    return (
        _whole(turn.question),
        _whole(turn.answer),
        turn.model,
        turn.tokens_per_s,
        turn.asked,
        json.dumps(shown),
    )


def from_json(
    question: Any, answer: Any, model: Any, tokens_per_s: Any, asked: Any, shown: Any
) -> SavedTurn:
    """The turn that `to_json` took apart. What a newer version added to it is left out."""
    from rag.retrieval.found import Evidence, Passage

    data = json.loads(shown)
    return SavedTurn(
        question,
        answer,
        data["answered"],
        data["query"],
        tuple(
            Sentence(
                each["text"],
                tuple(_read(Citation, one) for one in each["citations"]),
                each["support"],
            )
            for each in data["sentences"]
        ),
        tuple(_read(Citation, each) for each in data["citations"]),
        tuple(_read(Passage, each) for each in data["passages"]),
        tuple(_read(Evidence, each) for each in data["evidence"]),
        model,
        tokens_per_s,
        data["seconds"],
        asked,
        tuple(data.get("respelled", ())),
        data.get("thoughts", ""),
        data.get("confidence"),
        data.get("stopped", False),
    )


def paths_shown(shown: str) -> set[str]:
    """The notes of which a kept turn showed something; none where it cannot be read."""
    try:
        data = json.loads(shown)
        entries = (*data["passages"], *data["citations"])
        also = (place.rpartition(":")[0] for each in data["passages"] for place in each["also"])
        return {*(each["path"] for each in entries), *also}
    except (ValueError, TypeError, KeyError):
        return set()


def _read(kind: type[T], values: Mapping[str, Any]) -> T:
    known = {each.name for each in fields(kind)}
    chosen: dict[str, Any] = {key: value for key, value in values.items() if key in known}
    for name in ("headings", "also", "sentences", "terms"):
        if name in chosen:
            chosen[name] = tuple(chosen[name])
    if "later" in chosen:
        chosen["later"] = tuple(map(tuple, chosen["later"]))
    chosen.pop("answering", None)  # once kept
    if "reasons" in chosen:
        from rag.retrieval.found import Reasons

        chosen["reasons"] = _read(Reasons, chosen["reasons"])
    return kind(**chosen)


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
