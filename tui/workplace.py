"""What the interface needs beside the engine; made outside and handed in."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.answering.conversations import Conversations
from rag.engine import Engine

if TYPE_CHECKING:
    from rag.models.choices import ModelChoice
    from rag.reading.texts import Recent

UNDO_S = 86400.0  # how long a deleted conversation can be brought back


@dataclass(frozen=True, slots=True)
class Workplace:
    """Functions that look, open and switch; each may take a while and is called from a thread."""

    open_conversations: Callable[[Path], Conversations]
    folders: Callable[[], Sequence[tuple[str, Path]]] = lambda: ()
    open_folder: Callable[[Engine, Path], Engine] | None = None
    models: Callable[[], Sequence[ModelChoice]] = lambda: ()
    use_model: Callable[[Engine, str], None] | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    watch: bool = False
    texts: Callable[[Path], Recent | None] = lambda _: None


def workplace(engine: Engine) -> Workplace:
    """The real one, for the settings that `engine` was made with."""
    from rag.indexing.home import known_folders
    from rag.indexing.kept import kept_texts
    from rag.wiring import open_folder, use_generator

    config = engine.parts.settings

    def open_conversations(folder: Path) -> Conversations:
        kept = Conversations(config.data_dir, folder)
        kept.purge(time.time() - UNDO_S)
        return kept

    def models() -> list[ModelChoice]:
        from rag.models.choices import endpoint_choice, generator_choices
        from rag.models.installed import installed

        fetched = [each.spec for each in installed(config.data_dir)]
        found = generator_choices(config.cache_dir / "models", config.generator_model, fetched)
        return [*found, *endpoint_choice(config)]

    def folders() -> list[tuple[str, Path]]:
        named = {Path(os.path.realpath(each)): name for name, each in config.folders.items()}
        known = [each for each in known_folders(config.data_dir) if each not in named]
        return [
            *((name, folder) for folder, name in named.items()),
            *((folder.name or str(folder), folder) for folder in known),
        ]

    return Workplace(
        open_conversations=open_conversations,
        texts=partial(kept_texts, config.data_dir),
        folders=folders,
        open_folder=open_folder,
        models=models,
        use_model=use_generator,
        keys=config.keys,
        theme=config.chat_theme,
        watch=True,
    )
