"""Which notes a question names: `[[Note]]`, "Note" in quotes, or its name within the text.

A name of several words counts wherever it stands, in any case. A name that is one word is often a
common word too: it counts as the note writes it, with a capital or a digit ("RAG", "Koblenz"),
and at the beginning of a question only with a capital or a digit after its first letter. In
scripts without spaces two letters are enough. Of names that overlap the longest counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.reading.naming import bare_name, exact_key, name_key
from rag.reading.scripts import UNSPACED
from rag.retrieval.query import content_words

if TYPE_CHECKING:
    from rag.indexing.passage_index import PassageIndex
    from rag.indexing.rows import NamedNote

MOST_PASSAGES = 1000  # of all named notes
_MOST_WORDS = 10  # of a name
_MOST_LETTERS = 12  # of a name in a script without spaces
_MOST_SPANS = 4000
_MOST_NOTES = 5  # a name that more notes share, "README" say, names none
_LINK = re.compile(r"!?\[\[([^\[\]|#]*)(?:#([^\[\]|]*))?(?:\|([^\[\]]*))?\]\]")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|`([^`]+)`")
_DEFINED = re.compile(
    r"(?:(?:what|who)(?: (?:is|are|was|were)|['’]s)(?: meant by)?|define) (?:(?:an?|the) )?"
    r"(?P<what>[^?!]+?)[ ?!.]*|what do(?:es)? (?:(?:an?|the) )?(?P<meant>[^?!]+?) mean[ ?!.]*",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:(?P<whose>his|its|their|her(?= \w))|he|she|it|they|him|her|them)\b", re.IGNORECASE
)
_ALIASES = re.compile(r"^alias(?:es)?\s*:.*(?:\n\s*-\s.*)*", re.IGNORECASE | re.MULTILINE)
_NOTHING_MEANT = re.compile(r"\b(?:is it|it is|it[’']s)\b(?! \w+ed\b)", re.IGNORECASE)
_OWN = re.compile(r"(?:my|our|the)\b", re.IGNORECASE)
_ASIDE = re.compile(
    r"\b(?:in|at|on|for|from|with|by|than)\s+(?:(?:an?|the|my)\s+)?$", re.IGNORECASE
)
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\S+")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")

Span = tuple[int, int]


def named_passages(index: PassageIndex, question: str) -> list[int]:
    """The ids of the passages of the notes that a question names and of what is attached to them,
    at most MOST_PASSAGES."""
    notes = [note.id for note in named_notes(index, question)]
    return index.passages_of([*notes, *index.attachments(notes)], MOST_PASSAGES) if notes else []


def defined_passages(index: PassageIndex, question: str) -> list[int]:
    """The opening passage of the note that a question such as "What is X?" asks for by its name.

    A note says what it is about where it begins.
    """
    match = _DEFINED.fullmatch(" ".join(_LINK.sub(lambda link: link[1], question).split()))
    name = (match["what"] or match["meant"]).strip("\"“”„'’`«» ") if match else ""
    return index.passages_of([note.id for note in index.find_notes(name)[:1]], 1) if name else []


def named_notes(index: PassageIndex, question: str) -> tuple[NamedNote, ...]:
    """The notes that a question names, without repetitions."""
    named: dict[int, NamedNote] = {}
    for link in _LINK.finditer(question):
        for note in index.find_notes(link[1])[:1]:
            named[note.id] = note
    text = _LINK.sub(lambda link: " " * len(link[0]), question)
    for quoted in _QUOTED.finditer(text):
        for note in index.find_notes(quoted[quoted.lastindex or 0])[:1]:
            named[note.id] = note
    for _, notes in _named_in_text(index, text):
        for note in notes if len(notes) <= _MOST_NOTES else ():
            named[note.id] = note
    return tuple(named.values())


def by_title(index: PassageIndex, question: str) -> str:
    """A question with the title of a note for an alias that the note itself never uses: neither
    words nor meaning lead from "Kit" to what "Katherine Moss" says."""
    masked = question
    for kept in (_LINK, _QUOTED):
        masked = kept.sub(lambda found: " " * len(found[0]), masked)
    for (start, end), notes in sorted(_named_in_text(index, masked), reverse=True):
        written = masked[start:end]
        if len(notes) != 1 or written not in notes[0].aliases or _OWN.match(written):
            continue
        (note,) = notes
        passages = index.passages(index.passages_of([note.id], MOST_PASSAGES)).values()
        texts = [_ALIASES.sub("", each.text) for each in passages]
        if not any(_as_word(written).search(text) for text in (note.title, note.path, *texts)):
            question = f"{question[:start]}{note.title}{question[end:]}"
    return question


def _as_word(name: str) -> re.Pattern[str]:
    """What finds a name in a text, not within a word; in scripts without spaces anywhere."""
    spaced = not _UNSPACED_RUN.search(name)
    before = r"(?<!\w)" if spaced and name[0].isalnum() else ""
    after = r"(?!\w)" if spaced and name[-1].isalnum() else ""
    return re.compile(before + re.escape(name) + after, re.IGNORECASE)


def spoken(question: str) -> str:
    """A question as it is searched: of `[[folder/Note#Part|name]]`, "name Note Part"."""

    def words(link: re.Match[str]) -> str:
        note, part, name = (each or "" for each in link.groups())
        parts = (name, bare_name(note), part.replace("#", " ").replace("^", " "))
        return " ".join(dict.fromkeys(" ".join(each.split()) for each in parts if each.strip()))

    return _LINK.sub(words, question)


def with_antecedent(index: PassageIndex, question: str, before: str) -> str:
    """A question with the name of a note for its pronouns, where the question before named one
    note alone, as a name is written: "and her phone number?" after "When was Leila Haddad born?".
    "A hallucination of a language model" is about no language model, and "temperature in an LLM"
    about no LLM."""
    pronouns = {found[0].casefold() for found in _PRONOUN.finditer(question)}
    if len(pronouns) != 1 or _NOTHING_MEANT.search(question) or named_notes(index, question):
        return question
    own, _, added = spoken(before).partition(" (")  # what was added names other things, too
    named = list(_named_in_text(index, before := own))
    if not named:  # its first word is no beginning of a question
        named = list(_named_in_text(index, before := f"about {added}"))
    if len(named) != 1 or len(named[0][1]) != 1:
        return question
    (start, end), (note,) = named[0]
    if not any(map(str.isupper, before[start:end])) or _ASIDE.search(before[:start]):
        return question
    name = note.title
    return _PRONOUN.sub(lambda found: f"{name}’s" if found["whose"] else name, question)


def _named_in_text(index: PassageIndex, text: str) -> Iterator[tuple[Span, list[NamedNote]]]:
    """Where a text names notes, and which may be meant there."""
    spans: dict[str, list[Span]] = {}
    for start, end in _spans(text):
        spans.setdefault(name_key(text[start:end]), []).append((start, end))
    by_key: dict[str, list[NamedNote]] = {}
    for note in index.notes_named(sorted(spans)):
        for key in {name_key(name) for name in _names(note)}:
            by_key.setdefault(key, []).append(note)
    found = [(span, notes) for key, notes in by_key.items() for span in spans.get(key, ())]
    taken: list[Span] = []
    for (start, end), notes in sorted(found, key=lambda each: (each[0][0] - each[0][1], each[0])):
        if any(start < other_end and other < end for other, other_end in taken):
            continue
        meant = [note for note in notes if _means(note, text, start, end)]
        if meant:
            taken.append((start, end))
            yield (start, end), meant


def _spans(text: str) -> Iterator[Span]:
    """Where a name may stand in `text`: from the start of a word to the end of one."""
    words = [match.span() for match in _WORD.finditer(text)]
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    starts = sorted({start for start, _ in words} | {start for start, _ in tokens})
    ends = sorted({end for _, end in words} | {end for _, end in tokens})
    count = 0
    for start in starts:
        for end in [end for end in ends if end > start][: 2 * _MOST_WORDS]:
            yield start, end
            count += 1
            if count >= _MOST_SPANS:
                return
    for run in _UNSPACED_RUN.finditer(text):
        for start in range(run.start(), run.end()):
            for end in range(start + 2, min(start + _MOST_LETTERS, run.end()) + 1):
                yield start, end
                count += 1
                if count >= _MOST_SPANS:
                    return


def _means(note: NamedNote, text: str, start: int, end: int) -> bool:
    """Whether the words of `text` from `start` to `end`, a name of `note`, mean that note."""
    written = text[start:end]
    if _UNSPACED_RUN.search(written):
        return True
    if not content_words(written) and not any(map(str.isdigit, written)):
        return False
    if len(_WORD.findall(written)) > 1:
        return True
    key = exact_key(written)
    as_named = any(name == written for name in _names(note) if exact_key(name) == key)
    first = not _WORD.search(text, 0, start)
    striking = written[1:] if first else written
    return as_named and len(written) > 1 and any(c.isupper() or c.isdigit() for c in striking)


def _names(note: NamedNote) -> Sequence[str]:
    return (note.title, *note.aliases, bare_name(note.path))
