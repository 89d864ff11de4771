"""The conversations of `rag chat --plain`: opened, told, branched, renamed, deleted, exported."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from rag.answering.conversations import Conversations
from rag.answering.export import export_note, told
from rag.answering.saved import SavedTurn
from rag.engine import Engine
from rag.errors import RagError
from rag.indexing.kept import kept_texts
from rag.output import safe
from tui.lookup import Lookup
from tui.plain_lines import is_number, place_line, read_aloud, sentence_aloud

if TYPE_CHECKING:
    from rag.retrieval.found import Passage

PROMPT = "Question: "


class PlainConversations:
    """One conversation at a time, and the list of them that was asked for last."""

    def __init__(self, engine: Engine, kept: Conversations, console: Console) -> None:
        self._engine = engine
        self._kept = kept
        self._console = console
        texts = partial(kept_texts, engine.parts.data_dir)
        self._lookup = Lookup(engine.place, engine.library, texts)
        self._conversation: int | None = None
        self._deleted: int | None = None
        self._turns: list[SavedTurn] = []
        self._passages: Sequence[Passage] = ()
        self._listed: list[int] = []

    def close(self) -> None:
        self._lookup.close()

    def _rests_on(self, turn: SavedTurn) -> None:
        """What follows an answer: its sources, or where the notes come nearest."""
        if turn.stopped:
            self._say("Stopped.")
        elif not turn.answered:
            self._say(turn.answer or "Your notes do not say.")
            for number, passage in enumerate(turn.passages[:3], 1):
                place = place_line(passage.path, passage.first, passage.last)
                self._say(f"Nearest note {number}: {place}")
        if turn.thoughts:
            self._say(f"The model thought first, {len(turn.thoughts.split())} words, unchecked.")
        first = {each.n: each for each in reversed(turn.citations)}
        listed = turn.answered and not turn.citations  # such an answer names its notes itself
        standings = self._lookup.standings(turn.passages, turn.citations, None if listed else first)
        for each in sorted(first.values(), key=lambda each: each.n):
            self._say(f"Source {each.n}: {place_line(each.path, each.first, each.last)}")
            if each.n in standings and (warning := standings[each.n].warning):
                self._say(f"Warning: {warning}")
        for number, standing in standings.items() if listed else ():
            if standing.warning:
                self._say(f"Warning: of [{number}], {standing.warning}")

    def _list(self, words: str) -> None:
        found = self._kept.search(words)
        self._listed = [each.id for each in found]
        if not found:
            self._say("No conversation was found.")
        for number, each in enumerate(found, 1):
            day = time.strftime("%Y-%m-%d", time.localtime(each.updated))
            self._say(f"{number}. {each.title} ({day}, questions: {each.turns})")

    def _open_listed(self, number: str) -> None:
        if not is_number(number, len(self._listed)):
            self._say("Name a number of the last list: /list, then /open 1")
        else:
            self._open(self._listed[int(number) - 1])

    def _open(self, conversation: int) -> None:
        chosen = self._kept.get(conversation)
        self._conversation, self._turns = chosen.id, list(self._kept.turns(chosen.id))
        self._say(f"Conversation: {chosen.title}")
        for turn in self._turns:
            self._say(PROMPT + turn.question, *turn.respelled)
            if turn.answered or turn.sentences:
                said = [line for each in turn.sentences for line in sentence_aloud(each)]
                self._say("Answer:", *(said or read_aloud(turn.answer)))
            self._rests_on(turn)
        self._passages = self._turns[-1].passages if self._turns else ()

    def _new(self, _rest: str) -> None:
        self._conversation, self._turns, self._passages = None, [], ()
        self._say("A new conversation.")

    def _branch(self, number: str) -> None:
        conversation = self._current()
        if not is_number(number, len(self._turns)):
            self._say(f"Name a question from 1 to {len(self._turns)}: /branch 1")
            return
        self._open(self._kept.branch(conversation, int(number)))

    def _current(self) -> int:
        if self._conversation is None:
            raise RagError("Nothing has been asked in this conversation yet.", "Ask first.")
        return self._conversation

    def _last_turn(self) -> SavedTurn:
        if not self._turns:
            raise RagError("Nothing has been asked in this conversation yet.", "Ask first.")
        return self._turns[-1]

    def _rename(self, title: str) -> None:
        if not title:
            self._say("Name the title: /rename Rain barrel")
            return
        self._kept.rename(self._current(), title)
        self._say(f"It is called {self._kept.get(self._current()).title} now.")

    def _delete(self, _rest: str) -> None:
        self._deleted = self._current()
        self._kept.delete(self._deleted)
        self._conversation, self._turns, self._passages = None, [], ()
        self._say("Deleted. /undo brings it back.")

    def _undo(self, _rest: str) -> None:
        if self._deleted is None:
            raise RagError("Nothing was deleted.")
        self._kept.restore(self._deleted)
        self._open(self._deleted)
        self._deleted = None

    def _export(self, _rest: str) -> None:
        title = self._kept.get(self._current()).title
        folder = self._engine.each_folder()[0].notes_folder
        self._say(told(export_note(folder, title, self._turns, self._engine.place)))

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._console.print(Text(safe(line)))
        sys.stdout.flush()
