"""The shapes of all JSON that `rag` prints or serves. `docs/json.md` describes them,
`docs/schema.json` is the same for programs (`make schema`); tests hold real output against it.
"""

from __future__ import annotations

from typing import Any

from rag.shapes.answers import (
    AnswerEventJson,
    AnswerJson,
    CitationJson,
    ErrorEventJson,
    ErrorJson,
    EvidenceJson,
    ExplainedJson,
    ExplainedPassageJson,
    ListedNoteJson,
    PassageJson,
    PlaceJson,
    ReadingEventJson,
    RerankedJson,
    RespelledJson,
    RetrievedEventJson,
    SearchJson,
    SentenceEventJson,
    SentenceJson,
    ThinkingEventJson,
)
from rag.shapes.reports import (
    EvalJson,
    FindingJson,
    ForgottenJson,
    IndexJson,
    MadeJson,
    ModelHereJson,
    ModelInUseJson,
    ModelJson,
    ModelSpeedJson,
    NoteJson,
    OpenJson,
    RememberedJson,
    ServiceJson,
    SkippedJson,
    SpeedJson,
    StatusJson,
)

__all__ = [
    "SHAPES",
    "AnswerEventJson",
    "AnswerJson",
    "CitationJson",
    "ErrorEventJson",
    "ErrorJson",
    "EvalJson",
    "EvidenceJson",
    "ExplainedJson",
    "ExplainedPassageJson",
    "FindingJson",
    "ForgottenJson",
    "IndexJson",
    "ListedNoteJson",
    "MadeJson",
    "ModelHereJson",
    "ModelInUseJson",
    "ModelJson",
    "ModelSpeedJson",
    "NoteJson",
    "OpenJson",
    "PassageJson",
    "PlaceJson",
    "ReadingEventJson",
    "RememberedJson",
    "RerankedJson",
    "RespelledJson",
    "RetrievedEventJson",
    "SearchJson",
    "SentenceEventJson",
    "SentenceJson",
    "ServiceJson",
    "SkippedJson",
    "SpeedJson",
    "StatusJson",
    "ThinkingEventJson",
    "json_schema",
]

SHAPES = (
    AnswerJson, SearchJson, ExplainedJson, IndexJson, StatusJson, OpenJson, ModelJson,
    ModelHereJson, ModelInUseJson, ModelSpeedJson, FindingJson, ForgottenJson, RememberedJson,
    ServiceJson, MadeJson, EvalJson, NoteJson, ErrorJson,
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
