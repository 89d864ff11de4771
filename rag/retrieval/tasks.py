"""Lists of tasks: "- [ ] …" in notes, TODO in Org, read from the index. No model is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from rag.indexing.filtering import Filters, FoundNote, find_notes, read_fields, right_tags
from rag.indexing.linking import notes_named
from rag.indexing.local import LocalIndex
from rag.indexing.store import Store
from rag.reading.code import next_fence
from rag.reading.dates import parse_date
from rag.reading.links import plain
from rag.retrieval.filters import described
from rag.retrieval.listing import SHOWN, Listed, ListedNote, no_note, passage_of, shortened
from rag.retrieval.task_words import Tasks
from rag.retrieval.when import When

# "- [ ] …" as Obsidian and GitHub have it, also in a quote; a mark of "-" is a task given up, ">"
# one that moved elsewhere.
_TASK = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[(.)\][ \t]+(\S.*)")
_NAMED = ("task", "to-do", "todo", "to do", "action item", "action point", "next step")
_NOTE = re.compile(r"\[\[([^\[\]|#]+)[^\[\]]*\]\]")
_TAG = re.compile(r"(?<!\S)#([^\s#]+)")
_DONE, _NEITHER = "xX", "->"
_DUE = re.compile(
    r"(?:📅\ufe0f?|📆|🗓\ufe0f?|(?:\b(?:due|deadline|by|until|before)|@due)\b)(?: date)?"
    r"[\s:(*\[]*(?:on )?"
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}|"
    r"\d{1,2}(?:st|nd|rd|th)? (?:of )?[a-z]{3,9}\.?,? \d{4}|[a-z]{3,9}\.? \d{1,2},? \d{4})",
    re.IGNORECASE,
)
_SCHEDULED = re.compile(r"\(scheduled (\d{4}-\d{2}-\d{2})")  # of Org: see `rag.reading.org`


@dataclass(frozen=True, slots=True)
class _Task:
    """A task on `line` of a note, in the chunk that holds it; `lead` is the line above its list."""

    note: int
    chunk: int
    line: int
    done: bool
    text: str
    lead: str


def has_tasks(store: Store) -> bool:
    """Whether any note has one."""
    return next(_tasks(store), None) is not None


def tells_of_tasks(store: Store) -> bool:
    """Whether a title or a heading speaks of tasks, which may be kept without boxes."""
    named = " OR ".join(f"{{0}} LIKE '%{word}%'" for word in _NAMED)
    for table, column in (("notes", "title"), ("chunks", "headings")):
        if store.query(f"SELECT 1 FROM {table} WHERE {named.format(column)} LIMIT 1"):
            return True
    return False


def has_others(store: Store, topic: str, sure: bool) -> bool:
    """Whether there are tasks at all where all open ones, say, are asked for and none is; or the
    reader's own are meant for `sure`, and no note speaks of tasks."""
    return not topic and (has_tasks(store) or (sure and not tells_of_tasks(store)))


def list_tasks(
    index: LocalIndex,
    which: Tasks,
    topic: str,
    filters: Filters,
    analyze: Callable[[str], list[str]],
    due: When | None = None,
) -> Listed:
    """The tasks that are open, done, or both, that `filters` leave, those of the notes changed last
    first; with a topic those that have all its words, their note's names and headings
    counted; with `due` those due then, by day. Raises QuestionError for a link to no note."""
    anyhow = replace(filters, tags=(), without_tags=())
    notes = {note.id: note for note in find_notes(index.store, anyhow)}
    found = [
        task
        for task in _tasks(index.store)
        if task.note in notes and (which == "all" or task.done == (which == "done"))
    ]
    if filters != anyhow:
        known = _tags_of_notes(index.store)
        found = [
            task
            for task in found
            if right_tags([*known[task.note], *_TAG.findall(task.text)], filters)
        ]
    if (name := _NOTE.fullmatch(topic)) and not notes_named(index.store, name[1]):
        raise no_note(index.store, name[1])
    if topic := topic.replace("[[", "").replace("]]", ""):
        found = _about(index.store, found, set(analyze(topic)), analyze)
    found.sort(key=lambda task: (-notes[task.note].day.toordinal(), task.note, task.line))
    if due is not None:
        days = {task: day for task in found if (day := due_day(task.text))}
        found = sorted(
            (t for t in days if due.holds(days[t], days[t], ahead=True)), key=days.__getitem__
        )
    return _listed(index.store, _head(which, topic, filters, found, due), found, notes, which)


def due_day(text: str) -> date | None:
    """The day on which a task is due, as people write it: "📅 2024-05-02", "due: 2 May 2024", "by
    2024-05-02", "[due:: 2024-05-02]"; the last where there are several. One of Org that has no
    deadline is due when it is scheduled."""
    found = [parse_date(each[1]) for name in (_SCHEDULED, _DUE) for each in name.finditer(text)]
    return next((day for day in reversed(found) if day), None)


def _tasks(store: Store) -> Iterator[_Task]:
    """The tasks of all notes, none in fenced code, which may go on in the next chunk."""
    rows = store.query(
        "SELECT id, note, first, last, text FROM chunks WHERE note IN "
        "(SELECT note FROM chunks WHERE text LIKE '%[_]%') ORDER BY note, first, id"
    )
    at, fence, lead = 0, "", ""
    for chunk, note, first, last, text in rows:
        at, fence, lead = note, fence if note == at else "", ""
        for offset, line in enumerate(text.split("\n")):
            inside, fence = fence, next_fence(line, fence)
            task = None if inside or fence else _TASK.match(line)
            if task and task[1] not in _NEITHER:
                line_at = min(first + offset, last)
                yield _Task(note, chunk, line_at, task[1] in _DONE, task[2], lead)
            elif line.strip() and not task and line[0] not in " \t":
                lead = line


def _tags_of_notes(store: Store) -> dict[int, list[str]]:
    """The tags of each note that are those of all its tasks. In Org those of a headline are of what
    stands below it alone, and tasks have them written on (see `rag.reading.org`)."""
    rows = store.query("SELECT id, path, tags, fields FROM notes")
    return {
        note: read_fields(fields).get("filetags", [])
        if path.lower().endswith(".org") and '"filetags"' in fields
        else json.loads(tags)
        for note, path, tags, fields in rows
    }


def _about(
    store: Store, tasks: list[_Task], terms: set[str], analyze: Callable[[str], list[str]]
) -> list[_Task]:
    """The tasks that have all terms, in themselves or in what they stand under."""
    passages = store.passages([*dict.fromkeys(task.chunk for task in tasks)])
    above = {
        chunk: set(analyze("\n".join((each.title, *each.aliases, *each.headings, each.path))))
        for chunk, each in passages.items()
    }
    if not terms:
        return []
    return [
        task
        for task in tasks
        if terms <= above[task.chunk] | set(analyze(plain(f"{task.lead}\n{task.text}")))
    ]


def _listed(
    store: Store, head: str, tasks: list[_Task], notes: dict[int, FoundNote], which: Tasks
) -> Listed:
    shown = [*dict.fromkeys(task.chunk for task in tasks[:SHOWN])]
    stored = store.passages(shown)
    numbers = {chunk: n for n, chunk in enumerate(shown, 1)}
    listed = []
    for task in tasks:
        note = notes[task.note]
        box = ("[x] " if task.done else "[ ] ") if which == "all" else ""
        text = box + shortened(task.text)
        n = numbers.get(task.chunk, 0)
        listed.append(ListedNote(n, note.path, note.title, note.day, task.line, text))
    return Listed(head, tuple(listed), tuple(passage_of(stored[chunk]) for chunk in shown))


def _head(which: Tasks, topic: str, filters: Filters, tasks: list[_Task], due: When | None) -> str:
    """One sentence that says what is listed."""
    kind = "" if which == "all" else f"{which} "
    where = f" {described(filters)}" if filters else ""
    about = f" on “{topic}”" if topic else ""
    about += f" {due.words}" if due else ""
    if not tasks:
        return f"No {kind}task{about}{where}."
    notes = len({task.note for task in tasks})
    return (
        f"{len(tasks):,} {kind}task{'s' if len(tasks) > 1 else ''}{about} "
        f"in {notes:,} note{'s' if notes > 1 else ''}{where}:"
    )
