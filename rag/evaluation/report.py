"""Figures as a table for people, as one flat object for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.evaluation.compare import Difference
from rag.evaluation.measures import FIGURES, Figure, Pairs

if TYPE_CHECKING:
    from rich.table import Table

_LAST = ("search_ms_p50", "citation_recall", "abstained_wrong")  # of their group in the table


def flat(
    pairs: Pairs, found: Mapping[str, Figure], differences: Mapping[str, Difference]
) -> dict[str, Any]:
    """One object: counts, figures, and for each compared one `_before`, `_change` and `_p`."""
    value: dict[str, Any] = {"n": len(pairs), "answerable": _answerable(pairs)}
    for name, figure in found.items():
        value[name] = round(figure.value, 6)
    for name, each in differences.items():
        value[f"{name}_before"] = round(each.before, 6)
        value[f"{name}_change"] = round(each.change, 6)
        if each.p is not None:
            value[f"{name}_p"] = each.p
            value[f"{name}_pairs"] = each.pairs
    return value


def table(
    pairs: Pairs, found: Mapping[str, Figure], differences: Mapping[str, Difference]
) -> Table:
    """The same to be read: what each figure is, and how many it was counted over."""
    from rich.table import Table

    title = f"Questions: {len(pairs):,}, answerable: {_answerable(pairs):,}"
    shown = Table(title=title, title_justify="left")
    shown.add_column("figure", no_wrap=True)
    shown.add_column("", justify="right", no_wrap=True)
    if differences:
        for name in ("before", "change", "p"):
            shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("of", justify="right", no_wrap=True)
    if not differences:
        shown.add_column("what it is", style="dim")
    for name, figure in found.items():
        cells = [name, _number(figure.value)]
        cells += _beside(differences.get(name)) if differences else []
        cells.append(f"{figure.over:,}")
        cells += [] if differences else [FIGURES[name]]
        shown.add_row(*cells, end_section=name in _LAST)
    return shown


def _answerable(pairs: Pairs) -> int:
    return sum(bool(question.answers) for question, _ in pairs)


def _beside(each: Difference | None) -> list[str]:
    if each is None:
        return ["", "", ""]
    p = "" if each.p is None else f"{each.p:.3f}"
    return [_number(each.before), f"{each.change:+.3f}", p]


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
