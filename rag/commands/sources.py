"""Passages on a terminal: those that an answer cites, and those that a search found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.output import console, one_line, safe, show_json, show_respelled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from rag.answering.steps import Citation
    from rag.events import Answered
    from rag.retrieval.found import Evidence, Found, Passage
    from rag.retrieval.listing import Listed


def passages(question: str, found: Found, as_json: bool) -> None:
    """Print ranked passages with their scores and which side found them."""
    if as_json:
        from rag.schema import search_json

        show_json(search_json(question, found.passages, found.respelled))
        return
    from rich.text import Text

    show_respelled(found.respelled)
    out = console()
    if not found.passages:
        out.print("No passage was found.")
    elif all(each.words is None for each in found.passages):
        out.print("None of these holds a word of it; they are nearest in meaning:\n", style="dim")
    for n, each in enumerate(found.passages, 1):
        sides = [f"{each.score:.3f}", {"both": "words and meaning"}.get(each.source, each.source)]
        if each.meaning is not None:
            sides.append(f"cosine {each.meaning:.3f}")
        if each.words is not None:
            sides.append(f"BM25 {each.words:.2f}")
        out.print(_place(n, each), Text("  " + ", ".join(sides), "green"), soft_wrap=True)
        _indented(out, Text(safe(each.text)))
        out.print()


def show_cited(out: Console, done: Answered, numbers: Mapping[int, int]) -> None:
    """The passages that an answer cites, by the `numbers` that they are shown by, what it quotes of
    them set off."""
    from rich.text import Text

    shown: dict[int, list[Citation]] = {}
    for each in done.citations:
        shown.setdefault(each.n, []).append(each)
    for n, cited in sorted(shown.items(), key=lambda each: numbers[each[0]]):
        passage, quotes = done.passages[n - 1], [each.quote for each in cited]
        out.print(_place(numbers[n], passage.at(cited[0].first)), soft_wrap=True)
        text = Text(safe(_around(passage.text, quotes)), style="dim")
        for words in quotes:
            at = text.plain.find(safe(words))
            if at >= 0:
                text.stylize("not dim bold", at, at + len(safe(words)))
        _indented(out, text)


def show_nearest(out: Console, passages: Sequence[Passage], evidence: Sequence[Evidence]) -> None:
    """Where one may look, where the notes do not say, and what comes nearest there."""
    if passages:
        out.print("\nNearest notes:", style="dim")
        _show_evidence(out, range(1, min(len(passages), 3) + 1), passages, evidence)


def show_found(
    out: Console,
    passages: Sequence[Passage],
    evidence: Sequence[Evidence],
    numbers: Mapping[int, int],
) -> None:
    """What an answer that could not be made, or broke off, would have rested on: the passages that
    its sentences cite by `numbers`, if any, else the first."""
    if passages:
        out.print("Found in your notes:", style="dim")
        cited = sorted(numbers, key=lambda each: numbers[each])
        shown = cited or range(1, min(len(passages), 3) + 1)
        _show_evidence(out, shown, passages, evidence)


def _show_evidence(
    out: Console, shown: Iterable[int], passages: Sequence[Passage], evidence: Sequence[Evidence]
) -> None:
    """The passages of the numbers `shown`, counted from 1, with what is evidence in each."""
    from rich.text import Text

    from rag.reading.rows import spoken

    for place, n in enumerate(shown, 1):
        near = next((each for each in evidence if each.n == n), None)
        passage = passages[n - 1]
        out.print(_place(place, passage.at(near.first) if near else passage), soft_wrap=True)
        if near:
            _indented(out, Text(one_line(spoken(near.text)), style="dim"))


def show_listed(out: Console, listed: Listed) -> None:
    """A list of notes that was asked for, all of them."""
    from rich.text import Text

    out.print(Text(f"{one_line(listed.head)}\n"), soft_wrap=True)
    for each in listed.notes:
        place = f"{each.path}:{each.line}" if each.line else each.path
        parts = ((one_line(place), "bold"), f"  {one_line(each.title)}", (f"  {each.day}", "dim"))
        out.print(Text.assemble(*parts), soft_wrap=True)
        if each.text:
            _indented(out, Text(one_line(each.text), style="dim"))


def _place(n: int, passage: Passage) -> Text:
    """The number of a passage and where it stands."""
    from rich.text import Text

    heading = " › ".join(passage.headings)
    return Text.assemble(
        (f"[{n}] ", "cyan"),
        (one_line(passage.where), "bold"),
        (f"  {safe(heading)}" if heading else "", "dim"),
    )


def _indented(out: Console, text: Text) -> None:
    """A text set in from the margin; piped, its lines stay as they are in the note."""
    if out.is_terminal:
        from rich.padding import Padding

        out.print(Padding(text, (0, 0, 0, 4)))
        return
    for line in text.plain.split("\n"):
        out.print(f"    {line}".rstrip(), markup=False, soft_wrap=True)


def _around(text: str, quotes: Sequence[str], margin: int = 200) -> str:
    """The part of a passage around what is quoted: enough to judge it, not a page."""
    start = max(0, min(text.find(each) for each in quotes) - margin)
    end = min(len(text), max(text.find(each) + len(each) for each in quotes) + margin)
    if start:
        start = text.find(" ", start) + 1 or start
    if end < len(text):
        end = max(text.rfind(" ", 0, end), text.find(quotes[0]) + len(quotes[0]))
    return ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")
