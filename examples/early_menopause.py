"""A woman of 51 with an early menopause and severe osteoporosis of the spine: five plans side by side.

Runs examples/early_menopause.yaml in draws of the model, prints a table, and with `--out DIR` writes a picture and
the tables as Markdown. `--update-docs` puts both into docs/examples/early-menopause.md, whose words are by hand.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import osteon
from osteon import files
from osteon.cli.common import NOTICE, decimals, print_table
from osteon.errors import OsteonError
from osteon.report import figures
from osteon.result import provenance
from osteon.units import MONTH_DAYS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from osteon.regimen import Regimen
    from osteon.study import Study

HERE = Path(__file__).resolve().parent
STUDY = HERE / "early_menopause.yaml"
DOCS = HERE.parent / "docs"
PAGE, PICTURE = DOCS / "examples" / "early-menopause.md", DOCS / "img" / "early-menopause.png"
BEGIN, END = "<!-- written by examples/early_menopause.py -->", "<!-- end of what it wrote -->"
SITES = {"lumbar_spine_bmd": "Lumbar spine", "total_hip_bmd": "Total hip"}
YEARS, CTX_YEARS = (2, 5, 10), (2, 10)
DRUGS = {
    "conjugated estrogens": "estrogen + progestin", "alendronate": "alendronate", "teriparatide": "teriparatide",
    "denosumab": "denosumab", "romosozumab": "romosozumab", "zoledronate": "zoledronate, one dose",
}  # fmt: skip


def simulate(draws: int | None = None) -> tuple[Study, xr.Dataset]:
    """The study, and its Result month by month, which holds the visits and is fine enough for the picture."""
    study = osteon.load_study(STUDY)
    months = [float(month) for month in range(int(study.visits[-1]) + 1)]
    return study, osteon.run(study.model_copy(update={"visits": months}), draws=draws)


class Numbers:
    """The summary by arm, end point and month, and T-scores, which are means over draws."""

    def __init__(self, study: Study, result: xr.Dataset) -> None:
        self.arms = [arm.name for arm in study.arms]
        every = study.model_copy(update={"visits": list(result["time"].to_numpy() / MONTH_DAYS)})
        table: pd.DataFrame = osteon.summarise(result, every)
        table = table[table["statistic"] == "mean_pct_change"]
        self._rows = table.assign(month=table["month"].round()).set_index(["arm", "endpoint", "month"]).sort_index()
        self._t = osteon.t_score(result).mean(("draw", "person"))

    def change(self, arm: str, endpoint: str, month: float) -> float:
        """Mean % change from month 0."""
        return float(self._rows.loc[(arm, endpoint, month), "value"])

    def interval(self, arm: str, endpoint: str, month: float) -> tuple[float, float]:
        """5 and 95 % of what would be seen of it."""
        row = self._rows.loc[(arm, endpoint, month)]
        return float(row["lower"]), float(row["upper"])

    def t(self, arm: str, endpoint: str, month: float) -> float:
        """Mean T-score."""
        course = self._t[endpoint.removesuffix("_bmd")].sel(arm=arm)
        return float(course.sel(time=month * MONTH_DAYS, method="nearest"))

    def best(self, arm: str, endpoint: str) -> tuple[int, float]:
        """The month of the largest mean change, and the change."""
        course = self._rows.loc[(arm, endpoint), "value"]
        return int(course.idxmax()), float(course.max())


def signed(value: float, digits: int = 1) -> str:
    """A change with its sign; zero has none."""
    text = decimals(value, digits)
    return "0" if not text.strip("−0.") else text if text[0] in "−–" else f"+{text}"


def cell(numbers: Numbers, arm: str, endpoint: str, year: int, *, ranges: bool = True) -> str:
    """Change, its range (if there are draws) and, for BMD, the T-score at a year."""
    digits = 1 if endpoint in SITES else 0
    text = signed(numbers.change(arm, endpoint, 12 * year), digits)
    limits = numbers.interval(arm, endpoint, 12 * year)
    if ranges and not np.isnan(limits).any():
        text += " (" + " to ".join(signed(x, digits) for x in limits) + ")"
    return f"{text}; T {decimals(numbers.t(arm, endpoint, 12 * year), 1)}" if endpoint in SITES else text


def screen(numbers: Numbers) -> None:
    """The small table."""
    shown = [(site, label.split()[-1], year) for site, label in SITES.items() for year in YEARS]
    shown += [("ctx", "CTX", year) for year in CTX_YEARS]
    columns = [("plan", False), *((f"{label}, {year} y", True) for _, label, year in shown)]
    print_table(
        columns,
        [[arm, *(cell(numbers, arm, name, year, ranges=False) for name, _, year in shown)] for arm in numbers.arms],
    )


def markdown(study: Study, numbers: Numbers, result: xr.Dataset) -> str:
    """What the page holds of numbers: tables at some years, what became of the gains, and how it was made."""
    parts = []
    for name, label, years in [*((site, label, YEARS) for site, label in SITES.items()), ("ctx", "CTX", CTX_YEARS)]:
        rows = [[arm, *(cell(numbers, arm, name, year) for year in years)] for arm in numbers.arms]
        t = f"; T-score, from {decimals(numbers.t(numbers.arms[0], name, 0), 1)}" if name in SITES else ""
        heads = ["plan", *(f"{year} years" for year in years)]
        parts.append(f"**{label}**, change in % (5 to 95 %){t}:\n\n{_table(heads, rows)}")
    rows = []
    for arm in numbers.arms[1:]:
        month, most = numbers.best(arm, "lumbar_spine_bmd")
        late = numbers.change(arm, "lumbar_spine_bmd", 12 * YEARS[-1])
        rows.append([arm, f"{signed(most)} in month {month}", signed(late)])
    heads = ["plan", "most", f"{YEARS[-1]} years"]
    parts.append(f"**Lumbar spine, the most and the last**, change in %:\n\n{_table(heads, rows)}")
    parts.append(f"**After the last denosumab has worn off**, change in % from month 0:\n\n{_after(study, numbers)}")
    parts.append(f"Made with {made_with(result)}.")
    return "\n\n".join(parts) + "\n"


def made_with(result: xr.Dataset) -> str:
    """Draws, model and parameters."""
    facts, draws = provenance(result), result.sizes["draw"]
    what = f"{draws} draws" if draws > 1 else "the most probable parameters"
    return f"{what} of {facts['model']}, fit {facts['parameters_hash']}"


def _after(study: Study, numbers: Numbers) -> str:
    """What is lost once denosumab ends, in each plan that has it."""
    rows = []
    for arm in study.arms:
        for therapy, _, end in treatments(arm.schedule):
            if therapy == "denosumab":
                cells = [
                    " → ".join(signed(numbers.change(arm.name, site, end + m)) for m in (0, 12, 24)) for site in SITES
                ]
                rows.append([arm.name, f"{end}", *cells, signed(numbers.change(arm.name, "ctx", end + 6), 0)])
    heads = ["plan", "ends in month", "spine: then, 1 and 2 years on", "hip: likewise", "CTX 6 months on"]
    return _table(heads, rows)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def treatments(schedule: Regimen) -> list[tuple[str, int, int]]:
    """Therapy, first and last month of each course."""
    courses = schedule.courses(12 * YEARS[-1] * MONTH_DAYS)
    return [(c.therapy, round(c.start / MONTH_DAYS), round(c.stop / MONTH_DAYS)) for c in courses]


def picture(study: Study, result: xr.Dataset) -> Figure:
    """T-scores at spine and hip, a column per plan, no treatment in grey; the band is 5 to 95 % of the draws."""
    scores = osteon.t_score(result).mean("person")
    years = result["time"].to_numpy() / MONTH_DAYS / 12
    untreated, *plans = study.arms
    colours = dict(zip(DRUGS, figures.COLOURS, strict=True))
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.parse_math": False}
    with mpl.rc_context(style):
        figure = Figure(figsize=(2.4 * len(plans), 5.6), layout="constrained")
        axes = figure.subplots(len(SITES), len(plans), sharex=True, sharey="row")
        for row, (site, label) in zip(axes, SITES.items(), strict=True):
            for ax, plan in zip(row, plans, strict=True):
                for arm, colour in ((untreated, figures.FAINT), (plan, figures.INK)):
                    drawn = scores[site.removesuffix("_bmd")].sel(arm=arm.name)
                    ax.fill_between(years, *np.quantile(drawn, (0.05, 0.95), axis=0), color=colour, alpha=0.25, lw=0)
                    ax.plot(years, drawn.mean("draw"), color=colour, lw=1.6)
                ax.axhline(-2.5, color=figures.FAINT, lw=0.8, ls=":")
                for therapy, start, stop in treatments(plan.schedule):
                    if therapy in colours:
                        once = {"marker": "^", "ms": 8} if start == stop else {"lw": 6, "solid_capstyle": "butt"}
                        ax.plot([start / 12, stop / 12], [0.03, 0.03], transform=ax.get_xaxis_transform(),
                                color=colours[therapy], label=DRUGS[therapy], **once)  # fmt: skip
                if ax in axes[0]:
                    ax.set_title("\n".join(plan.name.rsplit(", ", 1)), fontsize=9.5, loc="left")
                ax.margins(y=0.15)
            row[0].set_ylabel(f"{label}, T-score")
        for ax in axes[-1]:
            ax.set_xlabel("years")
            ax.set_xticks(range(0, 11, 2))
        found = {}
        for ax in axes[0]:
            found |= {text: handle for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(found.values(), found.keys(), loc="outside lower left", ncols=len(found), frameon=False)
    return figure


def updated(page: str, content: str) -> str:
    """The page with what lies between its two marks replaced."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise OsteonError(f"{PAGE}: the lines {BEGIN!r} and {END!r} must stand in it once each, in this order")
    return page[: page.index(BEGIN)] + f"{BEGIN}\n\n{content}\n" + page[page.index(END) :]


def main(draws: int | None, out: Path | None, update_docs: bool) -> None:
    study, result = simulate(draws)
    numbers = Numbers(study, result)
    print(f"{study.title}: mean change in % and T-score ({made_with(result)})\n")
    screen(numbers)
    text = markdown(study, numbers, result)
    if out:
        figures.save(picture(study, result), out / PICTURE.name)
        files.write_whole(out / PAGE.name, text)
        print(f"\nwrote {PICTURE.name} and {PAGE.name} to {out}")
    if update_docs:
        page = updated(files.read_text(PAGE), text)
        figures.save(picture(study, result), PICTURE)
        files.write_whole(PAGE, page)
        print(f"\nwrote {PAGE} and {PICTURE}")
    print(f"\n{NOTICE}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, help="draws of the model to run; 0 for none (default 200)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the picture and the tables")
    parser.add_argument("--update-docs", action="store_true", help="put both into docs/ (in a checkout)")
    given = parser.parse_args()
    try:
        main(given.draws, given.out, given.update_docs)
    except OsteonError as problem:
        parser.exit(2, f"error: {problem}\n")
