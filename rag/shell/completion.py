"""`rag completion SHELL`: a script that completes subcommands, flags, notes folders, tags, models.

The script asks `rag completion --values KIND` for what it cannot know. Tags stand in notes, which
are untrusted, and shells expand what they complete: a value with any character that could mean
something to a shell is left out; spaces stand in folders alone, which shells quote.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import ENDPOINT
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.config import Config

SHELLS = ("bash", "zsh", "fish")
# Of models: all that are known; those that can be used, that write, that can be removed.
KINDS = ("folders", "tags", "models", "here", "generators", "mine")
_PLAIN = re.compile(r"[\w./@+][\w./@+:-]*")  # \w: letters of any script, digits, _
_SPACED = re.compile(r"[\w./@+][\w./@+: -]*")  # of folders, which every shell quotes
_ASK_RAG = {
    "bash": """
_rag_values() {  # kind, beginning of the word
  local value
  while IFS= read -r value; do
    [[ "$value" == "$2"* ]] && printf '%s\\n' "$value"
  done < <(command rag completion --values "$1" 2>/dev/null)
}
_rag_directories() { _rag_values folders "$1"; compgen -d -- "$1"; }
_rag_tags() { _rag_values tags "$1"; }
_rag_models() { _rag_values models "$1"; }
_rag_here() { _rag_values here "$1"; }
_rag_generators() { _rag_values generators "$1"; }
_rag_mine() { _rag_values mine "$1"; }
""",
    "zsh": """
_rag_values() {
  local -a values
  values=(${(f)"$(command rag completion --values $1 2>/dev/null)"})
  compadd -a values
}
_rag_folders() { _rag_values folders; _files -/ }
_rag_tags() { _rag_values tags }
_rag_models() { _rag_values models }
_rag_here() { _rag_values here }
_rag_generators() { _rag_values generators }
_rag_mine() { _rag_values mine }
""",
    "fish": """
function _rag_values
    command rag completion --values $argv[1] 2>/dev/null
end
function _rag_folders
    _rag_values folders
    __fish_complete_directories
end
""",
}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that completes `parser` in `shell`."""
    import shtab

    for command, action in _actions(parser):
        kind = _kind(command, action)
        if kind == "file":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif kind:
            action.complete = _completer(kind)  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell, preamble=_ASK_RAG[shell]))


def values(kind: str, config: Callable[[], Config]) -> list[str]:
    """The folders, tags or models that can be named; none where something stands in the way."""
    try:
        found = _FIND[kind](config())
    except (RagError, OSError):
        return []
    plain = _SPACED if kind == "folders" else _PLAIN
    return [each for each in dict.fromkeys(found) if plain.fullmatch(each)]


def _folders(config: Config) -> list[str]:
    from rag.indexing.home import known_folders

    return [*config.folders, *map(str, known_folders(config.data_dir))]


def _tags(config: Config) -> list[str]:
    from rag.config import choose_folders
    from rag.wiring import build_engine, build_several

    folders = choose_folders(config, [], Path.cwd())
    engine = build_several(config, folders) if folders else build_engine(config)
    found: list[str] = []
    for each in engine.each_folder():
        with suppress(RagError, OSError):  # one that is not indexed yet, or not there
            library = each.library()
            try:
                found += [tag for tag, _ in library.tags()]
            finally:
                library.close()
    return found


def _models(config: Config) -> list[str]:
    from rag.models.listing import rows

    return [each.name for each in rows(config)]


def _models_here(config: Config) -> list[str]:
    from rag.models.listing import rows

    return [*(each.name for each in rows(config) if each.installed), ENDPOINT]


def _generators(config: Config) -> list[str]:
    from rag.models.listing import rows

    return [each.name for each in rows(config) if each.installed and each.kind == "generator"]


def _mine(config: Config) -> list[str]:
    from rag.models.installed import installed

    return [each.name for each in installed(config.data_dir)]


_FIND = dict(zip(KINDS, (_folders, _tags, _models, _models_here, _generators, _mine), strict=True))


def _actions(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Every flag and positional of a parser and its subcommands, with the command's last word."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _actions(each)
        else:
            yield parser.prog.rpartition(" ")[2], action


def _kind(command: str, action: argparse.Action) -> str:
    """What completes an argument: one of KINDS, "file", or "" for nothing."""
    if action.dest == "notes" or (action.dest == "path" and not action.option_strings):
        return "folders"
    if action.dest == "tag":
        return "tags"
    if action.dest == "model":
        kinds = {"pull": "models", "remove": "mine", "bench": "generators", "eval": "generators"}
        return kinds.get(command, "here")
    files = action.type is Path or action.metavar in ("FILE", "QUESTIONS.jsonl")
    return "file" if files or action.dest == "paths" else ""


def _completer(kind: str) -> dict[str, Any]:
    in_fish = "_rag_folders" if kind == "folders" else f"_rag_values {kind}"
    # By this name shtab sees that bash is to quote what is completed: folders may hold spaces.
    in_bash = "_rag_directories" if kind == "folders" else f"_rag_{kind}"
    return {"bash": in_bash, "zsh": f"_rag_{kind}", "fish": f"({in_fish})"}
