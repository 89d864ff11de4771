"""Notes looked up by their properties: tags, folders and the fields of their front matter.

A note is listed where every word of the question is accounted for: by what it is (a tag, a folder,
its `type`), by the name of one of its fields or by what stands in it. Where none is, the question
is no such one. No model is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from rag.indexing.filtering import Filters, FoundNote, find_notes, read_fields
from rag.indexing.local import LocalIndex
from rag.indexing.rows import StoredPassage
from rag.indexing.store import Store
from rag.reading.dates import parse_date
from rag.reading.front_matter import FOR_PROGRAMS
from rag.retrieval.filters import described
from rag.retrieval.listing import SHOWN, Listed, ListedNote, passage_of, shortened
from rag.retrieval.property_words import Bound, Properties

_KINDS = ("type", "kind", "class")  # of a field that says what a note is
# Verbs and nouns for what a field of another name holds.
_VERBS = {
    word: frozenset(keys.split())
    for words, keys in (
        ("attend attended attending join joined meet met", "attendees participants present people"),
        ("write wrote written", "author authors writer"),
        ("direct directed", "director directors"),
        ("work works worked working", "company employer organisation organization org workplace"),
        ("live lives lived living based", "city town location address place country"),
        ("born", "birthday birthdate dob"),
        ("rated rate stars star score", "rating score stars grade"),
        ("due", "deadline"),
        ("finish finished complete completed", "finished completed done"),
        ("cost costs", "price cost"),
    )
    for word in words.split()
}
_YEARLY = frozenset("birthday born birthdate dob anniversary".split())
_AHEAD = frozenset("due deadline".split())
_NUMBERS = {
    word: str(n)
    for n, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_YEAR = re.compile(r"[12]\d{3}")
_WORD = re.compile(r"\w+(?:[’'.-]\w+)*")
_EMPTY = frozenset(("", "false", "no", "none", "n/a"))

Analyze = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class _Note:
    """A note by what it is and what its fields hold."""

    found: FoundNote
    labels: frozenset[str]
    fields: dict[str, list[str]]


@dataclass(slots=True)
class _Match:
    """How a note meets a question: what each field holds of it, which fields are named alone, what
    else it is, and the numbers that are asked for."""

    met: dict[str, list[str]] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    dated: bool = False


def list_by_properties(
    index: LocalIndex, wanted: Properties, filters: Filters, analyze: Analyze
) -> Listed | None:
    """The notes that have the wanted properties, the newest first; none of them where all that is
    asked for is known and no note has it; None where notes know no such thing."""
    store = index.store
    if wanted.noun and not _may_be_a_label(store, wanted.noun):
        return None
    stems = cache(lambda text: frozenset(analyze(text)))
    matches: list[tuple[_Note, _Match]] = []
    near: _Match | None = None
    for note in _notes(store, filters):
        match, whole = _match(wanted, note, stems)
        if match and whole:
            matches.append((note, match))
        # Whether nobody was born in May, texts may tell as well as fields.
        near = near or (None if wanted.who else match)
    if any(match.met for _, match in matches):  # "read" is a status, and a field in other notes
        matches = [each for each in matches if each[1].met or not each[1].alone]
    if matches:
        return _listed(store, _head(wanted, filters, matches[0][1], len(matches)), matches)
    return Listed(_head(wanted, filters, near, 0), (), ()) if near else None


def _may_be_a_label(store: Store, noun: str) -> bool:
    """Whether a word can be a tag, a folder or the type of any note: a look at the letters alone,
    which takes a large vault milliseconds."""
    part = noun[:-3] if noun.endswith("ies") else noun[:-1] if noun.endswith("s") else noun
    if not part.isascii() or noun in _IRREGULAR:
        return True
    rows = store.query(
        "SELECT 1 FROM notes WHERE instr(lower(tags || path || fields), ?) LIMIT 1", (part,)
    )
    return bool(rows)


def _notes(store: Store, filters: Filters) -> Iterator[_Note]:
    rows = store.query(
        "SELECT id, tags, fields FROM notes "
        "WHERE fields != '{}' OR tags != '[]' OR instr(path, '/')"
    )
    stored = {note: (tags, fields) for note, tags, fields in rows}
    for found in find_notes(store, filters):
        if found.id not in stored:
            continue
        tags, fields = stored[found.id]
        held = read_fields(fields)
        labels = [
            part for tag in (json.loads(tags) if tags != "[]" else ()) for part in tag.split("/")
        ]
        labels += found.path.split("/")[:-1]
        labels += [value for kind in _KINDS for value in held.get(kind, ())]
        known = {key: values for key, values in held.items() if key not in FOR_PROGRAMS}
        yield _Note(found, frozenset().union(*map(_forms, labels)), known)


_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}


def _forms(word: str) -> frozenset[str]:
    """A word and what it may be the plural of."""
    word = word.casefold()
    forms = {word, _IRREGULAR.get(word, word)}
    if word.endswith("ies"):
        forms.add(f"{word[:-3]}y")
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("s") and not word.endswith("ss"):
        forms.add(word[:-1])
    return frozenset(forms)


def _match(
    wanted: Properties, note: _Note, stems: Callable[[str], frozenset[str]]
) -> tuple[_Match | None, bool]:
    """How a note meets a question, None where a word of it is not accounted for; and whether the
    numbers and days are as they were asked for, too."""
    if wanted.noun and not _forms(wanted.noun) & note.labels:
        return None, False
    match = _Match()
    named: list[set[str]] = []
    for word in wanted.words:
        if _NUMBER.fullmatch(number := _NUMBERS.get(word, word)):
            match.numbers.append(number)
        elif holding := {
            key: as_it_stands
            for key, values in note.fields.items()
            if (as_it_stands := _found(values, word))
        }:
            for key, said in holding.items():
                match.met.setdefault(key, []).append(said)
        elif keys := {key for key in note.fields if _names(word, key, stems)}:
            named.append(keys)
        elif _forms(word) & note.labels:
            match.labels.append(word)
        else:
            return None, False
    sought = set().union(*named)
    counted = bool(match.numbers or wanted.bound)
    if (wanted.who or counted) and not sought:
        return None, False
    whole = _add_numbers(match, note, sought, wanted.bound)
    whole = _add_days(match, wanted, note, sought) and whole
    only = not (match.met or counted or wanted.when)
    for keys in named:
        telling = [key for key in sorted(keys) if any(map(_tells, note.fields[key]))]
        if keys & match.met.keys():
            continue
        if not telling or not (wanted.has or counted or wanted.when or (only and not wanted.who)):
            return None, False
        match.alone += telling[:1]
    return match, whole and bool(match.met or match.alone or match.labels or match.dated)


def _found(values: Iterable[str], word: str) -> str:
    """A word as it stands in a field, "" where it does not."""
    return next(
        (each for value in values for each in _WORD.findall(value) if each.casefold() == word), ""
    )


def _names(word: str, key: str, stems: Callable[[str], frozenset[str]]) -> bool:
    """Whether a word is the name of a field, a form of it, or asks for it. "Reading" is none of
    "read": what is being read is not read."""
    if key in _VERBS.get(word, ()) or word in re.split(r"[\s_-]+", key):
        return True
    return (
        bool(stems(word))
        and stems(word) == stems(key)
        and not (word.endswith("ing") and not key.endswith("ing"))
    )


def _tells(value: str) -> bool:
    return value.strip().casefold() not in _EMPTY


def _add_numbers(match: _Match, note: _Note, sought: set[str], bound: Bound | None) -> bool:
    """Whether the named fields hold the numbers that are asked for; which do is added."""
    wanted = [(each, "=", float(each.replace(",", "."))) for each in match.numbers]
    if bound:
        wanted.append((bound.words, bound.sign, bound.number))
    for words, sign, number in wanted:
        holding = [
            key
            for key in sought
            if any(_compare(value, sign, number) for value in note.fields[key])
        ]
        if not holding:
            return False
        for key in holding:
            match.met.setdefault(key, []).append(words)
    return True


def _compare(value: str, sign: str, wanted: float) -> bool:
    """The first number of a value against a wanted one: 4 of "4/5", 320 of "320 pages"."""
    found = _NUMBER.search(value)
    if not found or parse_date(value):
        return False
    own = float(found[0].replace(",", "."))
    return {
        "=": own == wanted, ">": own > wanted, ">=": own >= wanted,
        "<": own < wanted, "<=": own <= wanted,
    }[sign]  # fmt: skip


def _add_days(match: _Match, wanted: Properties, note: _Note, sought: set[str]) -> bool:
    """Whether a field, one that is named if any is, or else the note itself is of the days that are
    asked for; which is, is added."""
    when = wanted.when
    if when is None:
        return True
    for key in sorted(sought or note.fields):
        recurs = (key in _YEARLY and not when.dated) or (key in _AHEAD and when.any_year)
        days = [day for value in note.fields[key] if (day := parse_date(value))]
        years = [value for value in note.fields[key] if _YEAR.fullmatch(value)]
        if any(when.holds(day, recurs) for day in days) or (
            when.dated and any(year in when.words for year in years)
        ):
            match.met.setdefault(key, []).append(when.words)
            return True
    match.dated = not sought and not wanted.who and when.holds(note.found.day)
    return match.dated


def _listed(store: Store, head: str, matches: list[tuple[_Note, _Match]]) -> Listed:
    shown = [note.found.id for note, _ in matches[:SHOWN]]
    firsts = {
        note: chunk
        for note in shown
        for (chunk,) in store.query("SELECT min(id) FROM chunks WHERE note = ?", (note,))
        if chunk
    }
    stored = store.passages([*firsts.values()])
    numbers = {note: n for n, note in enumerate(firsts, 1)}
    listed = []
    for note, match in matches:
        found = note.found
        passage = stored.get(firsts.get(found.id, 0))
        keys = {*match.met, *match.alone}
        line, text = _line(note, passage, keys) if passage else (0, "")
        listed.append(
            ListedNote(numbers.get(found.id, 0), found.path, found.title, found.day, line, text)
        )
    return Listed(
        head, tuple(listed), tuple(passage_of(stored[chunk]) for chunk in firsts.values())
    )


def _line(note: _Note, passage: StoredPassage, keys: Iterable[str]) -> tuple[int, str]:
    """The line of the first of these fields that stands in a passage, and what it says."""
    for offset, line in enumerate(passage.text.split("\n")):
        key = line.partition(":")[0].strip(" \"'").casefold()
        if key in keys:
            return passage.first + offset, shortened(f"{key}: {', '.join(note.fields[key])}")
    return 0, ""


def _head(wanted: Properties, filters: Filters, match: _Match, total: int) -> str:
    """One sentence that says what is listed; with `total` 0 that there is none."""
    bound = wanted.bound.words if wanted.bound else ""
    days = wanted.when.words if wanted.when else ""
    asked = " ".join(filter(None, (*match.numbers, bound, days)))
    kinds = " and ".join(f"“{each}”" for each in (wanted.noun, *match.labels) if each)
    having = [f"{key} “{' '.join(words)}”" for key, words in match.met.items()]
    having += [f"{key} “{asked}”" if asked else f"a field “{key}”" for key in match.alone]
    head = f"{total:,} note{'' if total == 1 else 's'}" if total else "No note"
    head += f" of {kinds}" if kinds else ""
    head += f" with {' and '.join(having)}" if having else ""
    said = match.alone or any(days in words for words in match.met.values())
    head += f", {days}" if days and not said else ""
    head += f", {described(filters)}" if filters else ""
    return f"{head}{':' if total else '.'}"
