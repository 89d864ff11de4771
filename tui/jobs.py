"""What the engine's thread can be asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from rag.retrieval.query import Turn


@dataclass(frozen=True, slots=True)
class Refresh:
    """Bring the index up to date; look for changes first unless `force`d."""

    label: ClassVar[str] = "Getting ready to index"
    state: ClassVar[str] = "indexing…"
    waiting: ClassVar[str] = "Waiting until the notes are indexed…"
    force: bool = False
    rebuild: bool = False
    quiet: bool = False  # the status line says how fresh the index is, and no more need be said


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Load the models. This cannot be stopped."""

    label: ClassVar[str] = "Loading models"
    state: ClassVar[str] = "loading models…"
    waiting: ClassVar[str] = "Waiting until the models are loaded…"


@dataclass(frozen=True, slots=True)
class UseModel:
    """Answer with another language model from now on. This cannot be stopped."""

    label: ClassVar[str] = "Loading the model"
    state: ClassVar[str] = "loading the model…"
    waiting: ClassVar[str] = "Waiting until the model is loaded…"
    place: str


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """Ask another notes folder from now on."""

    label: ClassVar[str] = "Opening the folder"
    state: ClassVar[str] = "opening…"
    waiting: ClassVar[str] = "Waiting until the folder is open…"
    folder: Path


@dataclass(frozen=True, slots=True)
class Ask:
    """Answer a question."""

    label: ClassVar[str] = "Searching"
    state: ClassVar[str] = "answering…"
    waiting: ClassVar[str] = "Waiting for the answer above…"
    turn: int
    question: str
    history: tuple[Turn, ...] = ()


Job = Refresh | WarmUp | UseModel | OpenFolder | Ask
