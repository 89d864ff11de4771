"""Every key of the interface: what it is called in `rag.toml`, its default, and what it does.

Also mends keys that terminals send and Textual reads as something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.binding import Binding
from textual.keys import Keys, format_key, key_to_character

from rag.errors import ConfigError
from rag.nearest import meant

DIGITS = "123456789"


@dataclass(frozen=True, slots=True)
class Key:
    """`id` names it in `[keys]` of `rag.toml`; `keys` are Textual's names, comma-separated."""

    id: str
    keys: str
    what: str
    label: str = ""


GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "Anywhere",
        (
            Key("stop", "escape", "stop the answer or indexing; go back"),
            Key("sources", "ctrl+o,f2", "go to the sources and back", "Sources"),
            Key("conversations", "ctrl+l", "conversations: reopen, search, …", "Chats"),
            Key("new", "ctrl+n", "new conversation", "New"),
            Key("find", "ctrl+g", "find a note by name or text", "Find"),
            Key("turn_up", "alt+up", "go to the turn before"),
            Key("turn_down", "alt+down", "go to the turn after"),
            Key("reindex", "ctrl+r", "look for new and changed notes", "Re-index"),
            Key("models", "f3", "choose the language model"),
            Key("folders", "f4", "choose the notes folder"),
            Key("retry", "f5", "ask the last question again"),
            Key("suspend", "ctrl+z", "suspend; fg in the shell comes back"),
            Key("help", "f1", "this help (? in an empty box)", "Help"),
        ),
    ),
    (
        "On a turn",
        (
            Key("turn.retry", "r", "ask it again", "Retry"),
            Key("turn.edit", "e", "change the question, send it again", "Edit"),
            Key("turn.copy", "y", "copy the answer", "Copy"),
            Key("turn.branch", "b", "begin a branch of the conversation here", "Branch"),
            Key("turn.why", "w", "why these passages", "Why"),
            Key("turn.export", "x", "write the conversation as a note", "Export"),
            Key("turn.previous", "up,k", "turn before"),
            Key("turn.next", "down,j", "turn after"),
        ),
    ),
    (
        "On a source",
        (
            Key("source.show", "enter", "show the whole note", "Whole note"),
            Key("source.open", "o", "open the note in $EDITOR at its line", "Edit"),
            Key("source.vault", "v", "open the note in Obsidian"),
            Key("source.copy", "y", "copy the quote", "Copy"),
            Key("source.why", "w", "why these passages", "Why"),
            Key("source.previous", "up,k", "source before"),
            Key("source.next", "down,j", "source after"),
        ),
    ),
)
FIXED: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Asking",
        (
            ("Enter", "ask"),
            ("Ctrl+J, Shift+Enter", "new line"),
            ("↑ ↓", "earlier questions"),
            ("Tab", "complete filters; ↓ for the next"),
            ("PgUp PgDn", "scroll the conversation"),
            ("Alt+1 … Alt+9", "go to source [1] … [9]"),
            ("Ctrl+P", "all commands: theme, rebuild, …"),
            ("Ctrl+Q", "quit"),
            ("Ctrl+C", "copy, stop, empty the box, or quit"),
        ),
    ),
    (
        "In a note",
        (
            ("l", "its links, to follow with Enter"),
            ("Backspace, Alt+←", "back to the note before"),
            ("n", "to the lines that were cited"),
            ("o", "open it in $EDITOR"),
            ("v", "open it in Obsidian"),
        ),
    ),
    (
        "Marks in an answer",
        (
            ("[1]", "a citation; click it, or Alt and number"),
            ("✓", "borne out by the sentence it cites"),
            ("≈", "partly borne out, or not what you asked"),
            ("(?)", "not found in the passages"),
        ),
    ),
)
_BY_ID = {key.id: key for _, keys in GROUPS for key in keys}
# What nobody can give to another action: in the whole program, and where questions are typed.
_KEPT = frozenset(
    ("ctrl+p", "ctrl+q", "ctrl+c", "tab", "shift+tab", *(f"alt+{digit}" for digit in DIGITS))
)
_EDITS = frozenset(
    "enter ctrl+j shift+enter alt+enter up down left right home end pageup pagedown backspace "
    "delete".split()
)
_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_NAMED = frozenset(each.value for each in Keys if each.value[0] != "<")  # `<any>` is no key


def bind(identity: str, action: str, priority: bool = False, label: str = "") -> Binding:
    """The binding of a key to an action; shown at the foot if it has a label, its usual one or
    `label`. With `priority` it comes before the keys of whatever has the focus."""
    key = _BY_ID[identity]
    label = label or key.label
    return Binding(
        key.keys, action, label or key.what, show=bool(label), priority=priority, id=identity
    )


def keymap(chosen: Mapping[str, str]) -> dict[str, str]:
    """The reader's own keys. Raises ConfigError for an action or a key that there is not, and
    where one key would have to do two things."""
    for name, keys in chosen.items():
        if name not in _BY_ID:
            raise ConfigError(
                f"rag.toml sets a key for {name!r}, which is no action.",
                meant(name, _BY_ID, f"There are: {', '.join(_BY_ID)}."),
            )
        if not all(part.strip() for part in keys.split(",")):
            raise ConfigError(
                f"rag.toml gives {name} the key {keys!r}.", 'Name one, such as "ctrl+o".'
            )
    given = {name: keys.replace(" ", "") for name, keys in chosen.items()}
    for name, keys in given.items():
        for each in keys.split(","):
            if not _is_key(each):
                raise _no_key(name, each)
    (_, anywhere), *places = GROUPS
    for key in anywhere:
        _check_free(key.id, given, in_box=True)
    for _, group in places:
        for key in group:
            _check_free(key.id, given, in_box=False)
        _check_apart([key.id for key in (*anywhere, *group) if key.id in given], given)
    return given


def _is_key(key: str) -> bool:
    """Whether Textual has a key of this name; one that writes a sign is named by it or in words."""
    *held, name = key.split("+")
    known = name in _NAMED or len(format_key(name)) == 1
    return known and held == sorted(held) and set(held) <= set(_MODIFIERS)


def _no_key(action: str, key: str) -> ConfigError:
    *held, name = key.lower().split("+")
    meant = "+".join((*sorted(held), name))
    return ConfigError(
        f"rag.toml gives {action} the key {key!r}, which is no key.",
        f"Did you mean {meant!r}?"
        if _is_key(meant)
        else 'Keys are written so: "ctrl+t", "alt+up", "f9", "escape".',
    )


def _check_free(action: str, given: Mapping[str, str], in_box: bool) -> None:
    """Raise ConfigError where a key does something else, which cannot be changed; `in_box`: also
    where questions are typed."""
    for key in given[action].split(",") if action in given else ():
        sign = key_to_character(key)
        typed = key in _EDITS or (sign is not None and sign.isprintable())
        if key in _KEPT or (in_box and typed):
            raise ConfigError(
                f"rag.toml gives {action} the key {key!r}, which does something else there.",
                'Give it another, such as "ctrl+t" or "f9".',
            )


def _check_apart(actions: Sequence[str], given: Mapping[str, str]) -> None:
    """Raise ConfigError where two actions that work in one place are on one key."""
    by_key: dict[str, str] = {}
    for action in actions:
        for key in given[action].split(","):
            if (other := by_key.setdefault(key, action)) != action:
                raise ConfigError(
                    f"rag.toml gives the key {key!r} to both {other} and {action}.",
                    "Give one of them another key.",
                )


def taken(chosen: Mapping[str, str]) -> frozenset[str]:
    """The keys that the reader gave to what works anywhere, the question box included."""
    anywhere = {key.id for key in GROUPS[0][1]}
    given = (keys for name, keys in keymap(chosen).items() if name in anywhere)
    return frozenset(key for keys in given for key in keys.split(","))


def own_keys(key: Key, chosen: Mapping[str, str]) -> str:
    """The keys of an action: the reader's, else its usual ones but for those that the reader gave
    to another, which then works anywhere."""
    if key.id in chosen:
        return chosen[key.id]
    given = taken(chosen)
    return ",".join(each for each in key.keys.split(",") if each not in given)


def shown(keys: str) -> str:
    """`ctrl+o,f2` as people write it: `Ctrl+O, F2`."""
    signs = {"up": "↑", "down": "↓", "escape": "Esc"}

    def name(part: str, alone: bool) -> str:
        return signs.get(part, part if alone and len(part) == 1 else part.capitalize())

    pressed = (key.split("+") for key in keys.split(","))
    return ", ".join("+".join(name(part, len(key) == 1) for part in key) for key in pressed)


def first_key(identity: str, chosen: Mapping[str, str]) -> str:
    """The key to press for an action, as people write it."""
    return shown(own_keys(_BY_ID[identity], chosen).split(",")[0].strip())


def read_alt_digits() -> None:
    """Let Alt+1 … Alt+9 arrive as alt+1 … alt+9.

    Without the Kitty protocol a terminal sends Escape and the digit, which Textual takes for
    what a Mac's Option key would type (`¡`, `™`, `£`). The table has no public face; should it
    move, Alt with a digit types that character again, and Ctrl+O then the digit still works.
    """
    try:
        from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
    except ImportError:
        return
    if isinstance(ANSI_SEQUENCES_KEYS, dict):
        for digit in DIGITS:
            ANSI_SEQUENCES_KEYS.pop(f"\x1b{digit}", None)
