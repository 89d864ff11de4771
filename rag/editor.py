"""Opening a note at a line in the reader's own editor.

The command is a list of arguments and never passes through a shell. A note's path is
joined to the notes folder and is absolute, so a name that begins with a dash is no option.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from rag.errors import NotesError, RagError

_VI = frozenset({"vi", "vim", "nvim", "nvi", "elvis", "view", "gvim", "kak", "hx", "helix"})
_EMACS = frozenset({"emacs", "emacsclient", "xemacs", "mg", "jed", "jmacs"})
_SMALL = frozenset({"nano", "pico", "micro", "joe", "ne", "mcedit"})
_DESKTOP = frozenset({"gedit", "gnome-text-editor", "pluma", "xed"})
_PLUS_LINE = _VI | _EMACS | _SMALL | _DESKTOP
_GOTO = frozenset({"code", "code-insiders", "code-oss", "codium", "vscodium", "cursor", "windsurf"})
_COLON_LINE = frozenset({"subl", "sublime_text", "zed", "zeditor", "pulsar"})
_LINE_OPTION = frozenset({"kate", "kwrite", "idea", "pycharm", "mate"})
_OWN_WINDOW = _GOTO | _COLON_LINE | _LINE_OPTION | _DESKTOP | {"gvim"}
_FALLBACKS = ("nano", "vi")


class EditorError(RagError):
    """No editor could be found or started."""


def find_editor(
    environ: Mapping[str, str], which: Callable[[str], str | None] = shutil.which
) -> list[str]:
    """The editor's command from $VISUAL, $EDITOR or what is installed.

    Raises EditorError when there is none.
    """
    for variable in ("VISUAL", "EDITOR"):
        value = environ.get(variable, "").strip()
        if not value:
            continue
        try:
            words = shlex.split(value)
        except ValueError:
            words = [value]
        if words:
            return words
    for name in _FALLBACKS:
        if which(name):
            return [name]
    raise EditorError("No editor was found.", "Set EDITOR, for example: export EDITOR=nano")


def editor_command(editor: list[str], note: Path, line: int) -> list[str]:
    """The arguments that open `note` at `line` in `editor`, or just open it."""
    name, file = _name(editor), str(note)
    if name in _PLUS_LINE:
        return [*editor, f"+{line}", file]
    if name in _GOTO:
        return [*editor, "--goto", f"{file}:{line}"]
    if name in _COLON_LINE:
        return [*editor, f"{file}:{line}"]
    if name in _LINE_OPTION:
        return [*editor, "--line", str(line), file]
    return [*editor, file]


def check_editor(editor: list[str]) -> None:
    """Raises EditorError where there is no such program."""
    if shutil.which(editor[0]) is None:
        raise EditorError(
            f"There is no editor {editor[0]!r} here.", "Set EDITOR, for example: export EDITOR=nano"
        )


def has_own_window(editor: list[str]) -> bool:
    """Whether the editor leaves the terminal alone."""
    return _name(editor) in _OWN_WINDOW


def note_path(folder: Path, relative: str) -> Path:
    """The file of a note inside `folder`.

    Raises NotesError when the path, or a link on the way, leads out of the folder, or the note is
    gone.
    """
    root = os.path.abspath(folder)
    full = os.path.normpath(os.path.join(root, relative))
    real, real_root = (os.path.realpath(each.replace("\0", "")) for each in (full, root))
    if (
        "\0" in relative
        or os.path.commonpath((root, full)) != root
        or os.path.commonpath((real_root, real)) != real_root
    ):
        raise NotesError("This note lies outside the notes folder, so it was not opened.")
    if not os.path.isfile(full):
        raise NotesError("This note is no longer there.", "Press Ctrl+R to index the notes again.")
    return Path(full)


def vault_url(folder: Path, note: Path) -> str:
    """The obsidian:// address of a note, for the vault that `folder` is or lies in.

    Raises NotesError when neither the folder nor one above it is a vault.
    """
    for place in (folder, *folder.parents):
        if (place / ".obsidian").is_dir():
            file = quote(str(note.relative_to(place)), safe="")
            return f"obsidian://open?vault={quote(place.name, safe='')}&file={file}"
    raise NotesError("These notes are no Obsidian vault.", "Press o for your editor.")


def _name(editor: list[str]) -> str:
    return Path(editor[0]).name.lower().removesuffix(".exe")
