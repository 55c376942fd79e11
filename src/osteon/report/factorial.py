"""The picture and the page of a factorial design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from osteon.endpoints import ENDPOINTS
from osteon.factorial import ADDITIVE, BETTER, cell_changes
from osteon.report import figures, pages
from osteon.result import provenance
from osteon.uncertainty import LOWER, UPPER
from osteon.units import number

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

    from osteon.design import Design
    from osteon.study import Study

_ROW, _APART, _LABEL = 0.26, 0.16, 48  # inches of a row; share of it between two dots; characters of a label
_SHOWN = ((ADDITIVE, "over additive", figures.COLOURS[1]), (BETTER, "over the better single", figures.COLOURS[2]))


def figure(result: xr.Dataset, study: Study, design: Design, found: pd.DataFrame) -> Figure:
    """Dots and intervals (5 to 95 % of the draws) at the last visit: a row of panels per end point, the change in
    each cell on the left, what the combinations are worth on the right."""
    month = study.visits[-1]
    table = found[found["month"] == month]
    names = list(dict.fromkeys(str(n) for n in table["endpoint"]))
    with figures.style():
        each = 0.8 + _ROW * max(3, len(design.cells))
        picture = Figure(figsize=(10.5, 0.7 + each * len(names)), layout="constrained")
        axes = picture.subplots(len(names), 2, squeeze=False)
        for (left, right), name in zip(axes, names, strict=True):
            y = cell_changes(result, design, name, month)
            _dots(left, list(design.cells), y.mean(axis=1), *_band(y), figures.COLOURS[0])
            left.set_title(f"{ENDPOINTS[name].label}, % change")
            _gains(right, table[table["endpoint"] == name].set_index("name"))
            points = "% of the ratio" if ENDPOINTS[name].kind == "marker" else "points"
            right.set_title(f"{ENDPOINTS[name].short}: what combining adds, {points}")
        handles, labels = axes[0][1].get_legend_handles_labels()
        if handles:
            picture.legend(handles, labels, loc="outside lower right", ncols=2)
        drawn = "; bars 5 to 95 % of the draws, P of being above 0" if result.sizes["draw"] > 1 else ""
        picture.suptitle(f"{study.title or study.id}: month {number(month)}{drawn}", fontsize=10, x=0.01, ha="left")
    return picture


def _gains(ax: Axes, table: pd.DataFrame) -> None:
    """What each combination gains over its parts; an axis without any is left away."""
    cells = [str(name).removeprefix(f"{BETTER}: ") for name in table.index if str(name).startswith(BETTER)]
    if not cells:
        ax.set_axis_off()
        return
    for index, (kind, label, colour) in enumerate(_SHOWN):
        rows = table.loc[[f"{kind}: {cell}" for cell in cells]]
        value, lower, upper = (rows[key].to_numpy(float) for key in ("value", "lower", "upper"))
        apart = _APART * (2 * index - 1)
        _dots(ax, cells, value, lower, upper, colour, apart, label)
        for y, p in enumerate(rows["p_positive"]):
            if p == p:
                ax.annotate(f"P {p:.2f}", (1, y + apart), xycoords=("axes fraction", "data"), xytext=(4, 0),
                            textcoords="offset points", va="center", fontsize=7.5, color=colour)  # fmt: skip
    ax.axvline(0, color=figures.INK, lw=0.9)


def _band(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """5 and 95 % over draws of [cell, draw]; no numbers where there is one draw."""
    if y.shape[1] < 2:
        return (np.full(len(y), np.nan),) * 2
    low, high = np.quantile(y, (LOWER, UPPER), axis=1)
    return low, high


def _dots(
    ax: Axes, labels: Sequence[str], value: np.ndarray, lower: np.ndarray, upper: np.ndarray, colour: str,
    apart: float = 0.0, label: str | None = None,
) -> None:  # fmt: skip
    at = np.arange(len(labels))
    bars = np.nan_to_num([np.clip(value - lower, 0, None), np.clip(upper - value, 0, None)])
    ax.errorbar(value, at + apart, xerr=bars, fmt="o", ms=4.5, color=colour, mec=figures.INK, mew=0.5,
                elinewidth=1.4, label=label)  # fmt: skip
    ax.set_yticks(at, [text if len(text) <= _LABEL else text[: _LABEL - 1] + "…" for text in labels])
    ax.set_ylim(len(labels) - 0.5, -0.5)


def page(
    result: xr.Dataset, study: Study, design: Design, found: pd.DataFrame, *, words: Sequence[str],
    deciders: Sequence[Mapping[str, str]], grades: Mapping[str, str],
) -> str:  # fmt: skip
    """One HTML page that needs no network: words, what decides, the picture, cells, contrasts, provenance."""
    months = list(dict.fromkeys(found["month"]))
    tables = []
    for endpoint, here in found.groupby("endpoint", sort=False):
        rows = [(name, of.set_index("month").loc[months].to_dict("records"))
                for name, of in here.groupby("name", sort=False)]  # fmt: skip
        tables.append({"label": ENDPOINTS[str(endpoint)].label, "rows": rows})
    return pages.render(
        "factorial.html.jinja",
        title=study.title or study.id,
        facts=provenance(result),
        draws=result.sizes["draw"],
        factors=dict(design.factors),
        regimens={arm.name: arm.regimen for arm in study.arms},
        words=words,
        deciders=deciders,
        grades=grades,
        months=months,
        tables=tables,
        picture=figures.svg(figure(result, study, design, found), inline=True),
    )
