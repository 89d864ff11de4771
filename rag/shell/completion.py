"""`rag completion SHELL`: a script that completes subcommands, flags, folders, tags, paths,
fields, models.

The script asks `rag completion --values KIND` for what it cannot know. Names stand in notes, which
are untrusted, and shells expand what they complete: a value with any character that could mean
something to a shell is left out; spaces stand in folders, paths and fields alone, which are quoted.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import ENDPOINT
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.indexing.library import Library

SHELLS = ("bash", "zsh", "fish")
_PLAIN = re.compile(r"[\w./@+][\w./@+:-]*")  # \w: letters of any script, digits, _
_SPACED = re.compile(r"[\w./@+][\w./@+:= -]*")  # of paths and fields, which every shell quotes
_ASK_RAG = {
    "bash": r"""
_rag_values() {  # kind, beginning of the word as it is typed
  local value begun=${2//\\/}
  begun=${begun#[\"\']}
  while IFS= read -r value; do
    [[ "$value" == "$begun"* ]] && printf '%s\n' "$value"
  done < <(command rag completion --values "$1" --begun="$begun" 2>/dev/null)
}
_rag_directories() { _rag_values folders "$1"; compgen -d -- "$1"; }
_rag_file_paths() { _rag_values paths "$1"; }
_rag_fields() {  # no names of files, of which bash would quote the = as well
  local value
  while IFS= read -r value; do
    [[ "$1" == [\"\']* ]] || value=${value// /\\ }
    printf '%s\n' "$value"
  done < <(_rag_values fields "$1")
}
_rag_tags() { _rag_values tags "$1"; }
_rag_models() { _rag_values models "$1"; }
_rag_here() { _rag_values here "$1"; }
_rag_generators() { _rag_values generators "$1"; }
_rag_mine() { _rag_values mine "$1"; }

# Bash takes --tag=a and rating=4 for three words each, and replaces the last alone.
_rag() {
  local -a words
  local line=$COMP_LINE seen word before
  for word in "${COMP_WORDS[@]:0:COMP_CWORD + 1}"; do
    if [[ ${#words[@]} -gt 0 && -n "$line" && "$line" != [[:blank:]]* ]]; then
      before=${words[${#words[@]}-1]}
      words[${#words[@]}-1]=$before$word
    else
      before=
      words+=("$word")
    fi
    seen=${line%%[![:blank:]]*}
    line=${line#"$seen"}
    line=${line#"$word"}
  done
  [[ "$word" == [=:] ]] && before=$before$word
  local -a COMP_WORDS=()
  for word in "${words[@]}"; do
    if [[ "$word" == --*=* ]]; then
      COMP_WORDS+=("${word%%=*}" "${word#*=}")
      seen=${word%%=*}=
    else
      COMP_WORDS+=("$word")
      seen=
    fi
  done
  local COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )) each
  before=${before#"$seen"}
  _shtab_rag
  for each in "${!COMPREPLY[@]}"; do
    COMPREPLY[each]=${COMPREPLY[each]#"$before"}
  done
  [[ "${COMPREPLY[0]-}" == *[=/] ]] && compopt -o nospace 2>/dev/null
  return 0
}
""",
    "zsh": """
_rag_values() {
  local -a values
  values=(${(f)"$(command rag completion --values $1 --begun="${(Q)PREFIX}" 2>/dev/null)"})
  compadd -a values
}
_rag_steps() {  # what goes on behind a / or = is typed on
  local -a values open
  values=(${(f)"$(command rag completion --values $1 --begun="${(Q)PREFIX}" 2>/dev/null)"})
  open=(${(M)values:#*[/=]})
  values=(${values:#*[/=]})
  compadd -S '' -a open
  compadd -a values
}
_rag_folders() { _rag_values folders; _files -/ }
_rag_paths() { _rag_steps paths }
_rag_fields() { _rag_steps fields }
_rag_tags() { _rag_values tags }
_rag_models() { _rag_values models }
_rag_here() { _rag_values here }
_rag_generators() { _rag_values generators }
_rag_mine() { _rag_values mine }
""",
    "fish": """
function _rag_values
    set -l begun (commandline -ct | string replace -r '^--[a-z-]+=' '' | string unescape)
    command rag completion --values $argv[1] --begun="$begun" 2>/dev/null
end
function _rag_folders
    _rag_values folders
    __fish_complete_directories
end
""",
}
# In zsh's words: a flag whose value may also stand behind a "=".
_FLAG_OF_ZSH = re.compile(r'^(\s*"\*?--[a-z0-9-]+)(\[.*\]:)', re.MULTILINE)


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that completes `parser` in `shell`."""
    import shtab

    for command, action in _actions(parser):
        kind = _kind(command, action)
        if kind == "file":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif kind:
            action.complete = _completer(kind)  # type: ignore[attr-defined]
    made = str(shtab.complete(parser, shell, preamble=_ASK_RAG[shell]))
    if shell == "zsh":
        return _FLAG_OF_ZSH.sub(r"\1=\2", made)
    return made + "\ncomplete -o bashdefault -F _rag rag\n" if shell == "bash" else made


def values(kind: str, config: Callable[[], Config], begun: str = "") -> list[str]:
    """The folders, tags, models … that can be named; none where something stands in the way.

    Paths and fields come step by step, from what is `begun`: a folder before what is in it, a key
    before its values.
    """
    try:
        found = _STEPS[kind](config(), begun) if kind in _STEPS else _FIND[kind](config())
    except (RagError, OSError):
        return []
    plain = _SPACED if kind in ("folders", *_STEPS) else _PLAIN
    return [each for each in dict.fromkeys(found) if plain.fullmatch(each)]


def _folders(config: Config) -> list[str]:
    from rag.indexing.home import known_folders

    return [*config.folders, *map(str, known_folders(config.data_dir))]


def _libraries(config: Config) -> Iterator[tuple[str, Library]]:
    """What is indexed of each notes folder, and what its paths begin with. One that is not indexed
    yet, or not there, is left out."""
    from rag.config import choose_folders
    from rag.wiring import build_engine, build_several

    folders = choose_folders(config, [], Path.cwd())
    engine = build_several(config, folders) if folders else build_engine(config)
    for name, each in getattr(engine, "engines", {"": engine}).items():
        with suppress(RagError, OSError), closing(each.library()) as library:
            yield f"{name}/" if name else "", library


def _tags(config: Config) -> list[str]:
    return [tag for _, library in _libraries(config) for tag, _ in library.tags()]


def _paths(config: Config, begun: str) -> list[str]:
    """The notes, and the folders of notes, one step below what is begun."""
    paths = (f"{at}{each.path}" for at, library in _libraries(config) for each in library.notes())
    below = (path for path in paths if path.startswith(begun))
    return [path[: path.find("/", len(begun)) + 1] or path for path in below]


def _fields(config: Config, begun: str) -> list[str]:
    """The keys of front matter; behind a key and "=" what stands in that field."""
    key, named, _ = begun.partition("=")
    if not named:
        return [f"{each}=" for _, library in _libraries(config) for each in library.fields()]
    values = (each for _, library in _libraries(config) for each in library.values_of(key))
    return [f"{key}={each}" for each in values]


def _models(config: Config) -> list[str]:
    from rag.models.listing import rows

    return [each.name for each in rows(config) if not each.installed]


def _models_here(config: Config) -> list[str]:
    from rag.models.listing import rows

    return [*(each.name for each in rows(config) if each.installed), ENDPOINT]


def _generators(config: Config) -> list[str]:
    from rag.models.listing import rows

    return [each.name for each in rows(config) if each.installed and each.kind == "generator"]


def _mine(config: Config) -> list[str]:
    from rag.models.begun import all_begun
    from rag.models.installed import installed

    names = [each.name for each in installed(config.data_dir)]
    return [*names, *(each.name for each in all_begun(config.data_dir))]


_FIND = {
    "folders": _folders,
    "tags": _tags,
    "models": _models,  # those that can be fetched
    "here": _models_here,  # that can be used
    "generators": _generators,  # that write
    "mine": _mine,  # that can be removed
}
_STEPS = {"paths": _paths, "fields": _fields}
KINDS = (*_FIND, *_STEPS)


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
    if action.dest in ("tag", "where"):
        return {"tag": "tags", "where": "fields"}[action.dest]
    if action.dest == "paths" or (action.dest == "path" and action.option_strings):
        return "paths"
    if action.dest == "model":
        kinds = {"pull": "models", "remove": "mine", "bench": "generators", "eval": "generators"}
        return kinds.get(command, "here")
    files = action.type is Path or action.metavar in ("FILE", "QUESTIONS.jsonl")
    return "file" if files else ""


def _completer(kind: str) -> dict[str, Any]:
    in_fish = "_rag_folders" if kind == "folders" else f"_rag_values {kind}"
    # By this name shtab sees that bash is to quote what is completed: paths may hold spaces.
    names = {"folders": "directories", "paths": "file_paths"}
    in_bash = f"_rag_{names.get(kind, kind)}"
    return {"bash": in_bash, "zsh": f"_rag_{kind}", "fish": f"({in_fish})"}
