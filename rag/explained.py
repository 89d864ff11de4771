"""`rag search --explain`: why each passage stands where it does, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rag.output import console, one_line, show_json, show_respelled

if TYPE_CHECKING:
    from rag.retrieval.found import Found, Passage

_PIPED = 10_000  # columns: what a program reads is neither cut nor broken
_STAGES = {
    "spelling": "spelling looked up",
    "embed": "question to vector",
    "meaning": "search by meaning",
    "words": "search by words",
    "fuse": "candidates ranked",
    "fetch": "candidates read",
    "sentences": "sentences compared",
    "rerank_load": "reranker loaded",
    "rerank": "reranked",
    "read": "close ones read",
}


def explanation(question: str, found: Found, as_json: bool) -> None:
    """Print ranks, scores and matched words of each passage, and the time of each stage."""
    if as_json:
        from rag.schema import passage_json

        show_json(
            {
                "question": " ".join(question.split()),
                "query": found.query,
                "respelled": [asdict(each) for each in found.respelled],
                "candidates": found.candidates,
                "searched_notes": found.notes,
                "reranked": asdict(found.reranked) if found.reranked else None,
                "seconds": {stage: round(spent, 5) for stage, spent in found.seconds.items()},
                "passages": [
                    {**passage_json(n, each), **_reasons(each)}
                    for n, each in enumerate(found.passages, 1)
                ],
            }
        )
        return
    show_respelled(found.respelled)
    screen = console()
    if not screen.is_terminal:
        screen.width = _PIPED
    screen.print(_passages(found), _times(found), sep="\n")


def _reasons(passage: Passage) -> dict[str, Any]:
    why = passage.reasons
    return {
        "meaning_rank": why.meaning_rank,
        "words_rank": why.words_rank,
        "nearest_sentence": None if why.sentence is None else round(why.sentence, 4),
        "words_in_best_sentence": round(why.share, 4),
        "terms": list(why.terms),
        "boost": why.boost,
        "also": list(passage.also),
        "rank_before_reranking": why.found_at,
        "reranker_score": None if why.judged is None else round(why.judged, 4),
        "reader_log_odds": None if passage.answering is None else round(passage.answering.odds, 4),
    }


def _passages(found: Found) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("passage", overflow="fold", min_width=18)
    for name in ("score", "sentence", "meaning", "words", "in one"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("words matched", overflow="fold")
    if found.reranked:
        table.add_column("reranker", justify="right", no_wrap=True)
    for n, each in enumerate(found.passages, 1):
        why = each.reasons
        table.add_row(
            Text(f"[{n}]", "cyan"),
            Text(f"{one_line(each.path)}:{each.first}", "bold"),
            f"{each.score:.3f}" + (f" (+{why.boost:.2f})" if why.boost else ""),
            _number(why.sentence),
            _ranked(each.meaning, why.meaning_rank, 3),
            _ranked(each.words, why.words_rank, 1),
            f"{why.share:.0%}",
            Text(" ".join(why.terms), "green"),
            *([_reranked(why.judged, why.found_at)] if found.reranked else []),
        )
        if each.also:
            table.add_row("", Text(f"also in {', '.join(map(one_line, each.also))}", "dim"))
        if each.answering and why.judged is None:
            table.add_row("", Text(f"read: {each.answering.odds:+.1f} (#{why.found_at})", "dim"))
    return table


def _times(found: Found) -> Any:
    from rich.text import Text

    spent = ", ".join(
        f"{_STAGES.get(stage, stage)} {seconds * 1000:.1f} ms"
        for stage, seconds in found.seconds.items()
    )
    looked = f"{found.candidates:,} passages compared"
    if found.notes is not None:
        looked += (
            f", of {found.notes:,} note{'' if found.notes == 1 else 's'} that the filters left"
        )
    if found.reranked is not None:
        done = found.reranked
        looked += (
            f"; {one_line(done.model)} reranked {done.scored} of the best {done.offered} in "
            f"{done.seconds * 1000:.0f} of {done.budget * 1000:.0f} ms"
        )
    read = f"Searched: {one_line(found.query)}\n" if found.query else ""
    return Text(f"\n{read}{looked}. {spent[:1].upper()}{spent[1:]}.", "dim")


def _reranked(judged: float | None, before: int | None) -> str:
    return "–" if judged is None else f"{judged:.2f} (#{before})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _ranked(score: float | None, rank: int | None, digits: int) -> str:
    return "–" if score is None or rank is None else f"{score:.{digits}f} (#{rank})"
