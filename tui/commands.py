"""What the command palette offers about the conversation and its notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


def chat_commands(chat: ChatScreen) -> tuple[tuple[str, str, Callable[[], object]], ...]:
    """Title, explanation and action of each command."""
    return (
        ("Conversations", "Reopen, search, rename or delete one", chat.action_conversations),
        ("New conversation", "Clear the screen and the thread", chat.action_restart),
        ("Stop", "The answer or the indexing that is under way", chat.action_stop),
        ("Retry", "Ask the question again", lambda: chat.action_turn("retry")),
        ("Edit question", "Change it and send it again", lambda: chat.action_turn("edit")),
        ("Copy answer", "Put it on the clipboard", lambda: chat.action_turn("copy")),
        ("Copy quote", "Of the selected source", chat.action_copy_quote),
        ("Branch", "Go on from this turn apart", lambda: chat.action_turn("branch")),
        ("Export", "Write the conversation as a note", lambda: chat.action_turn("export")),
        ("Why these passages", "The search explained", chat.action_why),
        ("Sources", "Go to the passages behind the answer", chat.action_sources),
        ("Whole note", "Show the selected source's note", lambda: chat.action_open_note("whole")),
        ("Edit note", "Open the selected source in the editor", chat.action_open_note),
        ("Open in Obsidian", "The selected source", lambda: chat.action_open_note("vault")),
        ("Find note", "By title, alias, path or text", chat.action_find),
        ("Re-index", "Look for new and changed notes", chat.action_reindex),
        (
            "Rebuild the index",
            "Read and index every note again",
            lambda: chat.action_reindex(rebuild=True),
        ),
        ("Skipped notes", "Which could not be indexed, and why", chat.action_skipped),
        ("Notes folder", "Ask another folder", chat.action_folders),
        ("Language model", "Answer with another model", chat.action_models),
    )
