"""The shapes of all JSON that `rag` prints or serves. `docs/json.md` describes them,
`docs/schema.json` is the same for programs (`make schema`); tests hold real output against it.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Literal, NotRequired

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:  # pydantic, which makes JSON Schema of these, cannot read Python 3.11's own
    from typing_extensions import TypedDict


class PlaceJson(TypedDict, total=False):
    """Only for notes that have pages, slides or cells: `place` is "p. 3", "slide 2", "cell 4"."""

    page: int
    place: str


class CitationJson(TypedDict):
    """A verbatim quote of passage `n`; `lines` are its first and last, from 1 and inclusive."""

    n: int
    path: str
    lines: list[int]
    heading: str
    quote: str
    page: NotRequired[int]
    place: NotRequired[str]


# By a call, since a field is called "from": which side found the passage.
PassageJson = TypedDict(
    "PassageJson",
    {
        "n": int,
        "path": str,
        "lines": list[int],
        "title": str,
        "heading": str,
        "text": str,
        "score": float,
        "from": Literal["both", "meaning", "words"],
        "meaning": float | None,
        "words": float | None,
        "page": NotRequired[int],
        "place": NotRequired[str],
    },
)


class ListedNoteJson(TypedDict):
    """A note of a list; `line` and `text` are there where it says what was asked for."""

    path: str
    title: str
    date: str
    line: NotRequired[int]
    text: NotRequired[str]


class RespelledJson(TypedDict):
    """A word of the question that no note holds, and the nearest one, which was searched, too."""

    typed: str
    searched: str


class SentenceJson(TypedDict):
    """A sentence of an answer, how far the notes bear it out, and the passages that it cites."""

    text: str
    support: Literal["supported", "weak", "unsupported"]
    citations: list[int]


class AnswerJson(TypedDict):
    """A whole answer. `notes` is there where the question asked for a list of notes."""

    question: str
    answer: str
    answered: bool
    sentences: list[SentenceJson]
    citations: list[CitationJson]
    passages: list[PassageJson]
    timings: dict[str, float]
    model: str
    respelled: list[RespelledJson]
    thoughts: NotRequired[str]
    notes: NotRequired[list[ListedNoteJson]]


class SearchJson(TypedDict):
    """The passages for a question, best first."""

    question: str
    passages: list[PassageJson]
    respelled: list[RespelledJson]


class NoteJson(TypedDict):
    """A note by name. `id` is its path; `text` is there where one note was asked for."""

    id: str
    path: str
    title: str
    aliases: list[str]
    tags: list[str]
    text: NotRequired[str]


class SkippedJson(TypedDict):
    path: str
    reason: str


class IndexJson(TypedDict):
    """What indexing did. One of `notes_folder` and `notes_folders` is there."""

    notes_folder: NotRequired[str]
    notes_folders: NotRequired[list[str]]
    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    skipped: list[SkippedJson]
    warnings: list[SkippedJson]
    chunks: int
    seconds: float
    sentence: str


class ErrorJson(TypedDict):
    """What went wrong, and what mends it."""

    error: str
    remedy: str


class ExplainedPassageJson(PassageJson):
    """A passage with its reasons: ranks from 1, cosine of its nearest sentence, share of the
    question's words in its best one, the words that it holds, other places that say the same.

    With a reranker, its rank before and how relevant the reranker found it, from 0 to 1, null
    where it did not come to it. `boost` was added to the score of the search."""

    meaning_rank: int | None
    words_rank: int | None
    nearest_sentence: float | None
    words_in_best_sentence: float
    terms: list[str]
    boost: float
    also: list[str]
    rank_before_reranking: int | None
    reranker_score: float | None


class RerankedJson(TypedDict):
    """How far the reranker came: `scored` of `offered` passages; `seconds` of its `budget`."""

    model: str
    scored: int
    offered: int
    seconds: float
    budget: float


class ExplainedJson(TypedDict):
    """A search explained; `searched_notes` is how many notes filters left, null without."""

    question: str
    query: str
    respelled: list[RespelledJson]
    candidates: int
    searched_notes: int | None
    reranked: RerankedJson | None
    seconds: dict[str, float]
    passages: list[ExplainedPassageJson]


class StatusJson(TypedDict):
    """What is indexed, and where it lies. Sizes in bytes, times in seconds since 1970."""

    notes_folder: str
    notes: int
    chunks: int
    index_bytes: int
    indexed_at: float | None
    embedder: str
    generator: str
    index_dir: str
    cache_dir: str
    config_file: str | None
    other_scripts: int
    other_script_notes: list[str]


class OpenJson(TypedDict):
    """Where `rag open` jumps to; `file` is the absolute path."""

    path: str
    line: int
    file: str


class SpeedJson(TypedDict):
    """Tokens a second that a model read and wrote here, and the day when it was measured."""

    prefill: float
    decode: float
    day: str


class ModelJson(TypedDict):
    """A model of the table. Sizes in bytes, `context` in tokens, null where unknown; `fits` says
    whether the memory that is free now would hold it."""

    name: str
    kind: Literal["generator", "embedder"]
    installed: bool
    in_use: bool
    parameters: str
    size: int | None
    memory: int | None
    fits: bool
    context: int | None
    licence: str
    speed: SpeedJson | None
    source: str


class FindingJson(TypedDict):
    """One thing that the doctor looked at; `cure` is empty where nothing needs one."""

    about: str
    state: Literal["sound", "warning", "broken"]
    found: str
    cure: str


class ForgottenJson(TypedDict):
    """Notes that were forgotten: how many of them the folder still holds, and how many turns of
    conversations quoted them, which were removed or not."""

    notes: list[str]
    present: int
    turns: int
    turns_removed: bool


class RememberedJson(TypedDict):
    """How many forgotten notes will be indexed again."""

    remembered: int


class ModelHereJson(TypedDict):
    """A model that was fetched, added or removed; `size` in bytes."""

    name: str
    path: str
    size: int


class ModelInUseJson(TypedDict):
    """A model that is used from now on, and the settings file that says so."""

    name: str
    kind: Literal["generator", "embedder"]
    file: str


class ModelSpeedJson(TypedDict):
    """Tokens a second that a model reads and writes here."""

    name: str
    prefill: float
    decode: float


class ServiceJson(TypedDict):
    """Whether the background service is installed, and runs; `file` is, or would be, its own."""

    installed: bool
    running: bool
    file: str


class EvidenceJson(TypedDict):
    """A sentence of passage `n` that bears on the question."""

    n: int
    lines: list[int]
    quote: str


class RetrievedEventJson(TypedDict):
    """What was found, before the model has read anything; `query` is what was searched."""

    event: Literal["retrieved"]
    query: str
    passages: list[PassageJson]
    evidence: list[EvidenceJson]


class ReadingEventJson(TypedDict):
    """How much of the prompt the model has read."""

    event: Literal["reading"]
    tokens_done: int
    tokens_total: int


class ThinkingEventJson(TypedDict):
    """What a reasoning model says to itself; no part of the answer, and never cited."""

    event: Literal["thinking"]
    text: str


class SentenceEventJson(TypedDict):
    """A sentence of the answer, borne out by the notes."""

    event: Literal["sentence"]
    text: str
    support: Literal["supported", "weak", "unsupported"]
    citations: list[CitationJson]


class AnswerEventJson(AnswerJson):
    """The whole answer; the last event."""

    event: Literal["answer"]


class ErrorEventJson(ErrorJson):
    """What went wrong; the last event."""

    event: Literal["error"]


SHAPES = (
    AnswerJson, SearchJson, ExplainedJson, IndexJson, StatusJson, OpenJson, ModelJson,
    ModelHereJson, ModelInUseJson, ModelSpeedJson, FindingJson, ForgottenJson, RememberedJson,
    ServiceJson, NoteJson, ErrorJson,
    RetrievedEventJson, ReadingEventJson, ThinkingEventJson, SentenceEventJson, AnswerEventJson,
    ErrorEventJson,
)  # fmt: skip


def json_schema() -> dict[str, Any]:
    """All shapes as JSON Schema, under `$defs` by name."""
    from pydantic import TypeAdapter

    _, schema = TypeAdapter.json_schemas(
        [(each.__name__, "validation", TypeAdapter(each)) for each in SHAPES],
        title="What rag prints and serves",
        ref_template="#/$defs/{model}",
    )
    return schema


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=1) + "\n")
