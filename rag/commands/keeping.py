"""Commands that keep: the index, its state, its servers and what other programs use."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import NotesError, NotesMissing, QuestionError, RagError, no_folder

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.reading.notes import Skipped

from rag.commands.shared import (
    ANSWERED,
    agreed,
    confirm,
    confirm_embedder,
    confirm_new,
    open_engine,
    say,
    say_fault,
    say_missing,
    say_where,
    settings,
)


def index(arguments: argparse.Namespace, started: float) -> int:
    from rag.commands.progress import indexing

    named = [*arguments.notes, *([] if arguments.path is None else [arguments.path])]
    engine = open_engine(arguments, started, named, answers=False)
    for each in engine.folders:
        confirm(each, arguments.yes)
    if arguments.watch:
        return _watch(engine, arguments)
    rebuild = arguments.rebuild or confirm_embedder(engine, arguments.yes)

    def run(remove_missing: bool) -> None:
        progress = engine.index(
            rebuild=rebuild,
            wait=arguments.wait,
            remove_missing=remove_missing,
            check=arguments.check,
        )
        indexing(progress, engine.folders, as_json=arguments.json)

    try:
        run(arguments.remove_missing)
    except NotesMissing as error:
        if arguments.json or not sys.stdin.isatty():
            raise
        if not agreed(f"{error.message} Remove them from the index?"):
            raise
        run(True)
    return ANSWERED


def _watch(engine: Engine, arguments: argparse.Namespace) -> int:
    from rag.commands.progress import told
    from rag.memory import share_arenas
    from rag.watching import keep_indexed, until_stopped

    share_arenas()
    for each in engine.folders:
        if not each.is_dir():
            raise NotesError(no_folder(each), "Name one: rag index --watch PATH")
    folders = [str(each) for each in engine.folders]
    named: set[Skipped] = set()
    with until_stopped() as stop:
        if not arguments.json:
            say(f"Watching {', '.join(folders)}. Ctrl-C ends it.")
        keep_indexed(engine, stop, lambda what: told(what, folders, arguments.json, named))
    engine.close()
    return ANSWERED


def service(arguments: argparse.Namespace, started: float) -> int:
    from rag.service import install, make_service, state, this_system, uninstall

    named: list[str] = []
    folders: list[str] = []
    here: Path | None = None
    install_it = arguments.action == "install"
    if install_it:
        named = [*arguments.notes, *([] if arguments.path is None else [arguments.path])]
        engine = open_engine(arguments, started, named, answers=False)
        for each in engine.folders:
            if not each.is_dir():
                raise NotesError(no_folder(each), "rag service install PATH")
            confirm(each, False)
        folders = [str(each) for each in engine.folders]
        if len(folders) == 1:
            named = folders
        elif named:  # those of rag.toml are named by that file, also when it names others
            named = [part for each in folders for part in ("--notes", each)]
        here = _where_settings_are()
    command = [sys.executable, "-P", "-m", "rag", "index", "--watch", "--yes", *named]
    service = make_service(this_system(), command, here, os.environ, Path.home())
    shown = install_it and arguments.print
    if shown and not arguments.json:
        print(service.text, end="")
        return ANSWERED
    said = install(service, folders) if install_it and not shown else ""
    said = uninstall(service) if arguments.action == "uninstall" else said
    installed, running = state(service)
    if arguments.json:
        from rag.output import show_json

        found = {"installed": installed, "running": running, "file": str(service.file)}
        show_json({**found, "text": service.text} if shown else found)
    elif said:
        say(said)
    else:
        where = f"installed ({service.file})" if installed else "not installed"
        print(f"The service is {where} and {'runs' if running else 'does not run'}.")
    return ANSWERED


def _where_settings_are() -> Path | None:
    """The current folder where a `rag.toml` is in force for it alone, else None."""
    from rag.config_files import find_config, own_config

    found = find_config(Path.cwd())
    return None if found is None or found == own_config(os.environ) else Path.cwd()


def status(arguments: argparse.Namespace, started: float) -> int:
    from rag.commands.status import status

    engine = open_engine(arguments, started, arguments.notes, answers=False)
    status(engine.statuses(), as_json=arguments.json)
    return ANSWERED


def doctor(arguments: argparse.Namespace, started: float) -> int:
    from rag.doctor import examine, examine_without, report

    try:
        engine = open_engine(arguments, started, arguments.notes, answers=False)
    except RagError as error:  # a setting that stops all else is what the doctor is asked about
        config, unread = None, False
        try:
            config, _ = settings()
        except RagError:  # what does not depend on a file that cannot be read is looked at
            with suppress(RagError):
                config, _ = settings(files=False)
            unread = config is not None
        return report(examine_without(error, config, unread), as_json=arguments.json)
    return report(examine(engine, arguments.deep), as_json=arguments.json)


def forget(arguments: argparse.Namespace, started: float) -> int:
    from rag.forgetting import forget_notes, one_folder, remember_notes
    from rag.output import safe, show_json

    asked = open_engine(arguments, started, arguments.notes, answers=False)
    engine, front, paths = one_folder(asked, arguments.paths)
    if arguments.undo:
        count = remember_notes(engine, paths)
        if arguments.json:
            show_json({"remembered": count})
            return ANSWERED
        say(f"{count:,} note{'' if count == 1 else 's'} will be indexed again: rag index")
        return ANSWERED
    done = forget_notes(engine, paths, arguments.conversations)
    if done.turns and not done.turns_removed and sys.stdin.isatty() and not arguments.json:
        question = f"Your conversations quote it in {done.turns:,} turns. Remove these as well?"
        if agreed(question):
            done = forget_notes(engine, paths, True)
    done = replace(done, notes=tuple(f"{front}{each}" for each in done.notes))
    if arguments.json:
        show_json(done.to_dict())
    else:
        print(safe(done.sentence()))
    return ANSWERED


def serve(arguments: argparse.Namespace, started: float) -> int:
    from rag.memory import share_arenas
    from rag.serving.command import IDLE_MIN, run

    share_arenas()
    engine = open_engine(arguments, started, arguments.notes, answers=False)
    engine.started = None  # who asks a server does not wait for its process
    if arguments.http:
        if arguments.idle is not None or arguments.stop:
            raise RagError(
                "--idle and --stop are for the server behind rag ask and rag search.",
                "rag serve --http runs until Ctrl-C.",
            )
        return _serve_http(engine, arguments)
    if arguments.port is not None or arguments.new_token:
        raise RagError("--port and --new-token are for HTTP.", "Say: rag serve --http")
    if arguments.stop:
        from rag.serving.client import stop

        if not stop(engine):
            raise RagError(
                "No server runs for these notes and settings.",
                "For other notes: rag serve --stop --notes PATH",
            )
        return ANSWERED
    say_fault(engine)
    idle = IDLE_MIN if arguments.idle is None else arguments.idle
    run(engine, idle, arguments.quiet, arguments.notes)
    return ANSWERED


def _serve_http(engine: Engine, arguments: argparse.Namespace) -> int:
    from rag.api import Notes
    from rag.http.command import serve_http

    confirm_new(engine, arguments.yes)
    say_missing(engine)
    say_fault(engine)
    say_where(engine, arguments)
    notes = Notes(engine, arguments.yes)
    serve_http(notes, arguments.port, arguments.new_token, not arguments.no_refresh)
    return ANSWERED


def completion(arguments: argparse.Namespace, _started: float) -> int:
    from rag.shell.completion import script, values

    if arguments.values:
        print("\n".join(values(arguments.values, lambda: settings()[0], arguments.begun)))
    elif arguments.shell:
        from rag.commands.parser import build_parser

        print(script(build_parser(), arguments.shell))
    else:
        raise QuestionError("Name your shell: bash, zsh or fish.", "Run: rag completion bash")
    return ANSWERED


def mcp(arguments: argparse.Namespace, started: float) -> int:
    from rag.memory import share_arenas

    share_arenas()
    # A tool that answers says what is wrong with its model; the others do without.
    engine = open_engine(arguments, started, arguments.notes, answers=False)
    confirm_new(engine, arguments.yes)
    say_missing(engine)
    say_fault(engine)
    say_where(engine, arguments)
    from rag.api import Notes
    from rag.mcp import serve

    serve(Notes(engine, arguments.yes), not arguments.no_refresh)
    return ANSWERED
