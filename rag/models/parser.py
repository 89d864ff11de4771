"""The arguments of `rag models`; what they do is imported when it is done."""

from __future__ import annotations

import argparse
from typing import Any


def add_models(commands: Any) -> None:
    """Add the command `models` and what stands behind it."""
    models = commands.add_parser(
        "models",
        help="see, fetch and choose models",
        description="See, fetch and choose models; a table where no word follows.",
    )
    models.set_defaults(command=_run("show_models"))
    models.add_argument("--json", action="store_true", help="for programs")
    actions = models.add_subparsers(metavar="ACTION", parser_class=type(models))

    table = actions.add_parser(
        "list", aliases=["ls"], help="the table of models, as without a word"
    )
    table.set_defaults(command=_run("show_models"))

    one = actions.add_parser("show", help="the row of one model, and where it is from")
    one.add_argument("model", metavar="NAME", help="the name of a model")
    one.set_defaults(command=_run("show_model"))

    pull = actions.add_parser("pull", help="download a model, after a yes")
    pull.add_argument(
        "model", metavar="NAME|hf:OWNER/NAME[/FILE.gguf]|URL", help="what, and where from"
    )
    pull.add_argument("--sha256", default="", metavar="HEX", help="what a URL's file must hash to")
    pull.set_defaults(command=_run("pull"))

    add = actions.add_parser("add", help="use a GGUF file, or an embedder's folder, that is here")
    add.add_argument("file", metavar="FILE", help="it stays where it is")
    add.set_defaults(command=_run("add"))
    for each in (pull, add):
        each.add_argument("--name", default="", help="what to call it")

    use = actions.add_parser("use", help="answer, or search, with this model from now on")
    use.add_argument("model", metavar="NAME", help="a name, a path, or: endpoint")
    for flag, text in (
        ("--url", "endpoint: its address, as in http://localhost:8080/v1"),
        ("--model", "endpoint: the model's name there"),
        ("--key-env", "endpoint: the variable that holds the key"),
    ):
        use.add_argument(flag, dest=f"endpoint_{flag[2:].replace('-', '_')}", help=text)
    use.set_defaults(command=_run("use"))

    remove = actions.add_parser(
        "remove", aliases=["rm"], help="delete what was fetched, forget what was added"
    )
    remove.add_argument("model", metavar="NAME", help="the name of a model")
    remove.set_defaults(command=_run("remove"))

    bench = actions.add_parser("bench", help="measure reading and writing on this machine")
    bench.add_argument("model", metavar="NAME", nargs="?", help="the one in use, if not named")
    bench.set_defaults(command=_run("bench"))
    for each in (table, one, add, pull, use, remove, bench):
        each.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="for programs"
        )
    for each in (add, pull, use, remove, bench):
        each.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _run(action: str) -> Any:
    def run(arguments: argparse.Namespace, _started: float) -> int:
        from rag.models import command

        return int(getattr(command, action)(arguments))

    return run
