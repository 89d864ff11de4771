"""What a run of indexing says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.reading.notes import Skipped


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run did. `skipped` and `warnings` name notes and reasons."""

    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    skipped: tuple[Skipped, ...]
    warnings: tuple[Skipped, ...]
    chunks: int
    seconds: float

    @property
    def differs(self) -> bool:
        """Whether the index holds something else than before."""
        return bool(self.added or self.changed or self.moved or self.removed)

    def sentence(self) -> str:
        """What happened to the notes, for people."""
        counts = [
            (self.added, "added"),
            (self.changed, "changed"),
            (self.moved, "moved"),
            (self.removed, "removed"),
            (self.unchanged, "unchanged"),
            (len(self.skipped), "skipped"),
        ]
        parts = [f"{count:,} {what}" for count, what in counts if count]
        passages = f"{self.chunks:,} passage{'' if self.chunks == 1 else 's'}"
        return f"Notes: {', '.join(parts) or 'none'}. {passages}."


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far a run has come; `report` comes with the last one, whose stage is "done"."""

    stage: Literal["scan", "read", "embed", "write", "done"]
    files_done: int = 0
    files_total: int = 0
    chunks_done: int = 0
    chunks_total: int = 0
    chunks_per_s: float = 0.0
    seconds_left: float | None = None
    report: IndexReport | None = None
    notice: str = ""  # a sentence for the reader about something that was amiss
