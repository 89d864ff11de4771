"""What the commands share: settings, the engine, questions to the reader, what is said to them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rag.config import MOST_PASSAGES, sent_to
from rag.errors import NotesError, QuestionError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.engine import Engine
    from rag.indexing.filtering import Filters

ANSWERED, NOT_IN_NOTES, FAILED, STOPPED = 0, 1, 2, 130
STATUSES = (
    "Exit status: 0 answered or done, 1 the notes do not say, 2 any error, 130 stopped with Ctrl-C."
)


def open_engine(
    arguments: argparse.Namespace,
    started: float,
    notes: Sequence[str],
    flags: Mapping[str, object] | None = None,
    answers: bool = True,
) -> Engine:
    """The engine for these notes folders; `flags` are settings that win over all others. Without
    `answers` the language model need not be there."""
    from rag.trust import stray_folders, unread_settings
    from rag.wiring import build_engine, build_several, settle_folders

    here = _here()
    config, folders = settle_folders(lambda asked: settings(asked, flags)[0], notes, here)
    if config.unread:
        say(unread_settings(config))
    if strays := stray_folders(config, (path for _, path in folders), notes, here):
        say(strays)
    if folders:
        return build_several(config, folders, started, answers)
    engine = build_engine(config, started, answers)
    if not for_programs(arguments):
        say(f"Notes: {engine.notes_folder} (the folder indexed last)")
    return engine


def settings(
    asked: Sequence[Path] = (), flags: Mapping[str, object] | None = None, files: bool = True
) -> tuple[Config, Path]:
    """The settings in force, without `files` those of no `rag.toml`, and the current folder;
    `asked` are the notes folders, once known."""
    from rag.config_files import load_config

    here = _here()
    return load_config(here, os.environ, flags, asked, files), here


def _here() -> Path:
    """The current folder. Raises NotesError where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise NotesError("The current folder is gone.", "Change to one that exists.") from error


def say_where(engine: Engine, arguments: argparse.Namespace, what: str = "") -> None:
    """Say, before it happens, that a question and its passages, or `what` else, go to another
    machine."""
    where = sent_to(engine.parts.generator_name)
    if where and (what or not getattr(arguments, "quote", False)):
        asked = "This question" if hasattr(arguments, "question") else "Every question"
        what = what or f"{asked} and the passages found for it"
        say(f"{what} go to {where}.")


def say_fault(engine: Engine) -> None:
    """Say why the language model cannot answer, of an engine that was opened without needing it."""
    if fault := engine.parts.generator_fault:
        say(f"{fault} Searches are answered; questions are not.")


def say_missing(engine: Engine) -> None:
    """Say of which folders only what was indexed is served: nobody hears of it later."""
    for each in engine.each_folder():
        if not each.notes_folder.is_dir() and each.has_index():
            say(f"There is no folder {each.notes_folder}: what was indexed of it is asked.")


def bring_up_to_date(engine: Engine, arguments: argparse.Namespace) -> None:
    """Bring the index up to date before a question, unless the reader declines."""
    if arguments.no_refresh:
        return
    from rag.commands.progress import refreshing

    confirm_new(engine, arguments.yes)
    other = confirm_embedder(engine, arguments.yes)
    progress = engine.index(rebuild=True) if other else engine.refresh()
    refreshing(progress, quiet=for_programs(arguments))


def for_programs(arguments: argparse.Namespace) -> bool:
    """Whether the output is JSON, and nobody wants to hear of what else goes on."""
    return any(getattr(arguments, each, False) for each in ("json", "json_lines"))


def tell_notices(engine: Engine) -> None:
    """Say what was amiss while the question was answered."""
    notices = engine.take_notices()
    if notices:
        from rag.output import tell

        tell(notices)


def confirm_new(engine: Engine, yes: bool) -> None:
    if not engine.has_index():
        for each in engine.folders:
            confirm(each, yes)


def confirm_embedder(engine: Engine, yes: bool) -> bool:
    """Whether to index anew for another embedder: it takes a while, and a yes. The old index
    stays until the new one is complete."""
    old = engine.other_embedder()
    if not old or yes:
        return bool(old)
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return False  # it is refused with the command that mends it
    notes = sum(each.notes for each in engine.statuses())
    now = engine.parts.embedder_name
    back = f"Go back with: rag models use {old}"
    if now == old:
        say(f"The settings now give {old} other prompts than the index was made with.")
        back = "Go back with [embedder] in rag.toml: query_prompt, document_prompt."
    else:
        say(f"The index was made with {old}; the settings now name {now}.")
    if not agreed(f"Index all {notes:,} notes anew? The old index stays until then."):
        raise NotesError("Nothing was indexed.", back)
    return True


def confirm(folder: Path, yes: bool) -> None:
    """A home folder or `/` is indexed only after a yes: it is seldom what was meant."""
    from rag.indexing.home import holds_home

    if yes or not holds_home(folder):
        return
    question = f"{folder} is not a notes folder but much more. Index all of it?"
    if not sys.stdin.isatty():
        raise NotesError(
            question.replace("Index all of it?", "It was not indexed."),
            "Name a folder inside it, or say --yes.",
        )
    if not agreed(question):
        raise NotesError("Nothing was indexed.", "Name a folder: rag index PATH")


def agreed(question: str) -> bool:
    from rag.output import safe

    sys.stderr.write(f"{safe(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def filters_of(arguments: argparse.Namespace) -> Filters:
    from rag.retrieval.filters import from_flags

    return from_flags(
        arguments.tag,
        arguments.path,
        arguments.since,
        arguments.until,
        arguments.where,
        today=date.today(),
    )


def question_of(arguments: argparse.Namespace, filters: Filters) -> str:
    """What was typed, or standard input; nothing where filters alone say what to list."""
    words = " ".join(arguments.question)
    if (words and words != "-") or (filters and not words):
        return words
    if sys.stdin is None or (sys.stdin.isatty() and not words):
        raise QuestionError("The question is empty.", 'Ask one: rag ask "What is …?"')
    # A pasted book is not read to its end: a question uses the first part anyway.
    return sys.stdin.buffer.read(1 << 20).decode("utf-8", errors="replace")


def passages_wanted(arguments: argparse.Namespace) -> int | None:
    k: int | None = arguments.k
    if k is not None and not 1 <= k <= MOST_PASSAGES:
        raise QuestionError(f"-k {k} is out of range: 1 to {MOST_PASSAGES} passages.")
    return k


def complain(text: str) -> None:
    if sys.stderr is None:
        return
    from rag.output import safe

    text = safe(text)
    red = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(f"\x1b[31m{text}\x1b[0m" if red else text, file=sys.stderr, flush=True)


def say(text: str) -> None:
    from rag.output import safe

    print(safe(text), file=sys.stderr, flush=True)
