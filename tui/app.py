"""The program that `rag chat` runs: one screen, an engine, the reader's editor."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterable
from multiprocessing import resource_tracker
from pathlib import PurePath
from typing import Any, ClassVar

from textual import constants
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.message import Message
from textual.screen import Screen

from rag.engine import Engine
from rag.errors import RagError
from tui.editor import EditorError, editor_command, find_editor, has_own_window, note_path
from tui.keys import read_alt_digits
from tui.messages import NoteWanted
from tui.screens.chat import ChatScreen
from tui.themes import DARK, LIGHT
from tui.work import EngineWorker

LEAVE_AFTER_S = 1.0


class ChatApp(App[None]):
    """Asks the notes that `engine` holds. With `refresh`, the index is brought up to date first."""

    TITLE = "rag"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "styles/app.tcss",
        "styles/transcript.tcss",
        "styles/sources.tcss",
    ]

    def __init__(self, engine: Engine, refresh: bool = True) -> None:
        super().__init__()
        read_alt_digits()
        # The indexing process needs multiprocessing's tracker, which inherits stderr; while
        # Textual draws, stderr is not a file, so the tracker has to be there before.
        resource_tracker.ensure_running()
        self._engine = engine
        self.worker = EngineWorker(engine, self._deliver)
        self.chat = ChatScreen(engine.notes_folder, self.worker, refresh)

    def get_default_screen(self) -> Screen[None]:
        """The conversation is the only screen; help and lists lie over it."""
        return self.chat

    def on_mount(self) -> None:
        """Our own themes, unless the reader set TEXTUAL_THEME."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        if "TEXTUAL_THEME" not in os.environ:
            self.theme = DARK.name
        else:
            self.theme = constants.DEFAULT_THEME

    def on_unmount(self) -> None:
        """Whatever the engine does is not wanted any more."""
        self.worker.stop()

    def _deliver(self, message: Message) -> None:
        self.chat.post_message(message)

    def action_help_quit(self) -> None:
        """Ctrl+C quits, where Textual would only explain how to."""
        self.exit()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers; the same whichever `screen` lies on top."""
        del screen
        chat = self.chat
        yield SystemCommand("Re-index", "Look for new and changed notes", chat.action_reindex)
        yield SystemCommand(
            "Rebuild the index",
            "Read and index every note again",
            lambda: chat.action_reindex(rebuild=True),
        )
        yield SystemCommand(
            "Skipped notes", "Which notes could not be indexed, and why", chat.action_skipped
        )
        yield SystemCommand(
            "New conversation", "Clear the screen and the thread", chat.action_restart
        )
        yield SystemCommand("Sources", "Go to the passages behind the answer", chat.action_sources)
        yield SystemCommand(
            "Open note", "Open the selected source in the editor", chat.action_open_note
        )
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand("Help", "Show all keys", chat.action_help)
        yield SystemCommand("Quit", "Leave the program", self.action_quit)

    def on_note_wanted(self, event: NoteWanted) -> None:
        """Open a note in the reader's editor, at the line."""
        try:
            path = note_path(*self._engine.place(event.path))
            editor = find_editor(os.environ)
            self.launch(editor_command(editor, path, event.line), has_own_window(editor))
        except RagError as error:
            self.notify(str(error), title="Not opened", severity="warning", markup=False)

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
            with self.suspend():
                subprocess.run(command, check=False)
        except OSError as error:
            raise EditorError(
                f"{command[0]} could not be started: {error.strerror}.",
                "Set EDITOR to an editor that is installed.",
            ) from error
        except SuspendNotSupported:
            raise EditorError("This terminal cannot be lent to an editor.") from None


def run_chat(engine: Engine, refresh: bool = True) -> int:
    """Open the conversation; the exit status of the program when it ends.

    A model that is still being loaded cannot be interrupted. It is not waited for: the
    process ends under it, with the terminal restored and nothing half-written.
    """
    app = ChatApp(engine, refresh)
    app.run()
    code = app.return_code or 0
    if not app.worker.close(LEAVE_AFTER_S):
        for child in multiprocessing.active_children():
            child.terminate()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
