"""`rag doctor`: what is wrong with this machine, the models, the index or the notes folder, each
finding with what mends it."""

from __future__ import annotations

import errno
import os
import platform
import shlex
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.doctor_chat import examine_chat
from rag.doctor_models import examine_memory, examine_models, processor_flags
from rag.engine import Engine
from rag.errors import NotesError, RagError, for_folders
from rag.finding import Finding
from rag.indexing.database import damage_errors
from rag.indexing.home import find_home, index_folder, unseen_indexes
from rag.indexing.local import LocalIndex
from rag.indexing.private import exposed, make_private
from rag.output import counted

if TYPE_CHECKING:
    from rag.config import Config
    from rag.reading.scanning import Scan

_OLDEST = (3, 11)
_ROOM = 200_000_000  # bytes that should be free where the index lies
_CONVERSATIONS_CURE = "It is mended, and the damaged file set aside, at the next: rag chat"
# What llama.cpp calls a set of instructions, and Linux.
_INSTRUCTIONS = {
    "AVX": "avx",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "AVX512": "avx512f",
    "AVX512_VNNI": "avx512_vnni",
    "NEON": "asimd",
    "DOTPROD": "asimddp",
    "MATMUL_INT8": "i8mm",
}


def examine(engine: Engine, deep: bool) -> Iterator[Finding]:
    """Look at everything, one thing after the other; with `deep` read all that is indexed."""
    yield _python()
    yield _processor()
    yield from _machine(engine)
    for each in engine.each_folder():
        yield _notes(each)
        yield from _index(each, deep)
    yield from _unseen(engine)
    yield _conversations(engine.parts.data_dir)


def _machine(engine: Engine) -> Iterator[Finding]:
    yield _threads(engine)
    yield examine_memory(engine)
    yield from examine_models(engine)
    yield from examine_chat(engine.parts.settings)
    yield from _data(engine.parts.data_dir)


def _data(data_dir: Path) -> Iterator[Finding]:
    yield _disk(data_dir)
    yield _privacy(data_dir)


def examine_without(error: RagError, config: Config | None, unread: bool) -> Iterator[Finding]:
    """Look at what does not depend on the settings, models or notes with which no engine can be
    made, and say what was not looked at. `unread`: rag.toml cannot be read."""
    yield _python()
    yield _processor()
    unseen = ["what rag.toml sets"] * unread + ["notes", "index"]
    if config is None:
        unseen = ["threads", "memory", "models", "data folder", *unseen, "conversations"]
    else:
        try:  # the models are asked about their folders, not about notes
            yield from _machine(_without_notes(config))
        except RagError:  # the embedder is what is wrong
            own = replace(config, embedder_model=type(config)().embedder_model)
            found = _machine(_without_notes(own))
            yield from (each for each in found if each.about != "Embedding model")
            unseen = ["embedding model", *unseen]
        yield _conversations(config.data_dir)
    about = "Notes" if isinstance(error, NotesError) else "Settings"
    yield Finding(about, "broken", error.message, error.remedy)
    yield Finding("Not looked at", "warning", ", ".join(unseen), "Mend that, then: rag doctor")


def _without_notes(config: Config) -> Engine:
    from rag.wiring import build_engine

    return build_engine(replace(config, notes=config.data_dir), answers=False)


def report(findings: Iterator[Finding], as_json: bool) -> int:
    """Print the findings as they come; 1 when anything is broken, else 0."""
    from rag.output import safe, show, show_json

    seen: list[Finding] = []
    for finding in findings:
        seen.append(finding)
        if not as_json:
            from rich.text import Text

            mark, style = {
                "sound": ("✓", "green"),
                "warning": ("!", "yellow"),
                "broken": ("✗", "bold red"),
            }[finding.state]
            show(
                Text.assemble(
                    (f"{mark} ", style), (f"{finding.about}: ", "bold"), safe(finding.found)
                )
            )
            if finding.cure:
                show(Text(f"    {safe(finding.cure)}"))
    if as_json:
        show_json([asdict(each) for each in seen])
    return int(any(each.state == "broken" for each in seen))


# The machine


def _python() -> Finding:
    version = platform.python_version()
    found = f"{version}, SQLite {sqlite3.sqlite_version}"
    if sys.version_info < _OLDEST:
        return Finding("Python", "broken", found, "Install Python 3.11 or newer.")
    if sys.maxsize < 1 << 32:
        return Finding("Python", "broken", f"{found}, of 32 bits", "Install a 64-bit Python.")
    return Finding("Python", "sound", found)


def _processor() -> Finding:
    """What llama.cpp was compiled for against what the processor can do."""
    from rag.models.llama import load_library

    cure = (
        "Compile it for this processor: CMAKE_ARGS=-DGGML_NATIVE=on pip install "
        "--force-reinstall --no-deps --no-binary llama-cpp-python llama-cpp-python"
    )
    try:
        built = built_for(load_library().llama_print_system_info().decode())
    except (ImportError, OSError, RuntimeError) as error:
        return Finding("llama.cpp", "broken", f"cannot be loaded: {error}", cure)
    can = processor_flags()
    return compare_processor(built, can, cure)


def compare_processor(built: Sequence[str], can: Sequence[str], cure: str) -> Finding:
    """A finding from the instructions that llama.cpp uses and those that the processor has."""
    if not can:
        return Finding(
            "llama.cpp", "sound", f"uses {', '.join(built) or 'no special instructions'}"
        )
    lacking = [name for name in built if _INSTRUCTIONS[name] not in can]
    unused = [name for name, flag in _INSTRUCTIONS.items() if flag in can and name not in built]
    if lacking:
        found = f"was compiled for {', '.join(lacking)}, which this processor does not have"
        return Finding("llama.cpp", "broken", found, cure)
    if unused:
        found = f"does not use {', '.join(unused)}, which this processor has: answers are slow"
        return Finding("llama.cpp", "warning", found, cure)
    return Finding("llama.cpp", "sound", f"uses {', '.join(built) or 'what this processor has'}")


def built_for(system_info: str) -> list[str]:
    """The sets of instructions in llama.cpp's own account: "CPU : AVX = 1 | AVX2 = 1 | …"."""
    parts = [part.split(":")[-1].split("=") for part in system_info.split("|")]
    on = {part[0].strip() for part in parts if len(part) == 2 and part[1].strip() == "1"}
    return [name for name in _INSTRUCTIONS if name in on]


def _threads(engine: Engine) -> Finding:
    from rag.wiring import physical_cores

    cores = physical_cores()
    wanted = getattr(engine.parts.settings, "generator_threads", 0) or cores
    found = f"{wanted} for answers, {cores} physical core{'' if cores == 1 else 's'} to use"
    if wanted > cores:
        return Finding(
            "Threads", "warning", found, "Set [generator] threads = 0 in rag.toml: more are slower."
        )
    return Finding("Threads", "sound", found)


# The folders


def _disk(data_dir: Path) -> Finding:
    import psutil

    folder = next(each for each in (data_dir, *data_dir.parents) if each.exists())
    if not folder.is_dir():
        cure = "Move that file away, or name a folder with RAG_DATA_DIR."
        return Finding("Data folder", "broken", f"{folder} is a file", cure)
    if not os.access(folder, os.W_OK | os.X_OK):
        cure = "Allow writing to it, or name another with RAG_DATA_DIR."
        return Finding("Data folder", "broken", f"{folder} cannot be written", cure)
    try:
        with tempfile.TemporaryDirectory(prefix=".rag-", dir=folder):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            why = (error.strerror or str(error)).lower()
            cure = "Name another folder with RAG_DATA_DIR."
            return Finding("Data folder", "broken", f"{data_dir} cannot be used: {why}", cure)
    free = int(psutil.disk_usage(str(folder)).free)
    found = f"{data_dir}, {free / 1e9:.1f} GB free"
    if free < _ROOM:
        return Finding("Data folder", "warning", found, "Free some space.")
    return Finding("Data folder", "sound", found)


def _privacy(data_dir: Path) -> Finding:
    make_private(data_dir)
    left = exposed(data_dir)
    if left:
        cure = f"Take that right from them: chmod -R go-rwx {data_dir}"
        return Finding("Privacy", "warning", f"others may read {left[0]}", cure)
    return Finding("Privacy", "sound", "only you may read the data folder")


def _notes(engine: Engine) -> Finding:
    from rag.reading.scanning import scan

    about = f"Notes in {engine.notes_folder}"
    try:
        found = _without_refused(engine, scan(engine.notes_folder, engine.parts.suffixes))
    except RagError as error:
        return Finding(about, "broken", error.message, error.remedy)
    if not found.files:
        return Finding(
            about, "broken", "none", "Name a folder with .md or .txt files: --notes PATH"
        )
    skipped = f", {len(found.skipped):,} skipped: rag index names them" if found.skipped else ""
    return Finding(about, "sound", f"{len(found.files):,}{skipped}")


def _without_refused(engine: Engine, found: Scan) -> Scan:
    """What was found without the files that `rag index` leaves out: it remembers those that it
    read in vain."""
    from rag.indexing.forget import forgotten_notes, without
    from rag.reading.notes import Skipped

    home = find_home(engine.parts.data_dir, engine.notes_folder)
    if home is None:
        return found
    try:
        folder = index_folder(engine.parts.data_dir, home)
        with closing(LocalIndex(folder)) as index, damage_errors():
            known, forgotten = index.known_skips(), forgotten_notes(index)
    except RagError:  # told where the index is looked at
        return found
    found = without(found, forgotten)
    refused = {
        each.path: Skipped(each.path, known[each.path].reason)
        for each in found.files
        if known.get(each.path, ())[:2] == (each.size, each.mtime_ns)
    }
    files = tuple(each for each in found.files if each.path not in refused)
    return replace(found, files=files, skipped=(*found.skipped, *refused.values()))


def _index(engine: Engine, deep: bool) -> Iterator[Finding]:
    place = shlex.quote(str(engine.notes_folder))
    home = find_home(engine.parts.data_dir, engine.notes_folder)
    if home is None:
        none = "there is none of these notes yet"
        yield Finding("Index", "broken", none, f"Run: rag index {place}")
        return
    folder = index_folder(engine.parts.data_dir, home)
    try:
        with closing(LocalIndex(folder)) as index, damage_errors():
            index.check(engine.parts.identity().fingerprint)
            notes, passages = index.store.counts()
            broken = index.derived_broken
        changed = engine.changed()
    except RagError as error:
        cure = for_folders(error, [str(engine.notes_folder)]).remedy
        yield Finding("Index", "broken", error.message, cure)
        return
    found = f"{counted(notes, 'note')}, {counted(passages, 'passage')}"
    if broken:
        found += "; files for its words or vectors are missing or damaged"
        yield Finding("Index", "broken", found, f"Write them again: rag index {place}")
    elif changed:
        yield Finding("Index", "warning", f"{found}; behind the notes", f"Run: rag index {place}")
    else:
        yield Finding("Index", "sound", found)
    if deep:
        yield from _verified(folder, engine.notes_folder)


def _verified(folder: Path, notes_folder: Path) -> Iterator[Finding]:
    from rag.indexing.verify import verify_index

    seen = verify_index(folder, notes_folder)
    for damage in seen.damage:
        cure = f"Mend it from the notes: rag index --check {shlex.quote(str(notes_folder))}"
        yield Finding("Index, verified", "broken", damage, cure)
    if not seen.damage:
        edited = f"; {seen.changed:,} notes edited since" if seen.changed else ""
        yield Finding(
            "Index, verified",
            "sound",
            f"{seen.notes:,} notes, {seen.passages:,} passages, {seen.vectors:,} vectors, "
            f"{seen.files:,} files{edited}",
        )


def _unseen(engine: Engine) -> Iterator[Finding]:
    """Indexes of other folders that are gone: the notes' text is still in them."""
    for path, folder in unseen_indexes(engine.parts.data_dir):
        if Path(path) not in engine.folders:
            where = f"{path}, which is not there" if path else f"a folder that was moved: {folder}"
            yield Finding(
                "Another index",
                "warning",
                f"of {where}",
                "It follows the folder when that is indexed where it lies now. "
                f"If the notes are gone for good: rm -r {shlex.quote(str(folder))}",
            )


def _conversations(data_dir: Path) -> Finding:
    from rag.answering.recovery import inspect

    about = "Conversations"
    aside = sorted(data_dir.glob("conversations.db.damaged-*"))
    kept = f"; a damaged file is set aside: {aside[-1]}" if aside else ""
    try:
        turns, altered = inspect(data_dir / "conversations.db")
    except (sqlite3.DatabaseError, OSError) as error:
        return Finding(about, "broken", f"the file is damaged ({error})", _CONVERSATIONS_CURE)
    if altered:
        found = f"{altered:,} of {turns:,} turns were altered on the disk{kept}"
        return Finding(about, "warning", found, "They say so where they are shown.")
    return Finding(about, "sound", f"{turns:,} turns{kept}")
