"""The pictures: courses of one simulation, published points against model lines."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteon import files
from osteon.endpoints import ENDPOINTS
from osteon.errors import InputError
from osteon.result import percent_change
from osteon.units import MONTH_DAYS, YEAR_DAYS

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from osteon.evidence.score import Scores

INK, FAINT = "#222222", "#888888"
# Okabe and Ito's palette: told apart with every kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHEET_COLOURS, SHEET_NAMES = COLOURS[:2], ("blue", "orange")
FORMATS = (".html", ".png", ".svg")
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.alpha": 0.2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "osteon",
    "legend.frameon": False,
    "text.parse_math": False,
}
MAIN_ENDPOINTS = ("lumbar_spine_bmd", "total_hip_bmd", "femoral_neck_bmd", "ctx", "p1np", "bsap")


def check_format(path: str | Path) -> Path:
    """The path if its suffix is one that can be drawn; raises InputError."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a plot is written as {', '.join(FORMATS)}; give the file one of these endings")
    files.check_writable(path.parent)
    return path


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as .png or .svg, whole or not at all."""
    path = Path(path)
    return files.write_whole(path, svg(figure) if path.suffix.lower() == ".svg" else png(figure))


def style() -> Any:
    """The look that all pictures share, as a context."""
    return mpl.rc_context(_STYLE)


def png(figure: Figure) -> bytes:
    """The figure as the content of a PNG file."""
    with mpl.rc_context(_STYLE):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=160, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Figure, *, inline: bool = False) -> str:
    """The figure as SVG text; `inline` makes ink follow the page's text colour, for dark pages."""
    with mpl.rc_context(_STYLE):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": "osteon"})
    text = buffer.getvalue()
    if not inline:
        return text
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Ids must differ between the pictures of one page.
    digest = f"f{abs(hash_text(text)):x}"
    text = re.sub(r'(id="|href="#|url\(#)', lambda m: m.group(1) + digest, text)
    return text.replace(INK, "currentColor")


def hash_text(text: str) -> int:
    """The same number for the same text in every process (unlike `hash`)."""
    import zlib

    return zlib.crc32(text.encode())


def time_axis(days: np.ndarray, until: float) -> tuple[np.ndarray, str]:
    """Months for short courses, years for long ones."""
    if until <= 5 * YEAR_DAYS:
        return days / MONTH_DAYS, "months"
    return days / YEAR_DAYS, "years"


def course(result: xr.Dataset, title: str = "") -> Figure:
    """A simulation over time, in % change from time 0. One arm: a panel each for BMD, markers and rates, a line per
    end point. Several arms: a panel per end point, a line per arm. Draws show as their mean in a band, 5 to 95 %."""
    change = percent_change(result)
    names = [str(n) for n in change.data_vars]
    arms = [str(a) for a in result["arm"].to_numpy()]
    if len(arms) > 1:
        panels = [(ENDPOINTS[n].label, [(n, arm, arm) for arm in arms]) for n in names]
    else:
        kinds = (("BMD", "bmd"), ("Turnover markers", "marker"), ("Formation and resorption", "exploration"))
        grouped = [(label, [n for n in names if ENDPOINTS[n].kind == kind]) for label, kind in kinds]
        panels = [(label, [(n, arms[0], ENDPOINTS[n].short) for n in found]) for label, found in grouped if found]
    days = result["time"].to_numpy()
    x, unit = time_axis(days, float(days[-1]))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 1.2 + 2.2 * len(panels)), layout="constrained")
        axes = np.atleast_1d(figure.subplots(len(panels), 1, sharex=True))
        for ax, (label, lines) in zip(axes, panels, strict=True):
            for number, (name, arm, text) in enumerate(lines):
                drawn = change[name].sel(arm=arm).mean("person")
                y = drawn.mean("draw")
                style = ("-", "--", ":", "-.")[number // len(COLOURS) % 4]
                if drawn.sizes["draw"] > 1:  # 5 to 95 % of the draws
                    band = np.quantile(drawn.to_numpy(), (0.05, 0.95), axis=drawn.get_axis_num("draw"))
                    ax.fill_between(x, *band, color=COLOURS[number % len(COLOURS)], alpha=0.2, lw=0)
                ax.plot(x, y, color=COLOURS[number % len(COLOURS)], ls=style, lw=1.8, label=text.replace("_", " ", 1)
                        if text.startswith("_") else text)  # fmt: skip
            ax.axhline(0, color=FAINT, lw=0.8)
            ax.set_title(label)
            ax.set_ylabel("% change")
            if len(arms) == 1 and len(lines) > 1:
                ax.legend(loc="best", ncols=min(3, len(lines)))
        axes[-1].set_xlabel(f"{unit} from start")
        if len(arms) > 1:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=min(3, len(labels)))
        if title:
            figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def _cycle(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def trial(scores: Scores, trial_id: str, endpoints: Sequence[str] | None = None) -> Figure:
    """Published points with error bars and model lines of a whole trial: a panel per end point."""
    table = scores.points[scores.points["trial"] == trial_id]
    shown = [e for e in MAIN_ENDPOINTS if e in set(table["endpoint"]) and (endpoints is None or e in endpoints)]
    arms = list(dict.fromkeys(table["arm"]))
    info = scores.trials[trial_id]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.1 * len(shown), 4.3), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(shown)))
        for ax, endpoint in zip(axes, shown, strict=True):
            for colour, arm in zip(_cycle(len(arms)), arms, strict=True):
                points = table[(table["arm"] == arm) & (table["endpoint"] == endpoint)]
                if len(points):
                    line = scores.lines[trial_id, arm]
                    # Points of several arms at one visit stand a little apart so that all can be seen.
                    apart = 0.3 * (arms.index(arm) - (len(arms) - 1) / 2)
                    _panel(ax, points, line.months, line.change[endpoint], colour, line.arm.title, apart)
            ax.set_title(ENDPOINTS[endpoint].label)
            ax.set_xlabel("months")
        axes[0].set_ylabel("% change from baseline")
        # An arm may lack the first panel's end point.
        named: dict[str, Any] = {}
        for ax in axes:
            handles, labels = ax.get_legend_handles_labels()
            named |= dict(zip(labels, handles, strict=True))
        figure.legend(list(named.values()), list(named), loc="outside lower left", ncols=min(3, len(named)))
        figure.suptitle(
            f"{info.title}: published (points, error bars as printed) and {scores.model} (lines)",
            fontsize=11, x=0.01, ha="left",
        )  # fmt: skip
    return figure


def arm(scores: Scores, trial_id: str, arm_id: str) -> Figure:
    """Small plots of one arm, a panel per end point."""
    table = scores.points[(scores.points["trial"] == trial_id) & (scores.points["arm"] == arm_id)]
    line = scores.lines[trial_id, arm_id]
    shown = [e for e in MAIN_ENDPOINTS if e in set(table["endpoint"])]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(2.9 * len(shown), 2.3), layout="constrained")
        for ax, endpoint in zip(np.atleast_1d(figure.subplots(1, len(shown))), shown, strict=True):
            points = table[table["endpoint"] == endpoint]
            colour = COLOURS[MAIN_ENDPOINTS.index(endpoint) % len(COLOURS)]
            _panel(ax, points, line.months, line.change[endpoint], colour, "")
            ax.set_title(f"{ENDPOINTS[endpoint].short}, %")
            ax.set_xlabel("months")
    return figure


def sheet(several: Sequence[Scores], trial_id: str) -> Figure:
    """A trial and several models: a row of small plots per arm, one per end point, a line per model."""
    table = pd.concat([s.points[s.points["trial"] == trial_id] for s in several])
    shown = [e for e in MAIN_ENDPOINTS if e in set(table["endpoint"])]
    arms = [a.id for a in several[0].trials[trial_id].arms if a.id in set(table["arm"])]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(0.4 + 2.3 * max(2, len(shown)), 0.5 + 1.75 * len(arms)), layout="constrained")
        axes = figure.subplots(len(arms), len(shown), squeeze=False)
        for row, arm_id in zip(axes, arms, strict=True):
            for ax, endpoint in zip(row, shown, strict=True):
                here = table[(table["arm"] == arm_id) & (table["endpoint"] == endpoint)]
                if not len(here):
                    ax.set_axis_off()
                    continue
                for scores, colour in zip(several, SHEET_COLOURS, strict=False):
                    line = scores.lines.get((trial_id, arm_id))
                    if line is not None and endpoint in line.change:
                        ax.plot(line.months, line.change[endpoint], color=colour, lw=1.3)
                _points(ax, here.drop_duplicates("row"), INK)
                ax.axhline(0, color=FAINT, lw=0.8)
                ax.set_title(f"{ENDPOINTS[endpoint].short}, %", fontsize=8)
            label = several[0].trials[trial_id].arm(arm_id).title
            row[0].annotate(
                textwrap.fill(label, 60), (0, 1), (0, 16), xycoords="axes fraction", textcoords="offset points",
                fontsize=8.5, fontweight="bold", annotation_clip=False,
            )  # fmt: skip
        figure.supxlabel("months", fontsize=8)
    return figure


def _points(ax: Axes, points: Any, colour: str, apart: float = 0.0) -> None:
    value = points["observed"].to_numpy(float)
    # Some digitised limits lie on the wrong side of their point by the width of a pen.
    low = np.clip(value - points["low"].to_numpy(float), 0, None)
    high = np.clip(points["high"].to_numpy(float) - value, 0, None)
    ax.errorbar(
        points["month"] + apart, value, yerr=np.nan_to_num([low, high]), fmt="o", ms=4, color=colour,
        mec=INK, mew=0.5, elinewidth=0.9, capsize=2,
    )  # fmt: skip


def _panel(
    ax: Axes, points: Any, months: np.ndarray, model: np.ndarray, colour: str, label: str, apart: float = 0.0
) -> None:
    ax.plot(months, model, color=colour, lw=1.8, label=label or None)
    _points(ax, points, colour, apart)
    ax.axhline(0, color=FAINT, lw=0.8)
