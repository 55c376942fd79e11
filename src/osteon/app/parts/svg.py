"""Pictures as SVG in the page: they follow light and dark, need no script, and a table beside them says the same."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

Pair = tuple[float, float]


@dataclass
class Chart:
    """A course and published points of it: `line` months and values; `points` month, value, low, high, and words."""

    title: str
    line: Sequence[Pair] = ()
    points: Sequence[tuple[float, float, float | None, float | None, str]] = ()
    unit: str = "%"
    width: int = 320
    height: int = 210
    more: Sequence[float] = field(default_factory=tuple)
    """Further values that the axis must hold, such as those of the other arms."""

    def svg(self) -> str:
        """The picture."""
        left, right, top, bottom = 44, 10, 12, 30
        ys = [y for _, y in self.line] + [0.0, *self.more]
        for _, y, low, high, _ in self.points:
            ys += [v for v in (y, low, high) if v is not None]
        xs = [x for x, _ in self.line] + [p[0] for p in self.points] or [0.0, 12.0]
        y0, y1, ticks = _axis(min(ys), max(ys))
        x1 = max(xs) or 1.0

        def px(x: float) -> float:
            return left + (self.width - left - right) * x / x1

        def py(y: float) -> float:
            return self.height - bottom - (self.height - top - bottom) * (y - y0) / (y1 - y0)

        parts = [
            f'<svg viewBox="0 0 {self.width} {self.height}" class="chart" role="img" '
            f'aria-label="{escape(self._said(), quote=True)}">'
        ]
        for tick in ticks:
            kind = "zero" if tick == 0 else "grid"
            parts.append(f'<line class="{kind}" x1="{left}" x2="{self.width - right}" y1="{py(tick):.1f}" '
                         f'y2="{py(tick):.1f}"/>')  # fmt: skip
            parts.append(f'<text class="tick" x="{left - 6}" y="{py(tick) + 4:.1f}" text-anchor="end">'
                         f"{_plain(tick)}</text>")  # fmt: skip
        parts += [
            f'<text class="tick" x="{px(month):.1f}" y="{self.height - 10}" text-anchor="middle">{month:g}</text>'
            for month in _months(x1)
        ]
        if self.line:
            path = "M" + "L".join(f"{px(x):.1f} {py(y):.1f}" for x, y in self.line)
            parts.append(f'<path class="model" d="{path}"/>')
        for x, y, low, high, words in self.points:
            if low is not None and high is not None:
                parts.append(f'<line class="bar" x1="{px(x):.1f}" x2="{px(x):.1f}" y1="{py(low):.1f}" '
                             f'y2="{py(high):.1f}"/>')  # fmt: skip
            parts.append(f'<circle class="seen" cx="{px(x):.1f}" cy="{py(y):.1f}" r="3.6"><title>{escape(words)}'
                         "</title></circle>")  # fmt: skip
        return "".join(parts) + "</svg>"

    def _said(self) -> str:
        last = f"; the model ends at {self.line[-1][1]:.1f} {self.unit}" if self.line else ""
        return f"{self.title}: {len(self.points)} published values{last}"


@dataclass(frozen=True)
class Dot:
    """A row of `dots`: value with interval, and words at the right."""

    label: str
    value: float
    lower: float | None
    upper: float | None
    words: str = ""
    tone: str = "a"


_LEAST = 0.02  # what an axis shows at least on either side of 0, lest nothing look like something


def dots(title: str, rows: Sequence[Dot], unit: str = "%", width: int = 640) -> str:
    """Values with their intervals, one row each, on one axis through 0."""
    name, note, row, top = 230, 110, 30, 8
    values = [-_LEAST, 0.0, _LEAST, *(v for d in rows for v in (d.value, d.lower, d.upper) if v is not None)]
    x0, x1, ticks = _axis(min(values), max(values))
    height = top + row * len(rows) + 26

    def px(x: float) -> float:
        return name + (width - name - note) * (x - x0) / (x1 - x0)

    said = "; ".join(f"{d.label} {d.value:.2f}" for d in rows)
    parts = [
        f'<svg viewBox="0 0 {width} {height}" class="chart wide" role="img" '
        f'aria-label="{escape(f"{title}, {unit}: {said}", quote=True)}">'
    ]
    for tick in ticks:
        kind = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{px(tick):.1f}" x2="{px(tick):.1f}" y1="{top}" '
                     f'y2="{height - 24}"/>')  # fmt: skip
        parts.append(
            f'<text class="tick" x="{px(tick):.1f}" y="{height - 8}" text-anchor="middle">{_plain(tick)}</text>'
        )
    for i, d in enumerate(rows):
        y = top + row * (i + 0.5)
        short = d.label if len(d.label) <= 34 else d.label[:33] + "…"
        parts.append(f'<text class="name" x="{name - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(short)}'
                     f"<title>{escape(d.label)}</title></text>")  # fmt: skip
        if d.lower is not None and d.upper is not None:
            parts.append(f'<line class="span tone-{d.tone}" x1="{px(d.lower):.1f}" x2="{px(d.upper):.1f}" '
                         f'y1="{y:.1f}" y2="{y:.1f}"/>')  # fmt: skip
        parts.append(f'<circle class="dot tone-{d.tone}" cx="{px(d.value):.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(f'<text class="note" x="{width - note + 12}" y="{y + 4:.1f}">{escape(d.words)}</text>')
    return "".join(parts) + "</svg>"


def _axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends and some four round ticks of an axis that holds both."""
    if high - low < 1e-9:
        low, high = low - 1.0, high + 1.0
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return first * step, last * step, [round(i * step, 10) for i in range(first, last + 1)]


def _months(end: float) -> list[float]:
    step = next((s for s in (1, 3, 6, 12, 24, 36, 60, 120) if end / s <= 6), 240)
    return [float(m) for m in range(0, math.floor(end) + 1, step)]


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")


MAP_W, MAP_H, _NORTH, _SOUTH = 720, 330, 78.0, -58.0


def _place(lat: float, lon: float) -> Pair:
    """Where a point lies on the map: plain degrees."""
    x = (lon + 180.0) / 360.0 * MAP_W
    return x, (_NORTH - max(_SOUTH, min(_NORTH, lat))) / (_NORTH - _SOUTH) * MAP_H


@functools.cache
def _land() -> str:
    """The land as dots, one for each cell of a degree and a half with a town of the shipped gazetteer (GeoNames, CC
    BY 4.0): no tiles, no outlines, no request."""
    from osteon.registry.places import town_points

    cells = {(round(lat / 1.5), round(lon / 1.5)) for lat, lon in town_points()}
    spots = [_place(a * 1.5, b * 1.5) for a, b in sorted(cells)]
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in spots)


def world(points: Sequence[tuple[float, float, str]], title: str, own: Pair | None = None) -> str:
    """A map of the world with points (degrees north, east, words), and one's `own` place."""
    parts = [f'<svg viewBox="0 0 {MAP_W} {MAP_H}" class="map" role="img" aria-label="{escape(title, quote=True)}">']
    for meridian in range(-150, 180, 30):
        x = _place(0, meridian)[0]
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{MAP_H}"/>')
    for parallel in (-30, 0, 30, 60):
        y = _place(parallel, 0)[1]
        parts.append(f'<line class="grid" x1="0" x2="{MAP_W}" y1="{y:.1f}" y2="{y:.1f}"/>')
    parts.append(f'<path class="land" d="{_land()}"/>')
    for lat, lon, words in points:
        x, y = _place(lat, lon)
        parts.append(
            f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="4.2"><title>{escape(words)}</title></circle>'
        )
    if own is not None:
        x, y = _place(*own)
        parts.append(
            f'<path class="here" d="M{x - 7:.1f} {y:.1f}h14M{x:.1f} {y - 7:.1f}v14"><title>your place</title></path>'
        )
    return "".join(parts) + "</svg>"
