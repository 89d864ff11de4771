"""What each command takes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag import __version__
from rag.commands import asking, keeping
from rag.commands.shared import STATUSES
from rag.commands.spelling import Parser


def build_parser() -> argparse.ArgumentParser:
    """The command line: also what completion and the manual page are made from."""
    parser = Parser(prog="rag", description="Ask your own notes, on this machine.")
    parser.add_argument("--version", action="version", version=f"rag {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

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
    index.set_defaults(command=keeping.index)

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
    ask.set_defaults(command=asking.ask)

    search = commands.add_parser("search", help="show the passages for a question")
    search.add_argument("question", nargs="*", help="what to look for; - or none: standard input")
    search.add_argument("--explain", action="store_true", help="why each stands where it does")
    search.set_defaults(command=asking.search)
    jump = commands.add_parser("open", help="open the best note for some words in your editor")
    jump.add_argument("question", nargs="+", help="a title, or words to look for")
    jump.add_argument("--print", action="store_true", help="only print its path and line")
    jump.set_defaults(command=asking.jump, k=None)

    for each in (ask, search):
        each.add_argument("-k", type=int, metavar="N", help="passages to find (5)")
    for each in (ask, search, jump):
        _add_filters(each)

    status = commands.add_parser("status", help="what is indexed, and where it lies")
    status.set_defaults(command=keeping.status)

    doctor = commands.add_parser("doctor", help="what is wrong, and what mends it")
    doctor.add_argument("--deep", action="store_true", help="verify everything that is indexed")
    doctor.set_defaults(command=keeping.doctor)

    forget = commands.add_parser("forget", help="leave no text of a note in the index")
    forget.add_argument("paths", nargs="+", metavar="PATH", help="a note, or a folder of notes")
    forget.add_argument(
        "--conversations", action="store_true", help="also the turns of conversations that quote it"
    )
    forget.add_argument("--undo", action="store_true", help="let it be indexed again")
    forget.set_defaults(command=keeping.forget)

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
    chat.set_defaults(command=asking.chat)

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
    evaluation.set_defaults(command=asking.evaluation)

    service = commands.add_parser("service", help="keep the index up to date in the background")
    actions = service.add_subparsers(
        metavar="ACTION", required=True, dest="action", parser_class=Parser
    )
    install = actions.add_parser("install", help="write the service's file; starts nothing")
    install.add_argument("path", nargs="?", metavar="PATH", help="the notes folder, or its name")
    install.add_argument("--print", action="store_true", help="show the file, write nothing")
    uninstall = actions.add_parser("uninstall", help="stop the service and remove its file")
    state = actions.add_parser("status", help="whether it is installed, and whether it runs")
    for each in (install, uninstall, state):
        each.set_defaults(command=keeping.service)

    from rag.models.parser import add_models

    add_models(commands)

    mcp = commands.add_parser("mcp", help="serve the notes to agents over MCP, on standard input")
    mcp.set_defaults(command=keeping.mcp)

    from rag.shell.completion import KINDS, SHELLS

    completion = commands.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", nargs="?", choices=SHELLS, metavar="SHELL")
    completion.add_argument("--values", choices=KINDS, help=argparse.SUPPRESS)
    completion.add_argument("--begun", default="", help=argparse.SUPPRESS)
    completion.set_defaults(command=keeping.completion)

    serve = commands.add_parser(
        "serve", help="keep the models ready for rag ask and rag search, or serve over HTTP"
    )
    serve.add_argument(
        "--idle", type=float, metavar="MINUTES", help="end after so long unasked (15)"
    )
    serve.add_argument("--stop", action="store_true", help="end the one that runs")
    serve.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    from rag.http.command import add_flags

    add_flags(serve)
    serve.set_defaults(command=keeping.serve)

    with_json = (index, ask, search, jump, status, doctor, forget, *actions.choices.values())
    for each in (*with_json, evaluation):
        as_json = each.add_mutually_exclusive_group() if each is ask else each
        as_json.add_argument("--json", action="store_true", help="for programs: one JSON object")
        if each is ask:
            as_json.add_argument(
                "--json-lines", action="store_true", help="for programs: each step as it comes"
            )
    with_notes = (index, ask, search, jump, status, doctor, forget, chat, evaluation, mcp, serve)
    for each in (*with_notes, install):
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
    said = "the notes do not say"
    for one in (parser, *_all_of(commands)):
        one.epilog = STATUSES if one in (parser, ask) else STATUSES.replace(f"1 {said}, ", "")
    doctor.epilog = STATUSES.replace(said, "something is broken")
    jump.epilog = STATUSES.replace(said, "nothing was found")
    search.epilog = STATUSES.replace(said, "no passage was found, not even one near in meaning")
    return parser


def _all_of(commands: Any) -> Iterator[argparse.ArgumentParser]:
    """The parsers of commands, and of the words that stand behind them."""
    for each in commands.choices.values():
        yield each
        for action in each._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from _all_of(action)


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
