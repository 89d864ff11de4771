"""`rag chat --plain`: the same conversations line by line, for screen readers and simple terminals.

Nothing moves, nothing is drawn twice, and marks are words.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Literal

from rich.console import Console

from rag.answering.conversations import Conversations
from rag.answering.saved import SavedTurn, as_answered, as_stopped, history_of, read_as
from rag.answering.steps import Sentence
from rag.config import LEAVES
from rag.engine import Engine
from rag.errors import RagError
from rag.events import Answered, Retrieved
from rag.memory import share_arenas
from rag.output import safe
from tui.plain_conversations import PROMPT, PlainConversations
from tui.plain_lines import (
    HELP,
    Asked,
    evidence_line,
    found_line,
    is_number,
    place_line,
    read_aloud,
    sentence_aloud,
    why_line,
)

EVIDENCE = 2
_FOUND = 20  # notes


def run_plain(
    engine: Engine, begin: int | Literal["latest"] | None = None, refresh: bool = False
) -> int:
    """Ask and answer until the reader leaves. `begin` is a conversation to go on with; 0 lists
    them. With `refresh`, changed notes are looked for before each question."""
    typed: Callable[[], str] = str
    with suppress(ImportError):
        import readline  # arrow keys and history in `input`

        typed = readline.get_line_buffer
    share_arenas()
    console = Console(highlight=False, emoji=False, soft_wrap=True, markup=False)
    engine.started = None  # a reader who types does not wait for the process
    config = engine.parts.settings
    kept = Conversations(config.data_dir, engine.notes_folder)
    loop = Plain(engine, kept, console, engine.parts.generator_name, typed, refresh)
    with closing(engine), closing(kept), closing(loop):
        loop.run(begin, input)
    return 0


class Plain(PlainConversations):
    """The loop: questions, and commands that begin with a slash."""

    def __init__(
        self,
        engine: Engine,
        kept: Conversations,
        console: Console,
        model: str = "",
        typed: Callable[[], str] = str,
        refresh: bool = False,
    ) -> None:
        """`model` is what the language model is called on the screen; `typed` gives what stands in
        the line that is being typed. With `refresh`, changed notes are looked for before each
        question."""
        super().__init__(engine, kept, console)
        self._typed = typed
        self._model = model
        self._refresh = refresh
        self._choosing = False  # a number opens what was listed as the program began
        self._commands: dict[str, Callable[[str], None]] = {
            "help": lambda _: self._say(*HELP),
            "source": self._source,
            "why": self._why,
            "retry": self._retry,
            "find": self._find,
            "list": lambda _: self._list(""),
            "search": self._list,
            "open": self._open_listed,
            "new": self._new,
            "branch": self._branch,
            "rename": self._rename,
            "delete": self._delete,
            "undo": self._undo,
            "export": self._export,
        }

    def run(self, begin: int | Literal["latest"] | None, read: Asked) -> None:
        """The loop. An error is a sentence, and the next question works."""
        self._say(f"Notes folder: {self._engine.notes_folder}", "Type /help for all commands.")
        if self._kept.notice:
            self._say(self._kept.notice)
        self._guarded(lambda: self._begin(begin))
        while True:
            try:
                line = read(PROMPT).strip()
            except KeyboardInterrupt:
                self._say("")
                if self._typed():
                    continue  # what was typed is gone, as in a shell
                return
            except EOFError:
                self._say("")
                return
            if line in ("/quit", "/exit"):
                return
            if line:
                self._guarded(partial(self._obey, line))

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except KeyboardInterrupt:
            self._say("Stopped.")
        except RagError as error:
            self._say(str(error))
        self._say(*self._engine.take_notices())

    def _begin(self, begin: int | Literal["latest"] | None) -> None:
        if begin == "latest":
            latest = self._kept.latest()
            if latest is None:
                self._say("There is no conversation about these notes yet.")
            else:
                self._open(latest.id)
        elif begin == 0:
            self._list("")
            if self._listed:
                self._choosing = True
                self._say("Type a number to go on with one, or a question to begin another.")
        elif begin is not None:
            self._open(begin)

    def _obey(self, line: str) -> None:
        choosing, self._choosing = self._choosing, False
        if choosing and is_number(line, len(self._listed)):
            self._open_listed(line)
            return
        if not line.startswith("/"):
            self._ask(line)
            return
        name, _, rest = line[1:].partition(" ")
        command = self._commands.get(name)
        if command is None:
            self._say(f"There is no command /{name}. Type /help for all of them.")
        else:
            command(rest.strip())

    # Asking

    def _ask(self, question: str, again: bool = False) -> None:
        """`again`: the answer takes the place of the last one in the conversation."""
        if self._refresh:
            self._look_for_changes()
        history, before = history_of(self._turns), len(self._turns)
        found: Retrieved | None = None
        sentences: list[Sentence] = []
        if self._model.startswith(LEAVES):
            place = self._model.removeprefix(f"{LEAVES}: ")
            self._say(f"This question and its passages go to {place}.")
        events = self._engine.ask(question, history)
        try:
            for event in events:
                if isinstance(event, Retrieved):
                    found = event
                    self._passages = event.passages
                    self._evidence(event)
                elif isinstance(event, Sentence):
                    if not sentences:
                        self._say("Answer:")
                    sentences.append(event)
                    self._say(*sentence_aloud(event))
                elif isinstance(event, Answered):
                    self._finish(event, found, sentences, again)
        except (KeyboardInterrupt, RagError):
            if not again and len(self._turns) == before:  # else it came after the answer
                self._keep(as_stopped(question, found, sentences))
            raise

    def _look_for_changes(self) -> None:
        for progress in self._engine.refresh():
            if progress.notice:
                self._say(progress.notice)
            if progress.report is not None and progress.report.differs:
                self._say(progress.report.sentence())

    def _retry(self, _rest: str) -> None:
        turns = list(self._turns)
        old = self._last_turn()
        self._turns.pop()
        try:
            self._ask(old.question, again=True)
        except BaseException:  # stopped, or failed: the answer that was there stays
            self._turns = turns
            raise

    def _evidence(self, found: Retrieved) -> None:
        for word in found.respelled:
            self._say(safe(str(word)))
        if found.evidence:
            self._say("Nearest in your notes:")
        for each in found.evidence[:EVIDENCE]:
            self._say(evidence_line(each, found.passages[each.n - 1]))

    def _finish(
        self, done: Answered, found: Retrieved | None, sentences: list[Sentence], again: bool
    ) -> None:
        self._passages = done.passages
        if done.answered and not sentences:
            self._say("Answer:", *read_aloud(done.answer))
        saved = as_answered(done, found, sentences)
        self._keep(saved, again)
        self._rests_on(saved)

    def _keep(self, turn: SavedTurn, again: bool = False) -> None:
        self._turns.append(turn)
        if again and self._conversation is not None:
            self._conversation = self._kept.replace_last(self._conversation, turn)
        else:
            self._conversation = self._kept.add(self._conversation, turn)

    def _source(self, number: str) -> None:
        most = len(self._passages)
        if not is_number(number, most):
            self._say(f"Name a source from 1 to {most}: /source 1" if most else "No source yet.")
            return
        passage = self._passages[int(number) - 1]
        self._say(place_line(passage.path, passage.first, passage.last), safe(passage.text))

    def _why(self, _rest: str) -> None:
        turn = self._last_turn()
        self._say(f"Searched: {turn.query}")
        if (also := read_as(turn, self._turns[:-1])) != turn.question:
            self._say(f"Also as: {also}")
        for number, each in enumerate(turn.passages, 1):
            self._say(f"{number}. {why_line(each)}")

    def _find(self, words: str) -> None:
        from rag.indexing.library import find_named

        if not words:
            self._say("Name words of a note: /find barrel")
            return
        with closing(self._engine.library()) as library:
            found = find_named(library.notes(), words)
            named = {each.path for each in found}
            found += [each for each in library.find_text(words) if each.path not in named]
        self._say(*([found_line(each) for each in found[:_FOUND]] or ["No note was found."]))
