"""What was converted when a notes folder was indexed, for those who read its notes."""

from __future__ import annotations

from pathlib import Path

from rag.indexing.home import find_home, index_folder
from rag.reading.texts import FOLDER, Recent


def kept_texts(data_dir: Path, notes: Path) -> Recent:
    """The converted texts of a notes folder; nothing is written there."""
    home = find_home(data_dir, notes)
    return Recent(index_folder(data_dir, home) / FOLDER if home else None)
