"""The program that `rag chat` runs: one screen, an engine, the reader's editor."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Collection, Iterable
from functools import partial
from multiprocessing import resource_tracker
from pathlib import PurePath
from typing import Any, ClassVar

from textual import work
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from rag.editor import (
    EditorError,
    editor_command,
    find_editor,
    has_own_window,
    note_path,
    vault_url,
)
from rag.engine import Engine
from rag.errors import ConfigError, RagError
from rag.nearest import meant
from rag.opener import Opener, is_document, opener_command, run_opener
from tui.clipboard import copy_in_tmux
from tui.commands import chat_commands
from tui.keys import bind, keymap, read_alt_digits
from tui.messages import NoteWanted
from tui.pasting import take_pastes_as_text
from tui.screens.chat import Begin, ChatScreen
from tui.text import clean, one_line
from tui.themes import DARK, LIGHT, SIXTEEN, quiet
from tui.work import EngineWorker
from tui.workplace import Workplace, workplace

LEAVE_AFTER_S = 1.0
_KILLED_BY = (signal.SIGTERM, signal.SIGHUP)
_KEEP_S = 1.0  # for an answer that is left in the midst
_TERMINAL_S = 2.0  # between two looks whether it is still there
READ_HERE = "Press Enter on the source to read its text here."


class ChatApp(App[None]):
    """Asks the notes that `engine` holds. With `refresh`, the index is brought up to date first."""

    TITLE = "rag"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("suspend", "suspend_process", priority=True),  # in the question box it would undo
    ]
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "styles/app.tcss",
        "styles/transcript.tcss",
        "styles/sources.tcss",
        "styles/panels.tcss",
    ]

    def __init__(
        self, engine: Engine, place: Workplace, refresh: bool = True, begin: Begin = "new"
    ) -> None:
        super().__init__()
        read_alt_digits()
        # The indexing process needs multiprocessing's tracker, which inherits stderr; while
        # Textual draws, stderr is not a file, so the tracker has to be there before.
        resource_tracker.ensure_running()
        for theme in (DARK, LIGHT, SIXTEEN):
            self.register_theme(theme)
        check_theme(place.theme, self.available_themes)
        self._place = place
        self.worker = EngineWorker(
            engine, self._deliver, place.open_folder, place.use_model, place.keys
        )
        self.chat = ChatScreen(engine, self.worker, place, refresh, begin)
        self.set_keymap(keymap(place.keys))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What no theme sets by itself."""
        return {"quiet": quiet(self.current_theme)}

    def get_default_screen(self) -> Screen[None]:
        """The conversation is the only screen; help and lists lie over it."""
        return self.chat

    def on_mount(self) -> None:
        """The theme that the reader set, else our own, else one that needs only 16 colours."""
        self.app_resume_signal.subscribe(self, self._draw_again)
        if not self.is_headless:  # killed as it is, the terminal would stay without its cursor
            loop = asyncio.get_running_loop()
            for each in _KILLED_BY:
                loop.add_signal_handler(each, self._leave, 128 + each)
        if has_terminal():
            self.set_interval(_TERMINAL_S, self._leave_with_terminal)
        # Without colours all that is left of a theme is how light each is: it must have its own.
        few = self.console.color_system in ("standard", "windows") and not self.no_color
        self.theme = chosen_theme(
            self._place.theme, os.environ.get("TEXTUAL_THEME", ""), few, self.available_themes
        )
        self._first_theme = self.theme
        self.theme_changed_signal.subscribe(self, self._say_how_to_keep)

    def _say_how_to_keep(self, theme: Theme) -> None:
        if theme.name == self._first_theme:
            return
        self.notify(
            f"Until you leave. To keep it, in rag.toml:\n[chat]\ntheme = {theme.name!r}",
            title=f"Theme: {theme.name}",
            markup=False,
        )

    def _leave_with_terminal(self) -> None:
        """A terminal that goes away without a hang-up (nohup, a lost container) would be read for
        keys without end, with a whole core."""
        if not has_terminal():
            self._leave(1)

    def _leave(self, code: int) -> None:
        self.run_worker(self._leave_kept(code))

    async def action_quit(self) -> None:
        """Leave; what is written of an answer by now is kept."""
        await self._leave_kept(0)

    async def _leave_kept(self, code: int) -> None:
        try:
            async with asyncio.timeout(_KEEP_S):
                await self.chat.leave_program()
        except TimeoutError:
            pass  # leaving comes first
        self.exit(return_code=code)

    def _draw_again(self, _: App[Any]) -> None:
        """After Ctrl+Z and fg: the terminal cleared the screen, of which Textual knows nothing."""
        self.refresh(layout=True)

    def on_unmount(self) -> None:
        """Whatever the engine does is not wanted any more."""
        self.worker.stop()

    def _deliver(self, message: Message) -> None:
        self.chat.post_message(message)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """A toast; it may name files and folders, whose names may hold what a terminal obeys."""
        super().notify(
            clean(message),
            title=clean(title),
            severity=severity,
            timeout=timeout,
            markup=markup,
        )

    def copy_to_clipboard(self, text: str) -> None:
        """By OSC 52, which reaches the reader's clipboard also over ssh, and by tmux itself."""
        super().copy_to_clipboard(text)
        self._copy_in_tmux(text)

    @work(thread=True)
    def _copy_in_tmux(self, text: str) -> None:
        copy_in_tmux(text, os.environ)

    def action_help_quit(self) -> None:
        """Ctrl+C stops an answer or quits, where Textual would only explain how to."""
        self.call_later(self.chat.action_stop_or_quit)

    def action_help(self) -> None:
        """Show the keys, whichever screen lies on top."""
        self.chat.action_help()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers; the same whichever `screen` lies on top. What is about
        the conversation goes back to it first."""
        del screen
        for title, what, action in chat_commands(self.chat):
            yield SystemCommand(title, what, partial(self._from_chat, action))
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand("Help", "Show all keys", self.action_help)
        yield SystemCommand("Suspend", "To the shell; fg comes back", self.action_suspend_process)
        yield SystemCommand("Quit", "Leave the program", self.action_quit)

    def _from_chat(self, action: Callable[[], object]) -> object:
        while self.screen is not self.chat:
            self.screen.dismiss(None)
        return action()

    def on_note_wanted(self, event: NoteWanted) -> None:
        """Show a note here, or open it in the reader's editor or in Obsidian, at the line."""
        if event.how == "whole":
            self.chat.show_note(event.path, event.first, event.last)
            return
        try:
            folder, inside = self.worker.engine.place(event.path)
            path = note_path(folder, inside)
            if event.how == "vault":
                address = vault_url(folder, path)
                self._hand_over(opener_command(address, os.environ, READ_HERE, "Obsidian"))
                return
            if is_document(path):
                self._hand_over(opener_command(path, os.environ, READ_HERE))
                return
            editor = find_editor(os.environ)
            self.launch(editor_command(editor, path, event.first), has_own_window(editor))
        except RagError as error:
            self.notify(str(error), title="Not opened", severity="warning", markup=False)

    @work
    async def _hand_over(self, opener: Opener) -> None:
        """Hand a PDF or a note's address to the desktop, and say so: nothing changes on this
        screen."""
        try:
            await asyncio.to_thread(run_opener, opener, READ_HERE)
        except RagError as error:
            self.notify(str(error), title="Not opened", severity="warning", markup=False)
            return
        self.notify(f"{one_line(opener.name)} opens beside this.", markup=False)

    def launch(self, command: list[str], own_window: bool) -> None:
        """Run an editor: beside us when it has a window, else in our place until it ends."""
        try:
            if own_window:
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                return
            failed: OSError | None = None
            with self.suspend():  # an error that goes through it leaves the screen suspended
                try:
                    subprocess.run(command, check=False)
                except OSError as error:
                    failed = error
            if failed is not None:
                raise failed
        except OSError as error:
            raise EditorError(
                f"{command[0]} could not be started: {error.strerror}.",
                "Set EDITOR to an editor that is installed.",
            ) from error
        except SuspendNotSupported:
            raise EditorError("This terminal cannot be lent to an editor.") from None


def has_terminal() -> bool:
    """Whether the keys still come from a terminal."""
    try:
        termios.tcgetattr(0)
    except (termios.error, OSError):
        return False
    return True


def check_theme(setting: str, known: Collection[str]) -> None:
    """Raises ConfigError for a theme that there is not."""
    if setting and setting not in known:
        raise ConfigError(
            f"chat.theme = {setting!r} is not a theme.",
            meant(setting, known, f"There are: {', '.join(sorted(known))}."),
        )


def chosen_theme(setting: str, environ: str, few_colours: bool, known: Collection[str]) -> str:
    """The name of the theme. A terminal with 16 colours gets one made of them."""
    for name in (setting, environ):
        if name in known:
            return name
    return SIXTEEN.name if few_colours else DARK.name


def run_chat(engine: Engine, refresh: bool = True, begin: Begin = "new") -> int:
    """Open the conversation; the exit status of the program when it ends.

    A model that is still being loaded cannot be interrupted. It is not waited for: the
    process ends under it, with the terminal restored and nothing half-written.
    """
    engine.started = None  # a reader who types does not wait for the process
    take_pastes_as_text()
    app = ChatApp(engine, workplace(engine), refresh, begin)
    app.run()
    code = app.return_code or 0
    if not app.worker.close(LEAVE_AFTER_S):
        for child in multiprocessing.active_children():
            child.terminate()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
