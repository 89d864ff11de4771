"""The manual page `rag.1`, made from the command line's own parser: `make man`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator

from rag import __version__

DESCRIPTION = """rag reads a folder of notes (Markdown, text, Org, HTML, PDF, Word and others),
finds the passages that matter for a question, has a small language model on the same machine
answer from them, and shows the exact lines that each statement rests on. Nothing leaves the
machine, unless you name a server that answers."""
STATUSES = (
    ("0", "Answered, found or done."),
    ("1", "The notes do not say."),
    ("2", "An error; standard error says which, and what mends it."),
    ("130", "Stopped with Ctrl-C."),
)
ENVIRONMENT = (
    ("RAG_NOTES", "The notes folder."),
    ("RAG_EMBEDDER_MODEL, RAG_GENERATOR_MODEL", "The models, by name or path."),
    ("RAG_CONFIG_DIR", "The folder of your own rag.toml, if not the usual one."),
    ("RAG_DATA_DIR, RAG_CACHE_DIR", "Where the index and the prepared models lie."),
    ("RAG_DEBUG", "Where set, an unforeseen error shows where it happened."),
    ("VISUAL, EDITOR", "The editor that rag open and rag chat use."),
    ("NO_COLOR", "Where set, nothing is coloured."),
)
FILES = (
    ("rag.toml", "Settings, in the current folder or the nearest above it."),
    (
        "~/.config/rag/rag.toml",
        "Your own settings, for all folders; on macOS in ~/Library/Application Support/rag. "
        "The table [endpoint], a server that answers, is read from this file alone.",
    ),
    (".ragignore, .gitignore", "In the notes folder: what is not read."),
)


def manual(parser: argparse.ArgumentParser) -> str:
    """The page, in the macros of man(7)."""
    lines = [
        f'.TH RAG 1 "" "rag {__version__}" "User Commands"',
        ".SH NAME",
        r"rag \- ask your own notes, on this machine",
        ".SH SYNOPSIS",
        r".B rag",
        r"\fICOMMAND\fR [\fIOPTIONS\fR]",
        ".SH DESCRIPTION",
        *_text(DESCRIPTION),
        ".SH OPTIONS",
        *_options(parser),
        ".SH COMMANDS",
    ]
    for name, help_, command in _commands(parser):
        lines += [f".SS rag {_escaped(name)}", *_text(_sentence(help_)), *_synopsis(command)]
        lines += _options(command)
    for heading, pairs in (
        ("EXIT STATUS", STATUSES),
        ("ENVIRONMENT", ENVIRONMENT),
        ("FILES", FILES),
    ):
        lines += [f".SH {heading}", *_pairs(pairs)]
    return "\n".join(lines) + "\n"


def _commands(
    parser: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, help and parser of each subcommand, those of subcommands after them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            for name, command in action.choices.items():
                if name not in helps:  # another name of one that is told
                    continue
                yield f"{before}{name}", helps.get(name, ""), command
                yield from _commands(command, f"{before}{name} ")


def _synopsis(command: argparse.ArgumentParser) -> list[str]:
    usage = " ".join(command.format_usage().split()).removeprefix("usage: ")
    return [".PP", ".nh", *_text(usage), ".hy"]


def _options(parser: argparse.ArgumentParser) -> list[str]:
    pairs = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):
            continue
        value = parser._get_formatter()._format_args(action, action.dest.upper())
        name = ", ".join(action.option_strings)
        if isinstance(action.choices, (list, tuple)):
            value = "|".join(map(str, action.choices))
        pairs.append((" ".join(filter(None, (name, value))), _sentence(action.help or "")))
    return _pairs(pairs)


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for name, text in pairs:
        lines += [".TP", rf"\fB{_escaped(name)}\fR", *_text(text)]
    return lines


def _sentence(text: str) -> str:
    text = text.replace("%%", "%").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _text(text: str) -> list[str]:
    return [_escaped(" ".join(text.split()))] if text else []


def _escaped(text: str) -> str:
    """A text that means nothing to roff: no escapes, no requests at the start of a line."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = text.replace("…", "...").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith((".", r"\(aq")) else text


if __name__ == "__main__":
    from rag.commands.parser import build_parser

    sys.stdout.write(manual(build_parser()))
