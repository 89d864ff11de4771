"""Accuracy against coverage as an SVG picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import Template

_LEFT, _TOP, _WIDTH, _HEIGHT = 70, 50, 480, 320
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_PICTURE = Template(
    """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 440" role="img"
 font-family="sans-serif" font-size="13">
<title>Accuracy against coverage</title>
<desc>$described</desc>
<rect width="600" height="440" fill="#ffffff"/>
<text x="70" y="28" font-size="16">Accuracy against coverage, $n questions</text>
<g stroke="#dddddd">
$grid
</g>
<g fill="#444444">
$labels
<text x="310" y="420" text-anchor="middle">coverage: share of the questions answered</text>
<text transform="translate(22 210) rotate(-90)" text-anchor="middle">accuracy: share of those \
that hold a gold answer</text>
</g>
$curve
</svg>
"""
)


def risk_coverage_svg(points: Sequence[tuple[float, float]], questions: int) -> str:
    """The picture of `risk_coverage` points: the surest answers on the left, all on the right."""
    described = "No question was answered."
    if points:
        described = f"All answers: coverage {points[-1][0]:.3f}, accuracy {points[-1][1]:.3f}."
    return _PICTURE.substitute(
        described=described,
        n=f"{questions:,}",
        grid="\n".join(_grid()),
        labels="\n".join(_labels()),
        curve=_curve(points) if points else "",
    )


def _place(coverage: float, accuracy: float) -> tuple[float, float]:
    return round(_LEFT + coverage * _WIDTH, 1), round(_TOP + (1 - accuracy) * _HEIGHT, 1)


def _grid() -> Iterable[str]:
    for tick in _TICKS:
        (x, bottom), (left, y) = _place(tick, 0), _place(0, tick)
        yield f'<path d="M{x} {_TOP}V{bottom}M{left} {y}H{_LEFT + _WIDTH}"/>'


def _labels() -> Iterable[str]:
    for tick in _TICKS:
        (x, bottom), (left, y) = _place(tick, 0), _place(0, tick)
        yield f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{tick:g}</text>'
        yield f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{tick:g}</text>'


def _curve(points: Sequence[tuple[float, float]]) -> str:
    places = [_place(*each) for each in points]
    line = " ".join(f"{x},{y}" for x, y in places)
    (x, y), (coverage, accuracy) = places[-1], points[-1]
    return (
        f'<polyline points="{line}" fill="none" stroke="#1f6fb4" stroke-width="2"/>\n'
        f'<circle cx="{x}" cy="{y}" r="4" fill="#1f6fb4"/>\n'
        f'<text x="{x - 8}" y="{y - 10}" text-anchor="end">'
        f"{accuracy:.2f} at {coverage:.2f}</text>"
    )
