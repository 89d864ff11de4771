"""The command line: `rag index`, `rag ask`, `rag search`, `rag open`, `rag status`, `rag chat`,
`rag eval`, `rag models`, `rag doctor`, `rag forget`, `rag service`, and for other programs
`rag mcp`, `rag serve` and `rag completion`.

Exit status: 0 answered or done, 1 the notes do not say or the doctor found something broken, 2 any
error.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rag import __version__
from rag.config import LEAVES
from rag.errors import Cancelled, NotesError, NotesMissing, QuestionError, RagError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.engine import Engine
    from rag.indexing.filtering import Filters

ANSWERED, NOT_IN_NOTES, FAILED, STOPPED = 0, 1, 2, 130
STATUSES = (
    "Exit status: 0 answered or done, 1 the notes do not say, 2 any error, 130 stopped with Ctrl-C."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status. No error ends in a traceback."""
    try:
        started = _process_start()
        arguments = build_parser().parse_args(argv)
        command: Callable[[argparse.Namespace, float], int] = arguments.command
        return command(arguments, started)
    except (KeyboardInterrupt, Cancelled):
        _complain("Stopped.")
        return STOPPED
    except RagError as error:
        _complain("Stopped." if _interrupted(error) else str(error))
        return STOPPED if _interrupted(error) else FAILED
    except BrokenPipeError:  # the reader of our output, `head` say, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    except Exception as error:
        if _interrupted(error):
            _complain("Stopped.")
            return STOPPED
        if os.environ.get("RAG_DEBUG"):
            raise
        _complain(
            f"Something unforeseen happened ({type(error).__name__}: {error}). Your notes "
            "and the index are untouched; RAG_DEBUG=1 shows where it happened."
        )
        return FAILED


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: a library that it stops while it loads says otherwise."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _process_start() -> float:
    """`time.perf_counter()` as it stood when this process was created."""
    import psutil

    return time.perf_counter() - max(0.0, time.time() - psutil.Process().create_time())


def build_parser() -> argparse.ArgumentParser:
    """The command line: also what completion and the manual page are made from."""
    parser = _Parser(prog="rag", description="Ask your own notes, on this machine.")
    parser.add_argument("--version", action="version", version=f"rag {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    index = commands.add_parser("index", help="bring the index up to date with the notes")
    index.add_argument("path", nargs="?", metavar="PATH", help="the notes folder, or its name")
    index.add_argument("--rebuild", action="store_true", help="build the index anew")
    index.add_argument(
        "--watch", action="store_true", help="go on indexing what changes, until Ctrl-C"
    )
    index.add_argument(
        "--remove-missing", action="store_true", help="also where most notes are gone: remove them"
    )
    index.add_argument("--check", action="store_true", help="look for damage, and mend it")
    index.add_argument("--wait", action="store_true", help="wait for another run of rag index")
    index.set_defaults(command=_index)

    ask = commands.add_parser("ask", help="answer one question from the notes")
    ask.add_argument("question", nargs="*", help="the question; - or none: standard input")
    ask.add_argument("--no-stream", action="store_true", help="print the answer when complete")
    ask.add_argument(
        "--with",
        dest="beside",
        metavar="FILE",
        action="append",
        default=[],
        help="also read this document, for this question; - for standard input; may be repeated",
    )
    ask.add_argument("--thoughts", action="store_true", help="show what the model thought first")
    ask.add_argument("--quote", action="store_true", help="the notes' own words, without a model")
    ask.add_argument("--strict", action="store_true", help="say only what the notes bear out")
    ask.set_defaults(command=_ask)

    search = commands.add_parser("search", help="show the passages for a question")
    search.add_argument("question", nargs="*", help="what to look for; - or none: standard input")
    search.add_argument("--explain", action="store_true", help="why each stands where it does")
    search.set_defaults(command=_search)
    jump = commands.add_parser("open", help="open the best note for some words in your editor")
    jump.add_argument("question", nargs="+", help="a title, or words to look for")
    jump.add_argument("--print", action="store_true", help="only print its path and line")
    jump.set_defaults(command=_open, k=None)

    for each in (ask, search):
        each.add_argument("-k", type=int, metavar="N", help="passages to find (5)")
    for each in (ask, search, jump):
        _add_filters(each)

    status = commands.add_parser("status", help="what is indexed, and where it lies")
    status.set_defaults(command=_status)

    doctor = commands.add_parser("doctor", help="what is wrong, and what mends it")
    doctor.add_argument("--deep", action="store_true", help="verify everything that is indexed")
    doctor.set_defaults(command=_doctor)

    forget = commands.add_parser("forget", help="leave no text of a note in the index")
    forget.add_argument("paths", nargs="+", metavar="PATH", help="a note, or a folder of notes")
    forget.add_argument(
        "--conversations", action="store_true", help="also the turns of conversations that quote it"
    )
    forget.add_argument("--undo", action="store_true", help="let it be indexed again")
    forget.set_defaults(command=_forget)

    chat = commands.add_parser("chat", help="open the terminal interface")
    chat.add_argument(
        "--plain", action="store_true", help="line by line, for screen readers and simple terminals"
    )
    begin = chat.add_mutually_exclusive_group()
    begin.add_argument(
        "--continue", dest="go_on", action="store_true", help="go on with the latest conversation"
    )
    begin.add_argument(
        "--resume",
        nargs="?",
        type=int,
        const=0,
        metavar="ID",
        help="reopen a conversation; without its number, choose from a list",
    )
    chat.set_defaults(command=_chat)

    evaluation = commands.add_parser("eval", help="measure search and answers on your questions")
    evaluation.add_argument("questions", metavar="QUESTIONS.jsonl", help="one JSON object a line")
    evaluation.add_argument(
        "--make", type=int, metavar="N", help="write N questions from your notes there, to edit"
    )
    evaluation.add_argument(
        "--by-rule", action="store_true", help="with --make: without the language model"
    )
    evaluation.add_argument("--answers", action="store_true", help="also answer each question")
    evaluation.add_argument(
        "--quote", action="store_true", help="with --answers: the notes' own words, without a model"
    )
    evaluation.add_argument("--model", metavar="NAME", help="another language model, or its file")
    evaluation.add_argument(
        "--no-adapter", action="store_true", help="the bundled model as it was before it was taught"
    )
    evaluation.add_argument("--sample", type=int, metavar="N", help="N of the questions")
    evaluation.add_argument("--seed", type=int, default=0, metavar="S", help="which N (0)")
    for name, text in (
        ("--rows", "write what came of each question, one JSON object a line"),
        ("--against", "compare with what --rows wrote or --json printed before"),
        ("--chart", "with --answers: draw accuracy against coverage, as SVG"),
    ):
        evaluation.add_argument(name, type=Path, metavar="FILE", help=text)
    evaluation.set_defaults(command=_eval)

    service = commands.add_parser("service", help="keep the index up to date in the background")
    actions = service.add_subparsers(
        metavar="ACTION", required=True, dest="action", parser_class=_Parser
    )
    install = actions.add_parser("install", help="write the service's file; starts nothing")
    install.add_argument("path", nargs="?", metavar="PATH", help="the notes folder, or its name")
    install.add_argument("--print", action="store_true", help="show the file, write nothing")
    uninstall = actions.add_parser("uninstall", help="stop the service and remove its file")
    state = actions.add_parser("status", help="whether it is installed, and whether it runs")
    for each in (install, uninstall, state):
        each.set_defaults(command=_service)

    from rag.models.parser import add_models

    add_models(commands)

    mcp = commands.add_parser("mcp", help="serve the notes to agents over MCP, on standard input")
    mcp.set_defaults(command=_mcp)

    completion = commands.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", nargs="?", choices=("bash", "zsh", "fish"), metavar="SHELL")
    completion.add_argument(
        "--values", choices=("folders", "tags", "models"), help=argparse.SUPPRESS
    )
    completion.set_defaults(command=_completion)

    serve = commands.add_parser(
        "serve", help="keep the models ready for rag ask and rag search, or serve over HTTP"
    )
    serve.add_argument(
        "--idle", type=float, default=15, metavar="MINUTES", help="end after so long unasked (15)"
    )
    serve.add_argument("--stop", action="store_true", help="end the one that runs")
    serve.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    from rag.http.command import add_flags

    add_flags(serve)
    serve.set_defaults(command=_serve)

    for each in (index, ask, search, jump, status, doctor, evaluation):
        as_json = each.add_mutually_exclusive_group() if each is ask else each
        as_json.add_argument("--json", action="store_true", help="for programs: one JSON object")
        if each is ask:
            as_json.add_argument(
                "--json-lines", action="store_true", help="for programs: each step as it comes"
            )
    for each in (ask, search, jump, status, doctor, forget, chat, evaluation, mcp, serve):
        each.add_argument(
            "--notes",
            metavar="PATH",
            action="append",
            default=[],
            help="the notes folder, or its name in rag.toml; may be repeated",
        )
    for each in (ask, search, jump, chat, evaluation, mcp, serve):
        each.add_argument(
            "--no-refresh", action="store_true", help="do not look for changed notes first"
        )
    for each in (index, ask, search, jump, chat, evaluation, mcp, serve):
        each.add_argument(
            "-y", "--yes", action="store_true", help="index even a home folder without asking"
        )
    for each in (parser, *commands.choices.values()):
        each.epilog = STATUSES
    return parser


def _add_filters(command: argparse.ArgumentParser) -> None:
    """Which notes to search; the same filters can stand in the question."""
    filters = command.add_argument_group("filters", "which notes to look in")
    for flag, metavar, text in (
        ("--tag", "TAG", "with this tag or one nested in it; repeated: with all of them"),
        ("--path", "PATH", "in this folder, or this note; repeated: in any of them"),
        ("--where", "KEY=VALUE", "with this front matter; also != < <= > >="),
    ):
        filters.add_argument(flag, action="append", default=[], metavar=metavar, help=text)
    for flag, text in (("--since", "from this day on"), ("--until", "up to this day")):
        filters.add_argument(flag, metavar="DATE", help=f"{text}: 2024-02-05, 2024, 'last week'")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _complain(f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help")
        raise SystemExit(FAILED)


# Commands


def _index(arguments: argparse.Namespace, started: float) -> int:
    from rag.output import indexing

    engine = _engine(arguments, started, [] if arguments.path is None else [arguments.path])
    for each in engine.folders:
        _confirm(each, arguments.yes)
    if arguments.watch:
        return _watch(engine, arguments)
    rebuild = arguments.rebuild or _confirm_embedder(engine, arguments.yes)

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
        if not _agreed(f"{error.message} Remove them from the index?"):
            raise
        run(True)
    return ANSWERED


def _watch(engine: Engine, arguments: argparse.Namespace) -> int:
    from rag.output import told
    from rag.watching import keep_indexed, until_stopped

    for each in engine.folders:
        if not each.is_dir():
            raise NotesError(f"There is no folder {each}.", "Name one: rag index --watch PATH")
    folders = [str(each) for each in engine.folders]
    with until_stopped() as stop:
        if not arguments.json:
            _say(f"Watching {', '.join(folders)}. Ctrl-C ends it.")
        keep_indexed(engine, stop, lambda what: told(what, folders, as_json=arguments.json))
    engine.close()
    return ANSWERED


def _service(arguments: argparse.Namespace, started: float) -> int:
    from rag.service import install, make_service, state, this_system, uninstall

    named: list[str] = []
    install_it = arguments.action == "install"
    if install_it:
        named = [] if arguments.path is None else [arguments.path]
        engine = _engine(arguments, started, named)
        for each in engine.folders:
            _confirm(each, False)
        # A folder of its own is named by its place, those of rag.toml by that file.
        named = [str(engine.folders[0])] if len(engine.folders) == 1 else named
    command = [sys.executable, "-m", "rag", "index", "--watch", "--yes", *named]
    service = make_service(this_system(), command, Path.cwd(), os.environ, Path.home())
    if install_it and arguments.print:
        print(service.text, end="")
    elif install_it:
        _say(install(service))
    elif arguments.action == "uninstall":
        _say(uninstall(service))
    else:
        installed, running = state(service)
        where = f"installed ({service.file})" if installed else "not installed"
        print(f"The service is {where} and {'runs' if running else 'does not run'}.")
    return ANSWERED


def _ask(arguments: argparse.Namespace, started: float) -> int:
    from rag.output import answering, answering_json, answering_lines
    from rag.serving.command import start_behind

    filters = _filters(arguments)
    question = _question(arguments, filters)
    with _asked(arguments, started) as engine:
        _say_where(engine, arguments)
        events = engine.ask(
            question,
            k=_k(arguments),
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
        _tell(engine)
        if not arguments.beside:
            start_behind(engine, arguments.notes)
    return ANSWERED if done.answered else NOT_IN_NOTES


@contextmanager
def _asked(arguments: argparse.Namespace, started: float) -> Iterator[Engine]:
    """The notes, and the documents that are read beside them; these alone where no notes folder
    is known."""
    from rag.serving.command import warmed

    if not arguments.beside:
        engine = warmed(_engine(arguments, started, arguments.notes))
        _refresh(engine, arguments)
        yield engine
        return
    from rag.indexing.home import last_used
    from rag.shell.beside import beside

    if "-" in arguments.beside and arguments.question in ([], ["-"]):
        raise QuestionError("Standard input cannot be both the question and the document.")
    config, _ = _settings()
    notes: Engine | None = None
    if arguments.notes or config.notes or config.folders or last_used(config.data_dir):
        notes = _engine(arguments, started, arguments.notes)
        _refresh(notes, arguments)
    with beside(notes, config, arguments.beside) as engine:
        engine.started = started
        yield engine


def _search(arguments: argparse.Namespace, started: float) -> int:
    from rag.output import passages
    from rag.serving.command import start_behind, warmed

    filters = _filters(arguments)
    question = _question(arguments, filters)
    engine = warmed(_engine(arguments, started, arguments.notes))
    engine.load_behind()
    _refresh(engine, arguments)
    found = engine.explain(question, k=_k(arguments), filters=filters)
    if arguments.explain:
        from rag.explained import explanation

        explanation(question, found, as_json=arguments.json)
    else:
        passages(question, found, as_json=arguments.json)
    _tell(engine)
    start_behind(engine, arguments.notes)
    return ANSWERED if found.passages else NOT_IN_NOTES


def _status(arguments: argparse.Namespace, started: float) -> int:
    from rag.output import status

    status(_engine(arguments, started, arguments.notes).statuses(), as_json=arguments.json)
    return ANSWERED


def _doctor(arguments: argparse.Namespace, started: float) -> int:
    from rag.doctor import examine, report

    engine = _engine(arguments, started, arguments.notes)
    return report(examine(engine, arguments.deep), as_json=arguments.json)


def _forget(arguments: argparse.Namespace, started: float) -> int:
    from rag.forgetting import forget_notes, remember_notes
    from rag.output import safe

    engine = _engine(arguments, started, arguments.notes)
    if len(engine.folders) > 1:
        raise NotesError(
            "Several notes folders are named; a note lies in one.",
            "Name it: rag forget --notes FOLDER PATH",
        )
    if arguments.undo:
        count = remember_notes(engine, arguments.paths)
        _say(f"{count:,} note{'' if count == 1 else 's'} will be indexed again: rag index")
        return ANSWERED
    done = forget_notes(engine, arguments.paths, arguments.conversations)
    if done.turns and not done.turns_removed and sys.stdin.isatty():
        question = f"Your conversations quote it in {done.turns:,} turns. Remove these as well?"
        if _agreed(question):
            done = forget_notes(engine, arguments.paths, True)
    print(safe(done.sentence()))
    return ANSWERED


def _serve(arguments: argparse.Namespace, started: float) -> int:
    from rag.serving.command import run

    engine = _engine(arguments, started, arguments.notes)
    if arguments.http:
        return _serve_http(engine, arguments)
    if arguments.stop:
        from rag.serving.client import stop

        if not stop(engine):
            raise RagError("No server runs for these notes and settings.")
        return ANSWERED
    run(engine, arguments.idle, arguments.quiet)
    return ANSWERED


def _chat(arguments: argparse.Namespace, started: float) -> int:
    terminal = all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr))
    if not (terminal or arguments.plain):  # drawn on stderr
        raise RagError(
            "rag chat needs a terminal.", 'Use rag chat --plain, or for one question: rag ask "…"'
        )
    engine = _engine(arguments, started, arguments.notes)
    if arguments.plain:
        from tui.plain import run_plain

        _refresh(engine, arguments)
        return run_plain(engine, "latest" if arguments.go_on else arguments.resume)
    _confirm_new(engine, arguments.yes)
    if _confirm_embedder(engine, arguments.yes):
        from rag.output import refreshing

        refreshing(engine.index(rebuild=True), quiet=False)
    from tui.app import run_chat

    refresh = not arguments.no_refresh
    if arguments.resume:
        return run_chat(engine, refresh, int(arguments.resume))
    fresh = arguments.resume is None
    return run_chat(engine, refresh, "latest" if arguments.go_on else "new" if fresh else "list")


def _eval(arguments: argparse.Namespace, started: float) -> int:
    from rag.evaluation.command import evaluate, prepare

    settings = {
        "generator_model": arguments.model,
        "generator_adapter": False if arguments.no_adapter else None,
    }
    engine = _engine(arguments, started, arguments.notes, settings)
    if arguments.make is not None:
        from rag.evaluation.making import make

        by_model = not arguments.by_rule
        if by_model:
            _refresh(engine, arguments)
        make(engine, Path(arguments.questions), arguments.make, arguments.seed, by_model)
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
    _refresh(engine, arguments)
    return ANSWERED if evaluate(engine, plan) else STOPPED


def _serve_http(engine: Engine, arguments: argparse.Namespace) -> int:
    from rag.api import Notes
    from rag.http.command import serve_http

    _confirm_new(engine, arguments.yes)
    _say_where(engine, arguments)
    notes = Notes(engine, arguments.yes)
    serve_http(notes, arguments.port, arguments.new_token, not arguments.no_refresh)
    return ANSWERED


def _open(arguments: argparse.Namespace, started: float) -> int:
    from rag.output import one_line, show_json
    from rag.shell.jump import best_spot, open_editor

    engine = _engine(arguments, started, arguments.notes)
    _refresh(engine, arguments)
    spot = best_spot(engine, " ".join(arguments.question), _filters(arguments))
    if arguments.json:
        show_json(spot.to_dict())
    elif arguments.print:
        print(f"{one_line(str(spot.file))}:{spot.line}")
    else:
        open_editor(spot)
    return ANSWERED


def _completion(arguments: argparse.Namespace, _started: float) -> int:
    from rag.shell.completion import script, values

    if arguments.values:
        print("\n".join(values(arguments.values, lambda: _settings()[0])))
    elif arguments.shell:
        print(script(build_parser(), arguments.shell))
    else:
        raise QuestionError("Name your shell: bash, zsh or fish.", "Run: rag completion bash")
    return ANSWERED


def _mcp(arguments: argparse.Namespace, started: float) -> int:
    engine = _engine(arguments, started, arguments.notes)
    _confirm_new(engine, arguments.yes)
    _say_where(engine, arguments)
    from rag.api import Notes
    from rag.mcp import serve

    serve(Notes(engine, arguments.yes), not arguments.no_refresh)
    return ANSWERED


# What the commands share


def _engine(
    arguments: argparse.Namespace,
    started: float,
    notes: Sequence[str],
    flags: Mapping[str, object] | None = None,
) -> Engine:
    """The engine for these notes folders; `flags` are settings that win over all others."""
    from rag.config import choose_folders, dotted
    from rag.wiring import build_engine, build_several, choose_notes

    config, here = _settings(flags=flags)
    folders = choose_folders(config, notes, here)
    used = [path for _, path in folders] or [choose_notes(config)]
    config, _ = _settings(used, flags)
    if config.unread:
        _say(
            f"Not read from {config.file}, which lies in a notes folder: "
            f"{', '.join(map(dotted, config.unread))}. Set it in the environment, or in a "
            "rag.toml elsewhere."
        )
    if folders:
        return build_several(config, folders, started)
    engine = build_engine(config, started)
    if not _for_programs(arguments):
        _say(f"Notes: {engine.notes_folder} (the folder indexed last)")
    return engine


def _settings(
    asked: Sequence[Path] = (), flags: Mapping[str, object] | None = None
) -> tuple[Config, Path]:
    """The settings in force, and the current folder; `asked` are the notes folders, once known."""
    from rag.config import load_config

    try:
        here = Path.cwd()
    except OSError as error:
        raise NotesError("The current folder is gone.", "Change to one that exists.") from error
    return load_config(here, os.environ, flags, asked), here


def _say_where(engine: Engine, arguments: argparse.Namespace) -> None:
    """Say, before it happens, that a question and its passages go to another machine."""
    name = engine.parts.generator_name
    if name.startswith(LEAVES) and not getattr(arguments, "quote", False):
        asked = "This question" if hasattr(arguments, "question") else "Every question"
        _say(f"{asked} and the passages found for it go to{name.removeprefix(f'{LEAVES}:')}.")


def _refresh(engine: Engine, arguments: argparse.Namespace) -> None:
    """Bring the index up to date before a question, unless the reader declines."""
    if arguments.no_refresh:
        return
    from rag.output import refreshing

    _confirm_new(engine, arguments.yes)
    other = _confirm_embedder(engine, arguments.yes)
    progress = engine.index(rebuild=True) if other else engine.refresh()
    refreshing(progress, quiet=_for_programs(arguments))


def _for_programs(arguments: argparse.Namespace) -> bool:
    """Whether the output is JSON, and nobody wants to hear of what else goes on."""
    return any(getattr(arguments, each, False) for each in ("json", "json_lines"))


def _tell(engine: Engine) -> None:
    """Say what was amiss while the question was answered."""
    notices = engine.take_notices()
    if notices:
        from rag.output import tell

        tell(notices)


def _confirm_new(engine: Engine, yes: bool) -> None:
    if not engine.has_index():
        for each in engine.folders:
            _confirm(each, yes)


def _confirm_embedder(engine: Engine, yes: bool) -> bool:
    """Whether to index anew for another embedder: it takes a while, and a yes. The old index
    stays until the new one is complete."""
    old = engine.other_embedder()
    if not old or yes:
        return bool(old)
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return False  # it is refused with the command that mends it
    notes = sum(each.notes for each in engine.statuses())
    _say(f"The index was made with {old}; the settings now name {engine.parts.embedder_name}.")
    sys.stderr.write(f"Index all {notes:,} notes anew? The old index stays until then. [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise NotesError("Nothing was indexed.", f"Go back with: rag models use {old}")
    return True


def _confirm(folder: Path, yes: bool) -> None:
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
    if not _agreed(question):
        raise NotesError("Nothing was indexed.", "Name a folder: rag index PATH")


def _agreed(question: str) -> bool:
    from rag.output import safe

    sys.stderr.write(f"{safe(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _filters(arguments: argparse.Namespace) -> Filters:
    from rag.retrieval.filters import from_flags

    return from_flags(
        arguments.tag,
        arguments.path,
        arguments.since,
        arguments.until,
        arguments.where,
        today=date.today(),
    )


def _question(arguments: argparse.Namespace, filters: Filters) -> str:
    """What was typed, or standard input; nothing where filters alone say what to list."""
    words = " ".join(arguments.question)
    if (words and words != "-") or (filters and not words):
        return words
    if sys.stdin is None or (sys.stdin.isatty() and not words):
        raise QuestionError("The question is empty.", 'Ask one: rag ask "What is …?"')
    # A pasted book is not read to its end: a question uses the first part anyway.
    return sys.stdin.buffer.read(1 << 20).decode("utf-8", errors="replace")


def _k(arguments: argparse.Namespace) -> int | None:
    k: int | None = arguments.k
    if k is not None and not 1 <= k <= 50:
        raise QuestionError(f"-k {k} is out of range: 1 to 50 passages.")
    return k


def _complain(text: str) -> None:
    if sys.stderr is None:
        return
    from rag.output import safe

    text = safe(text)
    red = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(f"\x1b[31m{text}\x1b[0m" if red else text, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    from rag.output import safe

    print(safe(text), file=sys.stderr, flush=True)
