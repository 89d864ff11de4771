"""Which notes a person wants summed up, told by rule: one by name, those of a folder, or all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.indexing.filtering import Filters
from rag.retrieval.filter_words import named_filters

_I = re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Summary:
    """Notes to sum up: those of `names` ("Plan" or "Plan#Costs"), all that filters leave where
    there are none.

    `points` is how many were asked for. Not `sure` where a summary is meant only if there is such
    a note or folder: "summarise attention".
    """

    names: tuple[str, ...] = ()
    points: int | None = None
    sure: bool = True


_KIND = r"(?:summary|overview|outline|gist|recap|digest|synopsis)"
_HOW = r"(?:(?:short|brief|quick|concise|rough) )?"
_ASKS = re.compile(
    r"^(?:(?:please|can you|could you|would you) )*(?:"
    r"(?:summari[sz]e|sum up|recap|condense|digest|tl;?dr:?)(?: for me)?|"
    rf"(?:give|write|show|make)(?: me)? (?:a |an |the )?{_HOW}{_KIND} (?:of|on|for)|"
    rf"(?:(?:a|an|the) )?{_HOW}{_KIND} of|"
    rf"(?:what(?:[’']s| is) the {_KIND} of)|"
    r"(?:(?:what are|give me|list|show me|name) )?(?:the )?(?:main|key|most important|central) "
    r"(?:points|ideas|takeaways) (?:of|in|from)|what(?:[’']s| is)(?= \[\[.*\]\] about$)|"
    r"what does(?= \[\[.*\]\] say$)"
    r")(?: (?P<what>.+))?$",
    _I,
)
_NUMBERS = {
    word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}
_LENGTH = re.compile(
    r",? (?:in|with|as|using) (?:(?:at most|about|no more than|up to) )?"
    rf"(?:(?P<n>\d{{1,3}}|a|{'|'.join(_NUMBERS)})(?: \w+)?|a few|short|brief) ?"
    r"(?:points?|bullets?|bullet points?|sentences?|lines?|words|paragraphs?)?$",
    _I,
)
_FOR_ME = re.compile(r",? (?:for me|please|briefly|shortly)$", _I)
_LINKS = re.compile(r"\[\[([^\[\]|]+)(?:\|[^\[\]]*)?\]\]")
_LINKS_ALONE = re.compile(r"(?:\[\[[^\[\]]+\]\](?:, | and |, and | )?)+")
_ONLY_LINKS = re.compile(
    r"(?:(?:my|our|the|both|these) )?(?:notes?|pages?)? ?(?:on |about )?"
    r"(?:\[\[[^\[\]]+\]\](?:, | and |, and | )?)+(?: about| say)?",
    _I,
)
_ONE_NOTE = re.compile(
    r"(?:(?:my|our|the|this) )?(?:whole |entire )?(?:note|page|file)(?: (?:on|about|called|named|"
    r"titled|for|of|from))? (?P<a>.+)|(?:my|our|the) (?P<b>.+?) (?:note|page|file)",
    _I,
)
# "What's in my RAG note?", "what does the note on RAG say?", "what is the note RAG about?"
_IN_NOTE = re.compile(
    r"what(?:[’']s| is)(?: written| said)? in (?P<in>.+)|what(?:[’']s| is) (?P<about>.+) about|"
    r"what does (?P<say>.+) (?:say|tell me|contain|cover)",
    _I,
)
_FILE = re.compile(r"(?P<name>\S.*\.(?:md|markdown|txt))", _I)
_FOLDER = re.compile(
    r"(?:(?:everything|all(?: of it| notes)?|(?:all )?(?:of )?(?:my |the )?notes) (?:in|under|from|"
    r"inside|of) )?(?:(?:my|our|the) )?(?:whole |entire )?"
    r"(?:(?:folder|directory) (?P<a>\"[^\"]+\"|.+?)|(?P<b>\"[^\"]+\"|\S+) (?:folder|directory)|"
    r"(?P<c>\S.*/))",
    _I,
)
_ALL = re.compile(
    r"(?:everything|it all|(?:(?:all|every|each)(?: of)? )?(?:(?:my|our|the|these|those) )?"
    r"(?:whole |entire )?(?:notes?|vault|journals?|diary|entries|notebook|daily notes)|"
    r"what (?:i|we) (?:wrote|noted|have written|did|changed|added))",
    _I,
)
_ON_TOPIC = re.compile(
    r"(?:all )?(?:(?:my|our|the) )?notes (?:on|about|of|regarding) (?P<topic>.+)|"
    r"what my notes say (?:on|about|of) (?P<other>.+)",
    _I,
)


def find_summary(text: str, filtered: bool = False) -> tuple[Summary, Filters] | None:
    """The notes that `text` asks to sum up, with the filters that it names in words; None where
    it asks for something else.

    `filtered`: filters stand beside it, so that "summarise" alone has something to sum up.
    """
    text = text.strip().rstrip("?!. ")
    if _LINKS_ALONE.fullmatch(text):  # nothing is asked: what the note says
        return Summary(tuple(_LINKS.findall(text))), Filters()
    asks = _ASKS.match(text)
    if not asks:
        return _in_note(text)
    what, points = _length(asks["what"] or "")
    if not what:
        return (Summary(points=points), Filters()) if filtered else None
    if _ONLY_LINKS.fullmatch(what):
        return Summary(tuple(_LINKS.findall(what)), points), Filters()
    if match := _FOLDER.fullmatch(what):
        place = (match["a"] or match["b"] or match["c"]).strip('"')
        return Summary(points=points), Filters(paths=(place,))
    if match := _FILE.fullmatch(what):
        return Summary((_bare(_note(match["name"])),), points), Filters()
    rest, filters = named_filters(what)
    if _ALL.fullmatch(rest or what):
        return Summary(points=points), filters
    if filters:
        return None
    if match := _ON_TOPIC.fullmatch(what):
        return Summary((_bare(match["topic"] or match["other"]),), points, sure=False), Filters()
    if match := _ONE_NOTE.fullmatch(what):
        return Summary((_bare(match["a"] or match["b"]),), points), Filters()
    return Summary((_bare(what),), points, sure=False), Filters()


def _in_note(text: str) -> tuple[Summary, Filters] | None:
    """The note that is asked about as a note, if there is one of that name."""
    match = _IN_NOTE.fullmatch(text)
    note = _ONE_NOTE.fullmatch(match["in"] or match["about"] or match["say"]) if match else None
    if note is None:
        return None
    return Summary((_bare(note["a"] or note["b"]),), sure=False), Filters()


def _length(what: str) -> tuple[str, int | None]:
    """What is to be summed up, and in how many points; None where no number is named."""
    points: int | None = None
    while True:
        shorter = _FOR_ME.sub("", what)
        if match := _LENGTH.search(shorter):
            shorter = shorter[: match.start()]
            if (match["n"] or "a").casefold() != "a" and "word" not in match[0]:
                points = _NUMBERS.get(match["n"].casefold()) or int(match["n"])
        if shorter == what:
            return what, points or None
        what = shorter


def _note(name: str) -> str:
    match = _ONE_NOTE.fullmatch(name)
    return (match["a"] or name) if match else name


def _bare(name: str) -> str:
    return name.strip(" \"'“”„«»`")
