"""The picture of power: power against people per arm, one curve per design."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from osteon.endpoints import ENDPOINTS
from osteon.errors import shorten
from osteon.report.figures import COLOURS, FAINT, style
from osteon.units import number

if TYPE_CHECKING:
    from osteon.power.designs import Curve

_DASHES = ("-", "--", ":", "-.")


def figure(curves: list[Curve], target: float, title: str = "") -> Figure:
    """Points are simulated power with its 95 % interval, lines the curve fitted to them."""
    shown = [c for c in curves if c.size.tried or c.asked]
    with style():
        made = Figure(figsize=(8.5, 4.8 + 0.1 * len(shown)), layout="constrained")
        axes = made.subplots()
        for i, curve in enumerate(shown):
            colour, dash = COLOURS[i % len(COLOURS)], _DASHES[i // len(COLOURS) % len(_DASHES)]
            points = dict(sorted({**dict(curve.size.tried), **dict(curve.asked)}.items()))
            n = np.array(list(points))
            value, lower, upper = (
                np.array([getattr(p, k) for p in points.values()]) for k in ("value", "lower", "upper")
            )
            axes.errorbar(
                n, value, yerr=[np.maximum(value - lower, 0), np.maximum(upper - value, 0)], fmt="o", ms=3.5, lw=1,
                color=colour, zorder=3,
            )  # fmt: skip
            if np.isfinite(curve.size.b):
                tried = [k for k, _ in curve.size.tried]  # far from them the curve means nothing
                line = np.geomspace(max(2.0, min(tried) * 0.7), max(tried) * 1.1, 300)
                axes.plot(line, curve.size.curve(line), color=colour, ls=dash, lw=1.6, label=_label(curve, shown))
            else:
                axes.plot([], [], color=colour, marker="o", ls="", label=_label(curve, shown))
        axes.axhline(target, color=FAINT, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            f"target {100 * target:g} %", (0, target), xycoords=("axes fraction", "data"), xytext=(3, 3),
            textcoords="offset points", color=FAINT,
        )  # fmt: skip
        axes.set(xlabel="people per arm", ylabel="power", ylim=(0, 1.02), title=title)
        numbers = [n for c in shown for n, _ in (*c.size.tried, *c.asked)]
        if numbers and max(numbers) > 20 * min(numbers):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        else:
            axes.set_xlim(left=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        if shown:
            made.legend(loc="outside lower center", fontsize=8, ncols=2)
    return made


def _label(curve: Curve, beside: list[Curve]) -> str:
    """What tells a curve from those beside it."""
    parts: list[tuple[str, set[Any]]] = [
        (shorten(curve.arm, 40), {c.arm for c in beside}),
        (ENDPOINTS[curve.endpoint].label, {c.endpoint for c in beside}),
        (f"month {number(curve.month)}", {c.month for c in beside}),
        (curve.design, {c.design for c in beside}),
    ]
    return ", ".join(text for text, others in parts if len(others) > 1) or parts[0][0]
