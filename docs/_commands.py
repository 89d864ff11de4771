"""The page of commands, written from the program itself whenever the site is built."""

from __future__ import annotations

import argparse
from typing import Any


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """MkDocs' hook: put the help of each command where `{{ commands }}` stands."""
    if page.file.src_uri != "commands.md":
        return markdown
    from rag.commands.parser import build_parser

    return markdown.replace("{{ commands }}", "\n".join(_sections(build_parser())))


def _sections(parser: argparse.ArgumentParser) -> list[str]:
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    lines: list[str] = []
    for name, command in commands.choices.items():
        lines += [f"## rag {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    return lines
