"""Growth with size as an SVG picture: seconds and bytes against passages, both in powers of ten."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_LEFT, _TOP, _WIDTH, _HEIGHT = 80, 60, 460, 340
# What is drawn: its name, its colour, and its value in a row of bench/size.py, in milliseconds
# or megabytes.
_CURVES: tuple[tuple[str, str, Callable[[dict[str, Any]], float]], ...] = (
    ("writing the index, ms", "#8a5a00", lambda row: 1000 * row["build_s"]),
    ("index, MB", "#777777", lambda row: sum(row["bytes"].values()) / 1e6),
    ("cold rag search, ms", "#7a3fa0", lambda row: 1000 * row["cold_s"]),
    ("search p99, ms", "#c0392b", lambda row: 1000 * row["p99"]),
    ("search p50, ms", "#1f6fb4", lambda row: 1000 * row["p50"]),
)


def growth_svg(rows: Sequence[dict[str, Any]]) -> str:
    """The picture of what bench/size.py measured, from the smallest vault to the largest."""
    sizes = [math.log10(row["passages"]) for row in rows]
    values = [math.log10(value(row)) for _, _, value in _CURVES for row in rows]
    frame = _Frame(min(sizes), max(sizes), math.floor(min(values)), math.ceil(max(values)))
    curves = "\n".join(
        frame.curve(name, colour, sizes, [math.log10(value(row)) for row in rows])
        for name, colour, value in _CURVES
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 470" role="img"'
        ' font-family="sans-serif" font-size="13">\n'
        "<title>Growth with the number of passages</title>\n"
        '<rect width="760" height="470" fill="#ffffff"/>\n'
        '<text x="80" y="32" font-size="16">Growth with the number of passages</text>\n'
        + "\n".join(frame.grid())
        + f'\n{curves}\n<text x="310" y="450" text-anchor="middle" fill="#444444">passages; both '
        "scales in powers of ten</text>\n</svg>\n"
    )


class _Frame:
    """Logarithms onto the picture."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self._left, self._right, self._low, self._high = left, max(right, left + 1e-9), low, high

    def place(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self._left) / (self._right - self._left)
        up = (y - self._low) / (self._high - self._low)
        return round(_LEFT + across * _WIDTH, 1), round(_TOP + (1 - up) * _HEIGHT, 1)

    def grid(self) -> Iterator[str]:
        for power in range(math.ceil(self._left), math.floor(self._right) + 1):
            x, y = self.place(power, self._low)
            yield f'<path d="M{x} {_TOP}V{y}" stroke="#dddddd"/>'
            yield f'<text x="{x}" y="{y + 20}" text-anchor="middle">{10**power:,}</text>'
        for power in range(round(self._low), round(self._high) + 1):
            x, y = self.place(self._left, power)
            yield f'<path d="M{x} {y}h{_WIDTH}" stroke="#dddddd"/>'
            yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{10.0**power:,g}</text>'

    def curve(self, name: str, colour: str, sizes: Sequence[float], values: Sequence[float]) -> str:
        places = [self.place(*each) for each in zip(sizes, values, strict=True)]
        line = " ".join(f"{x},{y}" for x, y in places)
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)
        (x, y), steep = places[-1], (values[-1] - values[0]) / max(1e-9, sizes[-1] - sizes[0])
        return (
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'
            f'<text x="{x + 10}" y="{y + 4}" fill="{colour}">{name} (n^{steep:.2f})</text>'
        )
