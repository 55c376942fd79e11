"""Fractures on the page of scores: relative risks beside the published ones, incidence in untreated arms, picture."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from osteon.report.figures import COLOURS, FAINT, INK, style
from osteon.report.markdown import decimal, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from osteon.evidence.schema import Trial
    from osteon.fractures.score import FractureScores

PICTURE = "fractures"
USES = {"fit": "fitted", "validate": "not fitted"}
AIM = 0.75  # share of relative risks of trials that were not fitted that should lie inside
TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
WIDE = 62  # letters in a line of a label
Row = dict[str, Any]
_PARTS: dict[str, Callable[[Row], bool]] = {
    "all": lambda r: True,
    "vertebral": lambda r: bool(r["kind"] == "vertebral_fracture"),
    "hip": lambda r: bool(r["kind"] == "hip_fracture"),
    "non-vertebral": lambda r: bool(r["kind"] == "nonvertebral_fracture"),
    "interval published, or from published shares": lambda r: bool(r["interval"] != "expected"),
    "interval from a reduction alone (`expected`)": lambda r: bool(r["interval"] == "expected"),
}


def section(found: FractureScores, trials: Mapping[str, Trial], picture: str) -> list[str]:
    """The blocks of the page, with the address of the picture."""
    blocks = [
        "## Fractures",
        "Relative risks by the first of the models, at its most probable parameters. *Inside*: osteon's lies in the "
        "published 95 % interval. `published`: the report has that interval; `counts`: it is that of two shares from "
        "the arms' sizes; `expected`: the report has a reduction alone, and the interval is that of arms of that "
        "size with the shares that osteon expects. How hazards and effects were found, and what stands out: "
        "[fractures](fractures.md). A research tool, not medical advice.",
        _counts(found),
        f"![Relative risks of fracture, published and by osteon]({picture})",
        "Published (dot, 95 % interval; hollow where it is `expected`) and osteon's (diamond).",
    ]
    for use, name in USES.items():
        rows = [r for r in found.ratios if r["use"] == use]
        if rows:
            blocks += [f"Relative risks in trials that were {name} (`{use}`):", _ratios(rows, trials)]
    if found.incidences:
        blocks += [
            "Share of people with a fracture in untreated arms (%), with the 90 % interval of what a trial of that "
            "size would see. The grade says how well its people are known (B: T-scores published, C: from entry "
            "rules, D: assumed in part). Subgroups are predicted as the whole trial's people, which they are not.",
            _incidences(found.incidences, trials),
        ]
    return blocks


def _counts(found: FractureScores) -> str:
    """How many lie inside, by use and by what is counted; the aim."""
    lines = []
    for use, name in USES.items():
        for rows, which in ((found.ratios, "every month"), (found.latest(), "latest month alone")):
            for part, holds in _PARTS.items():
                own = [r for r in rows if r["use"] == use and holds(r)]
                if own and (which == "every month" or part == "all"):
                    inside = sum(r["inside"] for r in own)
                    lines.append([name, part, which, str(len(own)), str(inside), decimal(100 * inside / len(own), 0)])
    text = table(["trials", "relative risks", "of a comparison", "n", "inside", "%"], lines, left=3)
    for row in found.inside():
        if (row["use"], row["kind"]) == ("validate", "all"):
            met = "met" if row["share"] >= AIM else "not met"
            text = (
                f"**In trials that were not fitted {row['inside']} of {row['n']} lie inside, "
                f"{100 * row['share']:.0f} %; the aim of {100 * AIM:.0f} % is {met}.**\n\n" + text
            )
    return text


def _ratios(rows: Sequence[Row], trials: Mapping[str, Trial]) -> str:
    lines = [
        [r["trial"], _fracture(r), _arms(r, trials), r["interval"], _month(r),
         f"{decimal(r['published'])} ({decimal(r['low'])} to {decimal(r['high'])})", decimal(r["predicted"]),
         "yes" if r["inside"] else "no"]
        for r in rows
    ]  # fmt: skip
    heads = ["trial", "fracture", "arms", "interval", "month", "published (95 %)", "osteon", "inside"]
    return table(heads, lines, left=4)


def _incidences(rows: Sequence[Row], trials: Mapping[str, Trial]) -> str:
    lines = [
        [i["trial"], i["use"], _fracture(i), trials[i["trial"]].arm(i["arm"]).title, i["people"], f"{i['month']:g}",
         decimal(i["published_pct"], 1),
         f"{decimal(i['predicted_pct'], 1)} ({decimal(i['lower_pct'], 1)} to {decimal(i['upper_pct'], 1)})",
         "yes" if i["inside"] else "no"]
        for i in sorted(rows, key=lambda i: i["use"])
    ]  # fmt: skip
    heads = ["trial", "use", "fracture", "arm", "people", "month", "published", "osteon (90 %)", "inside"]
    return table(heads, lines, left=5)


def _fracture(row: Row) -> str:
    return str(row["endpoint"].removesuffix("_fracture").replace("_", " ").replace("nonvertebral", "non-vertebral"))


def _arms(r: Row, trials: Mapping[str, Trial]) -> str:
    one, other = (trials[r["trial"]].arm(r[k]).title for k in ("arm", "beside"))
    return f"{one} / {other[0].lower()}{other[1:]}"


def _month(r: Row) -> str:
    return f"{r['month']:g}" if not r["since"] else f"{r['since']:g} to {r['month']:g}"


def _label(r: Row, trials: Mapping[str, Trial]) -> str:
    return f"{r['trial']}, {_fracture(r)}: {_arms(r, trials)}, month\N{NO-BREAK SPACE}{_month(r)}"


def figure(found: FractureScores, trials: Mapping[str, Trial]) -> Figure:
    """Dots and intervals: published and predicted relative risks beside each other, a panel per use."""
    groups = {use: [r for r in found.ratios if r["use"] == use] for use in USES}
    groups = {use: rows for use, rows in groups.items() if rows}
    sizes = [len(rows) for rows in groups.values()]
    with style():
        drawn = Figure(figsize=(10, 1.3 + 0.3 * sum(sizes) + 0.35 * len(sizes)), layout="constrained")
        axes = drawn.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=sizes)[:, 0]
        for ax, (use, rows) in zip(axes, groups.items(), strict=True):
            _panel(ax, rows, trials)
            ax.set_title(f"trials that were {USES[use]}")
        axes[-1].set_xlabel("relative risk")
        handles = [
            Line2D([], [], marker="o", color=INK, ms=5, lw=1, label="published, 95 %"),
            Line2D([], [], marker="o", color=INK, mfc="white", ms=5, lw=1, label="the same, interval expected"),
            Line2D([], [], marker="D", color=COLOURS[0], ms=5, lw=0, label="osteon, inside"),
            Line2D([], [], marker="D", color=COLOURS[1], mfc="white", ms=5, lw=0, label="osteon, outside"),
        ]
        drawn.legend(handles=handles, loc="outside lower center", ncols=4)
    return drawn


def _panel(ax: Axes, rows: Sequence[Row], trials: Mapping[str, Trial]) -> None:
    for at, r in enumerate(rows):
        ax.plot([r["low"], r["high"]], [at - 0.13] * 2, color=INK, lw=1)
        known = INK if r["interval"] != "expected" else "white"
        ax.plot(r["published"], at - 0.13, marker="o", color=INK, mfc=known, ms=5)
        fill: Row = {"color": COLOURS[0]} if r["inside"] else {"color": COLOURS[1], "mfc": "white"}
        ax.plot(r["predicted"], at + 0.17, marker="D", ms=5, **fill)
    labels = [textwrap.fill(_label(r, trials), WIDE) for r in rows]
    ax.set_yticks(range(len(rows)), labels, fontsize=7.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xscale("log")
    ax.set_xticks(TICKS, [f"{x:g}" for x in TICKS])
    ax.minorticks_off()
    ax.axvline(1.0, color=FAINT, lw=0.8)
    ax.grid(visible=True, axis="x")
    ax.grid(visible=False, axis="y")
