"""Commands that ask: `rag ask`, `rag search`, `rag open`, `rag chat`, `rag eval`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import NotesError, QuestionError, RagError, no_folder
from rag.pauses import held, hold

if TYPE_CHECKING:
    from collections import Counter

    from rag.engine import Engine
    from rag.evaluation.proposal import Kind

from rag.commands.shared import (
    ANSWERED,
    NOT_IN_NOTES,
    STOPPED,
    bring_up_to_date,
    confirm_embedder,
    confirm_new,
    filters_of,
    open_engine,
    passages_wanted,
    question_of,
    say,
    say_where,
    settings,
    tell_notices,
)


def ask(arguments: argparse.Namespace, started: float) -> int:
    from rag.commands.answers import answering, answering_json, answering_lines
    from rag.serving.command import start_behind

    filters = filters_of(arguments)
    question = question_of(arguments, filters)
    with _asked(arguments, started) as engine:
        say_where(engine, arguments)
        events = engine.ask(
            question,
            k=passages_wanted(arguments),
            filters=filters,
            quote=arguments.quote,
            strict=arguments.strict or None,
        )
        if arguments.json_lines:
            done = answering_lines(events)
        elif arguments.json:
            done = answering_json(events)
        else:
            done = answering(events, not arguments.no_stream, arguments.thoughts)
        tell_notices(engine)
        if not arguments.beside:
            start_behind(engine, arguments.notes)
    return ANSWERED if done.answered else NOT_IN_NOTES


@contextmanager
def _asked(arguments: argparse.Namespace, started: float) -> Iterator[Engine]:
    """The notes, and the documents that are read beside them; these alone where no notes folder
    is known."""
    from rag.serving.command import warmed

    if not arguments.beside:
        answers = not arguments.quote
        engine = warmed(open_engine(arguments, started, arguments.notes, answers=answers))
        bring_up_to_date(engine, arguments)
        yield engine
        return
    from rag.indexing.home import last_used
    from rag.shell.beside import beside

    if "-" in arguments.beside and arguments.question in ([], ["-"]):
        raise QuestionError("Standard input cannot be both the question and the document.")
    config, _ = settings()
    notes: Engine | None = None
    if arguments.notes or config.notes or config.folders or last_used(config.data_dir):
        notes = open_engine(arguments, started, arguments.notes)
        config = notes.parts.settings
        bring_up_to_date(notes, arguments)
    with beside(notes, config, arguments.beside) as engine:
        engine.started = started
        yield engine


def search(arguments: argparse.Namespace, started: float) -> int:
    from rag.commands.sources import passages
    from rag.serving.command import start_behind, warmed

    filters = filters_of(arguments)
    question = question_of(arguments, filters)
    engine = warmed(open_engine(arguments, started, arguments.notes, answers=False))
    engine.load_behind()
    bring_up_to_date(engine, arguments)
    found = engine.explain(question, k=passages_wanted(arguments), filters=filters)
    if arguments.explain:
        from rag.explained import explanation

        explanation(question, found, as_json=arguments.json)
    else:
        passages(question, found, as_json=arguments.json)
    tell_notices(engine)
    start_behind(engine, arguments.notes)
    return ANSWERED if found.passages else NOT_IN_NOTES


def jump(arguments: argparse.Namespace, started: float) -> int:
    from rag.output import one_line, show_json
    from rag.shell.jump import best_spot, open_editor

    if not any(each.strip() for each in arguments.question):
        raise QuestionError("No note is named.", 'By its title, or by words of it: rag open "…"')
    engine = open_engine(arguments, started, arguments.notes, answers=False)
    bring_up_to_date(engine, arguments)
    spot = best_spot(engine, " ".join(arguments.question), filters_of(arguments))
    if spot.notice:
        say(spot.notice)
    if arguments.json:
        show_json(spot.to_dict())
    elif arguments.print:
        print(one_line(spot.written()))
    else:
        open_editor(spot)
    return ANSWERED


def chat(arguments: argparse.Namespace, started: float) -> int:
    terminal = all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr))
    if not (terminal or arguments.plain):  # drawn on stderr
        raise RagError(
            "rag chat needs a terminal.", 'Use rag chat --plain, or for one question: rag ask "…"'
        )
    if os.environ.get("TERM") == "dumb" and not arguments.plain:
        raise RagError("This terminal draws no screen (TERM=dumb).", "Use: rag chat --plain")
    with held():
        engine = open_engine(arguments, started, arguments.notes)
    if arguments.plain:
        from tui.plain import run_plain

        bring_up_to_date(engine, arguments)
        refresh = not arguments.no_refresh
        return run_plain(engine, "latest" if arguments.go_on else arguments.resume, refresh)
    for each in engine.each_folder():  # one that was indexed may be on a disk that comes back
        if not (each.notes_folder.is_dir() or each.has_index()):
            raise NotesError(
                no_folder(each.notes_folder),
                "Name the folder that holds your notes: rag chat --notes PATH",
            )
    confirm_new(engine, arguments.yes)
    if confirm_embedder(engine, arguments.yes):
        from rag.commands.progress import refreshing

        refreshing(engine.index(rebuild=True), quiet=False)
    hold()  # until the screen is painted
    from tui.app import run_chat

    refresh = not arguments.no_refresh
    if arguments.resume:
        return run_chat(engine, refresh, int(arguments.resume))
    fresh = arguments.resume is None
    return run_chat(engine, refresh, "latest" if arguments.go_on else "new" if fresh else "list")


def evaluation(arguments: argparse.Namespace, started: float) -> int:
    from rag.evaluation.command import evaluate, prepare

    settings = {
        "generator_model": arguments.model,
        "generator_adapter": False if arguments.no_adapter else None,
    }
    engine = open_engine(arguments, started, arguments.notes, settings)
    if len(engine.folders) > 1:
        raise NotesError(
            "Several notes folders are named; questions name the notes of one.",
            "Name it: rag eval --notes FOLDER "
            + ("" if arguments.make is None else f"--make {arguments.make} ")
            + shlex.quote(arguments.questions),
        )
    if arguments.make is not None:
        from rag.evaluation.making import make

        by_model = not arguments.by_rule
        if by_model:
            say_where(engine, arguments, "Paragraphs of these notes, each as a whole,")
            bring_up_to_date(engine, arguments)
        file = Path(arguments.questions)
        made = make(engine, file, arguments.make, arguments.seed, by_model)
        if arguments.json:
            from rag.output import show_json

            total = made.total()
            show_json({"questions": total, "kinds": dict(made), "file": str(file.absolute())})
        else:
            _say_made(made, arguments.make, file)
        return ANSWERED
    plan = prepare(
        engine.notes_folder,
        Path(arguments.questions),
        arguments.sample,
        arguments.seed,
        arguments.answers,
        arguments.rows,
        arguments.chart,
        arguments.against,
        arguments.json,
        arguments.quote,
    )
    if plan.answers:
        say_where(engine, arguments)
    bring_up_to_date(engine, arguments)
    return ANSWERED if evaluate(engine, plan) else STOPPED


def _say_made(made: Counter[Kind], wanted: int, file: Path) -> None:
    total, missing = made.total(), made["unanswerable"]
    fewer = "" if total >= wanted else f", all that these notes gave of {wanted:,}"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in made.most_common())
    say(f"{total:,} question{'' if total == 1 else 's'} in {file}{fewer}: {kinds}.")
    if missing:
        say("Edit them; those that the notes do not answer say why. They tell how often it refuses")
        say(f"rightly. Then: rag eval --answers {file}")
    else:
        say('Edit them, and add some that your notes do not answer, with "answers": [], for how')
        say(f"often it refuses rightly. Then: rag eval --answers {file}")
